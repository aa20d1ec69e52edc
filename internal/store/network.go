package store

import (
	"fmt"
	"os"
	"path/filepath"
)

// NetworkVariable is the environment variable that, set to anything, has a
// database on a network filesystem used: its owner answers for it that all
// processes that use it run on one machine.
const NetworkVariable = "GLIMPSE_NETWORK_DB"

// networkOf is networkFilesystem, for tests to stand in for.
var networkOf = networkFilesystem

// checkFilesystem refuses a database on a network filesystem that is to be
// written, or is being written. The processes on a database in WAL mode share memory
// (https://www.sqlite.org/wal.html, section 1), which two machines cannot: each
// would overwrite what the other wrote, and nobody would notice.
func checkFilesystem(path string, write bool) error {
	if !write && noLog(path) || os.Getenv(NetworkVariable) != "" {
		return nil
	}
	kind := networkOf(filepath.Dir(path))
	if kind == "" {
		return nil
	}
	return fmt.Errorf("%s: %w (%s), where two machines would destroy it unnoticed: give a --db on a local disk, and bring results together with `glimpse db merge`;"+
		" if only this machine will ever use it, set %s=1", path, ErrNetwork, kind, NetworkVariable)
}
