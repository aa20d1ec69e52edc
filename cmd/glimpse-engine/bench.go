package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/experiments"
	"glimpse/internal/cli"
	"glimpse/internal/term"
	"glimpse/internal/torch"
	"glimpse/planning"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast this machine trains, decodes, scores and stores",
		Long: `Measures the speed of the parts of a study here, with the settings of a study or,
without one, with those of the built-in demo, which needs no files. No results
database is touched.

Peak memory is that of the whole process since it began: measure one arm or one
part at a time (--arm) where it matters. peak_rss_mb counts mapped files, which are
programs and libraries, as far as they were touched; peak_anonymous_mb does not.

--threads bounds libtorch's threads and Go's alike. The machine should be idle.`,
		Example: `  glimpse bench train
  glimpse bench train experiments/flickr8k.yaml --arm adaptive --threads 1
  glimpse bench decode experiments/flickr8k.yaml --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(benchTrainCommand(), benchFeaturesCommand(), benchDecodeCommand(), benchScoreCommand(), benchStoreCommand(),
		benchLimitsCommand(), benchScalingCommand())
	return c
}

// benchmark is what a verb of `bench` tells; as JSON, a contract.
type benchmark struct {
	Bench           string      `json:"bench"`
	Study           string      `json:"study"`
	Data            string      `json:"data"`
	Device          string      `json:"device"`
	Threads         int         `json:"threads"`
	PeakRSSMB       term.Number `json:"peak_rss_mb"`
	PeakAnonymousMB term.Number `json:"peak_anonymous_mb"`
	Rows            any         `json:"rows"`
}

// benchFlags are those of all verbs of `bench`.
type benchFlags struct {
	study   cli.StudyFlags
	compute cli.Compute
	arm     string
	asJSON  bool
}

func (f *benchFlags) add(c *cobra.Command) {
	f.study.Add(c)
	f.compute.Add(c)
	c.Flags().Lookup("threads").Usage = "threads to compute with (default: the processors)"
	cli.AddJSON(c, &f.asJSON)
}

func (f *benchFlags) addArm(c *cobra.Command) {
	c.Flags().StringVar(&f.arm, "arm", "", "measure this arm alone (default: each)")
}

// benchRun is a measurement at work.
type benchRun struct {
	study  *experiments.Study
	trials []experiments.Trial // the first of each arm
	sets   planning.Sets
	engine modelEngine
	memory *memoryWatch
	procs  int // GOMAXPROCS before
}

// open reads the study, with sets laid over the demo where there is none, and prepares the process.
func (f *benchFlags) open(args []string, sets ...string) (*benchRun, error) {
	b := &benchRun{}
	engine, err := newEngine(f.compute)
	if err != nil {
		return nil, err
	}
	b.engine, b.sets.Cache = engine, engine.pictureHashes()
	if len(args) > 0 {
		b.study, err = f.study.Load(args[0])
	} else if b.study, err = experiments.Demo(append(sets, f.study.Sets...)); err != nil {
		err = cli.Usage(err)
	} else {
		b.study.Data.Root = cli.DataRoot(f.study.Root, b.study.Data.Root)
	}
	if err != nil {
		return nil, err
	}
	trials, err := b.sets.Trials(b.study)
	if err != nil {
		return nil, err
	}
	if b.trials, err = firstOfArms(trials, f.arm); err != nil {
		return nil, err
	}
	b.procs = runtime.GOMAXPROCS(engine.Threads)
	torch.SetThreads(engine.Threads)
	b.memory = watchMemory()
	return b, nil
}

// close lets go of the process.
func (b *benchRun) close() {
	b.memory.stop()
	runtime.GOMAXPROCS(b.procs)
}

// firstOfArms keeps the first trial of each arm, or of the one that is named.
func firstOfArms(trials []experiments.Trial, arm string) ([]experiments.Trial, error) {
	var first []experiments.Trial
	var arms []string
	for _, t := range trials {
		if slices.Contains(arms, t.Arm) {
			continue
		}
		arms = append(arms, t.Arm)
		if arm == "" || t.Arm == arm {
			first = append(first, t)
		}
	}
	if len(first) == 0 {
		return nil, cli.Usage(fmt.Errorf("--arm %s: the study has no such arm; there are %s", arm, strings.Join(arms, ", ")))
	}
	return first, nil
}

// report prints what was measured: rows as JSON, or t as text.
func (b *benchRun) report(w io.Writer, asJSON bool, name string, rows any, t *term.Table) error {
	peak, anonymous := b.memory.peak()
	r := benchmark{
		Bench: name, Study: b.study.Name, Data: b.study.Data.Name, Device: b.engine.Device.String(), Threads: b.engine.Threads,
		PeakRSSMB: term.Number(peak), PeakAnonymousMB: term.Number(anonymous), Rows: rows,
	}
	if asJSON {
		return term.WriteJSON(w, r)
	}
	if err := t.Print(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nstudy %s, data %s, %s, %s; peak memory of the process %.0f MB, without mapped files %.0f MB\n",
		r.Study, r.Data, r.Device, term.Plural(r.Threads, "thread"), peak, anonymous)
	return nil
}

// features makes sure that the features of a trial are cached.
func (b *benchRun) features(ctx context.Context, c *cobra.Command, s experiments.Settings) error {
	d, err := b.sets.Load(s)
	if err != nil {
		return err
	}
	bars := term.NewProgress(c.ErrOrStderr())
	defer bars.Close()
	return b.engine.Features(ctx, s, d, func(done, total int) { bars.Update(s.Encoder.Name, done, total, "images") })
}

// quartiles gives the values below which a quarter, half and three quarters of a sample lie, NaN for none.
func quartiles(values []float64) [3]term.Number {
	sorted := slices.Sorted(slices.Values(values))
	at := func(share float64) term.Number {
		if len(sorted) == 0 {
			return term.Number(nan)
		}
		place := share * float64(len(sorted)-1)
		low := int(place)
		high := min(low+1, len(sorted)-1)
		return term.Number(sorted[low] + (place-float64(low))*(sorted[high]-sorted[low]))
	}
	return [3]term.Number{at(0.25), at(0.5), at(0.75)}
}
