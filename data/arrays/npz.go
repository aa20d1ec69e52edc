package arrays

import (
	"archive/zip"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// An archive .npz is a zip file of .npy files, as numpy.savez writes it.

// The arrays of a set that has all images in one array.
const (
	featuresArray = "features"
	namesArray    = "names"
	countsArray   = "counts"
)

// mostInflated is the largest factor by which deflate can compress.
const mostInflated = 1032

// mostNames limits the size of a list of names, in bytes.
const mostNames = 256 << 20

// openNPZ opens an archive.
func (s *Set) openNPZ(size int64, names string) error {
	archive, err := zip.NewReader(s.file, size)
	if err != nil {
		return fmt.Errorf("is not a readable archive: %w", err)
	}
	members := make(map[string]*zip.File, len(archive.File))
	for _, member := range archive.File {
		name, ok := strings.CutSuffix(member.Name, npyEnding)
		switch {
		case strings.HasSuffix(member.Name, "/"):
			continue
		case !ok:
			return fmt.Errorf("contains %q, which is not an array", member.Name)
		case members[name] != nil:
			return fmt.Errorf("duplicate name %q", name)
		}
		members[name] = member
	}
	if err := checkMembers(archive.File, size); err != nil {
		return err
	}
	if members[featuresArray] != nil {
		return s.openArrays(members, names)
	}
	if names != "" {
		return errors.New("its arrays are named after their images; remove encoder.names")
	}
	for name, member := range members {
		at, err := member.DataOffset()
		if err != nil {
			return err
		}
		s.add(name, place{member: member, block: block{at: at}})
	}
	return nil
}

// checkMembers checks that members are inside the file and do not overlap, and that no compressed
// one claims more than it can contain.
func checkMembers(members []*zip.File, size int64) error {
	type span struct {
		from, to int64
		name     string
	}
	spans := make([]span, len(members))
	for i, m := range members {
		at, err := m.DataOffset()
		if err != nil {
			return fmt.Errorf("%q cannot be read: %w", m.Name, err)
		}
		packed := int64(min(m.CompressedSize64, 1<<62))
		spans[i] = span{at, at + packed, m.Name}
		switch {
		case at+packed > size:
			return fmt.Errorf("%q ends at byte %d, but the file has %d", m.Name, at+packed, size)
		case m.Method == zip.Store && m.CompressedSize64 != m.UncompressedSize64,
			m.UncompressedSize64/mostInflated > m.CompressedSize64:
			return fmt.Errorf("%q claims %d bytes, which its %d compressed bytes cannot contain", m.Name, m.UncompressedSize64, m.CompressedSize64)
		case m.Method != zip.Store && m.Method != zip.Deflate:
			return fmt.Errorf("%q uses an unsupported compression method (%d)", m.Name, m.Method)
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return fmt.Errorf("%q and %q overlap at byte %d", spans[i-1].name, spans[i].name, spans[i].from)
		}
	}
	return nil
}

// openArrays opens features N×R×D with names N and, if they are there, counts N.
func (s *Set) openArrays(members map[string]*zip.File, names string) error {
	features := members[featuresArray]
	if features.Method != zip.Store {
		return fmt.Errorf("%q is compressed and cannot be read in parts; write it with numpy.savez", features.Name)
	}
	begin, err := features.DataOffset()
	if err != nil {
		return err
	}
	size := int64(features.UncompressedSize64)
	h, err := readNPY(io.NewSectionReader(s.file, begin, size))
	if err != nil {
		return fmt.Errorf("%q %w", features.Name, err)
	}
	k, err := h.kind()
	if err == nil {
		err = h.checkSize(k.size, size)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", features.Name, err)
	}
	var listed []string
	if own := members[namesArray]; names == "" && own != nil {
		listed, err = namesIn(own)
	} else {
		listed, err = namesBeside(s.path, names)
	}
	if err != nil {
		return err
	}
	var counts []int64
	if member := members[countsArray]; member != nil {
		if counts, err = countsIn(member); err != nil {
			return fmt.Errorf("%q: %w", member.Name, err)
		}
	}
	return s.addAll(k, h.shape, begin+h.data, listed, counts)
}

// readMember reads the array of an image's own member, and checks its checksum.
func readMember(member *zip.File, a *Array) error {
	r, err := member.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := readBlock(r, int64(member.UncompressedSize64))
	if err != nil {
		return err
	}
	if err := a.read(r, b); err != nil {
		return err
	}
	return atEnd(r)
}

// atEnd reads past the end of a member, where its checksum is compared.
func atEnd(r io.Reader) error {
	if n, err := r.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("is damaged: %w", cmp.Or(err, errors.New("longer than expected")))
	}
	return nil
}

// whole reads a member that is a list of N values, and returns its header.
func whole(member *zip.File, most int64) (h npy, values []byte, err error) {
	r, err := member.Open()
	if err != nil {
		return h, nil, err
	}
	defer r.Close()
	if h, err = readNPY(r); err != nil {
		return h, nil, err
	}
	size := int64(member.UncompressedSize64) - h.data
	if size < 0 || size > most {
		return h, nil, fmt.Errorf("has %d bytes of values; the limit is %d", size, most)
	}
	if len(h.shape) != 1 {
		return h, nil, fmt.Errorf("has shape %v, expected one value per image", h.shape)
	}
	values = make([]byte, size)
	if _, err := io.ReadFull(r, values); err != nil {
		return h, nil, err
	}
	return h, values, atEnd(r)
}

// namesIn reads the strings of an array: unicode (U) or bytes (S), each padded with zeros.
func namesIn(member *zip.File) ([]string, error) {
	h, values, err := whole(member, mostNames)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", member.Name, err)
	}
	names, err := namesOf(h, values)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", member.Name, err)
	}
	return names, nil
}

func namesOf(h npy, values []byte) ([]string, error) {
	var width int64 // bytes of a name
	var character int64
	if n, err := fmt.Sscanf(h.descr, "<U%d", &width); n == 1 && err == nil {
		character = 4
	} else if n, err := fmt.Sscanf(h.descr, "|S%d", &width); n == 1 && err == nil {
		character = 1
	}
	if character == 0 || width < 1 || width > 1<<12 {
		return nil, fmt.Errorf("the values are %q, expected strings: save numpy.array(list_of_names)", h.descr)
	}
	width *= character
	if err := h.checkSize(width, h.data+int64(len(values))); err != nil {
		return nil, err
	}
	names := make([]string, 0, h.shape[0])
	for at := int64(0); at < int64(len(values)); at += width {
		raw := values[at : at+width]
		name := string(raw)
		if character == 4 {
			var b strings.Builder
			for c := int64(0); c < width; c += 4 {
				b.WriteRune(rune(binary.LittleEndian.Uint32(raw[c:])))
			}
			name = b.String()
		}
		if name = strings.TrimRight(name, "\x00"); name == "" || !utf8.ValidString(name) {
			return nil, fmt.Errorf("name %d is empty or not text", len(names)+1)
		}
		names = append(names, name)
	}
	return names, nil
}

// countsIn reads whole numbers.
func countsIn(member *zip.File) ([]int64, error) {
	h, values, err := whole(member, mostNames)
	if err != nil {
		return nil, err
	}
	k := map[string]string{
		"<i8": "I64", "<i4": "I32", "<i2": "I16", "|i1": "I8", "<u8": "U64", "<u4": "U32", "<u2": "U16", "|u1": "U8",
	}[h.descr]
	if k == "" {
		return nil, fmt.Errorf("the values are %q, expected whole numbers", h.descr)
	}
	if err := h.checkSize(wholeSize[k], h.data+int64(len(values))); err != nil {
		return nil, err
	}
	return wholeNumbers(k, values), nil
}

// wholeSize are the sizes of whole numbers in bytes, by their names in safetensors.
var wholeSize = map[string]int64{"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1}

// wholeNumbers reads counts. A count that is negative or too large for int64 is returned as a
// negative number.
func wholeNumbers(k string, values []byte) []int64 {
	size := int(wholeSize[k])
	numbers := make([]int64, 0, len(values)/size)
	for at := 0; at+size <= len(values); at += size {
		padded := make([]byte, 8)
		copy(padded, values[at:at+size])
		if k[0] == 'I' && values[at+size-1]&0x80 != 0 {
			padded[7] = 0x80
		}
		numbers = append(numbers, int64(binary.LittleEndian.Uint64(padded)))
	}
	return numbers
}
