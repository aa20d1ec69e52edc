// Package synthetic makes results databases of any size, so that what reads
// them can be measured: studies with realistic runs that nobody trained.
//
// What it makes is valid in every respect, and written through the interface
// that trials use: identities and protocol signatures are those of the settings,
// captions vary those of the data set and have their true scores, hashes are
// theirs. Equal shapes give equal contents but for times.
package synthetic

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/planning"
)

// A Shape is the size of a study, and its kind. Each number is at least 1.
type Shape struct {
	Name   string // of the study
	Arms   int    // settings besides the seed
	Seeds  int    // of an arm
	Epochs int    // of a run that went to its end
	Images int    // of the final split: each has a caption of each completed run
	Search bool   // it compares nothing
}

// OfRuns is the shape of a study of about so many runs with five seeds an arm.
func OfRuns(runs int) Shape {
	return Shape{Name: "synthetic", Arms: max(1, runs/5), Seeds: 5, Epochs: 8, Images: 100}
}

// attentions are compared; what else is swept crosses them.
var attentions = []string{"none", "uniform", "soft", "adaptive"}

// Spec is the study as YAML: drawn scenes, of which a tenth are the test split, with sweeps of
// attention, dropout, size and learning rate, as many as make the arms.
func (s Shape) Spec() string {
	crossed := max(1, (s.Arms+len(attentions)-1)/len(attentions))
	dropouts := min(crossed, 5)
	sizes := min((crossed+dropouts-1)/dropouts, 10)
	rates := (crossed + dropouts*sizes - 1) / (dropouts * sizes)
	list := func(n int, of func(i int) string) string {
		texts := make([]string, n)
		for i := range texts {
			texts[i] = of(i)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	over := "    model.attention: [" + strings.Join(attentions, ", ") + "]\n"
	for _, axis := range []struct {
		path string
		n    int
		of   func(i int) string
	}{
		{"model.dropout", dropouts, func(i int) string { return fmt.Sprintf("0.%d", i+1) }},
		{"model.hidden", sizes, func(i int) string { return strconv.Itoa(64 + 32*i) }},
		{"train.optimizer.lr", rates, func(i int) string { return strconv.FormatFloat(1e-3+2e-4*float64(i), 'g', -1, 64) }},
	} {
		if axis.n > 1 {
			over += "    " + axis.path + ": " + list(axis.n, axis.of) + "\n"
		}
	}
	text := fmt.Sprintf(`study: %s
question: What do reports and lists of many runs cost?
data: {name: shapes, images: %d, min_count: 2}
encoder: {name: cnn, image_size: 32, channels: 8}
model: {embedding: 64, hidden: 96, attention: adaptive, attention_size: 64, dropout: 0.1}
train: {epochs: %d, batch_images: 16, select: {metric: val.cider, beam: 1}}
decode: {beam: 3}
sweep:
  over:
%s    seed: %s
`, s.Name, max(10*s.Images, 20), s.Epochs, over, list(s.Seeds, func(i int) string { return strconv.Itoa(i + 1) }))
	if !s.Search {
		text += `compare:
  arms: model.attention
  baseline: none
  contrasts: [[soft, none], [adaptive, soft]]
  primary: {metric: test.cider, minimum_effect: 1.0, alpha: 0.05}
`
	}
	return text
}

// Fill records the study in db and plays its runs.
func Fill(ctx context.Context, db *store.DB, s Shape) error {
	study, err := experiments.Parse(s.Name+".yaml", []byte(s.Spec()))
	if err != nil {
		return fmt.Errorf("synthetic study: %w", err)
	}
	sets := &planning.Sets{}
	trials, err := sets.Trials(study)
	if err != nil {
		return fmt.Errorf("synthetic study: %w", err)
	}
	if err := record(ctx, db, study, trials); err != nil {
		return fmt.Errorf("record the synthetic study: %w", err)
	}
	set, err := sets.Load(trials[0].Settings)
	if err != nil {
		return fmt.Errorf("synthetic study: %w", err)
	}
	p, err := newPlayer(s, set)
	if err != nil {
		return fmt.Errorf("synthetic study: %w", err)
	}
	runs, err := db.Runs(ctx, s.Name)
	if err != nil {
		return err
	}
	for i, run := range runs {
		if err := p.play(ctx, db, run, trials[i].Settings, i); err != nil {
			return fmt.Errorf("synthetic run %s: %w", run.ID, err)
		}
	}
	return nil
}

// record saves the study and its runs, with what it declares.
func record(ctx context.Context, db *store.DB, study *experiments.Study, trials []experiments.Trial) error {
	spec, err := study.YAML()
	if err != nil {
		return err
	}
	compare, err := json.Marshal(study.Compare)
	if err != nil {
		return err
	}
	var declaration store.Declaration
	if study.Compare.Compares() {
		declared := study.Declare(trials)
		if declaration.Text, err = declared.JSON(); err != nil {
			return err
		}
		declaration.SHA256 = declared.SHA256()
	}
	runs := make([]store.Run, len(trials))
	for i, t := range trials {
		settings, err := json.Marshal(t.Settings)
		if err != nil {
			return err
		}
		runs[i] = store.Run{ID: t.ID, Arm: t.Arm, Swept: t.Swept, Seed: t.Settings.Seed, Settings: settings}
	}
	of := store.Study{Name: study.Name, Question: study.Question, Spec: string(spec), Compare: compare}
	return db.SaveStudy(ctx, of, runs, declaration, nil)
}
