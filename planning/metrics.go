package planning

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/internal/term"
	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

// CheckMetrics refuses a study whose trials could be trained but not scored, or not be compared with what is done: one
// that goes by METEOR where its data are not there (m is nil), and one of whose trials others, among the known runs, were
// scored by another version of the metrics.
func CheckMetrics(known []store.Run, study *experiments.Study, trials []experiments.Trial, m *meteor.Data) error {
	goesBy := []string{study.Compare.Primary.Metric}
	for _, trial := range trials {
		goesBy = append(goesBy, trial.Settings.Train.Select.Metric)
	}
	asked := slices.ContainsFunc(goesBy, func(name string) bool {
		_, key, _ := metrics.ParseKey(name)
		return key == metrics.METEORKey
	})
	if asked && m == nil {
		return fmt.Errorf("study %s uses METEOR, but its data is missing: run `glimpse data fetch meteor`, or set --meteor", study.Name)
	}
	return sameMetrics(known, trials, (&metrics.Scorer{Meteor: m}).Version())
}

// sameMetrics refuses to add trials to completed ones that were scored by another version of the metrics.
func sameMetrics(known []store.Run, trials []experiments.Trial, version string) error {
	completed := map[string]string{}
	for _, run := range known {
		if run.State == store.Completed {
			completed[run.ID] = run.Signature
		}
	}
	other, remaining := "", 0
	for _, trial := range trials {
		signature, ok := completed[trial.ID]
		switch {
		case !ok:
			remaining++
		case !slices.Contains(strings.Fields(signature), "metrics="+version):
			other = trial.ID
		}
	}
	if other == "" || remaining == 0 {
		return nil
	}
	return fmt.Errorf("run %s was scored under %q, but the remaining %s would be scored under metrics=%s, which is not comparable: "+
		"use --meteor as before, or start over with another --db",
		other, completed[other], term.Plural(remaining, "trial"), version)
}
