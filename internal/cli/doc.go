// Package cli is shared by the command lines of the two programs: running a command line, exit
// codes, flags that many verbs have, the paths of database, data and cache, completion, and the
// verbs of the engine.
//
// The verbs themselves are in cmd/glimpse and cmd/glimpse-engine.
package cli
