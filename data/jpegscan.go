package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// JPEG decoders are lenient: an overwritten block of a file only changes pixels from there on,
// and surplus samples at the end are skipped. So the samples are counted here: each scan, and
// each of its restart intervals, must have as many as the picture's size requires, by ITU-T T.81,
// annexes F and G. JPEG has no checksum, so damage that keeps their number cannot be detected.

// spareBytes is how many surplus bytes an interval of samples may have. More are surplus samples,
// unless they are padding.
const spareBytes = 16

// maxMean limits how bright or dark the mean of a block may be: 8 times the distance from grey,
// which is at most 1,024 for samples of 8 bits. Some encoders exceed it slightly, to make white
// whiter. Means are coded as differences from the previous block, so damage makes them drift
// away.
const maxMean = 1100

var errSamples = errors.New("jpeg: the number of samples does not match its size")

// scanComponent is one plane of samples.
type scanComponent struct {
	id           byte
	step         byte     // index of its quantization table
	h, v         int      // its samples per unit
	across, down int      // blocks with samples of the picture
	stride       int      // blocks per row, including those that fill its last unit
	given        bool     // some scan had the means of its blocks
	nonzero      []uint64 // progressive: the nonzero coefficients of each block
	mean         int      // of the previous block, in steps
	dc, ac       *huffman // of the current scan
}

// scanner reads the samples of a JPEG file.
type scanner struct {
	file        []byte
	at          int // of the next byte
	ahead       uint64
	held        int // valid bits of ahead, at its upper end
	beyond      int // how many of them are past the end of the samples
	components  []scanComponent
	unitsAcross int
	unitsDown   int
	progressive bool
	interval    int // units between restarts; 0 for none
	tables      [2][4]*huffman
	steps       [4]int // of the means, by the tables of quantization
	run         int    // blocks still to be ended
}

// checkScans reads all samples of a JPEG file and checks their number.
func checkScans(file []byte) error {
	s := scanner{file: file, at: 2}
	for {
		next := bytes.IndexByte(file[s.at:], 0xFF)
		if next < 0 || s.at+next+1 >= len(file) {
			return errSamples
		}
		s.at += next + 1
		marker := file[s.at]
		if marker == 0xFF { // a fill byte
			continue
		}
		s.at++
		if marker == 0 || marker == 1 || marker >= 0xD0 && marker <= 0xD8 { // stands alone
			continue
		}
		if marker == 0xD9 {
			return s.complete()
		}
		if s.at+2 > len(file) {
			return errSamples
		}
		end := s.at + int(binary.BigEndian.Uint16(file[s.at:]))
		if end < s.at+2 || end > len(file) {
			return errSamples
		}
		content := file[s.at+2 : end]
		s.at = end
		var err error
		switch marker {
		case 0xC0, 0xC1, 0xC2:
			err = s.frame(content, marker == 0xC2)
		case 0xDB:
			s.quantize(content)
		case 0xC4:
			err = s.define(content)
		case 0xDD:
			if len(content) < 2 {
				return errSamples
			}
			s.interval = int(binary.BigEndian.Uint16(content))
		case 0xDA:
			err = s.scan(content)
		}
		if err != nil {
			return err
		}
	}
}

// frame reads the size of the picture and its planes.
func (s *scanner) frame(content []byte, progressive bool) error {
	if s.components != nil || len(content) < 6 || len(content) < 6+3*int(content[5]) || content[5] == 0 {
		return errSamples
	}
	height, width := int(binary.BigEndian.Uint16(content[1:])), int(binary.BigEndian.Uint16(content[3:]))
	s.progressive = progressive
	s.components = make([]scanComponent, content[5])
	mostH, mostV := 1, 1
	for i := range s.components {
		c := &s.components[i]
		c.id, c.h, c.v, c.step = content[6+3*i], int(content[7+3*i]>>4), int(content[7+3*i]&15), content[8+3*i]&3
		if len(s.components) == 1 {
			c.h, c.v = 1, 1
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return errSamples
		}
		mostH, mostV = max(mostH, c.h), max(mostV, c.v)
	}
	parts := func(n, size int) int { return (n + size - 1) / size }
	s.unitsAcross, s.unitsDown = parts(width, 8*mostH), parts(height, 8*mostV)
	for i := range s.components {
		c := &s.components[i]
		c.across, c.down = parts(parts(width*c.h, mostH), 8), parts(parts(height*c.v, mostV), 8)
		c.stride = s.unitsAcross * c.h
		if progressive {
			c.nonzero = make([]uint64, c.stride*s.unitsDown*c.v)
		}
	}
	return nil
}

// band is the part of each block that a scan contains: the coefficients from first to last or,
// when refining, one more bit of them.
type band struct {
	first, last, low int
	refining         bool
}

// scan reads a scan's samples.
func (s *scanner) scan(content []byte) error {
	if len(content) < 1 || len(content) < 4+2*int(content[0]) || s.components == nil {
		return errSamples
	}
	b := band{last: 63}
	if rest := content[1+2*int(content[0]):]; s.progressive {
		b = band{int(rest[0]), int(rest[1]), int(rest[2] & 15), rest[2]>>4 != 0}
	}
	if b.last > 63 || b.first > b.last {
		return errSamples
	}
	var planes []*scanComponent
	for i := range int(content[0]) {
		for k := range s.components {
			if c := &s.components[k]; c.id == content[1+2*i] {
				tables := content[2+2*i]
				c.dc, c.ac = s.tables[0][tables>>4&3], s.tables[1][tables&3]
				if c.dc == nil && b.first == 0 && !b.refining || c.ac == nil && b.last > 0 {
					return errSamples
				}
				planes = append(planes, c)
				c.given = c.given || b.first == 0
			}
		}
	}
	across, down := s.unitsAcross, s.unitsDown
	if len(planes) == 1 {
		across, down = planes[0].across, planes[0].down
		if planes[0].h*planes[0].v > 1 && s.interval > 0 && s.interval < across*down { // the decoder counts units of all planes
			return unsupported{"a JPEG with restart markers between blocks of one plane", jpegToJPEG}
		}
	}
	restart := byte(0xD0)
	s.begin()
	for unit := range across * down {
		if s.interval > 0 && unit > 0 && unit%s.interval == 0 {
			if !s.ended() || s.at+1 >= len(s.file) || s.file[s.at+1] != restart {
				return errSamples
			}
			s.at += 2
			s.begin()
			restart = 0xD0 + (restart+1)&7
		}
		x, y := unit%across, unit/across
		for _, c := range planes {
			if len(planes) == 1 {
				if !s.block(c, y*c.stride+x, b) {
					return errSamples
				}
				continue
			}
			for k := range c.h * c.v {
				if !s.block(c, (y*c.v+k/c.h)*c.stride+x*c.h+k%c.h, b) {
					return errSamples
				}
			}
		}
		if s.held < s.beyond {
			return errSamples
		}
	}
	if !s.ended() {
		return errSamples
	}
	return nil
}

// begin starts an interval of samples.
func (s *scanner) begin() {
	s.ahead, s.held, s.beyond, s.run = 0, 0, 0, 0
	for i := range s.components {
		s.components[i].mean = 0
	}
}

// ended moves to the marker after an interval of samples, and reports whether the samples ended
// there.
func (s *scanner) ended() bool {
	unread := max(0, s.held-s.beyond) / 8
	from := s.at - unread // a little late where bytes were stuffed
	for s.at < len(s.file) && (s.file[s.at] != 0xFF || s.at+1 < len(s.file) && (s.file[s.at+1] == 0 || s.file[s.at+1] == 0xFF)) {
		s.at++
	}
	left := s.file[max(0, from):min(s.at, len(s.file))]
	padding := len(bytes.Trim(left, "\x00\xff")) == 0
	return s.run == 0 && (len(left) <= spareBytes || padding)
}

// block reads a block's part of a scan.
func (s *scanner) block(c *scanComponent, at int, b band) bool {
	z := b.first
	if z == 0 {
		if b.refining {
			s.take(1)
		} else {
			size := s.next(c.dc)
			if size < 0 || size > 16 {
				return false
			}
			difference := int(s.take(size))
			if size > 0 && difference>>(size-1) == 0 { // by the table F.1 of the standard
				difference -= 1<<size - 1
			}
			c.mean += difference
			step := s.steps[c.step]
			if mean := c.mean << b.low * step; mean > maxMean+step || mean < -maxMean-step {
				return false
			}
		}
		z++
	}
	if z > b.last {
		return true
	}
	var nonzero *uint64
	if s.progressive {
		if at >= len(c.nonzero) {
			return false
		}
		nonzero = &c.nonzero[at]
		if b.refining {
			return s.refine(c.ac, nonzero, z, b.last)
		}
	}
	if s.run > 0 {
		s.run--
		return true
	}
	for ; z <= b.last; z++ {
		symbol := s.next(c.ac)
		zeros, size := symbol>>4, symbol&15
		switch {
		case symbol < 0:
			return false
		case size > 0:
			if z += zeros; z > b.last {
				return false
			}
			s.take(size)
			if nonzero != nil {
				*nonzero |= 1 << z
			}
		case zeros < 15:
			s.run = 1<<zeros + int(s.take(zeros)) - 1
			return s.progressive || s.run == 0
		default:
			z += 15
		}
	}
	return true
}

// refine reads a block's part of a scan that refines coefficients by one bit.
func (s *scanner) refine(table *huffman, nonzero *uint64, z, last int) bool {
	known := *nonzero // of which each coefficient has a bit
	for s.run == 0 && z <= last {
		symbol := s.next(table)
		zeros, size := symbol>>4, symbol&15
		if symbol < 0 || size > 1 {
			return false
		}
		if size == 0 && zeros < 15 {
			s.run = 1<<zeros + int(s.take(zeros))
			break
		}
		if size == 1 {
			s.take(1)
		}
		for ; z <= last; z++ {
			if known>>z&1 != 0 {
				s.take(1)
			} else if zeros--; zeros < 0 {
				break
			}
		}
		if size == 1 {
			if z > last {
				return false
			}
			*nonzero |= 1 << z
		}
		z++
	}
	if s.run > 0 {
		s.run--
		if z <= last {
			for range bits.OnesCount64(known >> z << (63 - last + z)) {
				s.take(1)
			}
		}
	}
	return true
}

// complete reports whether every plane was given. The standard lets a progressive picture end
// before all bits of all coefficients are, but not without the means of all blocks.
func (s *scanner) complete() error {
	for _, c := range s.components {
		if !c.given {
			return fmt.Errorf("jpeg: plane %d is missing", c.id)
		}
	}
	return nil
}
