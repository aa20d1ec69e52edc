package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/term"
)

func packCommand() *cobra.Command {
	var (
		flags  cli.RunFlags
		o      inspect.PackOptions
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "pack RUN",
		Short: "Write a run's captioner as one file, for glimpse caption anywhere",
		Long: `Writes the captioner of a run's best epoch as one safetensors file: weights,
vocabulary, settings, protocol and scores. glimpse caption needs neither the
database nor the data set then. The weights are rounded to half precision, unless
--single keeps them as they are; the captions are then the same in nearly all
cases, so compare before you hand the file over. The weights of a frozen encoder
are not in the file: they are fetched as for training.

glimpse caption looks for packed captioners in the folder captioners/ beside
glimpse, in that of the checkout, and in that of the cache.`,
		Example: `  glimpse pack 3f2a -o captioners/flickr8k.safetensors
  glimpse pack 3f2a -o mine.safetensors --source "My holidays" --licence CC-BY-4.0
  glimpse caption photo.jpg --captioner mine.safetensors`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			opener, err := openRuns(c, flags, cli.OpenResults)
			if err != nil {
				return err
			}
			defer opener.DB.Close()
			packed, err := opener.Pack(c.Context(), args[0], o)
			if err != nil {
				return err
			}
			if asJSON {
				return term.WriteJSON(c.OutOrStdout(), packed)
			}
			info, err := os.Stat(packed.Path)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s, %s precision\n%s\n",
				term.Line(packed.Path), term.Bytes(info.Size()), packed.Precision, term.Line(packed.Summary()))
			return err
		},
	}
	flags.Add(c)
	c.Flags().StringVarP(&o.Path, "output", "o", "", "file to write, ending in .safetensors (required)")
	c.Flags().BoolVar(&o.Single, "single", false, "keep single precision: the file is twice as large")
	c.Flags().StringVar(&o.Source, "source", "", "where the training data come from (default the name of the data set)")
	c.Flags().StringVar(&o.Licence, "licence", "", "their licence")
	cli.AddJSON(c, &asJSON)
	if err := c.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag stands above
	}
	return c
}
