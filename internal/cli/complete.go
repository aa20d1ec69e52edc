package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

// fromDB asks the results database that a command line names; nothing where there is none.
func fromDB(c *cobra.Command, values func(context.Context, *store.DB) ([]string, error)) []string {
	flag, err := c.Flags().GetString("db")
	if err != nil {
		return nil
	}
	db, err := OpenResults(flag)
	if err != nil {
		return nil
	}
	defer db.Close()
	all, err := values(c.Context(), db)
	if err != nil {
		return nil
	}
	return all
}

// CompleteFromDB makes shells complete the one argument from what the results database holds.
func CompleteFromDB(values func(context.Context, *store.DB) ([]string, error)) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return Beginning(fromDB(c, values), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteStudy makes shells complete a study by its name or, where none begins so, its file.
func CompleteStudy(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if names := Beginning(fromDB(c, StudyNames), typed); len(names) > 0 {
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return CompleteSpec(c, args, typed)
}

// CompleteCompared makes shells complete two runs or, with --study, two arms of that study.
func CompleteCompared(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	values := RunIDs
	if study, err := c.Flags().GetString("study"); err == nil && study != "" {
		values = func(ctx context.Context, db *store.DB) ([]string, error) { return armNames(ctx, db, study) }
	}
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	words := slices.DeleteFunc(fromDB(c, values), func(word string) bool {
		name, _, _ := strings.Cut(word, "\t")
		return slices.Contains(args, name)
	})
	return Beginning(words, typed), cobra.ShellCompDirectiveNoFileComp
}

// StudyNames gives the studies of the database.
func StudyNames(ctx context.Context, db *store.DB) ([]string, error) {
	studies, err := db.Studies(ctx)
	names := make([]string, 0, len(studies))
	for _, s := range studies {
		names = append(names, s.Name)
	}
	return names, err
}

func armNames(ctx context.Context, db *store.DB, study string) ([]string, error) {
	name, err := StudyName(ctx, db, study)
	if err != nil {
		return nil, err
	}
	runs, err := db.Members(ctx, name)
	var arms []string
	known := map[string]bool{}
	for _, r := range runs {
		if !known[r.Arm] {
			known[r.Arm], arms = true, append(arms, r.Arm)
		}
	}
	return arms, err
}

// RunIDs gives the runs of the database, each with what shells show beside it.
func RunIDs(ctx context.Context, db *store.DB) ([]string, error) {
	runs, err := db.Members(ctx, "")
	ids := make([]string, 0, len(runs))
	for _, r := range runs {
		ids = append(ids, fmt.Sprintf("%s\t%s %s seed %d, %s", r.ID, r.Study, r.Arm, r.Seed, r.State))
	}
	return ids, err
}

// CompleteFlag makes shells complete a flag's value with what words gives for what was typed.
func CompleteFlag(c *cobra.Command, flag string, words func(typed string) []string) {
	// The only error is a flag that does not exist, or is completed twice.
	_ = c.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return Beginning(words(typed), typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// Beginning keeps the words that begin with what was typed.
func Beginning(words []string, typed string) []string {
	var matching []string
	for _, w := range words {
		word, about, described := strings.Cut(w, "\t")
		if term.Line(word) != word {
			continue // it is another's, and a shell would obey part of it
		}
		if described {
			w = word + "\t" + term.Line(about)
		}
		if strings.HasPrefix(w, typed) {
			matching = append(matching, w)
		}
	}
	return matching
}
