// Command glimpse runs image-captioning studies: a YAML file in; trained, scored and compared captioners, results.db and
// a report out. `glimpse --help` lists the verbs.
//
// The package is wiring: each verb has a file of its own, which reads flags, calls the package that does the work, and
// prints what it gives, as text or, with --json, as one JSON value. Results go to standard output, everything else to
// standard error. It may import every package of the module; none imports it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end; with the handler gone, a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
