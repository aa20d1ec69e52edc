package reports

import (
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"glimpse/internal/secret"
	"glimpse/internal/sheet"
)

// tableFiles are the report's tables for other programs, by file name. In CSV
// files scores and differences are fractions of 1, not points, and what was not
// measured is empty; LaTeX files show what the page shows.
func (r *result) tableFiles() map[string]file {
	files := map[string]file{
		"arms.csv":   r.armsCSV(),
		"runs.csv":   r.runsCSV(),
		"epochs.csv": r.epochsCSV(),
		"scores.tex": whole(latex(r.scoreTable())),
	}
	if len(r.Contrasts) > 0 {
		files["contrasts.csv"] = r.contrastsCSV()
		files["contrasts.tex"] = whole(latex(r.contrastTable()))
	}
	if audited := r.audited(); len(audited) > 0 {
		files["audit.csv"] = auditCSV(audited)
		files["audit.tex"] = whole(latex(auditTable(audited[0])))
	}
	if len(r.Ensembles) > 0 {
		files["ensembles.csv"] = r.ensemblesCSV()
	}
	if len(r.Read) > 0 {
		files["readings.csv"] = r.readingsCSV()
	}
	if slices.ContainsFunc(r.Contrasts, func(c *contrast) bool { return !c.interacts() && len(c.imageDifferences()) > 0 }) {
		files["images.csv"] = r.imagesCSV()
	}
	if a, words := r.betaArm(); a != nil {
		files["beta.csv"] = betaCSV(a, words)
		files["beta_classes.csv"] = classesCSV(a, betaByClass(a))
	}
	return files
}

// A file is what a file of the report holds, written when it is asked for: those of
// large studies are larger than what they are made of.
type file func(w io.Writer) error

// whole is a file that is in memory.
func whole(content []byte) file {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// csvFile is a table with a head, whose rows are those that rows calls add with.
func csvFile(head []string, rows func(add func(cells ...string))) file {
	return func(w io.Writer) error {
		out := sheet.NewWriter(w)
		_ = out.Write(head) // its error stays and comes with the last flush
		rows(func(cells ...string) { _ = out.Write(cells) })
		out.Flush()
		return out.Error()
	}
}

func (r *result) armsCSV() file {
	head := []string{"arm", "parameters", "split", "metric", "seeds", "planned", "mean", "sd", "interval_low", "interval_high"}
	measured := r.shownMetrics()
	return csvFile(head, func(add func(...string)) {
		for _, a := range r.Arms {
			_, parameters := a.counts()
			for _, m := range measured {
				values := a.values(m)
				mean, sd := meanSD(values)
				low, high := math.NaN(), math.NaN()
				if m == r.Primary {
					low, high = a.Low, a.High
				}
				add(a.Name, counted(parameters), m.Split, m.Key, strconv.Itoa(len(values)), strconv.Itoa(len(a.Runs)),
					derived(mean/100), derived(sd/100), derived(low/100), derived(high/100))
			}
		}
	})
}

func (r *result) contrastsCSV() file {
	head := []string{"b", "a", "split", "metric", "seeds_b", "seeds_a", "difference", "interval_low", "interval_high",
		"p", "p_holm", "p_better", "detectable_effect", "minimum_effect", "verdict"}
	return csvFile(head, func(add func(...string)) {
		for _, c := range r.Contrasts {
			p, holm, better, detectable := math.NaN(), math.NaN(), math.NaN(), math.NaN()
			if c.Verdict != "" {
				p, holm, better = c.Result.P, c.Result.PHolm, c.Result.PBetter
				if d := c.Result.DetectableEffect; d != nil {
					detectable = *d
				}
			}
			seedsA, seedsB := c.seeds()
			add(c.B.Name, c.A.Name, r.Primary.Split, r.Primary.Key, strconv.Itoa(seedsB), strconv.Itoa(seedsA),
				derived(c.Difference/100), derived(c.Low/100), derived(c.High/100), derived(p), derived(holm), derived(better),
				derived(detectable/100), derived(r.MinimumEffect/100), string(c.Verdict))
		}
	})
}

func (r *result) runsCSV() file {
	splits := map[string]map[string]bool{}
	for _, run := range r.Runs {
		for split, values := range run.Metrics {
			for key := range values {
				if splits[split] == nil {
					splits[split] = map[string]bool{}
				}
				splits[split][key] = true
			}
		}
	}
	head := []string{"id", "arm", "seed", "state", "epochs", "best_epoch", "seconds", "parameters", "attempts",
		"signature", "captions_sha256", "weights_sha256", "error"}
	var measured []metric
	for _, split := range slices.Sorted(maps.Keys(splits)) {
		for _, key := range slices.Sorted(maps.Keys(splits[split])) {
			measured = append(measured, metricOf(split, key))
			head = append(head, split+"."+key)
		}
	}
	return csvFile(head, func(add func(...string)) {
		for _, a := range r.Arms {
			for _, run := range a.Runs {
				line := []string{run.ID, a.Name, strconv.FormatInt(run.Seed, 10), run.State,
					strconv.Itoa(run.Run.Run.Epochs), strconv.Itoa(run.BestEpoch), stored(run.Seconds),
					counted(run.Parameters), strconv.FormatInt(run.Attempt, 10),
					run.Signature, run.CaptionsSHA256, run.WeightsSHA256, secret.Redact(run.Error)}
				for _, m := range measured {
					v, ok := run.Metrics[m.Split][m.Key]
					line = append(line, storedIf(v, ok))
				}
				add(line...)
			}
		}
	})
}

func (r *result) epochsCSV() file {
	measured, sampled := r.validationKeys(), r.sampledKeys()
	head := []string{"run", "arm", "seed", "epoch", "selected", "loss", "lr", "seconds", "captions_per_second"}
	for _, key := range measured {
		head = append(head, "val."+key)
	}
	for _, key := range sampled {
		head = append(head, "sampled."+key)
	}
	return csvFile(head, func(add func(...string)) {
		for _, a := range r.Arms {
			for _, run := range a.Runs {
				for _, e := range run.Epochs {
					line := []string{run.ID, a.Name, strconv.FormatInt(run.Seed, 10), strconv.Itoa(e.Epoch), strconv.FormatBool(e.Epoch == run.BestEpoch),
						stored(e.Loss), stored(e.LR), stored(e.Seconds), stored(e.CaptionsPerSecond)}
					for _, key := range measured {
						line = append(line, storedIf(e.Val.get(key)))
					}
					for _, key := range sampled {
						line = append(line, storedIf(e.Sampled.get(key)))
					}
					add(line...)
				}
			}
		}
	})
}

// derived writes a computed number, without the digits that its arithmetic
// made up, and nothing for NaN, which stands for what there is not.
func derived(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 12, 64)
}

// stored writes a number of the store with all its digits, NaN included.
func stored(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// storedIf writes such a number if there is one.
func storedIf(v float64, ok bool) string {
	if !ok {
		return ""
	}
	return stored(v)
}

// counted writes a count, and nothing for 0, which stands for unknown.
func counted(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
