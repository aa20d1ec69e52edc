package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
)

func noteCommand() *cobra.Command {
	var (
		db, remove string
		tag, untag []string
		asJSON     bool
	)
	c := &cobra.Command{
		Use:   "note RUN|STUDY [TEXT]",
		Short: "Write a note about a run or a study, or tag it",
		Long: `Store a note or a tag, with its time, in the database, or show the stored ones.
A tag of a study applies to all its runs. ` + "`runs`, `show`" + `, reports and exports
show notes and tags. They are not part of IDs, scores or declarations, and can
be written at any time, also for completed runs.`,
		Example: `  glimpse note 3f2a "its captions repeat themselves"
  glimpse note flickr8k-attention --tag paper
  glimpse runs --where tag=paper
  glimpse note 3f2a --untag paper --remove "its captions repeat themselves"
  glimpse note 3f2a`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: cli.CompleteFromDB(cli.StudyNames),
		RunE: func(c *cobra.Command, args []string) error {
			add, gone, err := changes(args[1:], tag, untag, remove)
			if err != nil {
				return cli.Usage(err)
			}
			open := cli.OpenResults
			if len(add)+len(gone) > 0 {
				open = cli.OpenForWriting
			}
			opened, err := open(db)
			if err != nil {
				return err
			}
			defer opened.Close()
			study, run, err := cli.Named(c.Context(), opened, args[0])
			if err != nil {
				return err
			}
			of := store.Note{Study: study, Run: run}
			for _, notes := range [][]store.Note{add, gone} {
				for i := range notes {
					notes[i].Study, notes[i].Run = of.Study, of.Run
				}
			}
			if len(add)+len(gone) > 0 {
				if err := opened.SaveNotes(c.Context(), add, gone); err != nil {
					return err
				}
			}
			return printNotes(c, opened, of, asJSON)
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringArrayVar(&tag, "tag", nil, "add this tag, one word (repeatable)")
	c.Flags().StringArrayVar(&untag, "untag", nil, "remove this tag (repeatable)")
	c.Flags().StringVar(&remove, "remove", "", "remove the note with this text")
	cli.AddJSON(c, &asJSON)
	return c
}

// changes returns the notes and tags that a command line adds and removes, not yet of any run or
// study.
func changes(text, tag, untag []string, remove string) (add, gone []store.Note, err error) {
	for _, t := range text {
		add = append(add, store.Note{Text: t})
	}
	for _, t := range tag {
		add = append(add, store.Note{Tag: true, Text: t})
	}
	for _, t := range untag {
		gone = append(gone, store.Note{Tag: true, Text: t})
	}
	if remove != "" {
		gone = append(gone, store.Note{Text: remove})
	}
	for _, n := range add {
		if err := n.Check(); err != nil {
			return nil, nil, err
		}
		if secret.Count(n.Text) > 0 {
			return nil, nil, errors.New("the note contains what looks like a password, a key or a token, and results may be shared: remove it")
		}
	}
	return add, gone, nil
}

// printNotes prints the notes and tags of one run or study.
func printNotes(c *cobra.Command, db *store.DB, of store.Note, asJSON bool) error {
	all, err := results.Notes(c.Context(), db, "")
	if err != nil {
		return err
	}
	type noteJSON struct {
		Kind    string `json:"kind"` // note or tag
		Text    string `json:"text"`
		Written any    `json:"written"`
	}
	notes, t := []noteJSON{}, &term.Table{}
	for _, n := range all {
		if n.Study != of.Study || n.Run != of.Run {
			continue
		}
		notes = append(notes, noteJSON{n.Kind(), n.Text, term.Timestamp(n.Written)})
		t.AddLines(n.Written.UTC().Format("2006-01-02 15:04")+"  "+n.Kind(), n.Text)
	}
	if asJSON {
		return term.WriteJSON(c.OutOrStdout(), notes)
	}
	if len(notes) == 0 {
		_, err := fmt.Fprintln(c.OutOrStdout(), "no notes or tags")
		return err
	}
	return t.Print(c.OutOrStdout())
}
