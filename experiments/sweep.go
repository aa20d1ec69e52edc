package experiments

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
)

// maxTrials limits the trials of a study.
const maxTrials = 10_000

// draws are the kinds of range from which the methods random and tpe draw.
var draws = []string{"log", "uniform", "int", "choice"}

// A point is one choice of values for the swept keys: path → canonical text.
type point map[string]string

// axis returns the axis of a path, or nil.
func (s Sweep) axis(path string) *Axis {
	for i := range s.Over {
		if s.Over[i].Path == path {
			return &s.Over[i]
		}
	}
	return nil
}

// paired reports whether zip pairs an axis with others. Seeds are crossed.
func (s *Study) paired(a *Axis) bool {
	return s.Sweep.Method == "zip" && a.Path != "seed"
}

// points lists the points of the sweep, before equal ones are dropped: samples outermost, then
// named arms, then the lists, with the last one varying fastest. The sweep must have passed
// checkSweep.
func (s *Study) points() []point {
	points := []point{{}}
	switch s.Sweep.Method {
	case "zip":
		points = s.pairs()
	case "random":
		points = s.samples(s.Sweep.Samples)
	case "tpe":
		if points = s.proposed; points == nil {
			points = s.firstPoints()
		}
	}
	points = s.crossArms(points)
	for i := range s.Sweep.Over {
		switch a := &s.Sweep.Over[i]; {
		case a.Draw != "" || s.paired(a):
		case a.Path == "seed":
			points = cross(points, a.Path, s.seeds())
		default:
			points = cross(points, a.Path, a.Values)
		}
	}
	return points
}

// cross extends each point by each value of a path.
func cross(points []point, path string, values []string) []point {
	var crossed []point
	for _, p := range points {
		for _, text := range values {
			crossed = append(crossed, p.with(path, text))
		}
	}
	return crossed
}

// with returns the point with one more value.
func (p point) with(path, text string) point {
	q := point{path: text}
	for k, v := range p {
		q[k] = v
	}
	return q
}

// pairs returns the first values of all paired axes, then the second, and so on.
func (s *Study) pairs() []point {
	points := []point{{}}
	for i := range s.Sweep.Over {
		a := &s.Sweep.Over[i]
		if !s.paired(a) {
			continue
		}
		if len(points[0]) == 0 {
			points = make([]point, len(a.Values))
		}
		for j, text := range a.Values {
			points[j] = points[j].with(a.Path, text)
		}
	}
	return points
}

// drawing reports whether the sweep draws from ranges.
func (s *Study) drawing() bool { return s.Sweep.Method == "random" || s.Sweep.Method == "tpe" }

// samples draws n times from every range. Each axis has its own generator, seeded by its path, so
// that draws depend neither on the order of the keys nor on other axes, and a larger n starts
// with the same draws.
func (s *Study) samples(n int) []point {
	points := make([]point, n)
	for i := range points {
		points[i] = point{}
	}
	for i := range s.Sweep.Over {
		a := &s.Sweep.Over[i]
		if a.Draw == "" {
			continue
		}
		h := fnv.New64a()
		h.Write([]byte(a.Path))
		random := rand.New(rand.NewPCG(uint64(s.Sweep.Seed), h.Sum64()))
		for _, p := range points {
			p[a.Path] = a.at(random.Float64())
		}
	}
	return points
}

// at returns the value of a range at a position in [0, 1). Numbers have four digits, enough for a
// search and short enough to read.
func (a *Axis) at(u float64) string {
	var x float64
	switch a.Draw {
	case "choice":
		return a.Values[int(u*float64(len(a.Values)))]
	case "int":
		return number(math.Min(a.High, math.Floor(a.Low+u*(a.High-a.Low+1))))
	case "log":
		x = math.Exp(math.Log(a.Low) + u*(math.Log(a.High)-math.Log(a.Low)))
	default:
		x = a.Low + u*(a.High-a.Low)
	}
	if kind := find(a.Path).kind; kind != reflect.Float64 {
		x = math.Round(x)
	} else {
		x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'e', 3, 64), 64)
	}
	return number(math.Max(a.Low, math.Min(a.High, x)))
}

// checkSweep rejects invalid sweeps: lists that zip cannot pair, ranges without a method that
// draws, and too many trials.
func (s *Study) checkSweep(found *problems) {
	ranges, trials := 0, max(1, len(s.Compare.Named))
	var first *Axis // of those that zip pairs
	for i := range s.Sweep.Over {
		a := &s.Sweep.Over[i]
		at := s.at("sweep.over." + a.Path)
		switch {
		case a.Draw != "" && !s.drawing():
			found.add(at, "sweep.over: %s is a range, which needs sweep.method random or tpe instead of %s", a.Path, s.Sweep.Method)
		case a.Draw != "" && a.Path == "seed":
			found.add(at, "sweep.over: seeds are listed, not drawn; write seed: [1, 2, 3]")
		case a.Draw != "":
			ranges++
		case !s.paired(a):
			trials = min(trials*len(a.Values), maxTrials+1)
		case first == nil:
			first, trials = a, min(trials*len(a.Values), maxTrials+1)
		case len(a.Values) != len(first.Values):
			found.add(at, "sweep.over: zip needs lists of equal length, but %s has %d values and %s has %d", a.Path, len(a.Values), first.Path, len(first.Values))
		}
		if base := s.places[a.Path]; base.file == override {
			found.add(base, "%s is swept, so setting it has no effect; set sweep.over.%s=[…] instead", a.Path, a.Path)
		}
	}
	const metric = "train.select.metric"
	for key, active := range map[string]bool{"sweep.prune": s.Sweep.Prune.Active(), "sweep.method": s.Searches()} {
		if active && (s.varies(metric) || s.field(metric).String() == "last") {
			found.add(s.at(key), "%s compares trials by %s, which must be the same validation metric in all trials", key, metric)
		}
	}
	switch {
	case s.drawing() && ranges == 0:
		found.add(s.at("sweep.method"), "sweep.method %s needs a range in sweep.over, such as train.optimizer.lr: {log: [1e-4, 1e-2]}", s.Sweep.Method)
	case s.drawing() && s.Sweep.Samples == 0:
		found.add(s.at("sweep.method"), "sweep.samples is missing: how many settings sweep.method %s draws", s.Sweep.Method)
	case !s.drawing() && s.given("sweep.samples"):
		found.add(s.at("sweep.samples"), "sweep.samples is only for sweep.method random and tpe; %s draws nothing", s.Sweep.Method)
	case s.Searches() && s.given("compare.arms"):
		found.add(s.at("compare.arms"), "compare.arms cannot be combined with sweep.method tpe, which searches for the best settings; compare what it finds in another study")
	}
	if trials*max(1, s.Sweep.Samples) > maxTrials {
		found.add(s.at("sweep.over"), "the sweep has more than %d trials", maxTrials)
	}
}

// seedRanks returns the index of each swept seed; none if seeds are not swept.
func (s *Study) seedRanks() map[int64]int {
	ranks := map[int64]int{}
	if a := s.Sweep.axis("seed"); a != nil {
		for i, text := range slices.Backward(a.Values) { // the first of equal seeds counts
			seed, _ := strconv.ParseInt(text, 10, 64)
			ranks[seed] = i
		}
	}
	return ranks
}
