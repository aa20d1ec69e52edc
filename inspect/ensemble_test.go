package inspect

import (
	"math"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

// TestMembersOf holds who takes part in an ensemble, and that one run is none.
func TestMembersOf(t *testing.T) {
	const signature = "data=shapes/official@0 tokenizer=ptb metrics=1"
	runs := []store.Run{
		{ID: "a", Arm: "none", Signature: signature},
		{ID: "b", Arm: "soft", Signature: signature},
		{ID: "c", Arm: "soft", Signature: signature},
		{ID: "d", Arm: "odd", Signature: "data=shapes/official@1 tokenizer=ptb metrics=1"},
	}
	for _, c := range []struct {
		name, arm string
		runs      []store.Run
		members   int
		want      string // in the error
	}{
		{"all", "", runs[:3], 3, ""},
		{"an arm", "soft", runs, 2, ""},
		{"one of an arm", "none", runs, 0, "at least two completed runs, but 1 run of arm none can take part"},
		{"none at all", "", nil, 0, "at least two completed runs, but 0 runs can take part"},
		{"other data", "", runs, 0, "under different protocols"},
	} {
		members, err := membersOf(c.runs, c.arm)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err == nil && len(members) != c.members {
			t.Errorf("%s: %d take part, want %d", c.name, len(members), c.members)
		}
	}
}

// TestGain holds the mean of the members and what the ensemble has above it; the
// numbers were worked out by hand.
func TestGain(t *testing.T) {
	scored := func(cider float64) EnsembleScore {
		return EnsembleScore{Metrics: map[string]term.Number{"cider": term.Number(cider)}}
	}
	e := Ensembled{Members: []EnsembleScore{scored(0.25), scored(0.75)}, Together: scored(0.625)}
	e.gain()
	if e.Mean["cider"] != 0.5 || e.Gain["cider"] != 0.125 {
		t.Errorf("mean %v, gain %v; want 0.5 and 0.125", e.Mean["cider"], e.Gain["cider"])
	}
	e.Members[1] = scored(math.NaN())
	if e.gain(); !math.IsNaN(float64(e.Gain["cider"])) {
		t.Errorf("a member without a score: gain %v, want NaN", e.Gain["cider"])
	}
}
