package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/metrics/ptb"
)

func tokenizeCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "tokenize",
		Short: "Tokenize standard input as COCO's caption evaluation does",
		Long: `Split each line of standard input into tokens by the Penn Treebank rules of
COCO's caption evaluation: in lower case, and without the punctuation on its
list. Print one line per input line, with a space between tokens; a line without
tokens gives an empty one. --json prints one array, with an array of tokens per
line.`,
		Example: `  echo "A dog's ball, isn't it?" | glimpse tokenize
  glimpse tokenize < captions.txt > tokens.txt`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return tokenize(c.InOrStdin(), term.Data(c.OutOrStdout()), asJSON)
		},
	}
	cli.AddJSON(c, &asJSON)
	return c
}

func tokenize(in io.Reader, out io.Writer, asJSON bool) error {
	all := [][]string{}
	w := bufio.NewWriter(out)
	err := eachLine(in, func(line string) error {
		tokens := ptb.Tokenize(line)
		if asJSON {
			all = append(all, append([]string{}, tokens...))
			return nil
		}
		_, err := fmt.Fprintln(w, strings.Join(tokens, " "))
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return term.WriteJSON(out, all)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing tokens: %w", err)
	}
	return nil
}

// eachLine calls f for each line, without its LF or CRLF; the last line may lack one. Lines may
// have any length.
func eachLine(in io.Reader, f func(string) error) error {
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadString('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading standard input: %w", err)
		}
		if line != "" {
			if err := f(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}
