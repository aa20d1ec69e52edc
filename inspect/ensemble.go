package inspect

import (
	"context"
	"fmt"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/meteor"
	"glimpse/results"
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
		return nil, fmt.Errorf("an ensemble is of two runs at least, and %s%s can take part here: "+
			"`glimpse runs` lists what is completed", term.Plural(len(members), "run"), of)
	}
	return members, results.SameProtocol(members)
}

// ensemble is the captioners of several runs, with what they caption.
type ensemble struct {
	captioners []Captioner
	data       *data.Dataset
	split      string
	decode     experiments.Decode // of the first
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
		e.decode = r.Settings.Decode
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
func (e *ensemble) score(ctx context.Context, engine Engine, captioners []Captioner) (s EnsembleScore, err error) {
	start := time.Now()
	captions, err := engine.Ensemble(ctx, captioners, e.data.Splits[e.split], e.decode)
	if err != nil {
		return s, err
	}
	s.Seconds = term.Number(time.Since(start).Seconds())
	items := make([]metrics.Item, len(captions))
	for i, c := range captions {
		of := &e.data.Images[c.Image]
		items[i] = metrics.Item{ID: of.ID, Candidate: c.Words, References: of.Tokens()}
	}
	result, err := e.scorer.Score(items)
	s.Metrics = term.Numbers(result.Metrics)
	return s, err
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
