package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/planning"
	"glimpse/runner"
)

func dataCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "data COMMAND",
		Short: "Inspect and export data sets; fetch METEOR's data",
		Example: `  glimpse data info experiments/flickr8k.yaml
  glimpse data export experiments/demo.yaml -o scenes
  glimpse data fetch meteor`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(dataInfoCommand(), dataFetchCommand(), dataExportCommand())
	return c
}

func dataInfoCommand() *cobra.Command {
	var (
		flags  cli.StudyFlags
		split  string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "info STUDY.yaml|NAME|FOLDER",
		Short: "Read and check a data set, and summarise it",
		Long: `Read and check the data set of a study, a public data set by name (flickr8k,
flickr30k, coco, shapes), or a folder or caption file of your own. Check every
caption, and decode every picture not yet decoded. Print a summary, ten sample
captions, and what was left out, with file and line. List every image that
cannot be used; if a study would reject the data set for that, the exit code is
1. Control characters in names, such as tabs and line breaks, are shown as \t,
\n or \u001b.`,
		Example: `  glimpse data info experiments/flickr8k.yaml
  glimpse data info shapes
  glimpse data info photos
  glimpse data info flickr8k --data /data/flickr8k --split karpathy --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			options, err := dataOptions(c, args[0], split, flags)
			if err != nil {
				return err
			}
			d, err := data.Look(options)
			if err != nil {
				return err
			}
			info := d.Info()
			if asJSON {
				err = term.WriteJSON(c.OutOrStdout(), info)
			} else {
				err = printInfo(c.OutOrStdout(), info)
			}
			if err != nil {
				return err
			}
			return d.Refusal()
		},
	}
	flags.Add(c)
	c.Flags().StringVar(&split, "split", "", "with a NAME: official, karpathy or seed (default: that of a study)")
	cli.AddJSON(c, &asJSON)
	return c
}

// dataOptions returns the data set that a study file, a name or a path refers to.
func dataOptions(c *cobra.Command, arg, split string, flags cli.StudyFlags) (data.Options, error) {
	cache, err := cli.DataCache()
	if err != nil {
		return data.Options{}, err
	}
	if ext := filepath.Ext(arg); ext != ".yaml" && ext != ".yml" {
		if isPath(arg) {
			return folderOptions(c, arg, split, flags, cache)
		}
		if len(flags.Sets) > 0 {
			return data.Options{}, cli.Usage(fmt.Errorf("--set changes a study file, but %s is the name of a data set", arg))
		}
		if !slices.Contains(experiments.DraftData(), arg) {
			return data.Options{}, cli.Usage(experiments.UnknownData(arg))
		}
		return runner.DataOptions(experiments.DataSettings(arg, split), cli.DataRoot(flags.Root, ""), cache), nil
	}
	if split != "" {
		return data.Options{}, cli.Usage(fmt.Errorf("--split needs the name of a data set; for a study, use --set data.split=%s", split))
	}
	study, err := flags.Load(arg)
	if err != nil {
		return data.Options{}, err
	}
	trials, err := study.Plan()
	if err != nil {
		return data.Options{}, err
	}
	settings := trials[0].Settings
	return runner.DataOptions(settings, settings.Data.Root, cache), nil
}

// isPath reports whether arg is a path rather than the name of a data set. Names take precedence.
func isPath(arg string) bool {
	if slices.Contains(experiments.DraftData(), arg) {
		return false
	}
	_, err := os.Stat(arg)
	return err == nil || strings.ContainsAny(arg, `./\`)
}

// folderOptions returns the data set in a folder, or of a caption file.
func folderOptions(c *cobra.Command, path, split string, flags cli.StudyFlags, cache data.Cache) (data.Options, error) {
	if len(flags.Sets) > 0 || split != "" || flags.Root != "" {
		return data.Options{}, cli.Usage(fmt.Errorf("--set, --split and --data do not apply to the folder %s; "+
			"write a study with `glimpse new NAME --dataset %s`, and edit it", path, path))
	}
	found, err := planning.Discover(path, cache)
	if err != nil {
		return data.Options{}, err
	}
	tell(c, found)
	return found.Options, nil
}

// tell prints what was found in a folder.
func tell(c *cobra.Command, found planning.Discovered) {
	for _, line := range found.Said {
		note(c, term.Line(line))
	}
}

func printInfo(w io.Writer, info data.Info) error {
	t := &term.Table{}
	t.Add("data set", info.Name)
	t.Add("split", info.Split)
	if info.Root != "" {
		t.Add("folder", info.Root)
	}
	images := term.Count(int64(info.Images))
	if info.Unused > 0 {
		images += fmt.Sprintf(", of which %s are in no split", term.Count(int64(info.Unused)))
	}
	t.Add("images", images)
	t.Add("vocabulary", term.Count(int64(info.Vocabulary))+" words, from the training captions")
	t.Add("hash", info.Hash)
	t.Gap()
	t.Add("SPLIT", "IMAGES", "CAPTIONS", "WORDS/CAPTION", "LONGEST", "UNKNOWN WORDS")
	for _, name := range []string{"train", "val", "test"} {
		split, ok := info.Splits[name]
		if !ok {
			continue
		}
		t.Add(name, term.Count(int64(split.Images)), term.Count(int64(split.Captions)),
			fmt.Sprintf("%.1f", float64(split.Words)/float64(max(1, split.Captions))), fmt.Sprint(split.Longest),
			fmt.Sprintf("%.2f %%", 100*float64(split.Unknown)))
	}
	if err := t.Print(w); err != nil {
		return err
	}
	lines := []string{"", "SAMPLE CAPTIONS"}
	for _, e := range info.Examples {
		lines = append(lines, e.Image+": "+e.Caption)
	}
	if len(info.Broken) > 0 {
		lines = append(lines, "", "CANNOT BE TRAINED ON")
	}
	for _, broken := range info.Broken {
		lines = append(lines, broken.String())
	}
	if len(info.Notes) > 0 {
		lines = append(lines, "", "LEFT OUT OR READ LENIENTLY")
	}
	for _, note := range info.Notes {
		lines = append(lines, note.String())
	}
	return term.Paragraphs(w, lines...)
}
