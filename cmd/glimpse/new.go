package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/atomicfile"
	"glimpse/internal/cli"
	"glimpse/internal/slurm"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/planning"
)

func newCommand() *cobra.Command {
	var (
		draft   experiments.Draft
		output  string
		db      string
		cluster bool
	)
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a commented study file to start from",
		Long: `Write experiments/NAME.yaml: a complete study, with a comment on each key and
its possible values. By default it compares types of attention. --sweep names
other values to compare. A second --sweep adds a factor: each arm is trained
with each of its values, and arms are compared by their means over them
(compare.factors changes that). The number of seeds is what the comparison
needs. An existing file is never overwritten.

--dataset FOLDER reads pictures and captions of your own, or a public data set.
It finds the caption file (or name that file), its columns and its splits,
prints what it found, and fits the settings to the number of pictures.

The data set shapes is drawn and needs no download: such a study runs at once.
Edit the file to change other settings; glimpse plan checks it.

--cluster writes cluster.yaml beside the database instead: how to run trials on
this site's Slurm.`,
		Example: `  glimpse new first
  glimpse new hidden-size --sweep model.hidden=48,96,192
  glimpse new robust --sweep model.attention=none,soft \
    --sweep model.dropout=0.1,0.3
  glimpse new smoothing --dataset flickr8k --data ~/flickr8k \
    --sweep train.label_smoothing=0,0.1
  glimpse new mine --dataset photos
  glimpse new mine --dataset photos/captions.tsv
  glimpse new first --all -o - | less
  glimpse new --cluster`,
		Args: func(c *cobra.Command, args []string) error {
			if cluster {
				return cobra.NoArgs(c, args)
			}
			return cobra.ExactArgs(1)(c, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if cluster {
				return newCluster(c, output, db)
			}
			draft.Name = args[0]
			draft.Path = output
			if output == "" || output == "-" {
				draft.Path = filepath.Join("experiments", draft.Name+".yaml")
			}
			if c.Flags().Changed("seeds") && (draft.Seeds < 1 || draft.Seeds > 1000) {
				return cli.Usage(fmt.Errorf("--seeds %d: must be from 1 to 1000", draft.Seeds))
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(draft.Path), "schema.json")); err == nil {
				draft.Schema = "schema.json"
			}
			if err := discover(c, &draft); err != nil {
				return err
			}
			text, study, err := draft.Write()
			if err != nil {
				return cli.Usage(err)
			}
			if err := nameIsFree(c, db, study.Name); err != nil {
				return err
			}
			trials, err := study.Plan()
			if err != nil {
				return err
			}
			if output == "-" {
				_, err = c.OutOrStdout().Write(text)
			} else if err = create(draft.Path, text); err == nil {
				fmt.Fprintln(c.OutOrStdout(), draft.Path)
				fmt.Fprintf(c.ErrOrStderr(), "%s; next: edit it, then `glimpse plan %s`\n", term.Plural(len(trials), "trial"), draft.Path)
			}
			for _, warning := range study.Warnings() {
				fmt.Fprintf(c.ErrOrStderr(), "warning: %s\n", term.Line(warning))
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVarP(&output, "output", "o", "", "file to write, - for standard output (default experiments/NAME.yaml)")
	f.StringVar(&draft.Data, "dataset", "", "data set: "+strings.Join(experiments.DraftData(), ", ")+", or a folder or its file of captions (default "+experiments.DraftData()[0]+")")
	f.StringVar(&draft.Root, "data", "", "folder of the data set, written into the study")
	f.StringArrayVar(&draft.Over, "sweep", nil,
		"compare values of a key, as KEY=VALUE,VALUE with the baseline first; another --sweep adds a factor (repeatable)")
	f.IntVar(&draft.Seeds, "seeds", 0, "seeds per arm (default: as many as the comparison needs, at least 5)")
	f.StringVar(&draft.Question, "question", "", "the question that the study answers")
	f.BoolVar(&draft.All, "all", false, "write every key that has an effect, not just the usual ones")
	f.BoolVar(&cluster, "cluster", false, "write "+slurm.FileName+", the settings of a Slurm site, instead of a study")
	cli.AddDB(c, &db)
	// The only possible error is an unknown flag. Anything that is not a name is a folder or a
	// file.
	_ = c.RegisterFlagCompletionFunc("dataset", func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return cli.Beginning(experiments.DraftData(), typed), cobra.ShellCompDirectiveDefault
	})
	cli.CompleteFlag(c, "sweep", func(string) []string {
		var words []string
		for _, key := range experiments.SettingKeys() {
			words = append(words, key.Path+"=\t"+key.Doc)
		}
		return words
	})
	return c
}

// newCluster writes a commented cluster.yaml.
func newCluster(c *cobra.Command, output, db string) error {
	if output == "-" {
		_, err := c.OutOrStdout().Write(slurm.Template())
		return err
	}
	if output == "" {
		output = slurm.Find(cli.DBPath(db))
	}
	if err := create(output, slurm.Template()); err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), output)
	fmt.Fprintln(c.ErrOrStderr(), "next: edit it, then `glimpse doctor --on slurm`, then `glimpse run STUDY.yaml --on slurm`")
	return nil
}

// discover fills a draft from the folder or caption file given as its data set, if it is not a
// name.
func discover(c *cobra.Command, draft *experiments.Draft) error {
	if draft.Data == "" || !isPath(draft.Data) {
		return nil
	}
	if draft.Root != "" {
		return cli.Usage(errors.New("--data needs --dataset NAME; --dataset already names a folder"))
	}
	cache, err := cli.DataCache()
	if err != nil {
		return err
	}
	found, err := planning.Discover(draft.Data, cache)
	if err != nil {
		return err
	}
	tell(c, found)
	if root := cli.DataRoot("", ""); root != "" {
		fmt.Fprintf(c.ErrOrStderr(), "warning: $GLIMPSE_DATA (%s) overrides the folder in the study\n", term.Line(root))
	}
	draft.Data = ""
	return found.Fill(draft)
}

// nameIsFree rejects the name of a study that is already in the results database: the two would be
// mixed.
func nameIsFree(c *cobra.Command, flag, name string) error {
	db, err := store.OpenReadOnly(cli.DBPath(flag))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Study(c.Context(), name)
	switch {
	case err == nil:
		return cli.Usage(fmt.Errorf("%s already holds results of a study %s; choose another name, so that the two are not mixed", cli.DBPath(flag), name))
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return err
}

// create writes a file that must not exist yet, and creates its folder if needed.
func create(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	err := atomicfile.Create(path, func(temporary string) error { return os.WriteFile(temporary, text, 0o666) })
	if errors.Is(err, fs.ErrExist) {
		return cli.Usage(fmt.Errorf("%s already exists and is not overwritten; choose another name, or another file with -o", path))
	}
	return err
}
