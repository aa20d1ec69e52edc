package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/internal/term"
)

func illustrateCommand() *cobra.Command {
	var (
		flags  cli.RunFlags
		images int
	)
	c := &cobra.Command{
		Use: "illustrate STUDY",
		Long: `Choose the images whose captions differ most between the arms of the main
contrast of a study (its name or its YAML file), half of them better and half
worse. Store thumbnails in the database, with where the best checkpoint of each
arm's lowest seed looked before each word. Then every report of the study shows
them. glimpse run does this at the end of a study.

A database keeps at most twenty pictures of a data set, over all its studies;
drawn scenes do not count. --images 0 removes those of the study; fewer than
those stored are taken from them, and need no checkpoint.`,
		Example: `  glimpse illustrate flickr8k-attention
  glimpse illustrate demo --db demo.db --images 8
  glimpse illustrate flickr8k-pilot --images 0`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			if images < 0 || images > store.MostPictures {
				return cli.Usage(fmt.Errorf("--images must be 0 to %d", store.MostPictures))
			}
			opener, err := openRuns(c, flags, cli.OpenForWriting)
			if err != nil {
				return err
			}
			defer opener.DB.Close()
			name, err := cli.StudyName(c.Context(), opener.DB, args[0])
			if err != nil {
				return err
			}
			kept, err := opener.Illustrate(c.Context(), name, images)
			if err != nil {
				return err
			}
			return printIllustration(c.OutOrStdout(), name, kept)
		},
	}
	flags.Add(c)
	c.Flags().IntVar(&images, "images", store.MostPictures, "pictures to keep; 0 removes them")
	return c
}

func printIllustration(w io.Writer, study string, kept store.Illustration) error {
	_, err := fmt.Fprintf(w, "%s: %s and %s kept\n", study,
		term.Plural(len(kept.Pictures), "picture"), term.Plural(len(kept.Maps), "attention map"))
	return err
}
