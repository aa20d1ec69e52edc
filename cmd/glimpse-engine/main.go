// Command glimpse-engine is the half of glimpse that computes: it links libtorch. Users call glimpse, which starts it for
// the verbs that need a model, and for each trial of a study.
//
// The package is wiring, as that of glimpse is: each verb has a file of its own, which reads flags, calls the package that
// does the work, and prints what it gives.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
)

func main() {
	err := engine.CheckCaller(cli.Version())
	if err == nil {
		err = engine.SetWaiting()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "glimpse:", err)
		os.Exit(cli.ExitFailed)
	}
	cli.Main(newRoot())
}

func newRoot() *cobra.Command {
	root := cli.Root()
	root.Short = "The half of glimpse that computes"
	root.Long = `glimpse starts this program for commands that need a model. Use glimpse instead.`
	root.AddCommand(
		trialCommand(), featuresCommand(), captionCommand(), packCommand(), swapCommand(), ensembleCommand(), illustrateCommand(), reproduceCommand(),
		benchCommand(), cli.AuditCommand(audit), aboutCommand(),
	)
	cli.Describe(root)
	return root
}
