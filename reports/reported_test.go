package reports

import (
	"math"
	"strings"
	"testing"
)

// Three audited seeds are compared with the claim, two are not: those of the fixture score 60 and 90,
// where 81 is claimed.
func TestAuditsOverSeeds(t *testing.T) {
	for _, c := range []struct {
		seeds int64
		want  []string
	}{
		{2, nil},
		{3, []string{"soft test coco 3 60.0 [60.0, 60.0] 81.0 below 42.0 [42.0, 42.0] 73.0 below",
			"soft test characters 3 90.0 [90.0, 90.0] 81.0 above 80.0 [80.0, 80.0] 73.0 above"}},
	} {
		trials := finished(3, levels, "none", "soft")
		for i := range trials {
			trials[i].audited = trials[i].arm == "soft" && trials[i].seed <= c.seeds
		}
		var got []string
		for _, row := range analysed(t, trials).reportedTable().Rows {
			var line []string
			for _, cell := range row {
				line = append(line, cell.Text)
			}
			got = append(got, strings.Join(line, " "))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%d seeds: got\n%s\nwant\n%s", c.seeds, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// A run without a number is left out of its arm's row, of which there is one for each protocol.
func TestAuditsOverSeedsWithoutANumber(t *testing.T) {
	trials := finished(4, levels, "none", "soft")
	for i := range trials {
		trials[i].audited = trials[i].arm == "soft"
	}
	r := analysed(t, trials)
	r.audited()[0].Audit[0].BLEU[1] = math.NaN()
	var seeds []string
	for _, row := range r.reportedTable().Rows {
		seeds = append(seeds, row[2].Text+" "+row[3].Text)
	}
	if got := strings.Join(seeds, ", "); got != "coco 3, characters 4" {
		t.Errorf("rows of %s", got)
	}
}
