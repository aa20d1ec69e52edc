package data

import "encoding/binary"

// huffman is a table of codes.
type huffman struct {
	quick  [1 << quickBits]uint16 // by the first bits: length << 8 | symbol; 0 for longer codes
	most   [17]int32              // per length, the first code of greater length, left-aligned to 16 bits
	offset [17]int32              // per length, from a code to its symbol
	symbol []byte
}

const quickBits = 9

// quantize reads the first step of each quantization table.
func (s *scanner) quantize(content []byte) {
	for len(content) > 2 {
		at, size := content[0]&3, 1+64
		if s.steps[at] = int(content[1]); content[0]>>4 != 0 {
			s.steps[at], size = int(binary.BigEndian.Uint16(content[1:])), 1+2*64
		}
		content = content[min(size, len(content)):]
	}
}

// define reads code tables.
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

// fill reads ahead until at least 32 bits are buffered. After the samples it adds zeros.
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

// take returns the next n bits, at most 16.
func (s *scanner) take(n int) uint64 {
	if s.held < n {
		s.fill()
	}
	value := s.ahead >> (64 - n)
	s.ahead <<= n
	s.held -= n
	return value
}

// next returns the next symbol of a table; -1 if there is no such code.
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
