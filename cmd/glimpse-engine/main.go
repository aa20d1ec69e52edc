// Command glimpse-engine is the part of glimpse that computes with models: it links libtorch. Users
// call glimpse, which starts it for the verbs that need a model and for each trial of a study.
//
// Like glimpse, the package is wiring. Each verb has a file of its own, which reads flags, calls
// the package that does the work, and prints the result.
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
	root.Short = "The part of glimpse that computes with models"
	root.Long = `glimpse starts this program for commands that need a model. Use glimpse instead.`
	root.AddCommand(
		trialCommand(), featuresCommand(), captionCommand(), packCommand(), swapCommand(), ensembleCommand(), illustrateCommand(), reproduceCommand(),
		benchCommand(), cli.AuditCommand(audit), aboutCommand(),
	)
	cli.Describe(root)
	return root
}
