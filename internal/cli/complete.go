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

// fromDB queries the results database that a command line names. It returns nothing if there is
// none.
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

// CompleteFromDB makes shells complete the only argument with values from the results database.
func CompleteFromDB(values func(context.Context, *store.DB) ([]string, error)) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return Beginning(fromDB(c, values), typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteStudy makes shells complete the name of a study or, if none matches, a study file.
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

// StudyNames returns the names of the database's studies.
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

// RunIDs returns the runs of the database, each with a description that shells show beside it.
func RunIDs(ctx context.Context, db *store.DB) ([]string, error) {
	runs, err := db.Members(ctx, "")
	ids := make([]string, 0, len(runs))
	for _, r := range runs {
		ids = append(ids, fmt.Sprintf("%s\t%s %s seed %d, %s", r.ID, r.Study, r.Arm, r.Seed, r.State))
	}
	return ids, err
}

// CompleteFlag makes shells complete a flag's value with the words that words returns for the
// text typed so far.
func CompleteFlag(c *cobra.Command, flag string, words func(typed string) []string) {
	// It fails only if the flag does not exist, or has a completion already.
	_ = c.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return Beginning(words(typed), typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// Beginning returns the words that start with the text typed so far.
func Beginning(words []string, typed string) []string {
	var matching []string
	for _, w := range words {
		word, about, described := strings.Cut(w, "\t")
		if term.Line(word) != word {
			continue // written by others: a shell would interpret parts of it
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
