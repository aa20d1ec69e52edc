package reports

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Where there is LaTeX, every table compiles and stays within the text, whatever arms are called.
func TestTablesCompile(t *testing.T) {
	if out, err := exec.Command("kpsewhich", "booktabs.sty", "graphicx.sty").Output(); err != nil || bytes.Count(out, []byte("\n")) != 2 {
		t.Skip("no LaTeX with booktabs and graphicx here")
	}
	trials := finished(2, levels, "none", "soft", "adaptive")
	for i := range trials {
		trials[i].name = trials[i].arm
		if trials[i].arm == "soft" {
			trials[i].name = `[50% of_a $5 & #1 {~^\|<β>]`
		}
	}
	trials[0].audited = true
	e, err := gather(context.Background(), usual(t, trials), "attention")
	check(t, err)
	r, err := analyse(context.Background(), e)
	check(t, err)
	files, err := rendered(r)
	check(t, err)
	paper := []byte("\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\n")
	tables := 0
	for name, content := range files {
		if strings.HasSuffix(name, ".tex") {
			paper, tables = append(paper, content...), tables+1
		}
	}
	if tables != 3 {
		t.Fatalf("there are %d tables, want those of scores, contrasts and the audit", tables)
	}
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "paper.tex"), append(paper, "\\end{document}\n"...), 0o600))
	c := exec.Command("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper")
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("Overfull")) {
		t.Errorf("pdflatex: %v\n%s", err, out)
	}
}
