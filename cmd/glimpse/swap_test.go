package main

import (
	"slices"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/models"
)

// TestSwapRefusals holds what neither swap nor ensemble reads. What they do is in testdata/script/run.txtar.
func TestSwapRefusals(t *testing.T) {
	bench(t, nil)
	signature := "data=shapes/official@0 tokenizer=ptb metrics=1"
	const settings = `{"data": {"name": "shapes", "split": "official", "min_count": 1, "captions_per_image": 5, "images": 60, "vocabulary": "train"}}`
	makeResults(t, store.Study{Name: "made-up", Spec: "data: {name: shapes}"}, settings, []made{
		{id: "aaaa", arm: "none", seed: 1, signature: signature, swept: map[string]string{"model.hidden": "1"}, captions: scoredCaptions(0.4, 1)},
		{id: "bbbb", arm: "none", seed: 2, state: store.Queued},
		{id: "cccc", arm: "none", seed: 1, signature: signature, swept: map[string]string{"model.hidden": "2"}, captions: scoredCaptions(0.4, 1)},
		{id: "dddd", arm: "soft", seed: 1, signature: "data=shapes/official@1 tokenizer=ptb metrics=1", captions: scoredCaptions(0.4, 1)},
	})
	for _, c := range []struct {
		args string
		code int
		want string // in standard error
	}{
		{"swap", 2, "requires at least 1 arg(s)"},
		{"swap aaaa --device tpu", 2, `device "tpu"`},
		{"swap zzzz", 1, "nor does a run's id start so"},
		{"swap aaaa --db other.db", 1, "no results database other.db"},
		{"swap bbbb", 1, "none of these runs is completed"},
		{"swap made-up", 1, "runs aaaa and cccc of arm none differ in more than their seed"},
		{"swap aaaa dddd", 1, "under different protocols"},
		{"swap aaaa aaaa", 2, "run aaaa is named twice"},
		{"swap aaaa", 1, "run aaaa was planned for other data "},
		{"ensemble aaaa dddd", 1, "under different protocols"},
		{"ensemble aaaa cccc --arm soft", 1, "two runs at least, and 0 runs of arm soft can take part"},
		{"ensemble aaaa", 1, "two runs at least, and 1 run can take part"},
		{"ensemble aaaa cccc --split train", 2, `--split "train": want val or test`},
		{"ensemble aaaa cccc", 1, "run aaaa was planned for other data "},
	} {
		code, stdout, stderr := call(strings.Fields(c.args)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("glimpse %s: exit code %d, want %d; %q on standard output; standard error lacks %q:\n%s",
				c.args, code, c.code, stdout, c.want, stderr)
		}
	}
}

// TestCycle holds that each image has another one's picture, and the same one each time.
func TestCycle(t *testing.T) {
	for n := 2; n < 50; n++ {
		order := cycle(n)
		if !slices.Equal(order, cycle(n)) {
			t.Errorf("%d: another order each time", n)
		}
		seen := make([]bool, n)
		for i, other := range order {
			if other == i || seen[other] {
				t.Fatalf("%d: %v", n, order)
			}
			seen[other] = true
		}
	}
}

// TestSameReading holds that captions of another training are noticed.
func TestSameReading(t *testing.T) {
	written := store.Caption{Words: "a dog", LogProb: -3, Beta: []float64{0.9, 0.2}}
	for _, c := range []struct {
		name      string
		reading   models.Reading
		maxLength int
		want      string // "" for none
	}{
		{"the same", models.Reading{LogProb: []float64{-0.5, -1.5}, End: -1, Beta: []float64{0.9, 0.2}}, 24, ""},
		{"rounded otherwise", models.Reading{LogProb: []float64{-0.501, -1.5}, End: -1, Beta: []float64{0.901, 0.2}}, 24, ""},
		{"decoding stopped before </s>", models.Reading{LogProb: []float64{-1, -2}, End: -9, Beta: []float64{0.9, 0.2}}, 2, ""},
		{"less likely", models.Reading{LogProb: []float64{-0.5, -1.5}, End: -1.5, Beta: []float64{0.9, 0.2}}, 24, "was written with a log probability of -3.000, and is read with -3.500"},
		{"another β", models.Reading{LogProb: []float64{-0.5, -1.5}, End: -1, Beta: []float64{0.9, 0.3}}, 24, "β is not as its caption records"},
		{"no β", models.Reading{LogProb: []float64{-0.5, -1.5}, End: -1}, 24, "β is not as its caption records"},
	} {
		err := sameReading(c.reading, written, c.maxLength)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
