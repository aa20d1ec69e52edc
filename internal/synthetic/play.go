package synthetic

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/runner"
)

// variants is how many captions of an image the runs choose from.
const variants = 24

// A player makes up what trials leave.
type player struct {
	shape  Shape
	data   *data.Dataset
	scorer metrics.Scorer
	// said are, for each image of the split, captions with their scores, the worst first.
	said [][]variant
}

// A variant is a caption that a run may say of an image.
type variant struct {
	words []string
	score metrics.ImageScore
}

// newPlayer writes and scores the captions that runs choose from: references of their
// images with words left out and words of other captions put in.
func newPlayer(s Shape, set *data.Dataset) (*player, error) {
	p := &player{shape: s, data: set}
	split := set.Splits["test"]
	split = split[:min(len(split), s.Images)]
	p.said = make([][]variant, len(split))
	g := rand.New(rand.NewPCG(1, uint64(s.Images)))
	for v := range variants {
		items := make([]metrics.Item, len(split))
		for i, at := range split {
			image := &set.Images[at]
			tokens := image.Tokens()
			words := slices.Clone(tokens[g.IntN(len(tokens))])
			other := set.Images[split[g.IntN(len(split))]].Tokens()[0]
			for k := range words {
				if g.Float64() < float64(variants-v)/(2*variants) {
					words[k] = other[g.IntN(len(other))]
				}
			}
			items[i] = metrics.Item{ID: image.ID, Candidate: words, References: tokens}
		}
		scored, err := p.scorer.Score(items)
		if err != nil {
			return nil, err
		}
		for i := range items {
			p.said[i] = append(p.said[i], variant{items[i].Candidate, scored.Images[i]})
		}
	}
	for _, list := range p.said {
		slices.SortStableFunc(list, func(a, b variant) int { return cmp.Compare(a.score.CIDEr, b.score.CIDEr) })
	}
	return p, nil
}

// endOf is how the run at a place of the plan stands. Those of all seeds but the last are completed, so
// that arms can be averaged over; of twenty of the last, two failed, and one each was
// interrupted, pruned, is running or waits.
func (p *player) endOf(at int, seed int64) string {
	if seed < int64(p.shape.Seeds) {
		return store.Completed
	}
	switch at % 20 {
	case 3, 13:
		return store.Failed
	case 5:
		return store.Interrupted
	case 9:
		return store.Pruned
	case 16:
		return store.Running
	case 19:
		return store.Queued
	}
	return store.Completed
}

// play writes what a trial leaves that ends as its place in the plan says.
func (p *player) play(ctx context.Context, db *store.DB, run store.Run, settings experiments.Settings, at int) error {
	end := p.endOf(at, settings.Seed)
	if end == store.Queued {
		return nil
	}
	owner := store.Owner{Host: "desk", Place: "nowhere", PID: 1, Start: "1", Lease: time.Minute}
	claim, err := db.Claim(ctx, run, owner)
	if err != nil {
		return err
	}
	environment, err := json.Marshal(p.environment(settings))
	if err != nil {
		return err
	}
	parameters, err := settings.Parameters(len(p.data.Vocabulary.Words))
	if err != nil {
		return err
	}
	signature := runner.Signature(settings, p.data, p.scorer.Version())
	if err := db.Start(ctx, claim, store.Start{Parameters: parameters, Signature: signature, Environment: environment}); err != nil {
		return err
	}
	g := rand.New(rand.NewPCG(uint64(at), uint64(settings.Seed)))
	captions, scores := p.caption(settings, g)
	values := p.summary(captions, scores)
	epochs := p.shape.Epochs
	if end != store.Completed {
		epochs = (epochs + 1) / 2
	}
	for e := 1; e <= epochs; e++ {
		progress := json.RawMessage(fmt.Sprintf(`{"epoch":%d}`, e))
		done := store.Checkpoint{Progress: progress, Seconds: 60 * float64(e), BestEpoch: e, Epoch: p.epoch(e, values, g)}
		if err := db.SaveCheckpoint(ctx, claim, done); err != nil {
			return err
		}
	}
	switch end {
	case store.Failed:
		return db.Fail(ctx, claim, "crash", "trial "+run.ID+" ended with signal 11 in epoch 4")
	case store.Interrupted:
		return db.Interrupt(ctx, claim)
	case store.Pruned:
		return db.Prune(ctx, claim, "median, epoch 4")
	case store.Running:
		return nil
	}
	if err := db.SaveCaptions(ctx, claim, "test", captions); err != nil {
		return err
	}
	weights := sha256.Sum256([]byte(run.ID))
	return db.Complete(ctx, claim, store.Result{
		Metrics: map[string]map[string]float64{"test": values, "val": values},
		Scores:  map[string][]metrics.ImageScore{"test": scores}, BestEpoch: epochs, Seconds: 60*float64(epochs) + g.Float64(),
		CaptionsSHA256: store.CaptionsSHA256(captions), WeightsSHA256: hex.EncodeToString(weights[:]), Environment: environment,
	})
}

// environment is what a trial records of where it ran.
func (p *player) environment(settings experiments.Settings) runner.Environment {
	content := settings.Data.Content
	return runner.Environment{
		Commit: "1f2e3d4c5b6a79880f1e2d3c4b5a69788f0e1d2c", Command: "glimpse run " + p.shape.Name + ".yaml --jobs 2",
		Host: "desk", OS: "linux", Arch: "amd64", CPU: "Example 9000", Cores: 2, Threads: 1, Device: "cpu",
		Versions: map[string]string{"blas": "mkl", "glimpse": "(devel)", "go": "go1.25.0", "libtorch": "2.15.0"},
		Hashes: map[string]string{"data": p.data.Hash, "vocabulary": p.data.Vocabulary.Hash(),
			"captions": content.Captions, "splits": content.Splits, "pictures": content.Pictures},
		PeakRSSBytes: 650_000_000 + settings.Seed*1_000_000, Attempts: 1,
	}
}

// caption chooses a caption of each image: better ones the more an arm looks and the larger
// it is, with the seed's and the image's luck.
func (p *player) caption(settings experiments.Settings, g *rand.Rand) ([]store.Caption, []metrics.ImageScore) {
	attention := settings.Model.Attention
	level := 0.35 + 0.05*float64(slices.Index(attentions, attention)) + 0.1*float64(settings.Model.Hidden)/400 -
		0.1*settings.Model.Dropout + 0.02*g.NormFloat64()
	captions, scores := make([]store.Caption, len(p.said)), make([]metrics.ImageScore, len(p.said))
	for i, list := range p.said {
		said := list[int(min(max((level+0.15*g.NormFloat64())*variants, 0), variants-1))]
		c := store.Caption{Image: said.score.ID, Words: strings.Join(said.words, " "), LogProb: -1.2*float64(len(said.words)) - g.Float64()}
		for range said.words {
			if attention != "none" {
				c.Entropy = append(c.Entropy, 2+g.Float64())
			}
			if attention == "adaptive" {
				c.Beta = append(c.Beta, g.Float64())
			}
		}
		captions[i], scores[i] = c, said.score
	}
	return captions, scores
}

// summary is the run's scores, as a scorer would give them but for what looks at
// training captions.
func (p *player) summary(captions []store.Caption, scores []metrics.ImageScore) map[string]float64 {
	values := metrics.Corpus(scores)
	values[p.scorer.MeteorKey()] = values[metrics.METEORKey]
	delete(values, metrics.METEORKey)
	different, words := map[string]bool{}, map[string]bool{}
	for _, c := range captions {
		different[c.Words] = true
		for w := range strings.FieldsSeq(c.Words) {
			words[w] = true
		}
	}
	values["distinct"] = float64(len(different)) / float64(len(captions))
	values["vocabulary"] = float64(len(words))
	values["copied"] = 0.05
	return values
}

// epoch is one on the way to the run's final scores.
func (p *player) epoch(e int, final map[string]float64, g *rand.Rand) *store.Epoch {
	share := 1 - math.Exp(-float64(e)/2)
	val := maps.Clone(final)
	for key, v := range val {
		val[key] = v * share * (1 + 0.01*g.NormFloat64())
	}
	return &store.Epoch{
		Epoch: e, Loss: 1.5 + 2*(1-share) + 0.05*g.NormFloat64(), Val: val, LR: 2e-3 * (1 - 0.9*share), Seconds: 60, CaptionsPerSecond: 400 + 10*g.Float64(),
	}
}
