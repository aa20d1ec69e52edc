package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// decodeWhole decodes the content of a picture's file and turns it upright.
func decodeWhole(file []byte) (picture image.Image, err error) {
	p, err := inspect(file)
	if err == nil {
		err = p.decoded(file, 0, 0, func(m image.Image) { picture = m })
	}
	return picture, err
}

func testPicture(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "pictures", name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// The pictures of testdata/pictures, which Pillow wrote, are read, or said not to be supported.
func TestPicturesOfOthers(t *testing.T) {
	files, err := filepath.Glob("testdata/pictures/*")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		picture, err := ReadPicture(path)
		if strings.HasPrefix(name, "other") {
			if err == nil || !strings.Contains(err.Error(), "which is not supported; convert it") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		flat := scaled(picture, picture.Bounds(), picture.Bounds().Dx(), picture.Bounds().Dy())
		if flat.Rect != image.Rect(0, 0, 48, 32) || cornersOf(flat) != "RGBW" {
			t.Errorf("%s is of %v and shows %s", name, flat.Rect, cornersOf(flat))
		}
	}
}

// What is no picture that is read is told by what it begins with.
func TestFormatsOfOthers(t *testing.T) {
	var j bytes.Buffer
	if err := jpeg.Encode(&j, aPicture(), nil); err != nil {
		t.Fatal(err)
	}
	frame := bytes.Index(j.Bytes(), []byte{0xff, 0xc0})
	with := func(at int, b byte) string {
		file := slices.Clone(j.Bytes())
		file[frame+at] = b
		return string(file)
	}
	for file, want := range map[string]string{
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": "an HEIC picture, " +
			"which is not supported; convert it, e.g. with `heif-convert IN.heic OUT.jpg`",
		"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00avifmif1": "an AVIF picture",
		"\xff\x0a\xfa\x1f":                                  "a JPEG XL picture",
		"\x00\x00\x00\x0cJXL \r\n\x87\n\x00":                "a JPEG XL picture",
		"\x00\x00\x00\x0cjP  \r\n\x87\n\x00":                "a JPEG 2000 picture",
		"\xff\x4f\xff\x51\x00\x2f":                          "a JPEG 2000 picture",
		"%PDF-1.7\n":                                        "a PDF document",
		"\ufeff<?xml version=\"1.0\"?>\n<SVG width=\"1\"/>": "an SVG drawing",
		"<svg xmlns=\"http://www.w3.org/2000/svg\"/>":       "an SVG drawing",
		"P6\n1 1 255\n123":                                  "a Netpbm picture",
		with(1, 0xc3):                                       "a lossless JPEG",
		with(1, 0xc9):                                       "an arithmetic-coded JPEG",
		with(1, 0xca):                                       "an arithmetic-coded JPEG",
		with(1, 0xc5):                                       "a hierarchical JPEG",
		with(4, 12):                                         "a JPEG of 12 bits per sample",
		with(11, 0x31):                                      "an unusual kind of JPEG (luma/chroma subsampling ratio)",
	} {
		_, err := decodeWhole([]byte(file))
		if want = "is " + want; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "not supported; convert") {
			t.Errorf("%.12q: %v, want %s", file, err, want)
		}
	}
	if _, err := decodeWhole([]byte("\n<!DOCTYPE html><svg>")); err == nil || !strings.HasPrefix(err.Error(), "is an HTML page") {
		t.Errorf("a page: %v", err)
	}
}

// A first frame that is a part of its picture lies where it belongs, on white.
func TestFirstFrames(t *testing.T) {
	white, green := color.RGBA{255, 255, 255, 255}, color.RGBA{0, 255, 0, 255}
	part := image.NewPaletted(image.Rect(24, 0, 48, 16), color.Palette{green})
	whole := image.NewPaletted(image.Rect(0, 0, 48, 32), color.Palette{color.Black})
	var g bytes.Buffer
	err := gif.EncodeAll(&g, &gif.GIF{
		Image: []*image.Paletted{part, whole}, Delay: []int{1, 1}, Config: image.Config{Width: 48, Height: 32},
	})
	if err != nil {
		t.Fatal(err)
	}
	var chunk []byte // the picture of a WebP file
	for kind, content := range webpChunks(testPicture(t, "lossless.webp")) {
		chunk = riffChunk(kind, content)
	}
	three := func(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }
	animated := func(x, y, width, height, canvas int) []byte {
		return riffChunk("RIFF", slices.Concat([]byte("WEBP"),
			riffChunk("VP8X", slices.Concat([]byte{1 << 1, 0, 0, 0}, three(canvas-1), three(canvas-1))), riffChunk("ANIM", make([]byte, 6)),
			riffChunk("ANMF", slices.Concat(three(x/2), three(y/2), three(width-1), three(height-1), make([]byte, 4), chunk))))
	}
	for name, c := range map[string]struct {
		file  []byte
		at    map[image.Point]color.RGBA
		fails string
	}{
		"gif": {file: g.Bytes(), at: map[image.Point]color.RGBA{{30, 5}: green, {5, 5}: white, {30, 20}: white}},
		"webp": {file: animated(10, 20, 48, 32, 64), at: map[image.Point]color.RGBA{
			{11, 21}: {255, 0, 0, 255}, {57, 21}: green, {11, 51}: {0, 0, 255, 255}, {9, 21}: white, {11, 53}: white,
		}},
		"webp that leaves its canvas": {file: animated(18, 20, 48, 32, 64),
			fails: "a frame of (48,32) pixels at (18,20) in a picture of (64,64)"},
		"webp of another size": {file: animated(0, 0, 24, 32, 64), fails: "a frame of 48×32 pixels in a picture of 24×32"},
	} {
		picture, err := decodeWhole(c.file)
		if c.fails != "" || err != nil {
			if c.fails == "" || err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v, want %q", name, err, c.fails)
			}
			continue
		}
		flat := scaled(picture, picture.Bounds(), picture.Bounds().Dx(), picture.Bounds().Dy())
		for at, want := range c.at {
			if got := flat.RGBAAt(at.X, at.Y); got != want {
				t.Errorf("%s: at %v %v, want %v", name, at, got, want)
			}
		}
	}
}

// noise is a picture of some light and shade, and grain all over.
func noise(width, height int) *image.RGBA {
	random := rand.New(rand.NewSource(1))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			shade := 128 + 100*math.Sin(float64(x)/17)*math.Cos(float64(y)/11)
			grain := func() uint8 { return uint8(max(0, min(255, shade+20*random.NormFloat64()))) }
			img.SetRGBA(x, y, color.RGBA{grain(), grain(), grain(), 255})
		}
	}
	return img
}

// Breakage in the middle of a file is found. JPEG has no checksum, so that some cannot be told
// from a picture; the decoder alone passes over much more.
func TestDamageInTheMiddle(t *testing.T) {
	var j, p bytes.Buffer
	if err := jpeg.Encode(&j, noise(160, 120), &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, noise(40, 30)); err != nil {
		t.Fatal(err)
	}
	tried, believed, byDecoder := 0, 0, 0
	for name, file := range map[string][]byte{"jpeg": j.Bytes(), "png": p.Bytes()} {
		for at := 700; at+600 < len(file); at += 97 {
			for _, c := range []struct {
				damage string
				file   []byte
				hidden bool // it may look like a picture, of JPEG
			}{
				{"512 zeros", slices.Concat(file[:at], make([]byte, 512), file[at+512:]), true},
				{"100 bytes missing", slices.Concat(file[:at], file[at+100:]), true},
				{"100 bytes twice", slices.Concat(file[:at+100], file[at:]), true},
				{"cut off", file[:at], false},
				{"cut off and closed", slices.Concat(file[:at], []byte{0xff, 0xd9}), false},
				{"cut off and filled up", slices.Concat(file[:at], make([]byte, len(file)-at)), false},
			} {
				_, err := decodeWhole(c.file)
				if err == nil && (!c.hidden || name != "jpeg") {
					t.Errorf("%s, %s at %d: believed", name, c.damage, at)
				}
				if !c.hidden || name != "jpeg" {
					continue
				}
				tried++
				if err == nil {
					believed++
				}
				if _, err := jpeg.Decode(bytes.NewReader(c.file)); err == nil {
					byDecoder++
				}
			}
		}
	}
	if tried < 300 || believed > tried/20 || byDecoder < tried/4 {
		t.Errorf("of %d damages of a JPEG %d are believed; by its decoder alone %d", tried, believed, byDecoder)
	}
	webp := testPicture(t, "lossless.webp")
	for at := 30; at < len(webp)-1; at++ {
		if _, err := decodeWhole(webp[:at]); err == nil {
			t.Errorf("a WebP cut off at %d of %d is believed", at, len(webp))
		}
	}
}

// A JPEG that is cut off between the scans of its planes is no picture, though the decoder makes
// one of it.
func TestJPEGWithoutAPlane(t *testing.T) {
	var j bytes.Buffer
	if err := jpeg.Encode(&j, image.NewGray(image.Rect(0, 0, 16, 8)), nil); err != nil {
		t.Fatal(err)
	}
	grey := []byte{0xff, 0xc0, 0, 11, 8, 0, 8, 0, 16, 1, 1, 0x11, 0}
	three := []byte{0xff, 0xc0, 0, 17, 8, 0, 8, 0, 16, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0}
	file := bytes.Replace(j.Bytes(), grey, three, 1)
	if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil || len(file) == j.Len() {
		t.Fatalf("%d bytes, %v", len(file), err)
	}
	if _, err := decodeWhole(file); err == nil || !strings.Contains(err.Error(), "plane 2 is missing") {
		t.Errorf("got %v", err)
	}
}

// tiffOf is a TIFF with a size in one strip, which claims so many rows to a strip.
func tiffOf(width, height, rows uint32, compression uint16, strip []byte, more ...[3]uint32) []byte {
	order := binary.LittleEndian
	entries := [][3]uint32{ // tag, type, value
		{tagImageWidth, 4, width}, {tagImageLength, 4, height}, {tagBitsPerSample, 3, 8}, {tagCompression, 3, uint32(compression)},
		{tagPhotometric, 3, 1}, {tagStripOffsets, 4, 8}, {tagRowsPerStrip, 4, rows}, {tagStripByteCounts, 4, uint32(len(strip))},
	}
	entries = append(entries, more...)
	slices.SortFunc(entries, func(a, b [3]uint32) int { return int(a[0]) - int(b[0]) })
	file := order.AppendUint32([]byte("II*\x00"), uint32(8+len(strip)))
	file = order.AppendUint16(append(file, strip...), uint16(len(entries)))
	for _, e := range entries {
		file = order.AppendUint16(order.AppendUint16(file, uint16(e[0])), uint16(e[1]))
		file = order.AppendUint32(order.AppendUint32(file, 1), e[2])
	}
	return append(file, 0, 0, 0, 0)
}

// TIFFs that unpack to much more than their picture are refused, or unpacked as far as the picture
// goes.
func TestTIFFBombs(t *testing.T) {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	for range 200 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	const deflate, packBits = 8, 32773
	tiles := func(side uint32, more ...[3]uint32) [][3]uint32 {
		return append(more, [3]uint32{tagTileWidth, 4, side}, [3]uint32{tagTileLength, 4, side})
	}
	bits := bytes.Repeat([]byte{129, 0}, 1<<18) // 32 MB
	for name, c := range map[string]struct {
		file []byte
		want string // "" for a picture that is read
	}{
		"endless strip": {tiffOf(64, 64, 1<<32-1, deflate, packed.Bytes()), ""},
		"long strip":    {tiffOf(64, 64, 1<<31, deflate, packed.Bytes()), ""},
		"PackBits":      {tiffOf(64, 64, 64, packBits, bits), "unpacks to 33554432 bytes for 4096 pixels"},
		"large tiles":   {tiffOf(64, 64, 64, deflate, packed.Bytes(), tiles(1<<20)...), "has strips or tiles of 1048576×1048576 pixels"},
		"more than is there": {tiffOf(64, 64, 64, 1, make([]byte, 64*64), tiles(64, [3]uint32{tagTileByteCounts, 4, 1 << 30})...),
			"claims more samples than the file has"},
		"a large picture": {tiffOf(1<<20, 1<<20, 1, 1, nil), "the limit is 64 megapixels"},
		"cut off":         {tiffOf(64, 64, 64, 1, make([]byte, 64*63)), "truncated or damaged"},
		"plain":           {tiffOf(64, 64, 64, 1, make([]byte, 64*64)), ""},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decodeWhole(c.file)
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 8<<20 {
			t.Errorf("%s takes %d MB", name, taken>>20)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// An index that a BMP's palette lacks is black.
func TestBMPBeyondItsPalette(t *testing.T) {
	file := testPicture(t, "palette.bmp")
	order := binary.LittleEndian
	order.PutUint32(file[46:], 1) // colours of the palette
	at := order.Uint32(file[10:])
	file = append(slices.Clone(file[:58]), file[at:]...)
	order.PutUint32(file[10:], 58)
	picture, err := decodeWhole(file)
	if err != nil {
		t.Fatal(err)
	}
	Squash(picture, 8)
}

// The decoders of formats that are read whole never meet what would break them.
func FuzzFormats(f *testing.F) {
	for _, name := range []string{
		"lzw.tif", "packbits.tif", "strip.tif", "palette.tif", "alpha.tif", "raw.tif", "other-planar.tif",
		"animated.gif", "clear.gif", "palette.bmp", "32.bmp", "animated-alpha.webp", "animated-lossless.webp",
		"alpha.webp", "lossless-alpha.webp", "lossy.webp"} {
		f.Add(testPicture(f, name))
	}
	f.Fuzz(fuzzPicture)
}

// Whatever a JPEG holds, walking over its samples ends.
func FuzzScans(f *testing.F) {
	for _, name := range []string{"baseline.jpg", "progressive.jpg", "restart.jpg", "full.jpg", "cmyk.jpg", "other-restart-progressive.jpg"} {
		f.Add(testPicture(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, err := configJPEG(file); err == nil && c.Height > 0 && c.Width <= 1<<20/c.Height {
			_ = checkScans(file)
		}
	})
}
