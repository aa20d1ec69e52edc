package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"glimpse/experiments"
	"glimpse/internal/term"
)

// wrongArguments names the arguments that are missing, or the first that is too many; "" if the usage line allows the
// number of arguments.
func wrongArguments(c *cobra.Command) string {
	required, most := placeholders(c.Use)
	given := c.Flags().Args()
	switch {
	case len(given) < len(required):
		missing := required[len(given):]
		if len(missing) == 1 {
			return "missing argument: " + missing[0]
		}
		return "missing arguments: " + strings.Join(missing, " ")
	case len(given) > most && most >= 0:
		return "unexpected argument: " + term.Name(given[most])
	}
	return ""
}

// placeholders returns the arguments that a verb requires, by its usage line, and how many it takes at most; -1 for any number.
// Of several forms, the first counts for what is required.
func placeholders(use string) (required []string, most int) {
	for i, form := range strings.Split(use, " | ") {
		words := strings.Fields(form)
		if i == 0 {
			words = words[1:] // the verb
		}
		count := 0
		for at := 0; at < len(words); at++ {
			word := words[at]
			if strings.HasPrefix(word, "-") { // a flag and its value
				at++
				continue
			}
			count++
			if strings.HasSuffix(word, "...") {
				most = -1
			}
			if i == 0 && !strings.HasPrefix(word, "[") {
				required = append(required, strings.TrimSuffix(word, "..."))
			}
		}
		if most >= 0 {
			most = max(most, count)
		}
	}
	return required, most
}

// verbs returns the names of a command's subcommands, without hidden ones.
func verbs(c *cobra.Command) []string {
	var names []string
	for _, verb := range c.Commands() {
		if verb.IsAvailableCommand() {
			names = append(names, verb.Name())
		}
	}
	return names
}

// flags returns the flags of a command as they are typed, without hidden ones.
func flags(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// didYouMean adds to a message the words that a misspelt one may stand for: the nearest, else those that start with it.
func didYouMean(message, word string, words []string) string {
	meant := []string{experiments.Nearest(word, words)}
	if meant[0] == "" {
		meant = slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, word) })
	}
	if len(meant) == 0 {
		return message
	}
	return fmt.Sprintf("%s; did you mean %s?", message, strings.Join(meant, " or "))
}
