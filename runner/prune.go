package runner

import (
	"context"
	"fmt"
	"math"
	"slices"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
)

// prunedError says by which rule a trial was pruned.
type prunedError struct{ cause string }

func (e prunedError) Error() string { return e.cause }

// peer is a trial that another is compared with: its best value of the select metric after each
// epoch, and whether it has ended.
type peer struct {
	best  []float64
	ended bool
}

// prune compares the trial, after an epoch, with the study's other trials, and returns a
// prunedError if the rule stops it. The trial is judged once per epoch. With one trial at a time
// the outcome depends only on the plan; with several, also on how far the others are.
func (t *trial) prune(ctx context.Context) error {
	p, rule := &t.progress, t.cfg.Prune
	if !rule.Active() || p.Epoch == 0 || p.Epoch <= p.Judged || p.Trained != nil {
		return nil
	}
	durable := context.WithoutCancel(ctx)
	curves, err := t.cfg.DB.Curves(durable, t.cfg.Study, p.Epoch)
	if err != nil {
		return err
	}
	runs, err := t.cfg.DB.Members(durable, t.cfg.Study)
	if err != nil {
		return err
	}
	metric := t.settings.Train.Select.Metric
	_, key, _ := metrics.ParseKey(metric)
	var own []float64
	var peers []peer
	for _, run := range runs {
		best := bestSoFar(curves[run.ID], key)
		if run.ID == t.claim.Run {
			own = best
			continue
		}
		peers = append(peers, peer{best, run.State == store.Completed || run.State == store.Pruned})
	}
	p.Judged = p.Epoch
	if cause := judge(rule, metric, own, peers); cause != "" {
		return prunedError{cause}
	}
	return nil
}

// bestSoFar returns the best value of a metric after each epoch. Values that are not finite are
// the worst.
func bestSoFar(epochs []map[string]float64, key string) []float64 {
	best, so := make([]float64, len(epochs)), math.Inf(-1)
	for i, values := range epochs {
		if v, measured := values[key]; measured && isFinite(v) {
			so = max(so, v)
		}
		best[i] = so
	}
	return best
}

// judge returns why a trial is stopped after its last epoch, or "" if it is not.
//
// median is the median stopping rule (Golovin et al. 2017, "Google Vizier", section 3.2), on the
// best value so far: it counts trials that have ended and got as far. asha is asynchronous
// successive halving in its stopping form (Li et al. 2020, arXiv 1810.05934): at rungs of
// min_epochs·factorᵏ epochs a trial continues if it is among the best 1/factor of those that have
// reached the rung.
func judge(rule experiments.Prune, metric string, own []float64, peers []peer) string {
	epoch := len(own)
	if epoch < rule.MinEpochs || epoch == 0 {
		return ""
	}
	value := own[epoch-1]
	var others []float64
	for _, p := range peers {
		if len(p.best) >= epoch && (p.ended || rule.Method == "asha") {
			others = append(others, p.best[epoch-1])
		}
	}
	if rule.Method == "asha" {
		if !isRung(rule, epoch) {
			return ""
		}
		keep, rank := max(1, (len(others)+1)/rule.Factor), 1
		for _, other := range others {
			if other > value {
				rank++
			}
		}
		if rank <= keep {
			return ""
		}
		return fmt.Sprintf("asha, epoch %d: %s is %.4g, rank %d of %d trials at this rung; %d of them are promoted", epoch, metric, value, rank, len(others)+1, keep)
	}
	if len(others) < rule.Startup {
		return ""
	}
	if m := median(others); value < m {
		return fmt.Sprintf("median, epoch %d: %s is %.4g, below the median %.4g of %d trials", epoch, metric, value, m, len(others))
	}
	return ""
}

// isRung reports whether asha judges after an epoch.
func isRung(rule experiments.Prune, epoch int) bool {
	rung := rule.MinEpochs
	for rung < epoch {
		rung *= rule.Factor
	}
	return rung == epoch
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
