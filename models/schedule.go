package models

import (
	"math"

	"glimpse/experiments"
)

// schedule changes the learning rate. Its state is exported for checkpoints.
type schedule struct {
	experiments.Schedule
	peak      float64 // the learning rate that the schedule scales
	epochs    int     // of the stage of training
	epochLong int     // steps of an epoch

	plateau plateau
}

// plateau counts how long validation has not improved.
type plateau struct {
	Seen  bool    `json:"seen"`
	Best  float64 `json:"best"`
	Bad   int     `json:"bad"`   // epochs since the best or the last drop
	Drops int     `json:"drops"` // times the rate was lowered
}

// rates are the learning rates of a step: for the captioner, and for an encoder's last blocks (0
// while they are not trained).
type rates struct{ captioner, encoder float64 }

// rate returns the learning rate of a step, counted from 0 over the epochs of the stage.
func (c *schedule) rate(step int) float64 { return c.peak * c.factor(step) }

// factor returns a step's learning rate as a share of the peak. The warm-up rises linearly and
// multiplies the rest:
//
//	constant  1
//	cosine    ½(1 + cos(π·step/steps)), Loshchilov and Hutter 2017, arXiv 1608.03983
//	step      gamma^⌊epoch/step_epochs⌋
//	plateau   gamma^(times that validation has not improved for more than patience epochs)
func (c *schedule) factor(step int) float64 {
	factor := 1.0
	switch c.Name {
	case "cosine":
		progress := min(1, float64(step)/float64(max(1, c.epochs*c.epochLong)))
		factor = 0.5 * (1 + math.Cos(math.Pi*progress))
	case "step":
		epoch := step / max(1, c.epochLong)
		factor = math.Pow(c.Gamma, float64(epoch/max(1, c.StepEpochs)))
	case "plateau":
		factor = math.Pow(c.Gamma, float64(c.plateau.Drops))
	}
	if c.WarmupSteps > 0 {
		factor *= min(1, float64(step+1)/float64(c.WarmupSteps))
	}
	return factor
}

// observe passes an epoch's validation value (larger is better) to a plateau schedule.
func (c *schedule) observe(value float64) {
	p := &c.plateau
	if !p.Seen || value > p.Best {
		p.Seen, p.Best, p.Bad = true, value, 0
		return
	}
	if p.Bad++; p.Bad > c.Patience {
		p.Drops, p.Bad = p.Drops+1, 0
	}
}
