package attention

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// The measures of a sheet, in pixels.
const (
	tileSize   = 208 // the longer side of a picture
	gutter     = 20
	margin     = 28
	labelSpace = 28 // for the word above a tile
	betaSpace  = 30 // for β below it
	columns    = 6
)

var (
	paper = color.NRGBA{255, 255, 255, 255}
	ink   = color.NRGBA{27, 31, 36, 255}
	muted = color.NRGBA{87, 96, 107, 255}
	track = color.NRGBA{221, 226, 231, 255}
	// ground lies behind bars.
	ground = color.NRGBA{242, 244, 246, 255}
	bar    = color.NRGBA{0, 114, 178, 255} // the blue of Okabe and Ito (2008), as the reports' first colour
)

// Sheet draws a caption: its text as the title, with a remark under it, the picture, and the picture once more for each
// word with the veil of its attention and β below. All words share one scale, which the foot explains. Where it is not known
// where regions lie, a word has bars, one a region, in the place of the picture.
func Sheet(picture image.Image, remark string, words []Word, g Grid) (*image.RGBA, error) {
	faces, err := newFaces()
	if err != nil {
		return nil, err
	}
	box := fit(picture.Bounds().Size(), tileSize)
	hasBeta := len(words) > 0 && !math.IsNaN(words[0].Beta)
	tile := image.Pt(box.X+gutter, labelSpace+box.Y+gutter/2)
	if hasBeta {
		tile.Y += betaSpace
	}
	perRow := min(columns, len(words)+1)
	width := max(2*margin+perRow*tile.X-gutter, 640)
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.Text
	}
	title := wrap(faces[titleStyle], strings.Join(texts, " "), width-2*margin)
	const titleLine, remarkLine, foot = 34, 30, 96
	top := margin + titleLine*len(title) + remarkLine + 8
	rows := (len(words) + perRow) / perRow
	sheet := image.NewRGBA(image.Rect(0, 0, width, top+rows*tile.Y+foot))
	draw.Draw(sheet, sheet.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	p := pen{sheet, faces}
	for i, line := range title {
		p.text(titleStyle, ink, margin, margin+titleLine*i+24, line)
	}
	p.text(remarkStyle, muted, margin, margin+titleLine*len(title)+18, shorten(faces[remarkStyle], remark, width-2*margin))

	small := image.NewRGBA(image.Rectangle{Max: box})
	draw.CatmullRom.Scale(small, small.Rect, picture, picture.Bounds(), draw.Src, nil)
	full := Full(words)
	for i := range len(words) + 1 {
		at := image.Pt(margin+i%perRow*tile.X, top+i/perRow*tile.Y)
		area := image.Rectangle{Min: at.Add(image.Pt(0, labelSpace)), Max: at.Add(image.Pt(box.X, labelSpace+box.Y))}
		draw.Draw(sheet, area, small, image.Point{}, draw.Src)
		if i == 0 {
			p.text(pictureStyle, muted, at.X, at.Y+19, "the picture")
			continue
		}
		w := words[i-1]
		p.text(wordStyle, ink, at.X, at.Y+19, shorten(faces[wordStyle], w.Text, box.X))
		if g.Side == 0 {
			p.bars(area, w.Alpha, full)
		} else {
			draw.Draw(sheet, area, g.Veil(w.Alpha, full, box.X, box.Y), image.Point{}, draw.Over)
		}
		if hasBeta {
			p.beta(at.X, area.Max.Y, box.X, w.Beta)
		}
	}
	p.foot(small, full, g, hasBeta, image.Pt(margin, sheet.Rect.Max.Y-foot+16))
	return sheet, nil
}

// pen writes on a sheet.
type pen struct {
	sheet *image.RGBA
	faces map[style]font.Face
}

func (p pen) text(s style, c color.Color, x, baseline int, text string) {
	d := font.Drawer{Dst: p.sheet, Src: image.NewUniform(c), Face: p.faces[s], Dot: fixed.P(x, baseline)}
	d.DrawString(text)
}

func (p pen) fill(area image.Rectangle, c color.Color) {
	draw.Draw(p.sheet, area, image.NewUniform(c), image.Point{}, draw.Src)
}

// beta draws a bar from 0 to 1 with its value.
func (p pen) beta(x, y, width int, beta float64) {
	const room, thick = 58, 8
	p.text(smallStyle, ink, x, y+19, "β "+strconv.FormatFloat(beta, 'f', 2, 64))
	whole := image.Rect(x+room, y+9, x+width, y+9+thick)
	p.fill(whole, track)
	whole.Max.X = whole.Min.X + int(math.Round(float64(whole.Dx())*min(max(beta, 0), 1)))
	p.fill(whole, bar)
}

// bars draws weights as bars from left to right, the tallest as high as the area where it is full.
func (p pen) bars(area image.Rectangle, alpha []float32, full float64) {
	p.fill(area, ground)
	width, gap := area.Dx(), 0
	if len(alpha) > 0 && width/len(alpha) > 3 {
		gap = 1
	}
	for x := range width {
		first, last := x*len(alpha)/width, ((x+1)*len(alpha)-1)/width // more than one where there are more regions than pixels
		if gap > 0 && (x+gap)*len(alpha)/width > first {
			continue
		}
		weight := float32(0)
		for _, a := range alpha[first : last+1] {
			weight = max(weight, a)
		}
		tall := int(math.Round(float64(area.Dy()) * min(float64(weight)/full, 1)))
		p.fill(image.Rect(area.Min.X+x, area.Max.Y-tall, area.Min.X+x+1, area.Max.Y), bar)
	}
}

// barsFoot explains the scale of bars.
func (p pen) barsFoot(full float64, hasBeta bool, at image.Point) {
	says := []string{fmt.Sprintf("Each bar is a region, in the order of the features; a full bar is %s of the word's attention, on one scale "+
		"for all words. The positions of the regions are unknown.", Percent(full)), betaSays}
	if !hasBeta {
		says = says[:1]
	}
	p.says(says, at.X, at.Y+13)
}

// foot explains the scale: a strip of the picture under every thickness of the veil.
func (p pen) foot(picture *image.RGBA, full float64, g Grid, hasBeta bool, at image.Point) {
	if g.Side == 0 {
		p.barsFoot(full, hasBeta, at)
		return
	}
	const strip = 200
	area := image.Rect(at.X, at.Y, at.X+strip, at.Y+18)
	middle := picture.Rect
	middle.Min.Y, middle.Max.Y = middle.Dy()/2-9, middle.Dy()/2+9
	draw.CatmullRom.Scale(p.sheet, area, picture, middle.Intersect(picture.Rect), draw.Src, nil)
	veil := image.NewPaletted(image.Rect(0, 0, strip, 18), veilPalette)
	for i := range veil.Pix {
		veil.Pix[i] = thickness(float64(i%strip) / (strip - 1))
	}
	draw.Draw(p.sheet, area, veil, image.Point{}, draw.Over)
	p.text(smallStyle, muted, at.X, area.Max.Y+18, "0")
	most := Percent(full)
	p.text(smallStyle, muted, area.Max.X-font.MeasureString(p.faces[smallStyle], most).Ceil(), area.Max.Y+18, most)
	says := []string{fmt.Sprintf("Attention on each of %d×%d regions, in per cent of the word's total; one scale for all words.", g.Side, g.Side)}
	if hasBeta {
		says = append(says, betaSays)
	}
	p.says(says, area.Max.X+20, area.Min.Y+13)
}

// betaSays explains the bar below a word.
const betaSays = "β is the share of attention on the sentinel instead of the picture."

// says writes sentences from x to the right margin.
func (p pen) says(sentences []string, x, baseline int) {
	for _, s := range sentences {
		for _, line := range wrap(p.faces[smallStyle], s, p.sheet.Rect.Dx()-x-margin) {
			p.text(smallStyle, muted, x, baseline, line)
			baseline += 20
		}
	}
}

// Percent writes a weight: "31 %", "0.8 %".
func Percent(weight float64) string {
	digits := 0
	if weight < 0.0995 {
		digits = 1
	}
	return strconv.FormatFloat(100*weight, 'f', digits, 64) + "\u00a0%"
}

// fit scales a size so that its longer side is most.
func fit(size image.Point, most int) image.Point {
	long := max(size.X, size.Y)
	return image.Pt(max(1, (size.X*most+long/2)/long), max(1, (size.Y*most+long/2)/long))
}

// wrap breaks text into lines of a width.
func wrap(face font.Face, text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && font.MeasureString(face, longer).Ceil() > width {
			lines, longer = append(lines, line), word
		}
		line = longer
	}
	return append(lines, line)
}

// shorten cuts text to a width, with an ellipsis where something is lost.
func shorten(face font.Face, text string, width int) string {
	runes := []rune(text)
	for cut := ""; len(runes) > 0; cut = "…" {
		if s := string(runes) + cut; font.MeasureString(face, s).Ceil() <= width {
			return s
		}
		runes = runes[:len(runes)-1]
	}
	return ""
}

// style is one of the faces that a sheet is written in: those of Liberation Sans, as in the reports' figures.
type style struct {
	bold bool
	size float64 // in pixels
}

var (
	titleStyle   = style{true, 26}
	remarkStyle  = style{false, 16}
	wordStyle    = style{true, 18}
	pictureStyle = style{false, 18}
	smallStyle   = style{false, 15}
)

var (
	regularFont = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(liberationsansregular.TTF) })
	boldFont    = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(liberationsansbold.TTF) })
)

// newFaces makes the faces of one sheet: a face must not be used by two goroutines.
func newFaces() (map[style]font.Face, error) {
	faces := map[style]font.Face{}
	for _, s := range []style{titleStyle, remarkStyle, wordStyle, pictureStyle, smallStyle} {
		parse := regularFont
		if s.bold {
			parse = boldFont
		}
		parsed, err := parse()
		if err == nil {
			faces[s], err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: s.size, DPI: 72, Hinting: font.HintingFull})
		}
		if err != nil {
			return nil, fmt.Errorf("typeface of attention pictures: %w", err)
		}
	}
	return faces, nil
}
