// Package cli is what the two programs' command lines share: how a command line is run and what its exit code
// means, flags that many verbs have, where database, data and cache lie, completion, and the verbs of the engine.
//
// The verbs themselves are in cmd/glimpse and cmd/glimpse-engine.
package cli
