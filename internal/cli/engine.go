package cli

import (
	"github.com/spf13/cobra"

	"glimpse/internal/engine"
)

// engineVerbs are the verbs of the engine, with their descriptions in glimpse --help.
var engineVerbs = []struct{ name, short string }{
	{"features", "Compute the image features that a study needs"},
	{"caption", "Caption any picture with a trained captioner"},
	{"pack", "Write a run's captioner to one file for glimpse caption"},
	{"swap", "Find which words need the picture, by swapping pictures"},
	{"ensemble", "Score several runs decoded together"},
	{"illustrate", "Store pictures and attention maps for a study's report"},
	{"reproduce", "Train a run again and compare it bit for bit"},
	{"bench", "Measure how fast this machine trains, decodes, scores and stores"},
	{"trial", "Run one trial that a study recorded"},
}

// AddEngineVerbs adds the verbs that only the engine has. Each, also for help and completion,
// replaces this process with the engine and passes the command line unchanged.
func AddEngineVerbs(root *cobra.Command) {
	for _, v := range engineVerbs {
		c := &cobra.Command{
			Use: v.name, Short: v.short, Hidden: v.name == "trial", DisableFlagParsing: true,
			RunE: func(_ *cobra.Command, args []string) error { return execEngine(append([]string{v.name}, args...)) },
			ValidArgsFunction: func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
				_ = execEngine(append(append([]string{"__complete", v.name}, args...), typed))
				return nil, cobra.ShellCompDirectiveError
			},
		}
		c.SetHelpFunc(func(c *cobra.Command, _ []string) {
			if err := execEngine([]string{"help", v.name}); err != nil {
				c.PrintErrln("glimpse:", err)
			}
		})
		if v.name == "features" { // its subcommand prune needs no engine
			prune := FeaturesPruneCommand()
			prune.SetHelpFunc(root.HelpFunc())
			c.AddCommand(prune)
		}
		root.AddCommand(c)
	}
}

func execEngine(args []string) error {
	found, err := engine.Find(Version())
	if err != nil {
		return err
	}
	return found.Exec(args)
}

// Describe sets the descriptions of the engine's verbs to those in glimpse --help.
func Describe(root *cobra.Command) {
	for _, c := range root.Commands() {
		for _, v := range engineVerbs {
			if c.Name() == v.name {
				c.Short = v.short
			}
		}
	}
}
