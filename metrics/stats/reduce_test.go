package stats

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// An analysis does not depend on how many runs are resampled at a time, nor on
// whether they were reduced before.
func TestManyRunsInLittleMemory(t *testing.T) {
	arms := captions(rand.New(rand.NewPCG(2, 3)), 5, 4, 60)
	names := make([]string, len(arms))
	for i, a := range arms {
		names[i] = a.Name
	}
	o := Options{Metrics: []string{"cider", "bleu4", "meteor"}, Draws: 300, MinimumEffect: 1, Composites: []Composite{
		half("low", names[0], names[3]), half("high", names[1], names[4]),
		third("up", names[0], names[2], names[4]), third("down", names[4], names[1], names[2]),
	}}
	contrasts := []Contrast{
		{names[4], names[0]}, {"high", "low"}, {names[1], names[2]}, {names[2], "low"}, {"up", names[3]}, {names[3], "down"},
	}
	all := drawsAtOnce
	t.Cleanup(func() { drawsAtOnce = all })
	for _, looks := range []*Looks{nil, {Seeds: []int{2, 4}}} {
		o.Looks, drawsAtOnce = looks, all
		whole := analysed(t, arms, contrasts, o)
		drawsAtOnce = 2 * 4 * o.Draws * len(o.Metrics) // two arms
		if got := analysed(t, arms, contrasts, o); got != whole {
			t.Errorf("looks %v: two arms at a time give\n%s\nbut all at once give\n%s", looks, got, whole)
		}
		d, err := NewReducer(o.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		var small []Arm
		for _, a := range arms {
			one := Arm{Name: a.Name, Signature: a.Signature}
			for _, r := range a.Runs {
				one.Runs = append(one.Runs, d.Run(r))
			}
			small = append(small, one)
		}
		if got := analysed(t, small, contrasts, o); got != whole {
			t.Errorf("looks %v: reduced runs give\n%s\nbut whole ones give\n%s", looks, got, whole)
		}
		other := o
		other.Metrics = []string{"cider"}
		if _, err := Compare(small, contrasts, other); err == nil || !strings.Contains(err.Error(), "other metrics") {
			t.Errorf("runs reduced for other metrics: %v", err)
		}
	}
}

// third weighs three arms equally. The last digits of their sum depend on the order.
func third(name string, arms ...string) Composite {
	c := Composite{Name: name}
	for _, arm := range arms {
		c.Terms = append(c.Terms, Term{arm, 1.0 / 3})
	}
	return c
}

// analysed returns an analysis as JSON.
func analysed(t *testing.T, arms []Arm, contrasts []Contrast, o Options) string {
	t.Helper()
	a, err := Compare(arms, contrasts, o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
