package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/meteor"
	"glimpse/metrics/stats"
	"glimpse/results"
	"glimpse/runner"
)

// EnsembleOptions say what an ensemble captions, and how.
type EnsembleOptions struct {
	Arm    string       // "" for all runs, else those of this arm alone
	Split  string       // of the data set, such as val
	Beam   int          // width of the beam search; 0 for that of the first run
	Meteor *meteor.Data // METEOR's data; nil for exact words and stems alone
}

// Ensembled says what several runs score together. Its JSON is a contract: it is
// what `glimpse ensemble --json` prints. Metrics are fractions of 1.
type Ensembled struct {
	Split    string                 `json:"split"`
	Images   int                    `json:"images"`
	Beam     int                    `json:"beam"`
	Members  []EnsembleScore        `json:"members"`
	Mean     map[string]term.Number `json:"mean"` // of the members' metrics
	Together EnsembleScore          `json:"together"`
	Gain     map[string]term.Number `json:"gain"` // together less the mean
}

// EnsembleScore is what one run, or all together, score.
type EnsembleScore struct {
	Run     string                 `json:"run,omitempty"` // this and the next two are of one run alone
	Arm     string                 `json:"arm,omitempty"`
	Seed    int64                  `json:"seed,omitempty"`
	Metrics map[string]term.Number `json:"metrics"`
	Seconds term.Number            `json:"seconds"` // that decoding took
}

// Ensemble captions a split with the best checkpoint of each run, and with all
// of them together ([Engine]), and scores both. It records nothing. It
// refuses fewer than two runs, and runs under different protocols.
func (o *Opener) Ensemble(ctx context.Context, runs []store.Run, options EnsembleOptions) (*Ensembled, error) {
	members, err := membersOf(runs, options.Arm)
	if err != nil {
		return nil, err
	}
	e := ensemble{split: options.Split, scorer: metrics.Scorer{Meteor: options.Meteor}}
	defer e.close()
	for _, run := range members {
		if err := e.add(ctx, o, run); err != nil {
			return nil, err
		}
	}
	if options.Beam > 0 {
		e.decode = e.decode.OfWidth(options.Beam)
	}
	out := &Ensembled{Split: options.Split, Images: len(e.data.Splits[options.Split]), Beam: e.decode.Beam}
	for i, run := range members {
		o.remark("%s %s seed %d captions the %s split", run.ID, run.Arm, run.Seed, options.Split)
		s, err := e.score(ctx, o.Engine, e.captioners[i:i+1])
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", run.ID, err)
		}
		s.Run, s.Arm, s.Seed = run.ID, run.Arm, run.Seed
		out.Members = append(out.Members, s)
	}
	o.remark("all %d together", len(members))
	if out.Together, err = e.score(ctx, o.Engine, e.captioners); err != nil {
		return nil, fmt.Errorf("all runs together: %w", err)
	}
	out.gain()
	return out, nil
}

// RecordEnsembles captions with all seeds of each arm of a study together, where the study declares that and its database
// lacks them or has them of other seeds ([results.Study.EnsemblesDue]), on the split that the runs were finished on, and
// stores captions and scores arm by arm: what is interrupted goes on with the next arm. It returns what it
// made, and why other arms have to wait. METEOR's data, nil for none, must be those that the runs were scored with.
func (o *Opener) RecordEnsembles(ctx context.Context, study string, data *meteor.Data) (made []store.Ensemble, waiting []string, err error) {
	s, err := results.Open(ctx, o.DB, study)
	if err != nil {
		return nil, nil, err
	}
	due, waiting, err := s.EnsemblesDue(ctx)
	if err != nil {
		return nil, waiting, err
	}
	for _, arm := range due {
		e, err := o.recordEnsemble(ctx, study, arm, data)
		if err != nil {
			return made, waiting, fmt.Errorf("study %s, ensemble of %s: %w", study, arm.Label, err)
		}
		made = append(made, e)
	}
	return made, waiting, nil
}

// recordEnsemble makes and stores that of one arm.
func (o *Opener) recordEnsemble(ctx context.Context, study string, arm *results.Arm, data *meteor.Data) (store.Ensemble, error) {
	made := store.Ensemble{Study: study, Cell: arm.Name}
	var runs []store.Run
	for _, r := range arm.Runs {
		if r.State == store.Completed {
			runs, made.Members = append(runs, r.Run), append(made.Members, r.ID)
		}
	}
	members, err := membersOf(runs, "")
	if err != nil {
		return made, err
	}
	e := ensemble{scorer: metrics.Scorer{Meteor: data}}
	defer e.close()
	for _, run := range members {
		if err := e.add(ctx, o, run); err != nil {
			return made, err
		}
	}
	made.Split, made.Signature = e.decode.FinalSplit(), members[0].Signature
	e.split = made.Split
	here := runner.Signature(e.settings, e.data, e.scorer.Version())
	if found := stats.SignatureDifferences(made.Signature, here); len(found) > 0 {
		return made, fmt.Errorf("its runs were scored under another protocol: %s; --meteor sets whether METEOR uses its data", strings.Join(found, "; "))
	}
	o.remark("%s: %s caption the %s split together", arm.Label, term.Plural(len(members), "seed"), made.Split)
	captions, scored, err := e.write(ctx, o.Engine, e.captioners)
	if err != nil {
		return made, err
	}
	made.Metrics, made.Seconds = scored.result.Metrics, scored.seconds
	return made, o.DB.SaveEnsemble(ctx, made, stored(captions, e.data, scored.result.Images))
}

// stored are scored captions as the store has them, by image.
func stored(captions []data.Caption, d *data.Dataset, scores []metrics.ImageScore) []store.Caption {
	byImage := make(map[string]metrics.ImageScore, len(scores))
	for _, s := range scores {
		byImage[s.ID] = s
	}
	list := make([]store.Caption, len(captions))
	for i, c := range captions {
		id := d.Images[c.Image].ID
		list[i] = store.Caption{Image: id, Words: strings.Join(c.Words, " "), LogProb: c.LogProb, Scored: true, Score: byImage[id]}
	}
	slices.SortFunc(list, func(x, y store.Caption) int { return strings.Compare(x.Image, y.Image) })
	return list
}

// membersOf gives the runs that take part: those of the arm, or all without one.
func membersOf(runs []store.Run, arm string) ([]store.Run, error) {
	var members []store.Run
	for _, run := range runs {
		if arm == "" || run.Arm == arm {
			members = append(members, run)
		}
	}
	if len(members) < 2 {
		of := ""
		if arm != "" {
			of = " of arm " + arm
		}
		return nil, fmt.Errorf("an ensemble needs at least two completed runs, but %s%s can take part: "+
			"`glimpse runs` lists them", term.Plural(len(members), "run"), of)
	}
	return members, results.SameProtocol(members)
}

// ensemble is the captioners of several runs, with what they caption.
type ensemble struct {
	captioners []Captioner
	data       *data.Dataset
	split      string
	settings   experiments.Settings // of the first
	decode     experiments.Decode   // of the first, unless another beam is asked for
	scorer     metrics.Scorer
}

func (e *ensemble) add(ctx context.Context, o *Opener, run store.Run) error {
	r, err := o.Open(ctx, run)
	if err != nil {
		return err
	}
	captioner, err := r.Captioner()
	if err != nil {
		return err
	}
	if e.data = r.Data; len(e.captioners) == 0 {
		e.settings, e.decode = r.Settings, r.Settings.Decode
	}
	e.captioners = append(e.captioners, captioner)
	return nil
}

func (e *ensemble) close() {
	for _, c := range e.captioners {
		c.Close()
	}
}

// score captions the split with some of the captioners together, and scores that.
func (e *ensemble) score(ctx context.Context, engine Engine, captioners []Captioner) (EnsembleScore, error) {
	_, scored, err := e.write(ctx, engine, captioners)
	return EnsembleScore{Metrics: term.Numbers(scored.result.Metrics), Seconds: term.Number(scored.seconds)}, err
}

// scoredCaptions are the scores of captions, and how long it took to write these.
type scoredCaptions struct {
	result  metrics.Result
	seconds float64
}

// write captions the split with some of the captioners together, and scores the captions.
func (e *ensemble) write(ctx context.Context, engine Engine, captioners []Captioner) (captions []data.Caption, s scoredCaptions, err error) {
	start := time.Now()
	captions, err = engine.Ensemble(ctx, captioners, e.data.Splits[e.split], e.decode)
	if err != nil {
		return nil, s, err
	}
	s.seconds = time.Since(start).Seconds()
	items := make([]metrics.Item, len(captions))
	for i, c := range captions {
		of := &e.data.Images[c.Image]
		items[i] = metrics.Item{ID: of.ID, Candidate: c.Words, References: of.Tokens()}
	}
	s.result, err = e.scorer.Score(items)
	return captions, s, err
}

// gain sets the ensemble against the mean of its members.
func (e *Ensembled) gain() {
	e.Mean, e.Gain = map[string]term.Number{}, map[string]term.Number{}
	for key, together := range e.Together.Metrics {
		for _, m := range e.Members {
			e.Mean[key] += m.Metrics[key] / term.Number(len(e.Members))
		}
		e.Gain[key] = together - e.Mean[key]
	}
}
