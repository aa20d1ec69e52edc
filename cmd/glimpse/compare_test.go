package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// made is a made-up run.
type made struct {
	id, arm, signature, state string
	seed                      int64
	swept                     map[string]string
	captions                  []store.Caption
}

// makeResults writes results.db with one study of made-up runs, completed unless they say
// otherwise.
func makeResults(t *testing.T, study store.Study, settings string, runs []made) {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open("results.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var planned []store.Run
	for _, r := range runs {
		planned = append(planned, store.Run{ID: r.id, Arm: r.arm, Seed: r.seed, Swept: r.swept, Settings: json.RawMessage(settings)})
	}
	if err := db.SaveStudy(ctx, study, planned, store.Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if r.state == store.Queued {
			continue
		}
		run, err := db.Run(ctx, r.id)
		if err != nil {
			t.Fatal(err)
		}
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Start(ctx, claim, store.Start{Parameters: 1, Signature: r.signature}); err != nil {
			t.Fatal(err)
		}
		if err := db.SaveCaptions(ctx, claim, "test", r.captions); err != nil {
			t.Fatal(err)
		}
		var scores []metrics.ImageScore
		for _, c := range r.captions {
			scores = append(scores, c.Score)
		}
		result := store.Result{BestEpoch: 1, Scores: map[string][]metrics.ImageScore{"test": scores},
			Metrics: map[string]map[string]float64{"test": {"cider": 0.5, "meteor-exact-stem": 0.2}}}
		if err := db.Complete(ctx, claim, result); err != nil {
			t.Fatal(err)
		}
	}
}

// scoredCaptions makes up 200 captions whose CIDEr lies around a value.
func scoredCaptions(cider float64, seed int64) []store.Caption {
	g := rand.New(rand.NewPCG(uint64(seed), 1))
	var out []store.Caption
	for i := range 200 {
		hard := float64(i%7) * 0.05 // what makes an image hard for every run
		id := fmt.Sprintf("%03d.jpg", i)
		out = append(out, store.Caption{Image: id, Words: "a dog", Score: metrics.ImageScore{
			ID: id, Match: [4]int{4 + g.IntN(3), 3, 2, 1}, Length: 8, RefLength: 8, RougeL: 0.4, METEOR: 0.2,
			CIDEr: cider + hard + 0.01*g.Float64(), CIDErD: cider + hard,
		}})
	}
	return out
}

func TestCompare(t *testing.T) {
	clitest.Sandbox(t, nil)
	const protocol = "data=x/official@1 decode=beam:5 metrics=1"
	soft, none := map[string]string{"model.attention": "soft"}, map[string]string{"model.attention": "none"}
	runs := []made{
		{id: "eeee", arm: "late", state: store.Queued, seed: 1},
	}
	for seed := range int64(5) {
		runs = append(runs,
			made{id: fmt.Sprintf("aa%02d", seed), arm: "none", seed: seed, signature: protocol, swept: none, captions: scoredCaptions(0.40+0.002*float64(seed), seed)},
			made{id: fmt.Sprintf("bb%02d", seed), arm: "soft", seed: seed, signature: protocol, swept: soft, captions: scoredCaptions(0.45+0.002*float64(seed), 10+seed)})
	}
	makeResults(t, store.Study{Name: "made-up", Question: "Is it?",
		Compare: json.RawMessage(`{"arms": "model.attention", "baseline": "none", "contrasts": [["soft", "none"], ["late", "none"]],
			"primary": {"metric": "test.cider", "minimum_effect": 1, "alpha": 0.05}}`)}, "{}", runs)
	makeResults(t, store.Study{Name: "odd", Compare: json.RawMessage(`{"arms": "model.attention", "baseline": "none", "contrasts": [["odd", "none"]]}`)}, "{}", []made{
		{id: "ffff", arm: "odd", signature: "data=x/official@1 decode=beam:3 metrics=1+meteor-1.5", seed: 1, captions: scoredCaptions(0.4, 99)},
		{id: "dd01", arm: "none", seed: 1, signature: protocol, swept: none, captions: scoredCaptions(0.4, 98)},
	})

	for _, c := range []struct {
		args string
		code int
		want []string // on standard output where the code is 0, else on standard error
	}{
		{"compare aa00 bb00", 0, []string{"bb00 − aa00", "meteor-exact-stem", "p HOLM", "warning: tests over images ignore the variance of training"}},
		{"compare aa00 bb00 --json", 0, []string{`"signature": "data=x/official@1`, `"runs": [`, `"p_randomization": `, `"assumption": "images are a random sample`}},
		{"compare none soft --study made-up", 0, []string{"soft − none", "supported", "exploratory", "smallest effect that matters 1 point, α 0.05", "s_sel",
			"p HOLM: adjusted over 2 declared contrasts"}},
		{"compare soft none --study made-up", 0, []string{"none − soft", "opposite"}},
		{"compare none soft --study made-up --json", 0, []string{`"study": "made-up"`, `"verdict": "supported"`, `"p_holm": `, `"detectable_effect": `}},
		{"compare aa00", 2, []string{"missing argument: B"}},
		{"compare aa00 aa00", 2, []string{"aa00 and aa00 are the same run"}},
		{"compare aa00 aa", 1, []string{"aa"}},
		{"compare none soft", 1, []string{`run "none": `, "to compare arms of a study, add --study NAME"}},
		{"compare aa00 ffff", 1, []string{"different protocols and cannot be compared: decode is beam:5 against beam:3; metrics is 1 against 1+meteor-1.5"}},
		{"compare aa00 eeee", 1, []string{"run eeee is queued and has no scored test captions"}},
		{"compare none none --study made-up", 2, []string{"the same arm"}},
		{"compare none sof --study made-up", 2, []string{`no arm "sof"; its arms are late, none, soft`}},
		{"compare none late --study made-up", 1, []string{"arm late has no completed runs"}},
		{"compare none odd --study odd", 1, []string{"different protocols"}},
		{"report odd -o report", 1, []string{"different protocols"}},
		{"compare none soft --study other", 1, []string{"other"}},
		{"compare none soft --study=", 1, []string{"study"}},
	} {
		code, stdout, stderr := call(t, strings.Fields(c.args)...)
		text := stdout
		if c.code != 0 {
			text = stderr
		}
		if code != c.code || c.code != 0 && stdout != "" {
			t.Errorf("glimpse %s: exit code %d, want %d:\n%s%s", c.args, code, c.code, stdout, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("glimpse %s lacks %q:\n%s", c.args, want, text)
			}
		}
	}
	_, first, _ := call(t, "compare", "none", "soft", "--study", "made-up", "--json")
	if _, second, _ := call(t, "compare", "none", "soft", "--study", "made-up", "--json"); first != second {
		t.Error("the same comparison gave other numbers")
	}
}

func TestManyWarningsAreCounted(t *testing.T) {
	warnings := make([]string, mostWarnings+3)
	for i := range warnings {
		warnings[i] = "arm " + strconv.Itoa(i) + " has 1 run"
	}
	for _, n := range []int{0, mostWarnings, mostWarnings + 3} {
		var out strings.Builder
		if err := printWarnings(&out, warnings[:n]); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(out.String(), "\n")
		if told := strings.Contains(out.String(), "and 3 more; --json has them all"); told != (n > mostWarnings) || lines > mostWarnings+1 || lines < min(n, mostWarnings) {
			t.Errorf("of %d warnings:\n%s", n, out.String())
		}
	}
}
