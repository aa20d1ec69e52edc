package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func dataExportCommand() *cobra.Command {
	var (
		flags  cli.StudyFlags
		split  string
		dir    string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "export STUDY.yaml|NAME|FOLDER -o DIR",
		Short: "Write captions in COCO's format, and drawn scenes as pictures",
		Long: `Write captions_train.json, captions_val.json and captions_test.json in COCO's
format, ready for glimpse score --references. Pass a study, the name of a data
set, or a folder. Scenes of shapes are also drawn as PNG into images/, so that
other programs can caption them, or a study can read them as data set coco with
split official. Picture files are not copied.`,
		Example: `  glimpse data export experiments/demo.yaml -o scenes
  glimpse data export flickr8k --data /data/flickr8k -o references
  glimpse score --references scenes/captions_test.json --candidates mine.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if dir == "" {
				return cli.Usage(errors.New("-o DIR is missing: name the folder to write to"))
			}
			options, err := dataOptions(c, args[0], split, flags)
			if err != nil {
				return err
			}
			d, err := data.Load(options)
			if err != nil {
				return err
			}
			files, err := d.Export(dir)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), files)
			}
			for _, f := range files {
				fmt.Fprintf(c.OutOrStdout(), "%s: %s, %s\n", term.Line(f.File), term.Plural(f.Images, "image"), term.Plural(f.Captions, "caption"))
			}
			return nil
		},
	}
	flags.Add(c)
	c.Flags().StringVarP(&dir, "output", "o", "", "folder to write to; created if missing (required)")
	c.Flags().StringVar(&split, "split", "", "with a NAME: official, karpathy or seed (default: that of a study)")
	cli.AddJSON(c, &asJSON)
	return c
}
