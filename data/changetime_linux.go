package data

import (
	"os"
	"syscall"
)

// changeTime is when a file's inode last changed (st_ctime of stat(2)), in
// nanoseconds since 1970; 0 where that is not known.
func changeTime(info os.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ctim.Nano()
	}
	return 0
}
