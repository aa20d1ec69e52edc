package meteor

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
)

// Packed METEOR data are what the aligner looks things up in, in memory as on
// disk: a magic number, a checksum of the rest, the length of each section,
// the sections. Numbers are little-endian. Tables of strings are sorted, so
// that a string's number is its rank.
const packMagic = "glimpse-meteor-1"

// The sections of packed data.
const (
	packFunctionWords = iota // text, a word a line
	packPrefixes             // text, a kind and a word a line
	packBases                // text, a form and its bases a line
	packSynsetWords          // string table
	packSynsetFrom           // uint32 for each word and one more: where its synsets begin
	packSynsets              // uint32
	packWords                // string table of the words of phrases and paraphrases
	packFirst                // uint32 for each word and one more: its first phrase
	packSecond               // uint16 for each phrase: 1 + its second word, or 0
	packRestFrom             // uint32 for each phrase and one more: where its further words begin
	packRest                 // uint16
	packEntryFrom            // uint32 for each phrase and one more: where its paraphrases begin
	packEntries              // uint16, for each paraphrase the number of words, then the words
	packSections
)

// u16s and u32s are lists of little-endian numbers.
type (
	u16s []byte
	u32s []byte
)

func (b u16s) len() int        { return len(b) / 2 }
func (b u32s) len() int        { return len(b) / 4 }
func (b u16s) at(i int) uint16 { return binary.LittleEndian.Uint16(b[2*i:]) }
func (b u32s) at(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }

// pack lays the data out.
func (d *rawData) pack() []byte {
	var s [packSections][]byte
	s[packFunctionWords] = []byte(strings.Join(d.functionWords, "\n"))
	for _, w := range slices.Sorted(maps.Keys(d.prefixes)) {
		s[packPrefixes] = fmt.Appendf(s[packPrefixes], "%d %s\n", d.prefixes[w], w)
	}
	for _, form := range slices.Sorted(maps.Keys(d.bases)) {
		s[packBases] = fmt.Appendf(s[packBases], "%s %s\n", form, strings.Join(d.bases[form], " "))
	}
	words := slices.Sorted(maps.Keys(d.synsets))
	s[packSynsetWords] = packStrings(words)
	for _, w := range words {
		s[packSynsetFrom] = append32(s[packSynsetFrom], len(s[packSynsets])/4)
		for _, set := range d.synsets[w] {
			s[packSynsets] = append32(s[packSynsets], int(set))
		}
	}
	s[packSynsetFrom] = append32(s[packSynsetFrom], len(s[packSynsets])/4)
	d.paraphrases.pack(&s)

	var lengths []byte
	for _, section := range s {
		lengths = append32(lengths, len(section))
	}
	out := slices.Concat([]byte(packMagic), make([]byte, 4), lengths, bytes.Join(s[:], nil))
	binary.LittleEndian.PutUint32(out[len(packMagic):], packSum(out))
	return out
}

// packSum is the checksum of what follows it.
func packSum(packed []byte) uint32 {
	return crc32.Checksum(packed[len(packMagic)+4:], crc32.MakeTable(crc32.Castagnoli))
}

func append16(b []byte, n uint16) []byte { return binary.LittleEndian.AppendUint16(b, n) }
func append32(b []byte, n int) []byte    { return binary.LittleEndian.AppendUint32(b, uint32(n)) }

// pack renumbers words by rank and sorts phrases by their words' numbers.
func (t *paraphraseTable) pack(s *[packSections][]byte) {
	words := slices.Sorted(maps.Keys(t.words))
	s[packWords] = packStrings(words)
	rank := make([]uint16, len(words))
	for i, w := range words {
		rank[t.words[w]] = uint16(i)
	}
	for i := range t.phrases {
		for k, id := range t.phrases[i].words {
			t.phrases[i].words[k] = rank[id]
		}
	}
	slices.SortFunc(t.phrases, func(a, b paraphrased) int { return cmp.Or(slices.Compare(a.words, b.words), a.from-b.from) })
	s[packEntries] = make([]byte, 0, 2*len(t.entries))
	first := 0
	for i, p := range t.phrases {
		for ; first <= int(p.words[0]); first++ {
			s[packFirst] = append32(s[packFirst], i)
		}
		second := uint16(0)
		if len(p.words) > 1 {
			second = 1 + p.words[1]
		}
		s[packSecond] = append16(s[packSecond], second)
		s[packRestFrom] = append32(s[packRestFrom], len(s[packRest])/2)
		for _, id := range p.words[min(2, len(p.words)):] {
			s[packRest] = append16(s[packRest], id)
		}
		s[packEntryFrom] = append32(s[packEntryFrom], len(s[packEntries])/2)
		for k := p.from; k < p.to; {
			n := int(t.entries[k])
			s[packEntries] = append16(s[packEntries], uint16(n))
			for _, id := range t.entries[k+1 : k+1+n] {
				s[packEntries] = append16(s[packEntries], rank[id])
			}
			k += 1 + n
		}
	}
	for ; first <= len(words); first++ {
		s[packFirst] = append32(s[packFirst], len(t.phrases))
	}
	s[packRestFrom] = append32(s[packRestFrom], len(s[packRest])/2)
	s[packEntryFrom] = append32(s[packEntryFrom], len(s[packEntries])/2)
}

var errDamaged = errors.New("the packed data are damaged")

// openPack reads packed data, which it keeps.
func openPack(data []byte) (*Data, error) {
	const head = len(packMagic) + 4 + 4*packSections
	if len(data) < head {
		return nil, errDamaged
	}
	lengths, body := u32s(data[len(packMagic)+4:head]), data[head:]
	if packSum(data) != binary.LittleEndian.Uint32(data[len(packMagic):]) {
		return nil, errDamaged
	}
	var s [packSections][]byte
	for i := range s {
		n := int(lengths.at(i))
		if n > len(body) {
			return nil, errDamaged
		}
		s[i], body = body[:n], body[n:]
	}
	m := &Data{
		functionWords: stringSet(strings.Split(string(s[packFunctionWords]), "\n")),
		prefixes:      make(map[string]prefixKind),
		synonyms: &synonyms{
			words: openStrings(s[packSynsetWords]), from: u32s(s[packSynsetFrom]), sets: u32s(s[packSynsets]),
			bases: make(map[string][]string),
		},
		paraphrases: &paraphrases{
			words: openStrings(s[packWords]), first: u32s(s[packFirst]), second: u16s(s[packSecond]),
			restFrom: u32s(s[packRestFrom]), rest: u16s(s[packRest]), entryFrom: u32s(s[packEntryFrom]), entries: u16s(s[packEntries]),
		},
	}
	if !m.synonyms.check() || !m.paraphrases.check() {
		return nil, errDamaged
	}
	for line := range strings.Lines(string(s[packPrefixes])) {
		kind, word, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if len(kind) != 1 {
			return nil, errDamaged
		}
		m.prefixes[word] = prefixKind(kind[0] - '0')
	}
	for line := range strings.Lines(string(s[packBases])) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			return nil, errDamaged
		}
		m.synonyms.bases[fields[0]] = fields[1:]
	}
	return m, nil
}

// stringTable is a sorted list of strings in packed data.
type stringTable struct {
	from u32s // where each begins in text, and the end
	text []byte
}

func packStrings(sorted []string) []byte {
	out := append32(nil, len(sorted))
	from := 0
	for _, s := range sorted {
		out = append32(out, from)
		from += len(s)
	}
	out = append32(out, from)
	return append(out, strings.Join(sorted, "")...)
}

// openStrings returns an empty table, which fails its check, for invalid data.
func openStrings(data []byte) stringTable {
	if len(data) < 4 {
		return stringTable{}
	}
	n := int(binary.LittleEndian.Uint32(data)) + 1
	if n > len(data)/4-1 {
		return stringTable{}
	}
	return stringTable{u32s(data[4 : 4+4*n]), data[4+4*n:]}
}

// find returns the number of a string.
func (t stringTable) find(s string) (int, bool) {
	lo, hi := 0, t.from.len()-1
	for lo < hi {
		mid := (lo + hi) / 2
		switch text := string(t.text[t.from.at(mid):t.from.at(mid+1)]); {
		case text < s:
			lo = mid + 1
		case text > s:
			hi = mid
		default:
			return mid, true
		}
	}
	return 0, false
}
