package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/planning"
)

// staged is a study with made-up trials: nothing is trained.
type staged struct {
	name    string
	sweep   string // of the study file
	compare string
	more    string // further keys
	// level returns the mean score of a trial's captions, a fraction of 1; NaN for a score that is
	// not finite.
	level func(experiments.Trial) float64
	// state returns the state of a trial; "" is completed.
	state func(experiments.Trial) string
	// late is set if the trials were completed before the study was declared.
	late bool
}

const stagedHead = `study: staged
question: Do plan, report and compare agree?
data: {name: shapes, images: 60, min_count: 1}
encoder: {name: cnn, image_size: 16, channels: 2}
model: {embedding: 4, hidden: 4, attention: none, attention_size: 4, dropout: 0}
train: {epochs: 1, batch_images: 8, select: {metric: val.cider, beam: 1}}
`

// stage writes the study and a database with made-up results, and returns its declaration.
func stage(t *testing.T, s staged) experiments.Declaration {
	t.Helper()
	text := stagedHead + s.more + "sweep: " + s.sweep + "\ncompare: " + s.compare + "\n"
	if err := os.WriteFile("staged.yaml", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	study, err := experiments.Load("staged.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	trials, err := (&planning.Sets{}).Trials(study)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open("results.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	complete(t, db, study, trials, s)
	return study.Declare(trials)
}

// complete makes up the trials' results.
func complete(t *testing.T, db *store.DB, study *experiments.Study, trials []experiments.Trial, s staged) {
	t.Helper()
	ctx := context.Background()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	declared := study.Declare(trials)
	text, err := declared.JSON()
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
	declare := func() {
		ok(db.SaveStudy(ctx, store.Study{Name: study.Name, Question: study.Question, Spec: string(spec), Compare: compare}, runs,
			store.Declaration{Text: text, SHA256: declared.SHA256()}, nil))
	}
	if s.late {
		ok(db.SaveStudy(ctx, store.Study{Name: "first"}, runs, store.Declaration{}, nil))
		defer declare()
	} else {
		declare()
	}
	for _, tr := range trials {
		state := ""
		if s.state != nil {
			state = s.state(tr)
		}
		if state == store.Queued {
			continue
		}
		run, err := db.Run(ctx, tr.ID)
		ok(err)
		claim, err := db.Claim(ctx, run, store.Owner{Host: "h", PID: 1, Lease: time.Minute})
		ok(err)
		split := tr.Settings.Decode.FinalSplit()
		ok(db.Start(ctx, claim, store.Start{Parameters: 1, Signature: "data=shapes/official@1 decode=beam:" + strconv.Itoa(tr.Settings.Decode.Beam) + " metrics=1"}))
		switch state {
		case store.Failed:
			ok(db.Fail(ctx, claim, "numbers", "the loss is NaN"))
			continue
		case store.Pruned:
			ok(db.Prune(ctx, claim, "median, epoch 1"))
			continue
		}
		level := s.level(tr)
		captions, scores := madeUp(level, tr.Settings.Seed, tr.ID)
		mean := 0.0
		for _, one := range scores {
			mean += one.CIDEr / float64(len(scores))
		}
		if math.IsNaN(level) {
			mean = level
		}
		ok(db.SaveCaptions(ctx, claim, split, captions))
		ok(db.Complete(ctx, claim, store.Result{BestEpoch: 1, CaptionsSHA256: tr.ID, Scores: map[string][]metrics.ImageScore{split: scores},
			Metrics: map[string]map[string]float64{split: {"cider": mean, "bleu4": 0, "rouge_l": level}}}))
	}
}

// madeUp makes captions of 30 images, with scores around a level.
func madeUp(level float64, seed int64, id string) (captions []store.Caption, scores []metrics.ImageScore) {
	if math.IsNaN(level) {
		level = 0.5
	}
	var salt uint64
	for _, c := range id {
		salt = salt*31 + uint64(c)
	}
	g := rand.New(rand.NewPCG(uint64(seed), salt))
	for i := range 30 {
		image := fmt.Sprintf("%03d", i)
		cider := max(0, level+0.05*float64(i%5)+0.02*g.NormFloat64())
		captions = append(captions, store.Caption{Image: image, Words: "a red square"})
		scores = append(scores, metrics.ImageScore{ID: image, Match: [4]int{5, 3, 2, 0}, Length: 6, RefLength: 6, RougeL: level, CIDEr: cider, CIDErD: cider})
	}
	return captions, scores
}

// byArm returns a level for each arm, which rises by a step per seed.
func byArm(levels map[string]float64) func(experiments.Trial) float64 {
	return func(tr experiments.Trial) float64 { return levels[tr.Arm] + 0.004*float64(tr.Settings.Seed%5) }
}

const (
	twoArms   = `{over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5]}}`
	threeArms = `{over: {model.attention: [none, soft, adaptive], seed: [1, 2, 3, 4, 5]}}`
	factorial = `{over: {model.attention: [none, soft], model.dropout: [0, 0.3], seed: [1, 2, 3, 4, 5]}}`
	asked     = `arms: model.attention, baseline: none, primary: {metric: test.cider, minimum_effect: 1}`
)

var agreeing = []staged{
	{name: "two arms", sweep: twoArms, compare: `{` + asked + `, contrasts: [[soft, none]]}`, level: byArm(map[string]float64{"none": 0.4, "soft": 0.5})},
	{name: "three contrasts", sweep: threeArms, compare: `{` + asked + `, contrasts: [[soft, none], [adaptive, soft], [adaptive, none]]}`,
		level: byArm(map[string]float64{"none": 0.4, "soft": 0.41, "adaptive": 0.5})},
	{name: "average over a factor", sweep: factorial, compare: `{` + asked + `}`, level: byArm(map[string]float64{"none": 0.4, "soft": 0.5})},
	{name: "each level of a factor", sweep: factorial, compare: `{` + asked + `, factors: each}`, level: func(tr experiments.Trial) float64 {
		return byArm(map[string]float64{"none": 0.4, "soft": 0.4 + 0.3*tr.Settings.Model.Dropout})(tr)
	}},
	{name: "interaction", sweep: factorial, compare: `{` + asked + `, contrasts: [[soft, none], {interaction: [model.attention, model.dropout]}]}`,
		level: func(tr experiments.Trial) float64 {
			return byArm(map[string]float64{"none": 0.4, "soft": 0.4 + 0.3*tr.Settings.Model.Dropout})(tr)
		}},
	{name: "validation split", more: "decode: {split: val}\n", sweep: twoArms, compare: `{arms: model.attention, baseline: none, primary: {metric: val.cider, minimum_effect: 1}}`,
		level: byArm(map[string]float64{"none": 0.4, "soft": 0.5})},
	{name: "failed and pruned", sweep: threeArms, compare: `{` + asked + `}`, level: byArm(map[string]float64{"none": 0.4, "soft": 0.5, "adaptive": 0.5}),
		state: func(tr experiments.Trial) string {
			switch tr.Arm + fmt.Sprint(tr.Settings.Seed) {
			case "soft2":
				return store.Failed
			case "adaptive4":
				return store.Pruned
			}
			return ""
		}},
	{name: "missing", sweep: threeArms, compare: `{` + asked + `}`, level: byArm(map[string]float64{"none": 0.4, "soft": 0.5}),
		state: func(tr experiments.Trial) string {
			if tr.Arm == "adaptive" || tr.Arm == "soft" && tr.Settings.Seed == 5 {
				return store.Queued
			}
			return ""
		}},
	{name: "sequential", sweep: `{over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5, 6, 7, 8]}}`, compare: `{` + asked + `, stop: {looks: [5, 8]}}`,
		level: byArm(map[string]float64{"none": 0.4, "soft": 0.5})},
	{name: "undecided", sweep: `{over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5, 6, 7, 8]}}`, compare: `{` + asked + `, stop: {looks: [5, 8], futility: 0}}`,
		level: func(tr experiments.Trial) float64 {
			return map[string]float64{"none": 0.4, "soft": 0.42}[tr.Arm] + 0.02*float64(tr.Settings.Seed%3)
		},
		state: func(tr experiments.Trial) string {
			if tr.Settings.Seed > 5 {
				return store.Queued
			}
			return ""
		}},
	{name: "declared late", late: true, sweep: twoArms, compare: `{` + asked + `}`, level: byArm(map[string]float64{"none": 0.4, "soft": 0.5})},
	{name: "sequential, declared late", late: true, sweep: `{over: {model.attention: [none, soft], seed: [1, 2, 3, 4, 5, 6, 7, 8]}}`,
		compare: `{` + asked + `, stop: {looks: [5, 8]}}`, level: byArm(map[string]float64{"none": 0.4, "soft": 0.5})},
	{name: "named arms", sweep: `{over: {seed: [1, 2, 3, 4, 5]}}`,
		compare: `{arms: {plain: {model.attention: none}, wide: {model.attention: soft, model.embedding: 8}}, baseline: plain, primary: {metric: test.cider, minimum_effect: 1}}`,
		level:   byArm(map[string]float64{"plain": 0.4, "wide": 0.5})},
	{name: "one seed", sweep: `{over: {model.attention: [none, soft]}}`, compare: `{` + asked + `}`, level: byArm(map[string]float64{"none": 0.4, "soft": 0.5})},
	{name: "a score is not finite", sweep: twoArms, compare: `{` + asked + `}`, level: func(tr experiments.Trial) float64 {
		if tr.Arm == "soft" && tr.Settings.Seed == 3 {
			return math.NaN()
		}
		return byArm(map[string]float64{"none": 0.4, "soft": 0.5})(tr)
	}},
	{name: "nothing to score", sweep: twoArms, compare: `{arms: model.attention, baseline: none, primary: {metric: test.bleu4, minimum_effect: 1}}`,
		level: byArm(map[string]float64{"none": 0, "soft": 0})},
}
