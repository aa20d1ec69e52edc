package data

import (
	"os"
	"syscall"
)

// inodeOf is the number of a file's inode, and when it last changed (st_ctime of stat(2)), in
// nanoseconds since 1970; 0 if that is not known.
func inodeOf(info os.FileInfo) (number, changed int64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(s.Ino), s.Ctimespec.Nano()
	}
	return 0, 0
}

// diskBytes returns the size of a file on disk, without its holes.
func diskBytes(info os.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return 512 * s.Blocks
	}
	return info.Size()
}
