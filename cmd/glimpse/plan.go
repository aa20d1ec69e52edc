package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/planning"
)

func planCommand() *cobra.Command {
	var (
		flags  cli.StudyFlags
		db     string
		jobs   int
		wide   bool
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "plan STUDY.yaml",
		Short: "List a study's trials and what they can find; trains nothing",
		Long: `Read a study and its data, and list the trials: IDs, parameter counts
(matched, if the study asks for it), which are done, and the time left,
estimated from runs in the database. Print what the comparison can find with
that many seeds: the smallest p-value it can reach, and the difference it can
detect. The latter depends on how much scores vary over seeds and images. This
is measured in completed runs of this study or else of other studies on the same
data, or else assumed, for CIDEr on Flickr8k; plan says which.`,
		Example: `  glimpse plan experiments/demo.yaml
  glimpse plan experiments/flickr8k.yaml --set 'sweep.over.seed=[1]'
  glimpse plan experiments/demo.yaml --json | jq -r '.trials[].id'`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			study, err := flags.Load(args[0])
			if err != nil {
				return err
			}
			cache, err := cli.DataCache()
			if err != nil {
				return err
			}
			sets := &planning.Sets{Cache: cache}
			opened, err := openForPlan(db)
			if err != nil {
				return err
			}
			if opened != nil {
				defer opened.Close()
			}
			found, err := sets.Against(c.Context(), opened, study)
			if err != nil {
				return err
			}
			if err := found.CheckWeights(study); err != nil {
				return err
			}
			p, err := sets.NewPlan(c.Context(), opened, study, found, planning.Jobs(jobs, study, len(found.Trials), hasGPU(c.Context())))
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), p)
			}
			return printPlan(c, p, wide)
		},
	}
	flags.Add(c)
	cli.AddDB(c, &db)
	addJobs(c, &jobs, "trials at a time, for the estimate")
	cli.AddWide(c, &wide)
	cli.AddJSON(c, &asJSON)
	return c
}

// openForPlan opens the database read-only, or returns nil if there is none yet.
func openForPlan(flag string) (*store.DB, error) {
	db, err := store.OpenReadOnly(cli.DBPath(flag))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return db, err
}

func addJobs(c *cobra.Command, jobs *int, use string) {
	c.Flags().IntVarP(jobs, "jobs", "j", 0, use+" (default: one per processor, with one thread each; 1 on a GPU)")
}

// hasGPU reports whether trials would run on a GPU. It asks the engine only if the system has a
// driver.
func hasGPU(ctx context.Context) bool {
	if _, err := os.Stat("/proc/driver/nvidia/version"); err != nil {
		return false
	}
	_, info, err := engine.FindAndAsk(ctx, cli.Version(), "auto")
	return err == nil && info.GPU != ""
}

// featuresLine describes features and the cache space that they need.
func featuresLine(f planning.Needed) string {
	views := ""
	if f.Views > 1 {
		views = fmt.Sprintf(", %d of them in %d views", f.Trained, f.Views)
	}
	return fmt.Sprintf("features of %s by %s at %d pixels: %s%s, at most %s of cache",
		f.Data, f.Name(), f.ImageSize, term.Plural(f.Images, "picture"), views, term.Bytes(f.Bytes))
}

func printPlan(c *cobra.Command, p *planning.Plan, wide bool) error {
	w := c.OutOrStdout()
	fmt.Fprintf(w, "%s\n\n", cli.WithMessage(p.Study, term.Line(p.Question)))
	t := &term.Table{}
	t.Add("TRIAL", "ARM", "SEED", "HIDDEN", "PARAMETERS", "STATE")
	for _, trial := range p.Trials {
		t.Add(trial.ID, trial.Label, strconv.FormatInt(trial.Seed, 10),
			strconv.Itoa(trial.Settings.Model.Hidden), term.Count(trial.Parameters), trial.State)
	}
	if err := cli.PrintTable(c, t, wide, "HIDDEN", "PARAMETERS"); err != nil {
		return err
	}
	atMost := ""
	if p.Outlook != nil && p.Outlook.Options.Looks != nil {
		atMost = " at most" // a sequential study may end with fewer
	}
	fmt.Fprintln(w)
	for _, f := range p.Features {
		if f.Bytes > 0 {
			if err := term.Paragraphs(w, featuresLine(f)); err != nil {
				return err
			}
		}
	}
	line := fmt.Sprintf("%s%s, %d complete", term.Plural(len(p.Trials), "trial"), atMost, p.Completed)
	if p.Failed > 0 {
		line += fmt.Sprintf(", %d failed (`glimpse run --retry-failed` retries)", p.Failed)
	}
	if p.Estimate != nil {
		line += fmt.Sprintf(", about %s left", term.Span(float64(*p.Estimate)))
	} else if p.Remaining > 0 {
		line += "; the time left is known once one has run"
	}
	lines := []string{line}
	if p.Search != nil {
		lines = append(lines, fmt.Sprintf("%d of %d samples proposed; each batch depends on the results of those before", p.Search.Proposed, p.Search.Samples))
	}
	if err := term.Paragraphs(w, lines...); err != nil {
		return err
	}
	if p.Outlook != nil {
		if err := printOutlook(c, p.Outlook, p.Contrasts, p.Noise, wide); err != nil {
			return err
		}
	}
	for _, warning := range p.Warnings {
		if err := term.Paragraphs(w, "warning: "+warning); err != nil {
			return err
		}
	}
	return nil
}
