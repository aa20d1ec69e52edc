package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A shownCommand is a glimpse command in a shell block of a page: all after the program's name.
type shownCommand struct{ page, line string }

// verb is its first word.
func (c shownCommand) verb() string { return strings.Fields(c.line)[0] }

var (
	shellBlocks = regexp.MustCompile("(?s)```(?:sh|bash|console)\n(.*?)```")
	// glimpseCalls are calls at the start of a line, after variables, or in a pipe or substitution.
	glimpseCalls = regexp.MustCompile(`(?m)(?:^|[|;(] *|&& *|do )(?:\$ )?(?:[A-Z_]+=\S* )*(?:bin/|\./bin/)?glimpse ([a-z][^|;)#\n]*)`)
	longFlags    = regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*)`)
)

// shownCommands returns the commands of all pages.
func shownCommands(t *testing.T) (commands []shownCommand) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, "../../README.md", "../../CONTRIBUTING.md", "../../captioners/README.md") {
		page := strings.TrimPrefix(filepath.ToSlash(path), "../../")
		for _, block := range shellBlocks.FindAllSubmatch(readDoc(t, page), -1) {
			joined := strings.ReplaceAll(string(block[1]), "\\\n", " ")
			for _, call := range glimpseCalls.FindAllStringSubmatch(joined, -1) {
				commands = append(commands, shownCommand{page, strings.TrimSpace(call[1])})
			}
		}
	}
	return commands
}

// Every command that a page shows has a verb of glimpse and flags that its help lists. The flags of
// the engine's verbs are checked where there is an engine.
func TestCommandsOfDocs(t *testing.T) {
	commands := shownCommands(t)
	if len(commands) < 80 {
		t.Fatalf("found only %d commands in the pages", len(commands))
	}
	helps := map[string]string{}
	for _, c := range commands {
		words := strings.Fields(c.line)
		found, _, err := newRoot().Find(words)
		if err != nil || found == found.Root() {
			t.Errorf("%s: `glimpse %s`: there is no such verb", c.page, c.line)
			continue
		}
		verb := found.CommandPath()
		if found.DisableFlagParsing { // a verb of the engine, perhaps with a subcommand
			verb = strings.Join(words[:min(2, len(words))], " ")
		}
		help, known := helps[verb]
		if !known && found.DisableFlagParsing {
			help = engineHelp(t, strings.Fields(verb))
		} else if !known {
			help = flagsOf(found)
		}
		helps[verb] = help
		if help == "" {
			continue
		}
		for _, flag := range longFlags.FindAllStringSubmatch(c.line, -1) {
			if !regexp.MustCompile(regexp.QuoteMeta(flag[1]) + `\b[^-]`).MatchString(help) {
				t.Errorf("%s: `glimpse %s`: the help of %s has no %s", c.page, c.line, verb, flag[1])
			}
		}
	}
}

// flagsOf is what help says of the flags of a command.
func flagsOf(c *cobra.Command) string {
	c.InitDefaultHelpFlag()
	return c.LocalFlags().FlagUsages() + c.InheritedFlags().FlagUsages()
}

// engineHelp is the help of a verb of the engine and, if a second word names one, of its subcommand;
// "" without libtorch.
func engineHelp(t *testing.T, words []string) string {
	t.Helper()
	if !haveLibtorch() {
		return ""
	}
	engine, err := buildEngine()
	if err != nil {
		t.Fatal(err)
	}
	var help bytes.Buffer
	for n := range words {
		cmd := exec.Command(engine, append(slices.Clone(words[:n+1]), "--help")...)
		cmd.Stdout = &help
		if err := cmd.Run(); err != nil && n == 0 {
			t.Errorf("glimpse-engine %s --help: %v", words[0], err)
		}
	}
	return help.String()
}
