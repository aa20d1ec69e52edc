package reports

import (
	"fmt"
	"strings"
)

// latex writes a table for a paper, with the rules of the package booktabs.
// Texts from the store are escaped.
func latex(t table) []byte {
	var b strings.Builder
	b.WriteString("% Needs \\usepackage{booktabs}.\n\\begin{table}\n\\centering\n")
	fmt.Fprintf(&b, "\\caption{%s}\n\\label{tab:%s}\n\\begin{tabular}{", tex(t.Caption), t.Name)
	for _, c := range t.Columns {
		if c.Numeric {
			b.WriteString("r")
		} else {
			b.WriteString("l")
		}
	}
	b.WriteString("}\n\\toprule\n")
	line := func(texts []string) { b.WriteString(strings.Join(texts, " & ") + ` \\` + "\n") }
	var head []string
	for _, c := range t.Columns {
		head = append(head, tex(c.Name))
	}
	line(head)
	b.WriteString("\\midrule\n")
	for _, row := range t.Rows {
		var texts []string
		for _, c := range row {
			texts = append(texts, tex(cut(c.Text, longest)))
		}
		line(texts)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n\\end{table}\n")
	return []byte(b.String())
}

// texEscapes are the characters that mean something to TeX, and those of the
// report that its common fonts lack. A bracket at the beginning of a row would
// be read as the length of the row before.
var texEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "_", `\_`, "%", `\%`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", "$<$", ">", "$>$", "|", `\textbar{}`, "[", "{[}", "]", "{]}",
	"±", `$\pm$`, "−", "$-$", "×", `$\times$`, "–", "--", "’", "'", "α", `$\alpha$`, "β", `$\beta$`, "≥", `$\geq$`, "…", `\ldots{}`,
	"\u202F", `\,`, "\u00a0", "~")

func tex(s string) string { return texEscapes.Replace(clean(s)) }
