package reports

import (
	"fmt"
	"strings"
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
	line("## Scores\n")
	writeTable(&b, p.Scores)
	for _, f := range p.Answer {
		writeFigure(&b, f)
	}
	if p.Contrasts != nil {
		line("## Contrasts\n")
		writeTable(&b, *p.Contrasts)
		for _, m := range p.Methods {
			line("- %s", plain(m))
		}
		line("")
	}
	if len(p.Learning) > 0 {
		line("## Learning\n")
	}
	for _, f := range p.Learning {
		writeFigure(&b, f)
	}
	if p.Beta != nil {
		line("## Words and the sentinel\n")
		writeFigure(&b, *p.Beta)
	}
	if len(p.Samples) > 0 {
		line("## Captions\n\n%s\n", plain(sampleNote))
	}
	for _, s := range p.Samples {
		line("### `%s`\n", code(s.Image))
		for _, c := range s.Captions {
			line("- **%s**: %s", plain(c.Arm.Text), plain(c.Words+inBrackets(c.Score)))
		}
		line("")
	}
	line("## Trials\n")
	if p.Failures != nil {
		writeTable(&b, *p.Failures)
	}
	writeTable(&b, p.Runs)
	line("## How to reproduce\n")
	line("Save the study below as `%s.yaml`, then:\n\n```sh\n%s\n```\n", code(fileName(p.Study)), p.Command)
	for _, f := range p.Facts {
		line("- %s: %s", plain(f.Name), plain(strings.Join(f.Values, "; ")))
	}
	fence := "```"
	for strings.Contains(p.Spec, fence) {
		fence += "`"
	}
	line("\n%syaml\n%s\n%s", fence, p.Spec, fence)
	return []byte(b.String())
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
