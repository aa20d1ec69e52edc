//go:build !linux && !darwin

package data

import "os"

// inodeOf returns 0 on this system: inodes are unknown.
func inodeOf(os.FileInfo) (number, changed int64) { return 0, 0 }

// diskBytes returns the length of a file: its size on disk is unknown.
func diskBytes(info os.FileInfo) int64 { return info.Size() }
