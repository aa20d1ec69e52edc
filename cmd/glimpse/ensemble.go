package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/models"
	"glimpse/results"
)

func ensembleCommand() *cobra.Command {
	var (
		o       ensembleOptions
		compute engineFlags
		asJSON  bool
	)
	c := &cobra.Command{
		Use:   "ensemble STUDY|RUN...",
		Short: "What several runs would score together",
		Long: `Captions a split with the best checkpoints of several completed runs together: at
each step of the beam search, the probability of a word is the mean of theirs.
Scores that beside each of them alone, decoded alike, with the time that each
took. The runs must speak one vocabulary; their arms, sizes and encoders may
differ. --arm takes those of one arm of a study.

It tells what could be gained, for instance by training more seeds, and is no
result of a study: nothing is recorded. Hence the validation split, unless
--split says otherwise.`,
		Example: `  glimpse ensemble flickr8k-attention --arm soft
  glimpse ensemble 3f2a 81c0 --beam 3 --json`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeFromDB(studyNames),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case o.beam < 0:
				return usageError{errors.New("--beam must be at least 1")}
			case o.split != "val" && o.split != "test":
				return usageError{fmt.Errorf("--split %q: want val or test", o.split)}
			}
			engine, err := compute.engine(compute.threads)
			if err != nil {
				return err
			}
			if o.meteorData, err = loadMeteor(o.meteor); err != nil {
				return err
			}
			db, err := openResults(o.db)
			if err != nil {
				return err
			}
			defer db.Close()
			runs, err := completedRuns(c.Context(), db, args)
			if err == nil {
				runs, err = o.members(runs)
			}
			if err != nil {
				return err
			}
			made, err := ensemble(c.Context(), c.ErrOrStderr(), db, engine, runs, o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), made)
			}
			return made.print(c.OutOrStdout())
		},
	}
	compute.add(c)
	addDBFlag(c, &o.db)
	addMeteorFlag(c, &o.meteor)
	c.Flags().StringVar(&o.arm, "arm", "", "of a study, the runs of this arm alone")
	c.Flags().StringVar(&o.split, "split", "val", "split to caption: val or test")
	c.Flags().IntVar(&o.beam, "beam", 0, "width of the beam search (default the runs')")
	c.Flags().StringVar(&o.root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	addJSONFlag(c, &asJSON)
	return c
}

type ensembleOptions struct {
	db, root, arm, split, meteor string
	beam                         int
	meteorData                   *metrics.Meteor
}

// members gives the runs that take part.
func (o *ensembleOptions) members(runs []store.Run) ([]store.Run, error) {
	var members []store.Run
	for _, run := range runs {
		if o.arm == "" || run.Arm == o.arm {
			members = append(members, run)
		}
	}
	if len(members) < 2 {
		of := ""
		if o.arm != "" {
			of = " of arm " + o.arm
		}
		return nil, fmt.Errorf("an ensemble is of two runs at least, and %s%s can take part here: `glimpse runs` lists what is completed", plural(len(members), "run"), of)
	}
	return members, results.SameProtocol(members)
}

// ensembled is what `ensemble` tells; as JSON, a contract.
type ensembled struct {
	Split    string            `json:"split"`
	Images   int               `json:"images"`
	Beam     int               `json:"beam"`
	Members  []ensembleScore   `json:"members"`
	Mean     map[string]number `json:"mean"` // of the members' metrics
	Together ensembleScore     `json:"together"`
	Gain     map[string]number `json:"gain"` // together less the mean
}

type ensembleScore struct {
	Run     string            `json:"run,omitempty"`
	Arm     string            `json:"arm,omitempty"`
	Seed    int64             `json:"seed,omitempty"`
	Metrics map[string]number `json:"metrics"`
	Seconds number            `json:"seconds"` // that decoding took
}

// ensemble captions a split with each run, and with all together.
func ensemble(ctx context.Context, remarks io.Writer, db *store.DB, engine engine, runs []store.Run, o ensembleOptions) (*ensembled, error) {
	var (
		out        = &ensembled{Split: o.split}
		sets       = dataLoader{db: db, root: o.root}
		captioners []*models.Captioner
		first      experiments.Settings
		d          *data.Dataset
	)
	defer func() {
		for _, c := range captioners {
			c.Close()
		}
	}()
	for _, run := range runs {
		settings, err := results.Settings(run)
		if err != nil {
			return nil, err
		}
		if d, err = sets.load(ctx, run, settings); err != nil {
			return nil, err
		}
		captioner, err := bestCaptioner(db, engine, run, settings, d)
		if err != nil {
			return nil, err
		}
		if captioners = append(captioners, captioner); len(captioners) == 1 {
			first = settings
		}
	}
	decode := first.Decode
	if o.beam > 0 {
		decode.Beam = o.beam
	}
	images := d.Splits[o.split]
	out.Images, out.Beam = len(images), decode.Beam
	scorer := metrics.Scorer{Meteor: o.meteorData}
	score := func(captioners []*models.Captioner) (s ensembleScore, err error) {
		start := time.Now()
		captions, err := models.Ensemble(ctx, captioners, images, decode)
		if err != nil {
			return s, err
		}
		s.Seconds = number(time.Since(start).Seconds())
		items := make([]metrics.Item, len(captions))
		for i, c := range captions {
			items[i] = metrics.Item{ID: d.Images[c.Image].ID, Candidate: c.Words, References: d.Images[c.Image].Tokens}
		}
		result, err := scorer.Score(items)
		s.Metrics = numbers(result.Metrics)
		return s, err
	}
	for i, run := range runs {
		fmt.Fprintf(remarks, "%s %s seed %d captions the %s split\n", run.ID, run.Arm, run.Seed, o.split)
		s, err := score(captioners[i : i+1])
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", run.ID, err)
		}
		s.Run, s.Arm, s.Seed = run.ID, run.Arm, run.Seed
		out.Members = append(out.Members, s)
	}
	fmt.Fprintf(remarks, "all %d together\n", len(runs))
	var err error
	if out.Together, err = score(captioners); err != nil {
		return nil, fmt.Errorf("all runs together: %w", err)
	}
	out.gain()
	return out, nil
}

// gain sets the ensemble against the mean of its members.
func (e *ensembled) gain() {
	e.Mean, e.Gain = map[string]number{}, map[string]number{}
	for key, together := range e.Together.Metrics {
		for _, m := range e.Members {
			e.Mean[key] += m.Metrics[key] / number(len(e.Members))
		}
		e.Gain[key] = together - e.Mean[key]
	}
}

func (e *ensembled) print(w io.Writer) error {
	fmt.Fprintf(w, "%s split, %s, beam %d\n\n", e.Split, plural(e.Images, "image"), e.Beam)
	keys := slices.DeleteFunc(metricOrder(e.Mean), func(key string) bool { return !slices.Contains(shownMetrics, key) })
	t := &table{}
	t.add(append([]string{"RUN", "ARM", "SEED", "DECODING"}, keys...)...)
	row := func(values map[string]number, format string, cells ...string) {
		for _, key := range keys {
			cells = append(cells, fmt.Sprintf(format, 100*float64(values[key])))
		}
		t.add(cells...)
	}
	for _, m := range e.Members {
		row(m.Metrics, "%.2f", m.Run, m.Arm, fmt.Sprint(m.Seed), span(float64(m.Seconds)))
	}
	row(e.Mean, "%.2f", "mean", "", "", "")
	row(e.Together.Metrics, "%.2f", "together", "", "", span(float64(e.Together.Seconds)))
	row(e.Gain, "%+.2f", "gain", "", "", "")
	if err := t.print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "all ×100; gain: together less the mean of the runs, over these images, without an interval")
	return err
}
