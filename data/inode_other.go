//go:build !linux && !darwin

package data

import "os"

// inodeOf knows nothing on this system.
func inodeOf(os.FileInfo) (number, changed int64) { return 0, 0 }

// diskBytes is what a file takes of the disk, as far as that is known.
func diskBytes(info os.FileInfo) int64 { return info.Size() }
