package reports

import (
	"bytes"
	"fmt"
	"strings"

	"glimpse/internal/term"
)

// markdown writes the page as Markdown for repositories and notes. Texts from
// the store are escaped: they format nothing and open no tags.
func markdown(p page) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s\n", plain(p.Question))
	line("**%s:** %s\n", p.Verdict.Word, plain(p.Verdict.Sentence))
	line("Study `%s`; %s.\n", code(p.Study), plain(strings.Join(p.Terms, "; ")))
	for _, n := range p.Notices {
		line("> **Note:** %s\n>", plain(n))
	}
	if len(p.Notices) > 0 {
		line("")
	}
	for _, s := range p.Sections {
		line("## %s\n", plain(s.Title))
		if s.Finding != "" {
			line("%s\n", plain(s.Finding))
		}
		for _, part := range s.Parts {
			writePart(&b, part)
		}
	}
	return append(bytes.TrimRight([]byte(b.String()), "\n"), '\n')
}

// writePart writes a part with an empty line after it. What the page folds
// stands open here.
func writePart(b *strings.Builder, p part) {
	if p.Fold != "" {
		fmt.Fprintf(b, "**%s**\n\n", plain(p.Fold))
	}
	switch {
	case p.Text != "":
		fmt.Fprintf(b, "%s\n\n", plain(p.Text))
	case p.Table != nil:
		writeTable(b, *p.Table)
	case p.Listing != nil:
		writeListing(b, *p.Listing)
	}
	for _, f := range p.Figures {
		writeFigure(b, f)
	}
	for _, s := range p.Samples {
		writeSample(b, s)
	}
	for _, shown := range p.Pictures {
		writePictured(b, shown)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(b, "- %s\n", plain(n))
	}
	for _, f := range p.Facts {
		fmt.Fprintf(b, "- %s: %s\n", plain(f.Name), plain(strings.Join(f.Values, "; ")))
	}
	if len(p.Notes)+len(p.Facts) > 0 {
		b.WriteString("\n")
	}
}

func writeSample(b *strings.Builder, s sample) {
	fmt.Fprintf(b, "### `%s`\n\n", code(s.Image))
	for _, c := range s.Captions {
		fmt.Fprintf(b, "- **%s**: %s\n", plain(c.Arm.Text), plain(c.Words+inBrackets(c.Score)))
	}
	b.WriteString("\n")
}

func writePictured(b *strings.Builder, p pictured) {
	fmt.Fprintf(b, "### `%s` (%s)\n\n", code(p.Image), plain(p.Change))
	for _, c := range p.Captions {
		fmt.Fprintf(b, "- **%s**: %s\n", plain(c.Arm.Text), plain(c.Words+inBrackets(c.Score)))
	}
	b.WriteString("\n")
}

// writeListing fences the code with more backquotes than it holds in a row.
func writeListing(b *strings.Builder, l listing) {
	fence := "```"
	for strings.Contains(l.Text, fence) {
		fence += "`"
	}
	fmt.Fprintf(b, "%s%s\n%s\n%s\n\n", fence, l.Language, strings.Map(term.Printable, l.Text), fence)
}

func writeTable(b *strings.Builder, t table) {
	fmt.Fprintf(b, "%s\n\n|", plain(t.Caption))
	for _, c := range t.Columns {
		fmt.Fprintf(b, " %s |", plain(c.Name))
	}
	b.WriteString("\n|")
	for _, c := range t.Columns {
		if c.Numeric {
			b.WriteString(" ---: |")
		} else {
			b.WriteString(" --- |")
		}
	}
	for _, row := range t.Rows {
		b.WriteString("\n|")
		for _, c := range row {
			if c.Code {
				fmt.Fprintf(b, " `%s` |", code(c.Text))
			} else {
				fmt.Fprintf(b, " %s |", plain(cut(c.Text, longest)))
			}
		}
	}
	b.WriteString("\n\n")
}

// longest is the most runes that a cell of a Markdown table holds.
const longest = 300

// cut is the beginning of a long text.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

func writeFigure(b *strings.Builder, f figure) {
	fmt.Fprintf(b, "![%s](%s.png)\n\n%s. %s\n\n", plain(f.Title+". "+f.Alt), f.Name, plain(f.Title), plain(f.Note))
}

// plainEscapes are the characters that mean something in Markdown or HTML.
var plainEscapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;",
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "#", `\#`, "~", `\~`, "!", `\!`)

// plain makes a text stand as it is in Markdown, on one line.
func plain(s string) string {
	return plainEscapes.Replace(strings.Join(strings.Fields(clean(s)), " "))
}

// code makes a text stand as it is between backquotes, also within a table.
func code(s string) string {
	return strings.NewReplacer("`", "'", "|", "¦").Replace(clean(s))
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}
