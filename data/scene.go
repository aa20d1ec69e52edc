package data

import "math"

// A scene has two to four things, no two alike in colour or shape, each in its own ninth of the
// picture. Which colours and shapes occur can be seen from a mean over the picture; which colour
// goes with which shape, and where, can only be seen at the place itself. A mean over a grid of
// features loses that, while attention can look it up.
type scene struct {
	things []thing
	light  float64 // brightness of the background, about 1
}

// thing is one object. Lengths are fractions of the picture's side, measured from the top left
// corner.
type thing struct {
	colour, shape int // indices of colours and shapes
	large         bool
	column, row   int // ninth of the picture, 0 to 2
	x, y, radius  float64
	turn          float64    // radians
	tint          [3]float64 // how far the paint is from the named colour, in levels of 255
}

// colour is a named paint that differs clearly from the others under every light.
type colour struct {
	name string
	rgb  [3]float64
}

var colours = []colour{
	{"red", [3]float64{214, 38, 36}},
	{"green", [3]float64{40, 150, 58}},
	{"blue", [3]float64{42, 76, 216}},
	{"yellow", [3]float64{244, 216, 48}},
	{"orange", [3]float64{242, 132, 28}},
	{"purple", [3]float64{136, 50, 170}},
}

var shapes = []string{"circle", "ring", "square", "triangle", "cross"}

const (
	smallRadius = 0.11
	largeRadius = 0.15
	jitter      = 0.05 // largest distance of a thing's centre from that of its ninth
	gap         = 0.03 // least distance between two things, and between a thing and the edge
)

// newScene draws scene number i of a seed. It does not depend on how many
// scenes there are.
func newScene(seed int64, i int) scene {
	s := newStream(seed, useScene, uint64(i))
	n := 2 + s.below(3)
	paints, forms := pick(s, len(colours), n), pick(s, len(shapes), n)
	made := scene{light: 1 + s.within(0.08), things: make([]thing, n)}
	for k := range made.things {
		t := thing{colour: paints[k], shape: forms[k], large: s.below(2) == 1, radius: smallRadius}
		if t.large {
			t.radius = largeRadius
		}
		t.radius = float64(t.radius * (1 + s.within(0.06)))
		t.turn = s.within(0.05)
		for c := range t.tint {
			t.tint[c] = s.within(14)
		}
		made.things[k] = t
	}
	for !made.place(s) {
	}
	return made
}

// place puts each thing at a random spot in a random ninth of the picture, and reports whether
// the things are far enough apart. Even four large things are in about one try of three.
func (sc scene) place(s stream) bool {
	for k, ninth := range pick(s, 9, len(sc.things)) {
		t := &sc.things[k]
		t.column, t.row = ninth%3, ninth/3
		spot := func(third int) float64 {
			centre := (float64(third)+0.5)/3 + s.within(jitter)
			return min(max(centre, t.radius+gap), 1-t.radius-gap)
		}
		t.x, t.y = spot(t.column), spot(t.row)
		for _, u := range sc.things[:k] {
			if math.Hypot(t.x-u.x, t.y-u.y) < t.radius+u.radius+gap {
				return false
			}
		}
	}
	return true
}
