package planning

import (
	"fmt"
	"os"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/models/pth"
)

// CheckFiles refuses a study whose folder of data is not there or, where nothing is completed yet, whose weights are not. It
// is for whoever would make a database next.
func (sets *Sets) CheckFiles(study *experiments.Study, nothingDone bool) error {
	if _, gone := os.Stat(study.Data.Root); gone != nil && study.Data.Root != "" {
		if _, err := sets.Trials(study); err != nil {
			return err
		}
	}
	if !nothingDone {
		return nil
	}
	trials, err := study.Plan()
	if err != nil {
		return err
	}
	return (&Planned{Trials: trials}).CheckWeights(study)
}

// CheckWeights refuses a study whose trials to be trained name a file of encoder weights that is not there, or that is none.
// Whether its tensors are the encoder's is found when features are computed, before anything is trained.
func (p *Planned) CheckWeights(study *experiments.Study) error {
	states := make(map[string]string, len(p.Known))
	for _, run := range p.Known {
		states[run.ID] = run.State
	}
	sound := map[string]bool{}
	for _, trial := range p.Trials {
		weights := trial.Settings.Encoder.Weights
		switch state := states[trial.ID]; {
		case state == store.Completed, state == store.Pruned && study.Sweep.Prune.Active():
			continue
		case weights == "", weights == "auto", weights == "random", sound[weights]:
			continue
		}
		if err := pth.Check(weights); err != nil {
			return study.Wrong("encoder.weights", fmt.Errorf("encoder.weights: %w; expected auto, random or the path of a .pth file", err))
		}
		sound[weights] = true
	}
	return nil
}
