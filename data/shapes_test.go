package data

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A phrase of a caption: a thing, and what follows it up to the next thing.
var phrase = regexp.MustCompile(`(?i)(?:an?) (?:(small|large) )?(red|green|blue|yellow|orange|purple) (circle|ring|square|triangle|cross)\b`)

// A place in the words that follow a thing.
var place = regexp.MustCompile(`in the (top|bottom) (left|right) corner|(at|on) the (top|bottom|left|right)|in the middle`)

// seen is a thing found by looking at the pixels alone.
type seen struct {
	colour string
	x, y   float64 // centre of gravity, fractions of the side
	area   float64 // fraction of the picture
}

// look finds the things in a picture of size×size by their colours.
func look(rgb []uint8, size int) []seen {
	found := make([]seen, len(colours))
	for i := range size * size {
		best, nearest := -1, math.Inf(1)
		for k, c := range colours {
			d := 0.0
			for ch := range 3 {
				off := float64(rgb[3*i+ch]) - c.rgb[ch]
				d += off * off
			}
			if d < nearest {
				best, nearest = k, d
			}
		}
		if nearest > 3*20*20 {
			continue
		}
		f := &found[best]
		f.colour = colours[best].name
		f.x += (float64(i%size) + 0.5) / float64(size)
		f.y += (float64(i/size) + 0.5) / float64(size)
		f.area++
	}
	var things []seen
	for _, f := range found {
		if f.area > 8 { // less is the smoothed edge of another colour
			things = append(things, seen{f.colour, f.x / f.area, f.y / f.area, f.area / float64(size*size)})
		}
	}
	return things
}

// Every caption of many scenes is true of what is seen in the picture, and of
// the shapes that were drawn.
func TestCaptionsAreTrue(t *testing.T) {
	const size = 96
	for i := range 400 {
		sc := newScene(5, i)
		things := look(sc.paint(size), size)
		if len(things) != len(sc.things) {
			t.Fatalf("scene %d: %d things are seen, %d drawn", i, len(things), len(sc.things))
		}
		byColour := map[string]seen{}
		shapeOf := map[string]string{}
		largest := map[string]bool{}
		for _, th := range things {
			byColour[th.colour] = th
		}
		for _, th := range sc.things {
			shapeOf[colours[th.colour].name] = shapes[th.shape]
			largest[colours[th.colour].name] = th.large
		}
		captions := sc.captions(5, i)
		if len(captions) != 5 {
			t.Fatalf("scene %d has %d captions", i, len(captions))
		}
		for _, caption := range captions {
			at := phrase.FindAllStringSubmatchIndex(caption, -1)
			if len(at) == 0 || !strings.HasSuffix(caption, ".") || caption[:1] != "A" && caption[:1] != "T" {
				t.Fatalf("scene %d: %q", i, caption)
			}
			var last seen
			lastLink := ""
			for k, m := range at {
				colour, shape := caption[m[4]:m[5]], caption[m[6]:m[7]]
				th, there := byColour[colour]
				if !there || shapeOf[colour] != shape {
					t.Fatalf("scene %d: %q: there is no %s %s", i, caption, colour, shape)
				}
				if m[2] >= 0 && (caption[m[2]:m[3]] == "large") != largest[colour] {
					t.Fatalf("scene %d: %q: wrong size", i, caption)
				}
				end := len(caption)
				if k+1 < len(at) {
					end = at[k+1][0]
				}
				link := caption[m[1]:end]
				if named := place.FindString(link); named != "" && named != places[int(3*th.y)][int(3*th.x)] {
					t.Fatalf("scene %d: %q: the %s %s is at %.2f, %.2f", i, caption, colour, shape, th.x, th.y)
				}
				ok := true
				switch {
				case strings.Contains(lastLink, "left of"):
					ok = last.x < th.x-0.1
				case strings.Contains(lastLink, "right of"):
					ok = last.x > th.x+0.1
				case strings.Contains(lastLink, "above"):
					ok = last.y < th.y-0.1
				case strings.Contains(lastLink, "below"):
					ok = last.y > th.y+0.1
				}
				if !ok {
					t.Fatalf("scene %d: %q is not so: %+v", i, caption, things)
				}
				last, lastLink = th, link
			}
		}
	}
}

// The shape that is named is the shape that is drawn: each covers its own part
// of its square, and a large thing more than a small one.
func TestShapesAreDrawn(t *testing.T) {
	const size = 128
	area := map[string]float64{"circle": 2.01, "ring": 2.39, "square": 2.96, "triangle": 1.615, "cross": 2.22} // of radius 1
	for i := range 200 {
		sc := newScene(3, i)
		for _, th := range look(sc.paint(size), size) {
			for _, drawn := range sc.things {
				if colours[drawn.colour].name != th.colour {
					continue
				}
				want := area[shapes[drawn.shape]] * drawn.radius * drawn.radius
				if th.area > want || th.area < 0.1*want { // the rest is the dark outline
					t.Errorf("scene %d: a %s of radius %.3f is filled over %.4f, want some of %.4f", i, shapes[drawn.shape], drawn.radius, th.area, want)
				}
				if math.Hypot(th.x-drawn.x, th.y-drawn.y) > 0.2*drawn.radius+0.005 { // a triangle's centre of gravity is low
					t.Errorf("scene %d: the %s is at %.2f, %.2f, drawn at %.2f, %.2f", i, th.colour, th.x, th.y, drawn.x, drawn.y)
				}
			}
		}
	}
}

// Colours and shapes of a scene are all different, so that counting them says
// nothing of which goes with which; over many scenes every pair is as likely.
func TestScenesHideTheBinding(t *testing.T) {
	pairs := make(map[[2]int]int)
	counts := make(map[int]int)
	total := 0
	for i := range 6000 {
		sc := newScene(1, i)
		counts[len(sc.things)]++
		for k, a := range sc.things {
			pairs[[2]int{a.colour, a.shape}]++
			total++
			for _, b := range sc.things[:k] {
				if a.colour == b.colour || a.shape == b.shape || a.row == b.row && a.column == b.column {
					t.Fatalf("scene %d: %+v and %+v", i, a, b)
				}
			}
		}
	}
	for n := 2; n <= 4; n++ {
		if counts[n] < 1850 || counts[n] > 2150 {
			t.Errorf("%d scenes of %d things, want about 2,000", counts[n], n)
		}
	}
	mean := float64(total) / float64(len(colours)*len(shapes))
	for c := range colours {
		for s := range shapes {
			if n := float64(pairs[[2]int{c, s}]); math.Abs(n-mean) > 5*math.Sqrt(mean) {
				t.Errorf("%s %s came %v times, want about %.0f", colours[c].name, shapes[s], n, mean)
			}
		}
	}
}

// Published results are of these pictures and words: they may not change.
func TestShapesAreFixed(t *testing.T) {
	d := smallShapes(t, 20)
	var levels float64
	for i := range d.Images {
		rgb, err := d.Pixels(i, 32)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range rgb {
			levels += float64(v) * float64(1+k%997)
		}
	}
	if want := 5981000676.0; math.Abs(levels/want-1) > 1e-6 { // machines may round differently
		t.Errorf("pixels sum up to %.0f, were %.0f", levels, want)
	}
	if got, want := d.Hash[:16], "79323f2f82d4b138"; got != want {
		t.Errorf("captions %s, were %s", got, want)
	}
	if !slices.Equal(d.Splits["val"], []int{16, 17}) || !slices.Equal(d.Splits["test"], []int{18, 19}) || len(d.Splits["train"]) != 16 {
		t.Errorf("splits %v", d.Splits)
	}
	more := smallShapes(t, 30)
	if !slices.Equal(more.Images[19].Captions(), d.Images[19].Captions()) {
		t.Error("a scene depends on how many there are")
	}
	other, err := Load(Options{Name: "shapes", Split: "official", Images: 20, Seed: 2, Tokenize: plainWords})
	if err != nil {
		t.Fatal(err)
	}
	if other.Hash == d.Hash {
		t.Error("another seed draws the same scenes")
	}
}

func BenchmarkPaint64(b *testing.B) {
	sc := newScene(1, 3)
	for b.Loop() {
		sc.paint(64)
	}
}
