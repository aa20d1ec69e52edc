package store

import (
	"fmt"
	"os"
	"path/filepath"
)

// NetworkVariable is the environment variable that, if set, allows a database on a network
// filesystem. Whoever sets it guarantees that all processes that use the database run on one
// machine.
const NetworkVariable = "GLIMPSE_NETWORK_DB"

// networkOf is networkFilesystem, for tests to stand in for.
var networkOf = networkFilesystem

// checkFilesystem rejects a database on a network filesystem if it is to be written, or is being
// written. Processes that use a database in WAL mode share memory
// (https://www.sqlite.org/wal.html, section 1), which two machines cannot: each would overwrite
// what the other wrote, unnoticed.
func checkFilesystem(path string, write bool) error {
	if !write && noLog(path) || os.Getenv(NetworkVariable) != "" {
		return nil
	}
	kind := networkOf(filepath.Dir(path))
	if kind == "" {
		return nil
	}
	return fmt.Errorf("%s: %w (%s), where two machines would corrupt it: use a --db on a local disk and combine results with `glimpse db merge`;"+
		" or, if only this machine will ever use it, set %s=1", path, ErrNetwork, kind, NetworkVariable)
}
