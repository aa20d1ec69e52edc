package reports

import (
	"bytes"
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
func (r *result) tableFiles() map[string][]byte {
	files := map[string][]byte{
		"arms.csv":   r.armsCSV(),
		"runs.csv":   r.runsCSV(),
		"epochs.csv": r.epochsCSV(),
		"scores.tex": latex(r.scoreTable()),
	}
	if len(r.Contrasts) > 0 {
		files["contrasts.csv"] = r.contrastsCSV()
		files["contrasts.tex"] = latex(r.contrastTable())
	}
	if audited := r.audited(); len(audited) > 0 {
		files["audit.csv"] = auditCSV(audited)
		files["audit.tex"] = latex(auditTable(audited[0]))
	}
	if len(r.Read) > 0 {
		files["readings.csv"] = r.readingsCSV()
	}
	if images := r.imagesCSV(); images != nil {
		files["images.csv"] = images
	}
	if a, words := r.betaArm(); a != nil {
		lines := [][]string{{"arm", "word", "beta_mean", "count"}}
		for _, w := range words {
			lines = append(lines, []string{a.Name, w.Word, derived(w.Mean), strconv.Itoa(w.Count)})
		}
		files["beta.csv"] = writeCSV(lines)
		files["beta_classes.csv"] = classesCSV(a, betaByClass(a))
	}
	return files
}

func (r *result) armsCSV() []byte {
	lines := [][]string{{"arm", "parameters", "split", "metric", "seeds", "planned", "mean", "sd", "interval_low", "interval_high"}}
	for _, a := range r.Arms {
		_, parameters := a.counts()
		for _, m := range r.shownMetrics() {
			values := a.values(m)
			mean, sd := meanSD(values)
			low, high := math.NaN(), math.NaN()
			if m == r.Primary {
				low, high = a.Low, a.High
			}
			lines = append(lines, []string{a.Name, whole(parameters), m.Split, m.Key, strconv.Itoa(len(values)), strconv.Itoa(len(a.Runs)),
				derived(mean / 100), derived(sd / 100), derived(low / 100), derived(high / 100)})
		}
	}
	return writeCSV(lines)
}

func (r *result) contrastsCSV() []byte {
	lines := [][]string{{"b", "a", "split", "metric", "seeds_b", "seeds_a", "difference", "interval_low", "interval_high",
		"p", "p_holm", "p_better", "detectable_effect", "minimum_effect", "verdict"}}
	for _, c := range r.Contrasts {
		p, holm, better, detectable := math.NaN(), math.NaN(), math.NaN(), math.NaN()
		if c.Verdict != "" {
			p, holm, better = c.Result.P, c.Result.PHolm, c.Result.PBetter
			if d := c.Result.DetectableEffect; d != nil {
				detectable = *d
			}
		}
		lines = append(lines, []string{c.B.Name, c.A.Name, r.Primary.Split, r.Primary.Key,
			strconv.Itoa(len(c.B.Scores)), strconv.Itoa(len(c.A.Scores)),
			derived(c.Difference / 100), derived(c.Low / 100), derived(c.High / 100), derived(p), derived(holm), derived(better),
			derived(detectable / 100), derived(r.MinimumEffect / 100), string(c.Verdict)})
	}
	return writeCSV(lines)
}

func (r *result) runsCSV() []byte {
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
	lines := [][]string{head}
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			line := []string{run.ID, a.Name, strconv.FormatInt(run.Seed, 10), run.State,
				strconv.Itoa(run.Run.Run.Epochs), strconv.Itoa(run.BestEpoch), stored(run.Seconds),
				whole(run.Parameters), strconv.FormatInt(run.Attempt, 10),
				run.Signature, run.CaptionsSHA256, run.WeightsSHA256, secret.Redact(run.Error)}
			for _, m := range measured {
				v, ok := run.Metrics[m.Split][m.Key]
				if !ok {
					line = append(line, "")
					continue
				}
				line = append(line, stored(v))
			}
			lines = append(lines, line)
		}
	}
	return writeCSV(lines)
}

func (r *result) epochsCSV() []byte {
	keys := map[string]bool{}
	for _, run := range r.Runs {
		for _, e := range run.Epochs {
			for key := range e.Val {
				keys[key] = true
			}
		}
	}
	measured := slices.Sorted(maps.Keys(keys))
	head := []string{"run", "arm", "seed", "epoch", "selected", "loss", "lr", "seconds", "captions_per_second"}
	for _, key := range measured {
		head = append(head, "val."+key)
	}
	lines := [][]string{head}
	for _, a := range r.Arms {
		for _, run := range a.Runs {
			for _, e := range run.Epochs {
				line := []string{run.ID, a.Name, strconv.FormatInt(run.Seed, 10), strconv.Itoa(e.Epoch), strconv.FormatBool(e.Epoch == run.BestEpoch),
					stored(e.Loss), stored(e.LR), stored(e.Seconds), stored(e.CaptionsPerSecond)}
				for _, key := range measured {
					if v, ok := e.Val[key]; ok {
						line = append(line, stored(v))
					} else {
						line = append(line, "")
					}
				}
				lines = append(lines, line)
			}
		}
	}
	return writeCSV(lines)
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

// whole writes a count, and nothing for 0, which stands for unknown.
func whole(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func writeCSV(lines [][]string) []byte {
	var b bytes.Buffer
	w := sheet.NewWriter(&b)
	_ = w.WriteAll(lines) // a bytes.Buffer takes every write
	return b.Bytes()
}
