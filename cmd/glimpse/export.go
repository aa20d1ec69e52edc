package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/exports"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func exportCommand() *cobra.Command {
	var (
		db     string
		to     exports.Targets
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "export [STUDY]",
		Short: "Export results to MLflow, TensorBoard, data frames, or COCO's JSON",
		Long: `Export the started runs of a study (its name or its YAML file), or of all
studies. You may name several targets at once. Exporting again replaces the
earlier export; nothing is duplicated.

--mlflow takes the URL of a tracking server (MLflow 2 or 3), or a folder to
write as a file store. Put user and password into the URL, or better into
$MLFLOW_TRACKING_USERNAME and _PASSWORD, or $MLFLOW_TRACKING_TOKEN, since others
on the machine may see command lines. A study becomes an experiment; settings
become parameters, scores and curves metrics, captions artifacts. MLflow 3.13
and newer read a folder only with MLFLOW_ALLOW_FILE_STORE=true, or import it
with mlflow migrate-filestore.
--tensorboard writes a folder of events per run: tensorboard --logdir DIR.
--csv and --jsonl write runs, epochs and captions as flat tables, one column per
setting or metric, and the joint captions of an arm's seeds (compare.ensemble).
In CSV, text that a spreadsheet would interpret as a formula gets a leading '.
glimpse db export writes the whole database, for glimpse db import.
--coco writes STUDY/RUN.SPLIT.json in COCO's results format.

Metrics are fractions of 1, CIDEr unscaled.`,
		Example: `  glimpse export demo --db demo.db --csv tables --coco captions
  glimpse export flickr8k-attention --mlflow http://127.0.0.1:5000
  glimpse export --tensorboard events --mlflow mlruns
  glimpse export demo --jsonl tables`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cli.CompleteStudy,
		RunE: func(c *cobra.Command, args []string) error {
			if to == (exports.Targets{}) {
				return cli.Usage(errors.New("name a target: --mlflow, --tensorboard, --csv, --jsonl or --coco"))
			}
			results, err := cli.OpenResults(db)
			if err != nil {
				return err
			}
			defer results.Close()
			ctx := c.Context()
			studies, err := cli.StudyNames(ctx, results)
			if err == nil && len(args) == 1 {
				var name string
				name, err = cli.StudyName(ctx, results, args[0])
				studies = []string{name}
			}
			if err != nil {
				return err
			}
			runs, err := exports.Gather(ctx, results, studies)
			if err != nil {
				return err
			}
			if len(runs) == 0 {
				return errors.New("no run has started yet; train them with `glimpse run`")
			}
			done, err := exports.Write(ctx, results, runs, to)
			if asJSON && err == nil {
				return term.WriteJSON(c.OutOrStdout(), done)
			}
			for _, d := range done { // also what was written before an error
				fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", term.Line(d.To), says(d))
			}
			return err
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&to.MLflow, "mlflow", "", "an MLflow server's URL, or a folder for a file store")
	c.Flags().StringVar(&to.TensorBoard, "tensorboard", "", "folder for TensorBoard's events")
	c.Flags().StringVar(&to.CSV, "csv", "", "folder for runs.csv, epochs.csv and captions.csv")
	c.Flags().StringVar(&to.JSONL, "jsonl", "", "folder for runs.jsonl, epochs.jsonl and captions.jsonl")
	c.Flags().StringVar(&to.COCO, "coco", "", "folder for captions in COCO's results format")
	cli.AddJSON(c, &asJSON)
	return c
}

// says describes what was written to a target.
func says(e exports.Written) string {
	text := term.Plural(e.Runs, "run")
	if e.Same > 0 {
		text += fmt.Sprintf(", %d of them already exported", e.Same)
	}
	if e.Target == "coco" {
		text += ", " + term.Plural(len(e.Files), "file")
	}
	return text
}
