package charts

import (
	"math"
	"strconv"
)

// A Number is a number whose JSON has at most six significant digits, and null where it is not finite.
type Number float64

// MarshalJSON implements [encoding/json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	short := strconv.FormatFloat(v, 'g', 6, 64)
	v, err := strconv.ParseFloat(short, 64)
	if err != nil {
		return nil, err
	}
	return strconv.AppendFloat(nil, v, 'f', -1, 64), nil
}

// None is the number that is not there.
var None = Number(math.NaN())

// A Point is x and y.
type Point [2]Number

// A Mark is a run as charts name it.
type Mark struct {
	ID    string `json:"id"`
	Seed  int64  `json:"seed"`
	State string `json:"state"` // as the store has it: completed, running, pruned, failed, …
}

// Curves are values over epochs, of runs by arm.
type Curves struct {
	X    string     `json:"x"` // title of the horizontal axis: "epoch"
	Y    string     `json:"y"` // title of the vertical axis, with its unit
	Arms []CurveArm `json:"arms"`
}

// A CurveArm is an arm with its runs. Mean, Low and High are over all completed
// runs of the arm, also where Runs are a part of them.
type CurveArm struct {
	Label  string     `json:"label"`
	Colour int        `json:"colour"` // place in [ArmTints]
	Count  int        `json:"count"`  // runs in the mean
	Mean   []Point    `json:"mean"`
	Low    []Point    `json:"low,omitempty"` // mean less one standard deviation over the runs; none of a single run
	High   []Point    `json:"high,omitempty"`
	Runs   []CurveRun `json:"runs"`
}

// A CurveRun is the curve of a run.
type CurveRun struct {
	Mark
	Chosen int     `json:"chosen,omitempty"` // the selected epoch, 0 for none yet
	Points []Point `json:"points"`           // a y that is no number is null
}

// Dots are the scores of runs by arm.
type Dots struct {
	Axis     string   `json:"axis"`     // title of the axis, with its unit
	Interval string   `json:"interval"` // what Low and High of the arms are: "95 % interval"; "" where there is none
	Arms     []DotArm `json:"arms"`
}

// A DotArm is an arm with the score of each run.
type DotArm struct {
	Label  string `json:"label"`
	Colour int    `json:"colour"`
	Mean   Number `json:"mean"` // of the completed runs
	Low    Number `json:"low"`
	High   Number `json:"high"`
	Runs   []Dot  `json:"runs"`
}

// A Dot is a run with its score.
type Dot struct {
	Mark
	Value Number `json:"value"` // null for a run without a score
}

// A Forest is differences between arms with their intervals.
type Forest struct {
	Axis    string      `json:"axis"`
	Level   string      `json:"level"`   // of the intervals: "95 %"
	Minimum Number      `json:"minimum"` // the smallest effect that matters, 0 for none
	Rows    []ForestRow `json:"rows"`
}

// A ForestRow is one difference.
type ForestRow struct {
	Label   string `json:"label"`
	Value   Number `json:"value"`
	Low     Number `json:"low"`
	High    Number `json:"high"`
	P       Number `json:"p"`       // after Holm
	Verdict string `json:"verdict"` // "" where there is none
	Decided bool   `json:"decided"` // supported or opposite
}

// A Search is the trials of a search with their settings and scores.
type Search struct {
	Axis       string      `json:"axis"`             // title of the score's axis, with its unit
	Lowest     bool        `json:"lowest,omitempty"` // the lowest score is the best
	Parameters []Parameter `json:"parameters"`
	Trials     []Trial     `json:"trials"` // in the order in which they were begun
}

// A Parameter is a setting that varies over the trials.
type Parameter struct {
	Path   string   `json:"path"`
	Label  string   `json:"label"`
	Number bool     `json:"number"` // its values are numbers
	Log    bool     `json:"log"`    // drawn on a logarithmic scale
	Levels []string `json:"levels"` // distinct values in their order
}

// A Trial is a run of a search. Trials that are not completed are shown, and never are the best.
type Trial struct {
	Mark
	Value    Number   `json:"value"`    // null without a score
	Settings []string `json:"settings"` // a value for each of the parameters, "" where it has none
}

// Captions are what arms say of images.
type Captions struct {
	Arms     []CaptionArm   `json:"arms"`
	Score    string         `json:"score"`              // name of the scores
	Against  [2]int         `json:"against"`            // the arms that are compared at first: the second less the first
	Classes  []string       `json:"classes,omitempty"`  // names of the classes of words, ten at most
	Selected string         `json:"selected,omitempty"` // how the images were chosen, "" for all of the split
	Images   []CaptionImage `json:"images"`
}

// A CaptionArm is an arm that says captions.
type CaptionArm struct {
	Label  string `json:"label"`
	Colour int    `json:"colour"`
}

// Regions says where the regions of an encoder lie: Side×Side, row by row, centred at First, First+Step and so on, in
// fractions of the picture's width and height.
type Regions struct {
	Side  int     `json:"side"`
	First float64 `json:"first"`
	Step  float64 `json:"step"`
}

// A CaptionImage is an image with its captions. Its picture is that of a URL or, where the page has it as the
// background of a CSS class, of that class. A picture of a URL may leave its size to be found out.
type CaptionImage struct {
	Name       string   `json:"name"`
	Picture    string   `json:"picture,omitempty"` // a URL
	Ground     string   `json:"ground,omitempty"`  // a CSS class
	Width      int      `json:"width,omitempty"`   // of the picture, in pixels
	Height     int      `json:"height,omitempty"`
	References []string `json:"references,omitempty"`
	Captions   []Said   `json:"captions"`
}

// A Said is what a run said of an image.
type Said struct {
	Arm     int      `json:"arm"` // place in Captions.Arms
	Seed    int64    `json:"seed"`
	Words   string   `json:"words"`             // tokens with a space between
	Classes string   `json:"classes,omitempty"` // of each word a digit, its place in Captions.Classes
	Score   Number   `json:"score"`             // of this caption, in points
	Mean    *Number  `json:"mean,omitempty"`    // of the arm's captions of the image over the seeds, in points
	Beta    []Number `json:"beta,omitempty"`    // of each word, the weight of the sentinel
	Looks   [][]byte `json:"looks,omitempty"`   // of each word, its weight on each region in 255ths of Full
	Full    float64  `json:"full,omitempty"`    // the weight that 255 stands for
	Regions *Regions `json:"regions,omitempty"` // what the weights lie on
}
