package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"glimpse/experiments"
	"glimpse/internal/term"
)

// explainUsage says what is wrong with a command line: cobra's errors count arguments and quote Go's parsers.
func explainUsage(c *cobra.Command, err error) string {
	var (
		unknown *pflag.NotExistError
		invalid *pflag.InvalidValueError
	)
	if errors.As(err, &unknown) {
		return didYouMean(err.Error(), "--"+unknown.GetSpecifiedName(), flags(c))
	}
	if errors.As(err, &invalid) {
		if kind, ok := flagKinds[invalid.GetFlag().Value.Type()]; ok {
			return fmt.Sprintf("--%s %s: must be %s", invalid.GetFlag().Name, term.Line(invalid.GetValue()), kind)
		}
	}
	message := err.Error()
	first, _, _ := strings.Cut(message, "\n")
	var word, path string
	if n, _ := fmt.Sscanf(first, "unknown command %q for %q", &word, &path); n == 2 {
		if !c.HasSubCommands() {
			return "unexpected argument: " + term.Name(word)
		}
		return didYouMean(first, word, verbs(c))
	}
	if countedArguments.MatchString(first) {
		return wrongArguments(c, message)
	}
	return message
}

// countedArguments matches the errors of cobra.ExactArgs and its siblings.
var countedArguments = regexp.MustCompile(`^(accepts|requires) .* arg\(s\)`)

// flagKinds say what values of flags must be, by pflag's names of their types.
var flagKinds = map[string]string{
	"int": "a whole number", "int64": "a whole number", "float64": "a number",
	"duration": "a duration such as 30s or 5m", "bool": "true or false",
}

// wrongArguments names the arguments that are missing, or the first that is too many; message is what is said where a
// verb has rules of its own.
func wrongArguments(c *cobra.Command, message string) string {
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
	return message
}

// placeholders are the arguments that a verb requires, by its usage line, and how many it takes at most, -1 for any number.
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

// verbs are those of a command that people use.
func verbs(c *cobra.Command) []string {
	var names []string
	for _, verb := range c.Commands() {
		if verb.IsAvailableCommand() {
			names = append(names, verb.Name())
		}
	}
	return names
}

// flags are those of a command that people use.
func flags(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// didYouMean adds to a message which of some words another may stand for: the nearest, else those that begin with it.
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
