package term

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		seconds float64
		want    string
	}{{0, "-"}, {math.NaN(), "-"}, {0.25, "250ms"}, {59.9, "59s"}, {60, "1m00s"}, {3661, "1h01m"}, {90000, "25h00m"}} {
		if got := Span(c.seconds); got != c.want {
			t.Errorf("span(%v) = %q, want %q", c.seconds, got, c.want)
		}
	}
}

func TestTableAligns(t *testing.T) {
	var out bytes.Buffer
	rows := &Table{}
	rows.Add("A", "LONG", "C")
	rows.Add("value", "x", "")
	if err := rows.Print(&out); err != nil {
		t.Fatal(err)
	}
	if want := "A      LONG  C\nvalue  x\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// A row whose last cell is empty does not part the columns.
func TestTableAlignsEmptyCells(t *testing.T) {
	var table Table
	table.Add("a long name", "1")
	table.Add("empty", "")
	table.Add("b", "2")
	var out bytes.Buffer
	if err := table.Print(&out); err != nil {
		t.Fatal(err)
	}
	if want := "a long name  1\nempty\nb            2\n"; out.String() != want {
		t.Errorf("printed\n%s, not\n%s", out.String(), want)
	}
}

// TestTableFits holds the order in which columns are dropped, that rows stay aligned, and what never goes.
func TestTableFits(t *testing.T) {
	for _, c := range []struct {
		width   int
		dropped []string
		want    string
	}{
		{80, nil, "\nID  SEED  CIDEr  TIME\nab  1     51.9   3m20s\ncd  2     -\n"},
		{19, []string{"TIME"}, "\nID  SEED  CIDEr\nab  1     51.9\ncd  2     -\n"},
		{10, []string{"TIME", "SEED"}, "\nID  CIDEr\nab  51.9\ncd  -\n"},
		{3, []string{"TIME", "SEED"}, "\nID  CIDEr\nab  51.9\ncd  -\n"},
	} {
		rows := &Table{}
		rows.Gap()
		rows.Add("ID", "SEED", "CIDEr", "TIME")
		rows.Add("ab", "1", "51.9", "3m20s")
		rows.Add("cd", "2", "-")
		dropped := rows.Fit(c.width, "TIME", "ABSENT", "SEED")
		var out bytes.Buffer
		if err := rows.Print(&out); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(dropped, c.dropped) || out.String() != c.want {
			t.Errorf("width %d: dropped %q, printed %q; want %q, %q", c.width, dropped, out.String(), c.dropped, c.want)
		}
	}
}

// A column that goes because it is wide takes no narrow one with it that fits without it.
func TestTableFitsAsManyColumnsAsItCan(t *testing.T) {
	rows := &Table{}
	rows.Add("ID", "STUDY", "BLEU-4", "EPOCHS")
	rows.Add("ab", "a-study-with-a-long-name", "33.1", "7")
	dropped := rows.Fit(20, "EPOCHS", "BLEU-4", "STUDY")
	var out bytes.Buffer
	if err := rows.Print(&out); err != nil {
		t.Fatal(err)
	}
	if want := "ID  BLEU-4  EPOCHS\nab  33.1    7\n"; !slices.Equal(dropped, []string{"STUDY"}) || out.String() != want {
		t.Errorf("dropped %q, printed\n%s, not\n%s", dropped, out.String(), want)
	}
}

// TestStyledln holds that nothing but a terminal gets escape sequences, neither ours nor those of the text.
func TestStyledln(t *testing.T) {
	var out bytes.Buffer
	if err := Styledln(NewOutput(&out), Bold, "a\x1b[31mb\nc"); err != nil || out.String() != `a\u001b[31mb\nc`+"\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}
