package data

import "math"

// A scene holds two to four things, no two alike in colour or in shape, each
// in its own quarter of the picture. Which colours and shapes are there can be
// counted all over the picture; which colour goes with which shape, and where,
// shows only at the place itself. That is what the mean over a grid of features
// loses, unless a channel is spent on every pair, and attention can look up.
//
// Things are large and much brighter than the ground, so that a small encoder
// learns to tell them apart within some hundred steps even in 32×32 pixels.
type scene struct {
	things []thing
	light  float64 // brightness of the ground, about 1
}

// thing is one object. Lengths are fractions of the picture's side, from the
// top left corner.
type thing struct {
	colour, shape int // into colours, shapes
	large         bool
	column, row   int // quarter of the picture: 0 or 1
	x, y, radius  float64
	turn          float64    // radians
	tint          [3]float64 // how far the paint is from the named colour, in levels of 255
}

// colour is a named paint.
type colour struct {
	name string
	rgb  [3]float64
}

var colours = []colour{
	{"red", [3]float64{255, 45, 45}},
	{"green", [3]float64{40, 225, 60}},
	{"blue", [3]float64{60, 90, 255}},
	{"yellow", [3]float64{255, 240, 50}},
	{"orange", [3]float64{255, 145, 20}},
	{"purple", [3]float64{205, 60, 255}},
}

var shapes = []string{"circle", "ring", "square", "triangle", "cross"}

const (
	ground      = 96 // level of 255 behind the things
	smallRadius = 0.15
	largeRadius = 0.215
	jitter      = 0.035 // how far a thing's centre is from that of its quarter
	gap         = 0.02  // least distance of two things, and of a thing and the edge
)

// newScene draws scene number i of a seed. It does not depend on how many
// scenes there are.
func newScene(seed int64, i int) scene {
	s := newStream(seed, useScene, uint64(i))
	n := 2 + s.below(3)
	paints, forms := pick(s, len(colours), n), pick(s, len(shapes), n)
	made := scene{light: 1 + s.within(0.03), things: make([]thing, n)}
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

// place gives each thing a quarter of the picture and a spot there, at random,
// and reports whether the things keep apart.
func (sc scene) place(s stream) bool {
	for k, quarter := range pick(s, 4, len(sc.things)) {
		t := &sc.things[k]
		t.column, t.row = quarter%2, quarter/2
		spot := func(half int) float64 {
			centre := (float64(half)+0.5)/2 + s.within(jitter)
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
