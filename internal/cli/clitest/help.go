package clitest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"glimpse/internal/term"
)

// WideHelp gives the lines of the help of a command, and of all below it, that are wider than
// term.UsualWidth, each with the command in front.
func WideHelp(c *cobra.Command) []string {
	var wide []string
	var out bytes.Buffer
	c.SetOut(&out)
	c.InitDefaultHelpFlag()
	_ = c.Help()
	for line := range strings.SplitSeq(out.String(), "\n") {
		if utf8.RuneCountInString(line) > term.UsualWidth {
			wide = append(wide, c.CommandPath()+": "+line)
		}
	}
	for _, below := range c.Commands() {
		wide = append(wide, WideHelp(below)...)
	}
	return wide
}
