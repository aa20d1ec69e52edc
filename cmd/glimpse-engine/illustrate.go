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
		Use:   "illustrate STUDY",
		Short: "Keep pictures and attention maps for a study's report",
		Long: `Picks the images of a study (its name or its YAML file) whose captions changed
most between the arms of its main contrast, half of them for the better and half
for the worse, and keeps thumbnails of them in the database with where the best
checkpoint of each arm's lowest seed looked before each word. The report then
shows them, wherever it is made. ` + "`glimpse run`" + ` does this at the end of a study.

No more than twenty pictures of a data set are kept in a database, over all its
studies; drawn scenes are not counted. --images 0 takes those of the study out.`,
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
	c.Flags().IntVar(&images, "images", store.MostPictures, "how many pictures to keep; 0 takes them out")
	return c
}

func printIllustration(w io.Writer, study string, kept store.Illustration) error {
	_, err := fmt.Fprintf(w, "%s: %s and %s kept\n", study,
		term.Plural(len(kept.Pictures), "picture"), term.Plural(len(kept.Maps), "attention map"))
	return err
}
