package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/experiments"
	"glimpse/internal/cli/clitest"
	"glimpse/internal/store"
	"glimpse/metrics"
	protocols "glimpse/metrics/audit"
	"glimpse/metrics/meteor"
	"glimpse/planning"
)

// lived makes a database like those that studies leave: completed runs with epochs, captions,
// scores, audits and readings; a failed, an interrupted and a queued run; pictures and maps.
func lived(t *testing.T) {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	text := stagedHead + "sweep: {over: {model.attention: [none, adaptive], seed: [1, 2, 3, 4]}}\ncompare: {" + asked + "}\n"
	ok(os.WriteFile("staged.yaml", []byte(text), 0o666))
	study, err := experiments.Load("staged.yaml", nil)
	ok(err)
	trials, err := (&planning.Sets{}).Trials(study)
	ok(err)
	db, err := store.Open("results.db")
	ok(err)
	defer func() { ok(db.Close()) }()
	declared := study.Declare(trials)
	declaration, err := declared.JSON()
	ok(err)
	spec, err := study.YAML()
	ok(err)
	compare, err := json.Marshal(study.Compare)
	ok(err)
	var runs []store.Run
	for _, tr := range trials {
		settings, err := json.Marshal(tr.Settings)
		ok(err)
		runs = append(runs, store.Run{ID: tr.ID, Arm: tr.Arm, Swept: tr.Swept, Seed: tr.Settings.Seed, Settings: settings})
	}
	ok(db.SaveStudy(ctx, store.Study{Name: study.Name, Question: study.Question, Spec: string(spec), Compare: compare}, runs,
		store.Declaration{Text: declaration, SHA256: declared.SHA256(), Commit: "0123abcd"}, nil))
	for i, tr := range trials {
		if i == len(trials)-1 {
			break // never begun
		}
		run, err := db.Run(ctx, tr.ID)
		ok(err)
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", Place: "p", PID: 1, Start: "2", Lease: time.Minute})
		ok(err)
		environment := json.RawMessage(`{"host":"h","cores":2,"changes":{"sha256":"ab","bytes":9,"diff":"-no\n+yes\n"},"hashes":{"data":"1"},"timings":{"train":1.5}}`)
		ok(db.Start(ctx, claim, store.Start{Parameters: 1000, Signature: "data=shapes/official@1 decode=beam:3 metrics=1", Environment: environment}))
		g := rand.New(rand.NewPCG(uint64(tr.Settings.Seed), uint64(i)))
		for epoch := 1; epoch <= 2; epoch++ {
			ok(db.SaveCheckpoint(ctx, claim, store.Checkpoint{Progress: json.RawMessage(`{"last":"x"}`), Seconds: 3, BestEpoch: epoch, Epoch: &store.Epoch{
				Epoch: epoch, Loss: 4 - g.Float64(), LR: 1e-3, Seconds: 1, CaptionsPerSecond: 50, Val: map[string]float64{"cider": g.Float64(), "bleu4": g.Float64()},
			}}))
		}
		switch i {
		case len(trials) - 2:
			ok(db.Interrupt(ctx, claim))
			continue
		case len(trials) - 3:
			ok(db.Fail(ctx, claim, "loss", "the loss is NaN"))
			continue
		}
		captions, scores := livedCaptions(g, tr.Arm == "adaptive")
		ok(db.SaveCaptions(ctx, claim, "test", captions))
		ok(db.Complete(ctx, claim, store.Result{
			BestEpoch: 2, Seconds: 5, CaptionsSHA256: store.CaptionsSHA256(captions), WeightsSHA256: "w" + tr.ID, Environment: environment,
			Scores:  map[string][]metrics.ImageScore{"test": scores},
			Metrics: map[string]map[string]float64{"test": metrics.Corpus(scores), "val": {"cider": 0.5}},
		}))
		ok(db.SaveAudit(ctx, tr.ID, []protocols.Row{{Split: "test", Protocol: "coco", Says: "as COCO", Source: "pycocoevalcap", Images: len(captions), BLEU: [4]float64{0.6, 0.4, 0.3, 0.2}}}))
		var readings []store.Reading
		for _, c := range captions {
			readings = append(readings, store.Reading{Image: c.Image, Other: captions[0].Image, LogProb: []float64{-1, -2, -0.5}, LogProbOther: []float64{-1, -3, -0.25}})
		}
		ok(db.SaveReadings(ctx, tr.ID, "test", readings))
	}
	ok(db.SaveIllustration(ctx, study.Name, store.Illustration{
		Pictures: []store.Picture{{Image: "000.jpg", Width: 8, Height: 8, JPEG: []byte("\xff\xd8 a picture")}},
		Maps:     []store.AttentionMap{{Run: trials[0].ID, Image: "000.jpg", Side: 2, First: 0.25, Step: 0.5, Alpha: [][]float64{{0.25, 0.25, 0.25, 0.25}}}},
	}))
}

// livedCaptions makes up captions of 40 images with their scores.
func livedCaptions(g *rand.Rand, sentinel bool) (captions []store.Caption, scores []metrics.ImageScore) {
	for i := range 40 {
		id := fmt.Sprintf("%03d.jpg", i)
		c := store.Caption{Image: id, Words: "a red square", LogProb: -5 * g.Float64()}
		if sentinel {
			c.Beta, c.Entropy = []float64{0.5, g.Float64(), 0.25}, []float64{1, g.Float64(), 2}
		}
		captions = append(captions, c)
		matched := g.IntN(4)
		scores = append(scores, metrics.ImageScore{
			ID: id, Match: [4]int{matched, matched / 2, matched / 3, 0}, Length: 3, RefLength: 4, RougeL: g.Float64(), CIDEr: g.Float64(), CIDErD: g.Float64(),
			METEOR: g.Float64(), MeteorStats: meteor.Stats{TestLength: 3, RefLength: 4, TestMatches: matched, RefMatches: matched, Chunks: 1,
				TestWeight: 2.5, RefWeight: 3.5, TestMatchWeight: float64(matched), RefMatchWeight: float64(matched)},
		})
	}
	return captions, scores
}

// told returns the output of every verb that reads a database, by verb.
func told(t *testing.T, runs []string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	says := map[string]string{}
	verb := func(name string, args ...string) {
		code, stdout, stderr := call(t, args...)
		text := fmt.Sprint(code, strings.ReplaceAll(stdout+stderr, dir, "DIR"))
		err := filepath.WalkDir(filepath.Join(dir, name), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil // a verb that failed wrote nothing
			}
			raw, err := os.ReadFile(path)
			text += path[len(dir):] + string(raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		says[name] = text
	}
	verb("report", "report", "staged", "-o", filepath.Join(dir, "report"))
	verb("runs", "runs", "--json")
	verb("export", "export", "--csv", filepath.Join(dir, "export"))
	for _, run := range runs {
		verb("show "+run, "show", run, "--captions", "-1", "--json")
	}
	return says
}

// TestFlippedBits flips bits of a database, one at a time, at seeded random places. Either db check
// finds it, or no verb's output changes.
func TestFlippedBits(t *testing.T) {
	clitest.Sandbox(t, nil)
	lived(t)
	if code, stdout, stderr := call(t, "db", "check"); code != 0 {
		t.Fatalf("an undamaged database: exit code %d\n%s%s", code, stdout, stderr)
	}
	db, err := store.OpenReadOnly("results.db")
	if err != nil {
		t.Fatal(err)
	}
	known, err := db.Runs(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var runs []string
	for _, run := range known {
		runs = append(runs, run.ID)
	}
	sound := told(t, runs)
	for verb, says := range sound {
		if says[0] != '0' {
			t.Fatalf("%s: %s", verb, says)
		}
	}
	raw, err := os.ReadFile("results.db")
	if err != nil {
		t.Fatal(err)
	}
	g := rand.New(rand.NewPCG(20, 7))
	found, harmless := 0, 0
	for range 60 {
		at, bit := g.IntN(len(raw)), g.IntN(8)
		raw[at] ^= 1 << bit
		if err := os.WriteFile("results.db", raw, 0o666); err != nil {
			t.Fatal(err)
		}
		raw[at] ^= 1 << bit
		if code, _, _ := call(t, "db", "check"); code != 0 {
			found++
			continue
		}
		harmless++
		for verb, says := range told(t, runs) {
			if says != sound[verb] {
				t.Errorf("bit %d of byte %d of %d: db check finds nothing, and %s says something else:\n%.300s", bit, at, len(raw), verb, says)
			}
		}
	}
	if found == 0 || harmless == 0 {
		t.Errorf("%d flipped bits were found, %d were harmless: the test says little", found, harmless)
	}
	t.Logf("%d flipped bits were found, %d were harmless", found, harmless)
}
