package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// wideText is from how many characters on a text of a table is broken into lines.
const wideText = 60

// latex writes a table for a paper, with the rules of the package booktabs, in
// the width of the text: what is wider still is shrunk. Texts from the store
// are escaped.
func latex(t table) []byte {
	var b strings.Builder
	b.WriteString("% Needs \\usepackage{booktabs,graphicx}. In two columns, table* takes both.\n" +
		"\\begin{table*}\n\\centering\\footnotesize\n\\setlength{\\belowcaptionskip}{6pt}\\setlength{\\tabcolsep}{4pt}\n")
	fmt.Fprintf(&b, "\\caption{%s}\n\\label{tab:%s}\n\\sbox0{\\begin{tabular}{", tex(t.Caption), t.Name)
	wide := make([]bool, len(t.Columns))
	for i, c := range t.Columns {
		wide[i] = slices.ContainsFunc(t.Rows, func(row []cell) bool { return utf8.RuneCountInString(row[i].Text) > wideText })
		switch {
		case c.Numeric:
			b.WriteString("r")
		case wide[i]:
			b.WriteString("p{30em}")
		default:
			b.WriteString("l")
		}
	}
	b.WriteString("}\n\\toprule\n")
	line := func(texts []string) { b.WriteString(strings.Join(texts, " & ") + " \\tabularnewline\n") }
	var head []string
	for _, c := range t.Columns {
		head = append(head, tex(c.Name))
	}
	line(head)
	b.WriteString("\\midrule\n")
	for _, row := range t.Rows {
		var texts []string
		for i, c := range row {
			text := tex(cut(c.Text, longest))
			if wide[i] {
				text = `\raggedright ` + text
			}
			texts = append(texts, text)
		}
		line(texts)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}}%\n" +
		"\\ifdim\\wd0>\\linewidth\\resizebox{\\linewidth}{!}{\\usebox0}\\else\\usebox0\\fi\n\\end{table*}\n")
	return []byte(b.String())
}

// texEscapes are the characters that mean something to TeX, and those of the
// report that its common fonts lack. A bracket at the beginning of a row would
// be read as an option of the row before.
var texEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "_", `\_`, "%", `\%`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", "$<$", ">", "$>$", "|", `\textbar{}`, "[", "{[}", "]", "{]}",
	"\u00a0±\u00a0", `\,$\pm$\,`, "±", `$\pm$`, "−", "$-$", "×", `$\times$`, "–", "--", "’", "'", "α", `$\alpha$`, "β", `$\beta$`, "≥", `$\geq$`, "…", `\ldots{}`,
	"\u202F", `\,`, "\u00a0", "~")

func tex(s string) string { return texEscapes.Replace(clean(s)) }
