package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Decoders of JPEG take what they get: a block of a file that was overwritten gives other pixels from there on, and what
// is left of the samples at the end is passed over. So the samples are counted here: those of each scan, and of each of
// its restart intervals, must be as many as the picture's size asks for, by ITU-T T.81, annexes F and G. JPEG has no
// checksum: damage that leaves their number as it is cannot be told from a picture.

// spareBytes is how many bytes an interval of samples may have too many. More are samples that nobody asked for, unless
// they are padding.
const spareBytes = 16

// maxMean is how bright or dark the mean of a block may be: 8 times the distance from grey, which of samples of 8 bits is
// at most 1,024. Some encoders go beyond a little, to make white whiter. Means are differences from the block before, so
// that damage carries them away.
const maxMean = 1100

var errSamples = errors.New("jpeg: the samples do not fit its size")

// scanComponent is a plane of samples.
type scanComponent struct {
	id           byte
	step         byte     // index of its table of quantization
	h, v         int      // samples of it in a unit
	across, down int      // blocks that hold samples of the picture
	stride       int      // blocks in a row with those that fill its last unit
	given        bool     // the means of its blocks were in some scan
	nonzero      []uint64 // progressive: of each block, which coefficients are not zero
	mean         int      // of the block before, in steps
	dc, ac       *huffman // of the present scan
}

// huffman is a table of codes.
type huffman struct {
	quick  [1 << quickBits]uint16 // by the first bits: length << 8 | symbol; 0 where the code is longer
	most   [17]int32              // per length, the first code of greater length, left-aligned to 16 bits
	offset [17]int32              // per length, from a code to its symbol
	symbol []byte
}

const quickBits = 9

// scanner reads the samples of a JPEG file.
type scanner struct {
	file        []byte
	at          int // of the next byte
	ahead       uint64
	held        int // bits of ahead that are valid, at its upper end
	beyond      int // of those, how many are behind the end of the samples
	components  []scanComponent
	unitsAcross int
	unitsDown   int
	progressive bool
	interval    int // units between restarts; 0 for none
	tables      [2][4]*huffman
	steps       [4]int // of the means, by the tables of quantization
	run         int    // blocks that are still to be ended
}

// checkScans walks over all samples of a JPEG file.
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

// frame takes the size of the picture and its planes.
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

// quantize takes the first step of each table of quantization.
func (s *scanner) quantize(content []byte) {
	for len(content) > 2 {
		at, size := content[0]&3, 1+64
		if s.steps[at] = int(content[1]); content[0]>>4 != 0 {
			s.steps[at], size = int(binary.BigEndian.Uint16(content[1:])), 1+2*64
		}
		content = content[min(size, len(content)):]
	}
}

// define takes tables of codes.
func (s *scanner) define(content []byte) error {
	for len(content) > 0 {
		if len(content) < 17 || content[0]>>4 > 1 || content[0]&15 > 3 {
			return errSamples
		}
		table, n := &huffman{}, 0
		code := int32(0)
		for length := 1; length <= 16; length++ {
			count := int(content[length])
			table.offset[length] = int32(n) - code
			n += count
			code += int32(count)
			table.most[length] = code << (16 - length)
			code <<= 1
		}
		if len(content) < 17+n {
			return errSamples
		}
		table.symbol = content[17 : 17+n]
		at := 0
		for length := 1; length <= quickBits; length++ {
			for range content[length] {
				first := (int32(at) - table.offset[length]) << (quickBits - length)
				for k := range int32(1) << (quickBits - length) {
					if first+k < 1<<quickBits {
						table.quick[first+k] = uint16(length)<<8 | uint16(table.symbol[at])
					}
				}
				at++
			}
		}
		s.tables[content[0]>>4][content[0]&15] = table
		content = content[17+n:]
	}
	return nil
}

// fill reads ahead until at least 32 bits are held. Behind the samples follow zeros.
func (s *scanner) fill() {
	for s.held <= 56 {
		b := byte(0)
		switch {
		case s.at < len(s.file) && s.file[s.at] != 0xFF:
			b = s.file[s.at]
			s.at++
		case s.at+1 < len(s.file) && s.file[s.at] == 0xFF && s.file[s.at+1] == 0:
			b = 0xFF
			s.at += 2
		default:
			s.beyond += 8
		}
		s.ahead |= uint64(b) << (56 - s.held)
		s.held += 8
	}
}

// take gives the next n bits, at most 16.
func (s *scanner) take(n int) uint64 {
	if s.held < n {
		s.fill()
	}
	value := s.ahead >> (64 - n)
	s.ahead <<= n
	s.held -= n
	return value
}

// next gives the next symbol of a table, -1 where there is no such code.
func (s *scanner) next(table *huffman) int {
	if s.held < 16 {
		s.fill()
	}
	if q := table.quick[s.ahead>>(64-quickBits)]; q != 0 {
		s.ahead <<= q >> 8
		s.held -= int(q >> 8)
		return int(q & 0xFF)
	}
	code := int32(s.ahead >> 48)
	for length := 1; length <= 16; length++ {
		if code < table.most[length] {
			if at := code>>(16-length) + table.offset[length]; at >= 0 && int(at) < len(table.symbol) {
				s.ahead <<= length
				s.held -= length
				return int(table.symbol[at])
			}
			return -1
		}
	}
	return -1
}

// band is what a scan gives: of each block the coefficients from first to last; refining, one more bit of them.
type band struct {
	first, last, low int
	refining         bool
}

// scan walks over a scan's samples.
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

// begin begins an interval of samples.
func (s *scanner) begin() {
	s.ahead, s.held, s.beyond, s.run = 0, 0, 0, 0
	for i := range s.components {
		s.components[i].mean = 0
	}
}

// ended goes to the marker behind an interval of samples, and tells whether they ended there.
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

// block walks over a block's part of a scan.
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

// refine walks over a block's part of a scan that gives one more bit.
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

// complete tells whether every plane was given. The standard lets a progressive picture end before all bits of all
// coefficients are, but not without the means of all blocks.
func (s *scanner) complete() error {
	for _, c := range s.components {
		if !c.given {
			return fmt.Errorf("jpeg: plane %d is missing", c.id)
		}
	}
	return nil
}
