package data

import "math"

// paint draws the scene as RGB, size×size×3 row-major. Edges are smoothed by
// the distance of a pixel's centre to the outline, so that a small picture
// shows the same scene as a large one.
func (sc scene) paint(size int) []uint8 {
	canvas := make([]float64, 3*size*size)
	for i := range canvas {
		canvas[i] = sc.light * 220
	}
	for _, t := range sc.things {
		t.paint(canvas, size)
	}
	pixels := make([]uint8, len(canvas))
	for i, v := range canvas {
		pixels[i] = uint8(min(max(v, 0), 255) + 0.5)
	}
	return pixels
}

// paint paints the thing on a canvas of size×size×3 levels.
func (t thing) paint(canvas []float64, size int) {
	side := float64(size)
	outline := outlines[t.shape]
	sin, cos := math.Sincos(t.turn)
	r := t.radius * side // in pixels
	low := func(c float64) int { return max(0, int(c*side-r-1)) }
	high := func(c float64) int { return min(size, int(c*side+r+2)) }
	for y := low(t.y); y < high(t.y); y++ {
		for x := low(t.x); x < high(t.x); x++ {
			dx, dy := (float64(x)+0.5-t.x*side)/r, (float64(y)+0.5-t.y*side)/r
			out := outline(cos*dx+sin*dy, cos*dy-sin*dx)
			cover, fill := min(0.5-r*out, 1), min(max(0.5-r*(out+stroke), 0), 1)
			if cover <= 0 {
				continue
			}
			p := canvas[3*(y*size+x):]
			for c := range 3 {
				ink := 24 + fill*(colours[t.colour].rgb[c]+t.tint[c]-24)
				p[c] += cover * (ink - p[c])
			}
		}
	}
}

// stroke is the width of the dark outline, in radii.
const stroke = 0.12

// outlines return, for each of shapes, the signed distance of a point to the outline of the shape
// of radius 1 around the origin: negative inside, y pointing down.
var outlines = []func(x, y float64) float64{
	func(x, y float64) float64 { return math.Hypot(x, y) - 0.92 },
	func(x, y float64) float64 { return math.Abs(math.Hypot(x, y)-0.74) - 0.24 },
	polygon(-0.8, -0.8, 0.8, -0.8, 0.8, 0.8, -0.8, 0.8),
	polygon(0, -0.95, 0.95, 0.75, -0.95, 0.75),
	polygon(-0.3, -0.95, 0.3, -0.95, 0.3, -0.3, 0.95, -0.3, 0.95, 0.3, 0.3, 0.3,
		0.3, 0.95, -0.3, 0.95, -0.3, 0.3, -0.95, 0.3, -0.95, -0.3, -0.3, -0.3),
}

// polygon returns the signed distance to the closed polygon through the corners x0, y0, x1, y1, …
func polygon(corners ...float64) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		nearest, inside := math.Inf(1), false
		ax, ay := corners[len(corners)-2], corners[len(corners)-1]
		for k := 0; k < len(corners); k += 2 {
			bx, by := corners[k], corners[k+1]
			ex, ey, px, py := bx-ax, by-ay, x-ax, y-ay
			along := min(max((px*ex+py*ey)/(ex*ex+ey*ey), 0), 1)
			nearest = min(nearest, math.Hypot(px-along*ex, py-along*ey))
			if (ay > y) != (by > y) && x < ax+ex*(y-ay)/ey {
				inside = !inside
			}
			ax, ay = bx, by
		}
		if inside {
			return -nearest
		}
		return nearest
	}
}
