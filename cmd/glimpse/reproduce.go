package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/results"
	"glimpse/runner"
)

func reproduceCommand() *cobra.Command {
	var (
		compute engineFlags
		o       reproduceOptions
	)
	c := &cobra.Command{
		Use:   "reproduce RUN",
		Short: "Train a run again and compare it bit for bit",
		Long: `Trains the settings of a completed run again, in a database of its own in the
cache and with as many threads as the run had, and compares captions, weights,
scores and epochs. Exit code 0 says that captions and weights are the same bit
for bit; 1 that they are not, and then it lists how far they are apart and what
differed in commit, libraries and machine. Nothing is written to the results
database. Ctrl-C stops it, the same command goes on.`,
		Example: `  glimpse reproduce 3f2a
  glimpse reproduce 3f2a --data /data/flickr8k --keep again`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeFromDB(runIDs),
		RunE: func(c *cobra.Command, args []string) error {
			opened, err := openResults(o.db)
			if err != nil {
				return err
			}
			defer opened.Close()
			first, err := readRecord(c.Context(), opened, args[0], "", 0)
			if err != nil {
				return err
			}
			if first.run.State != store.Completed {
				return fmt.Errorf("run %s is %s, and only a completed run has results to reproduce", first.run.ID, first.run.State)
			}
			again, err := trainAgain(c, opened, first.run, compute, o)
			if err != nil {
				return err
			}
			if first.captions, err = opened.Captions(c.Context(), first.run.ID, again.split); err != nil {
				return err
			}
			r := compareRecords(first, again)
			if o.json {
				err = printJSON(c.OutOrStdout(), r)
			} else {
				err = r.print(c.OutOrStdout())
			}
			if err == nil && !r.Equal {
				err = fmt.Errorf("run %s came out differently", first.run.ID)
			}
			return err
		},
	}
	compute.add(c)
	addDBFlag(c, &o.db)
	c.Flags().StringVar(&o.root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
	c.Flags().StringVar(&o.keep, "keep", "", "train in this folder, and keep database and checkpoints there")
	addMeteorFlag(c, &o.meteor)
	addJSONFlag(c, &o.json)
	return c
}

type reproduceOptions struct {
	db, root, keep, meteor string
	json                   bool
}

// trainAgain trains the settings of a run in a database of their own and gives what came out.
func trainAgain(c *cobra.Command, opened *store.DB, run store.Run, compute engineFlags, o reproduceOptions) (*record, error) {
	ctx, folder := c.Context(), o.keep
	if folder == "" {
		cache, err := cacheDir()
		if err != nil {
			return nil, err
		}
		// Named by what is to come out, so that the same command goes on where it was interrupted.
		folder = filepath.Join(cache, "reproduce", run.ID+"-"+run.CaptionsSHA256[:min(8, len(run.CaptionsSHA256))])
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("folder to train in: %w", err)
	}
	study, err := studyOf(ctx, opened, run)
	if err != nil {
		return nil, err
	}
	trial := experiments.Trial{ID: run.ID, Arm: run.Arm, Swept: run.Swept, Parameters: run.Parameters}
	if trial.Settings, err = results.Settings(run); err != nil {
		return nil, err
	}
	study.Data.Root = dataRoot(o.root, study.Data.Root)
	trial.Settings.Data.Root = study.Data.Root
	var environment runner.Environment
	if err := json.Unmarshal(run.Environment, &environment); err != nil {
		return nil, fmt.Errorf("run %s: its environment cannot be read: %w", run.ID, err)
	}
	compute.threads = cmp.Or(compute.threads, environment.Threads)
	if environment.Device == "cpu" && compute.device == "auto" {
		compute.device = "cpu"
	}
	engine, err := compute.engine(compute.threads)
	if err != nil {
		return nil, err
	}
	d, err := data.Load(runner.DataOptions(trial.Settings, study.Data.Root))
	if err != nil {
		return nil, err
	}
	if err := runner.CheckData(run, d, engine.pictureHashes()); err != nil { // before hours of training
		return nil, err
	}
	scratch, err := store.Open(filepath.Join(folder, "results.db"))
	if err != nil {
		return nil, err
	}
	defer scratch.Close()
	if err := execute(c, scratch, study, []experiments.Trial{trial}, engine, compute, o.meteor); err != nil {
		return nil, err
	}
	again, err := readRecord(ctx, scratch, run.ID, trial.Settings.Decode.FinalSplit(), -1)
	if err == nil && o.keep == "" {
		err = os.RemoveAll(folder)
	}
	return again, err
}

// execute runs one trial, which has to come to its end.
func execute(c *cobra.Command, db *store.DB, study *experiments.Study, trials []experiments.Trial, engine engine, compute engineFlags, meteor string) error {
	ctx := c.Context()
	meteor, err := trialMeteor(ctx, db, study, trials, meteor)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, which runs the trial: %w", err)
	}
	kill, release := onSecondSignal()
	defer release()
	show := &eventText{p: newProgress(c.ErrOrStderr())}
	summary, err := runner.Run(ctx, runner.Config{
		Study: study, Trials: trials, DB: db, Root: study.Data.Root, Cache: engine.pictureHashes(),
		Engine: engine, Threads: compute.threads, RetryFailed: true,
		Command:  func(l runner.Launch) *exec.Cmd { return exec.Command(self, trialArgs(l, compute.device, meteor)...) },
		Progress: show.event, Kill: kill,
	})
	show.close()
	if err == nil && summary.Failed > 0 {
		err = errors.New(summary.Failures[0].Error)
	}
	return err
}

// studyOf reads the study of a run from the results database.
func studyOf(ctx context.Context, opened *store.DB, run store.Run) (*experiments.Study, error) {
	if run.Study == "" { // no study asks for it any more
		return &experiments.Study{Name: "reproduce"}, nil
	}
	recorded, err := opened.Study(ctx, run.Study)
	if err != nil {
		return nil, err
	}
	study, err := experiments.Parse(run.Study+".yaml", []byte(recorded.Spec))
	if err != nil {
		return nil, fmt.Errorf("the study of run %s, as it was recorded: %w", run.ID, err)
	}
	return study, nil
}

// reproduction is what `reproduce` tells; as JSON, a contract.
type reproduction struct {
	Run             string                               `json:"run"`
	Equal           bool                                 `json:"equal"` // captions and weights, bit for bit
	CaptionsSHA256  [2]string                            `json:"captions_sha256"`
	WeightsSHA256   [2]string                            `json:"weights_sha256"`
	Captions        int                                  `json:"captions"`
	CaptionsDiffer  int                                  `json:"captions_differ"`
	FirstEpoch      int                                  `json:"first_epoch_differing"` // by loss or scores; 0 where none does
	Metrics         map[string]map[string][2]term.Number `json:"metrics"`               // split → key → recorded, again
	EnvironmentDiff []difference                         `json:"environment_differs"`
}

// difference is a fact that was otherwise when the run was trained again.
type difference struct {
	Key      string `json:"key"`
	Recorded string `json:"recorded"`
	Again    string `json:"again"`
}

// compareRecords compares a run with what training it again gave.
func compareRecords(first, again *record) *reproduction {
	a, b := first.run, again.run
	r := &reproduction{
		Run:            a.ID,
		Equal:          a.CaptionsSHA256 == b.CaptionsSHA256 && a.WeightsSHA256 == b.WeightsSHA256,
		CaptionsSHA256: [2]string{a.CaptionsSHA256, b.CaptionsSHA256},
		WeightsSHA256:  [2]string{a.WeightsSHA256, b.WeightsSHA256},
		Captions:       len(again.captions),
		Metrics:        map[string]map[string][2]term.Number{},
	}
	recorded := map[string]string{}
	for _, c := range first.captions {
		recorded[c.Image] = c.Words
	}
	for _, c := range again.captions {
		if words, known := recorded[c.Image]; !known || words != c.Words {
			r.CaptionsDiffer++
		}
	}
	for i, e := range again.epochs {
		if i >= len(first.epochs) || first.epochs[i].Loss != e.Loss || !maps.Equal(first.epochs[i].Val, e.Val) {
			r.FirstEpoch = e.Epoch
			break
		}
	}
	for split, values := range a.Metrics {
		r.Metrics[split] = map[string][2]term.Number{}
		for key, value := range values {
			if other, known := b.Metrics[split][key]; known {
				r.Metrics[split][key] = [2]term.Number{term.Number(value), term.Number(other)}
			}
		}
	}
	r.EnvironmentDiff = environmentDiff(a.Environment, b.Environment)
	if a.Signature != b.Signature {
		r.EnvironmentDiff = append(r.EnvironmentDiff, difference{"signature", a.Signature, b.Signature})
	}
	return r
}

// environmentDiff lists what differs between two environments, less what is never the same.
func environmentDiff(recorded, again json.RawMessage) []difference {
	values := map[string]*difference{}
	for i, environment := range []json.RawMessage{recorded, again} {
		for _, pair := range sortedPaths(environment) {
			key := pair[0]
			if strings.HasPrefix(key, "timings.") || slices.Contains([]string{"peak_rss_bytes", "attempts", "command", "changes.diff"}, key) {
				continue
			}
			if values[key] == nil {
				values[key] = &difference{Key: key}
			}
			*[]*string{&values[key].Recorded, &values[key].Again}[i] = pair[1]
		}
	}
	differ := []difference{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if d := values[key]; d.Recorded != d.Again {
			differ = append(differ, *d)
		}
	}
	return differ
}
