package main

import (
	"errors"
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
		Use: "pack RUN",
		Long: `Write the captioner of a run's best epoch to one safetensors file: weights,
vocabulary, settings, protocol and scores. With this file, glimpse caption needs
neither database nor data set. Weights are rounded to half precision; --single
keeps them exact, but doubles the size of the file. The weights of a frozen
encoder are not in the file: they are downloaded as for training.

glimpse caption searches captioners/ beside glimpse, captioners/ in the folder
above (a checkout's), and captioners/ in the cache.`,
		Example: `  glimpse pack 3f2a -o captioners/flickr8k.safetensors
  glimpse pack 3f2a -o mine.safetensors --source "My photos" --licence CC0-1.0
  glimpse caption photo.jpg --captioner mine.safetensors`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.CompleteFromDB(cli.RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if o.Path == "" {
				return cli.Usage(errors.New("-o FILE is missing: name the file to write"))
			}
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
	c.Flags().BoolVar(&o.Single, "single", false, "keep single precision; the file is twice as large")
	c.Flags().StringVar(&o.Source, "source", "", "source of the training data (default: the name of the data set)")
	c.Flags().StringVar(&o.Licence, "licence", "", "licence of the training data")
	cli.AddJSON(c, &asJSON)
	return c
}
