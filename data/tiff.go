package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/tiff"
)

// The tags of a TIFF's directory that are checked, by TIFF 6.0. The decoder trusts the sizes in
// them, and does not know PlanarConfiguration.
const (
	tagNewSubfileType  = 254
	tagImageWidth      = 256
	tagImageLength     = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagStripOffsets    = 273
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagExtraSamples    = 338
	tagDNGVersion      = 50706
)

const (
	compressionPackBits = 32773
	photometricRGB      = 2
)

// maxTIFFValues limits how many values a tag may have; some have one per strip or tile.
const maxTIFFValues = 1 << 20

// tiffEntry is an entry of a TIFF's directory.
type tiffEntry struct {
	kind  uint16 // type of its values: 1 BYTE, 3 SHORT, 4 LONG, and others
	count uint32
	at    int64  // offset of its values in the file
	raw   []byte // the file from there on
}

// tiffDirectory is the first directory of a TIFF: its first picture.
type tiffDirectory struct {
	order   byteOrder
	entries map[uint16]tiffEntry
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// readTIFF reads the first directory of a TIFF file, or of a block of Exif data, as far as
// possible; ok says whether it is complete.
func readTIFF(file []byte) (d tiffDirectory, ok bool) {
	d = tiffDirectory{binary.LittleEndian, map[uint16]tiffEntry{}}
	if len(file) < 8 {
		return d, false
	}
	if string(file[:2]) == "MM" {
		d.order = binary.BigEndian
	}
	at := int64(d.order.Uint32(file[4:]))
	if at+2 > int64(len(file)) {
		return d, false
	}
	entries := int(d.order.Uint16(file[at:]))
	at += 2
	for range entries {
		if at+12 > int64(len(file)) {
			return d, false
		}
		e := tiffEntry{kind: d.order.Uint16(file[at+2:]), count: d.order.Uint32(file[at+4:]), at: at + 8}
		if e.size()*int64(e.count) > 4 {
			e.at = int64(d.order.Uint32(file[at+8:]))
		}
		e.raw = file[min(e.at, int64(len(file))):]
		if tag := d.order.Uint16(file[at:]); d.entries[tag].count == 0 {
			d.entries[tag] = e
		}
		at += 12
	}
	return d, true
}

// size returns the size of a value, in bytes.
func (e tiffEntry) size() int64 {
	switch e.kind {
	case 1, 2, 6, 7: // BYTE, ASCII, SBYTE, UNDEFINED
		return 1
	case 3, 8: // SHORT, SSHORT
		return 2
	case 5, 10, 12: // RATIONAL, SRATIONAL, DOUBLE
		return 8
	}
	return 4 // LONG, SLONG, FLOAT
}

// value returns the k-th value of a tag with whole numbers of any size, signed or unsigned;
// otherwise if there is none.
func (d tiffDirectory) value(tag uint16, k int, otherwise int64) int64 {
	e := d.entries[tag]
	at := int64(k) * e.size()
	if int64(k) >= int64(e.count) || at+e.size() > int64(len(e.raw)) {
		return otherwise
	}
	raw := e.raw[at:]
	switch e.kind {
	case 1:
		return int64(raw[0])
	case 3:
		return int64(d.order.Uint16(raw))
	case 4:
		return int64(d.order.Uint32(raw))
	case 6:
		return int64(int8(raw[0]))
	case 8:
		return int64(int16(d.order.Uint16(raw)))
	case 9:
		return int64(int32(d.order.Uint32(raw)))
	}
	return otherwise
}

// exifTIFF returns the file itself: it has its orientation where Exif data have it.
func exifTIFF(file []byte) []byte { return file }

// unusual says in which way the picture is of a kind that is not read; "" for one that the
// decoder may try.
func (d tiffDirectory) unusual() string {
	samples := d.value(tagSamplesPerPixel, 0, int64(max(1, d.entries[tagBitsPerSample].count)))
	extra := d.value(tagExtraSamples, 0, 0)
	compression := d.value(tagCompression, 0, 1)
	switch _, raw := d.entries[tagDNGVersion]; {
	case raw, d.value(tagNewSubfileType, 0, 0)&1 != 0:
		return "a camera raw file that starts with a preview"
	case d.value(tagPlanar, 0, 1) == 2 && samples > 1:
		return "a TIFF with separate colour planes"
	case compression >= 2 && compression <= 4: // the decoder takes black for white in some
		return "a fax TIFF"
	case d.value(tagFillOrder, 0, 1) == 2:
		return "a TIFF with reversed bit order"
	case d.value(tagPhotometric, 0, 0) == photometricRGB && (samples < 3 || samples > 4 || samples == 4 && extra != 1 && extra != 2):
		return fmt.Sprintf("a TIFF with %d samples per pixel, none of them transparency", samples)
	}
	return ""
}

// bounds rejects a picture for which the decoder would need memory or time out of proportion to
// its size. block is the number of pixels of a strip or tile.
func (d tiffDirectory) bounds(file []byte) (block int64, err error) {
	for tag, e := range d.entries {
		if limit := uint32(maxTIFFValues); e.count > limit && tag < 512 { // the decoder ignores later tags
			return 0, fmt.Errorf("tag %d has %d values; the limit is %d", tag, e.count, limit)
		}
	}
	width, height := d.value(tagImageWidth, 0, 0), d.value(tagImageLength, 0, 0)
	across, down := width, min(height, d.value(tagRowsPerStrip, 0, height))
	counts, offsets := uint16(tagStripByteCounts), uint16(tagStripOffsets)
	if tile := d.value(tagTileWidth, 0, 0); tile != 0 {
		across, down = tile, d.value(tagTileLength, 0, 0)
		counts, offsets = tagTileByteCounts, tagTileOffsets
	}
	if across < 1 || down < 1 || across > maxPixels || down > maxPixels/across {
		return 0, fmt.Errorf("has strips or tiles of %d×%d pixels; the limit is %d megapixels", across, down, maxPixels>>20)
	}
	total := int64(0)
	for k := range int(d.entries[counts].count) {
		n := d.value(counts, k, 0)
		if total += n; total > int64(len(file)) {
			return 0, errors.New("claims more samples than the file has")
		}
		if at := d.value(offsets, k, 0); d.value(tagCompression, 0, 1) == compressionPackBits && at+n <= int64(len(file)) {
			if unpacked := unpackedBits(file[at : at+n]); unpacked > 8*across*down+1024 {
				return 0, fmt.Errorf("unpacks to %d bytes for %d pixels", unpacked, across*down)
			}
		}
	}
	return across * down, nil
}

// unpackedBits returns how many bytes PackBits data unpack to.
func unpackedBits(packed []byte) (bytes int64) {
	for at := 0; at < len(packed); {
		switch code := int(int8(packed[at])); {
		case code >= 0:
			at, bytes = at+2+code, bytes+int64(code)+1
		case code == -128:
			at++
		default:
			at, bytes = at+2, bytes+int64(1-code)
		}
	}
	return bytes
}

func configTIFF(file []byte) (image.Config, error) {
	d, ok := readTIFF(file)
	if !ok {
		return image.Config{}, errors.New("its directory is truncated")
	}
	if unusual := d.unusual(); unusual != "" {
		return image.Config{}, unsupported{unusual, toPNG}
	}
	if _, err := d.bounds(file); err != nil {
		return image.Config{}, err
	}
	c, err := tiff.DecodeConfig(bytes.NewReader(file))
	return c, wantingTIFF(err)
}

// wantingTIFF turns the decoder's error about an unsupported feature into an unsupported error.
func wantingTIFF(err error) error {
	if wanting := tiff.UnsupportedError(""); errors.As(err, &wanting) {
		return unsupported{"an unusual kind of TIFF (" + string(wanting) + ")", toPNG}
	}
	return err
}

// decodeTIFF decodes the first picture of a TIFF.
func decodeTIFF(file []byte) (image.Image, error) {
	d, _ := readTIFF(file)
	var reader readerAt = bytes.NewReader(file)
	// Strips often claim more rows than the picture has, which makes the decoder unpack without end.
	if height := d.value(tagImageLength, 0, 0); d.value(tagRowsPerStrip, 0, 0) > height {
		switch e := d.entries[tagRowsPerStrip]; e.kind {
		case 3:
			reader = overlay{reader, e.at, d.order.AppendUint16(nil, uint16(height))}
		case 4:
			reader = overlay{reader, e.at, d.order.AppendUint32(nil, uint32(height))}
		}
	}
	picture, err := tiff.Decode(reader)
	return picture, wantingTIFF(err)
}

type readerAt interface {
	io.Reader
	io.ReaderAt
}

// overlay reads a file with a few bytes replaced.
type overlay struct {
	readerAt
	at    int64
	bytes []byte
}

func (o overlay) ReadAt(p []byte, at int64) (int, error) {
	n, err := o.readerAt.ReadAt(p, at)
	for k, b := range o.bytes {
		if i := o.at + int64(k) - at; i >= 0 && i < int64(n) {
			p[i] = b
		}
	}
	return n, err
}

// memoryTIFF counts four channels of two bytes, and the unpacked strip or tile in a buffer that
// grows by doubling.
func memoryTIFF(file []byte, pixels int64) (int64, error) {
	d, ok := readTIFF(file)
	if !ok {
		return 0, errors.New("its directory is truncated")
	}
	block, err := d.bounds(file)
	return 8*pixels + 3*min(8*block, maxUnpacking*int64(len(file))), err
}

// maxUnpacking limits by how much unpacking may enlarge samples: with Deflate, 1,032 times.
const maxUnpacking = 1100
