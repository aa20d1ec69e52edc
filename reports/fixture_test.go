package reports

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/metrics/audit"
)

// A trial is a run that a test puts into a store.
type trial struct {
	arm    string
	name   string // of the arm in the study, "" for arm
	seed   int64
	swept  map[string]string // besides the arm
	state  string
	level  float64 // mean CIDEr of its captions, a fraction of 1
	signed string  // protocol signature, "" for the usual one
	error  string
	// audited says that the completed run has a stored audit.
	audited bool
	// read says that it has stored readings.
	read bool
}

const (
	usualSignature = "data=flickr8k/official@0f1e2d3c4b5a tokenizer=ptb vocabulary=a1b2c3d4e5f6 decode=beam:5,length_penalty:0.7,max_length:24 metrics=1"
	usualSpec      = "study: attention\nquestion: Does adaptive attention improve a GRU captioner?\nmodel: {hidden: 512}\n"
	usualCompare   = `{"arms":"model.attention","baseline":"none","contrasts":[["soft","none"],["adaptive","soft"],["adaptive","none"]],
		"primary":{"metric":"test.cider","minimum_effect":1.0,"alpha":0.05},"match_parameters":0.02}`
	fixtureImages = 80
)

// finished makes a completed trial for each seed of each arm.
func finished(seeds int, levels map[string]float64, arms ...string) []trial {
	var trials []trial
	for _, a := range arms {
		for s := 1; s <= seeds; s++ {
			trials = append(trials, trial{arm: a, seed: int64(s), state: store.Completed, level: levels[a]})
		}
	}
	return trials
}

// levels are scores of the size of Flickr8k's.
var levels = map[string]float64{"none": 0.485, "soft": 0.505, "adaptive": 0.535}

// usual is the store of the study that most tests look at.
func usual(t testing.TB, trials []trial) *store.DB {
	t.Helper()
	return fill(t, store.Study{
		Name: "attention", Question: "Does adaptive attention improve a GRU captioner?",
		Spec: usualSpec, Compare: json.RawMessage(usualCompare),
	}, trials)
}

// fill makes a store with one study of the given trials.
func fill(t testing.TB, study store.Study, trials []trial) *store.DB {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	runs := make([]store.Run, len(trials))
	for i, tr := range trials {
		swept := map[string]string{"model.attention": tr.arm}
		for path, value := range tr.swept {
			swept[path] = value
		}
		runs[i] = store.Run{ID: fmt.Sprintf("%06x%06x", 0xabc000+i*4099, i), Arm: cmp.Or(tr.name, tr.arm), Seed: tr.seed, Swept: swept, Settings: json.RawMessage(`{"encoder":{"name":"efficientnet_lite2","image_size":224}}`)}
	}
	check(t, db.SaveStudy(ctx, study, runs, store.Declaration{}, nil))
	for i, tr := range trials {
		if tr.state == store.Queued {
			continue
		}
		run, err := db.Run(ctx, runs[i].ID)
		check(t, err)
		claim, err := db.Claim(ctx, run, store.Owner{Host: "desk", PID: 1, Lease: time.Minute})
		check(t, err)
		play(t, db, claim, tr)
		if tr.audited {
			check(t, db.SaveAudit(ctx, runs[i].ID, []audit.Row{
				{Split: "test", Protocol: "coco", Says: "corpus BLEU, all references", Source: "a paper", Images: fixtureImages,
					BLEU: [4]float64{0.6, 0.42, 0.29, 0.2}, Claim: audit.Claim{BLEU1: 0.81, BLEU2: 0.73}, Reportable: true, Why: "what papers report"},
				{Split: "test", Protocol: "characters", Says: "BLEU of characters", Source: "a script", Images: fixtureImages,
					BLEU: [4]float64{0.9, 0.8, 0.7, 0.6}, Claim: audit.Claim{BLEU1: 0.81, BLEU2: 0.73}, Reaches: true, Why: "letters are easy"},
			}))
		}
	}
	for i, tr := range trials {
		if tr.read {
			captions, err := db.Captions(ctx, runs[i].ID, "test")
			check(t, err)
			check(t, db.SaveReadings(ctx, runs[i].ID, "test", readingsOf(tr, captions)))
		}
	}
	return db
}

// readingsOf makes readings in which long words gain much from the picture, half
// of that from the regions, and β hardly changes with another.
func readingsOf(tr trial, captions []store.Caption) []store.Reading {
	g := rand.New(rand.NewPCG(uint64(tr.seed), 3))
	var readings []store.Reading
	for i, c := range captions {
		r := store.Reading{Image: c.Image, Other: captions[(i+1)%len(captions)].Image}
		for at, w := range strings.Fields(c.Words) {
			gain := 0.05 * g.NormFloat64()
			if len(w) > 3 {
				gain += 1 + 0.1*float64(tr.seed)
			}
			r.LogProb, r.LogProbOther = append(r.LogProb, -0.5), append(r.LogProbOther, -0.5-gain)
			if tr.arm != "none" {
				r.LogProbRegions, r.LogProbEven = append(r.LogProbRegions, -0.5-gain/2), append(r.LogProbEven, -0.5-gain/4)
			}
			if c.Beta != nil {
				r.BetaOther = append(r.BetaOther, c.Beta[at]+0.01*g.Float64())
			}
		}
		readings = append(readings, r)
	}
	return readings
}

// play trains a trial: it writes what a trial of its state leaves.
func play(t testing.TB, db *store.DB, claim store.Claim, tr trial) {
	t.Helper()
	ctx := context.Background()
	g := rand.New(rand.NewPCG(uint64(tr.seed), uint64(len(tr.arm))))
	signature := tr.signed
	if signature == "" {
		signature = usualSignature
	}
	environment := json.RawMessage(`{"commit":"1f2e3d4c5b6a","dirty":false,"host":"desk","device":"cpu","threads":2,
		"cpu":"Example 9000","versions":{"go":"go1.25","libtorch":"2.1.2"},"peak_rss_bytes":1850000000}`)
	check(t, db.Start(ctx, claim, store.Start{Parameters: parameters(tr.arm), Signature: signature, Environment: environment}))
	epochs := 8
	if tr.state != store.Completed {
		epochs = 3
	}
	seedShift := 0.006 * (float64(tr.seed%5) - 2)
	for e := 1; e <= epochs; e++ {
		progress := 1 - math.Exp(-float64(e)/2.2)
		val := (tr.level+seedShift)*progress - 0.004*math.Max(0, float64(e)-6) + 0.002*g.NormFloat64()
		check(t, db.SaveCheckpoint(ctx, claim, store.Checkpoint{Seconds: 200 * float64(e), BestEpoch: min(e, 6), Epoch: &store.Epoch{
			Epoch: e, Loss: 3 + 2.2*math.Exp(-float64(e)/2.5) - tr.level + 0.01*g.NormFloat64(),
			Val: map[string]float64{"cider": val, "bleu4": 0.4 * val}, LR: 5e-4, Seconds: 200, CaptionsPerSecond: 150,
		}}))
	}
	switch tr.state {
	case store.Failed:
		check(t, db.Fail(ctx, claim, "numbers", tr.error))
	case store.Interrupted:
		check(t, db.Interrupt(ctx, claim))
	case store.Completed:
		captions, scores, values := describe(tr, seedShift, g)
		check(t, db.SaveCaptions(ctx, claim, "test", captions))
		check(t, db.Complete(ctx, claim, store.Result{
			Metrics: map[string]map[string]float64{"test": values}, Scores: map[string][]metrics.ImageScore{"test": scores},
			BestEpoch: 6, Seconds: 1612.5, Environment: environment,
			CaptionsSHA256: strings.Repeat(fmt.Sprintf("%x", tr.seed+10), 64), WeightsSHA256: strings.Repeat("e", 64),
		}))
	}
}

func parameters(arm string) int64 {
	return map[string]int64{"none": 5_234_688, "soft": 5_301_250, "adaptive": 5_310_977}[arm]
}

var (
	subjects = strings.Fields("dog man girl boy woman child")
	colours  = strings.Fields("brown white black red young")
	places   = strings.Fields("grass snow beach water street field")
)

// describe makes captions and their scores, whose mean CIDEr is that of the
// trial.
func describe(tr trial, shift float64, g *rand.Rand) ([]store.Caption, []metrics.ImageScore, map[string]float64) {
	var captions []store.Caption
	var scores []metrics.ImageScore
	difficulty := rand.New(rand.NewPCG(1, 2))
	sum := 0.0
	for i := range fixtureImages {
		hard := difficulty.Float64() - 0.5
		words := strings.Fields(fmt.Sprintf("a %s %s runs on the %s", colours[g.IntN(len(colours))], subjects[(i+g.IntN(2))%len(subjects)], places[i%len(places)]))
		if tr.read && i%2 == 1 {
			words = words[1:] // so that words of several classes stand at one place
		}
		c := store.Caption{Image: fmt.Sprintf("%010d_photo.jpg", 1000092795+i*7919), Words: strings.Join(words, " "), LogProb: -7.5}
		if tr.arm != "none" {
			for at := range words {
				c.Entropy = append(c.Entropy, 3.6-0.1*float64(at)-0.3*float64(len(tr.arm)%3))
			}
		}
		if tr.arm == "adaptive" {
			for _, w := range words {
				b := 0.85
				if len(w) > 3 {
					b = 0.2 + 0.02*float64(int(w[0])%10)
				}
				c.Beta = append(c.Beta, b)
			}
		}
		s := metrics.ImageScore{ID: c.Image, Match: [4]int{4, 2, 1, 0}, Length: len(words), RefLength: len(words) + 1, RougeL: 0.45,
			CIDEr: math.Max(0, tr.level+shift+0.6*hard+0.05*g.NormFloat64())}
		sum += s.CIDEr
		captions = append(captions, c)
		scores = append(scores, s)
	}
	cider := sum / fixtureImages
	return captions, scores, map[string]float64{"cider": cider, "bleu1": 0.6 + shift, "bleu2": 0.42 + shift, "bleu3": 0.29, "bleu4": 0.4 * cider,
		"rouge_l": 0.45 + shift/2, "cider_d": 0.8 * cider, "length_ratio": 0.97,
		"distinct": 0.31, "vocabulary": 72, "copied": 0.08}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
