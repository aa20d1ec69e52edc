// Command glimpse runs image-captioning studies. From a YAML file it trains, scores and compares
// captioners, records everything in results.db and writes a report. `glimpse --help` lists the
// verbs.
//
// The package is wiring. Each verb has a file of its own, which reads flags, calls the package that
// does the work, and prints the result, as text or, with --json, as one JSON value. Results go to
// standard output, everything else to standard error. It does not link libtorch: glimpse-engine
// computes. glimpse starts it for each trial, and replaces itself with it for the verbs that need a
// model.
package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func main() { cli.Main(newRoot()) }

func newRoot() *cobra.Command {
	root := cli.Root()
	root.Short = "Does attention improve an image captioner, by how much, and how sure are we?"
	root.Long = `glimpse reads a study in YAML, trains its captioners, scores their captions,
records everything in results.db, and writes a report that answers the study's
question with plots and statistics.

Exit codes: 0 done; 1 failed; 2 wrong usage or study file; 3 some trials or
pictures failed; 70 a bug in glimpse; 130 interrupted (run the same command to
resume).`
	root.RunE = func(c *cobra.Command, _ []string) error { return printNextSteps(c) }
	root.Example = `  glimpse new mine
  glimpse plan experiments/mine.yaml
  glimpse run experiments/mine.yaml
  glimpse report mine -o report
  glimpse caption photo.jpg`
	root.AddCommand(
		newCommand(), planCommand(), runCommand(), watchCommand(), collectCommand(), stopCommand(), pruneCommand(), deleteCommand(),
		runsCommand(), showCommand(), compareCommand(), serveCommand(), diffCommand(), noteCommand(), cli.AuditCommand(audit), reportCommand(), exportCommand(),
		dataCommand(), scoreCommand(), dbCommand(), doctorCommand(), tokenizeCommand(), versionCommand(),
	)
	cli.AddEngineVerbs(root)
	for _, group := range verbGroups {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title + ":"})
		for _, c := range root.Commands() {
			if slices.Contains(group.verbs, c.Name()) {
				c.GroupID = group.title
			}
		}
	}
	last := verbGroups[len(verbGroups)-1].title
	root.SetHelpCommandGroupID(last)
	root.SetCompletionCommandGroupID(last)
	return root
}

// verbGroups are the groups of verbs in the help.
var verbGroups = []struct {
	title string
	verbs []string
}{
	{"Write and check a study", []string{"new", "plan", "data"}},
	{"Run it", []string{"run", "watch", "serve", "stop", "collect", "features", "prune"}},
	{"Look at results", []string{"runs", "show", "diff", "note", "compare", "report", "export"}},
	{"Caption pictures, and look behind the results", []string{
		"caption", "pack", "illustrate", "ensemble", "swap", "audit", "reproduce", "score", "tokenize",
	}},
	{"Keep house", []string{"db", "delete", "doctor", "bench", "version"}},
}

// printNextSteps suggests what to do next in the working directory.
func printNextSteps(c *cobra.Command) error {
	here, steps, err := cli.NextSteps(c.Context())
	if err != nil {
		return err
	}
	w := c.OutOrStdout()
	fmt.Fprintf(w, "glimpse trains image captioners and compares them.\n\n%s Next:\n", term.Line(here))
	t := &term.Table{}
	for _, step := range append(steps, cli.Step{Command: "glimpse --help", Does: "list all commands"}) {
		t.Add("  "+step.Command, step.Does)
	}
	return t.PrintWrapped(w)
}
