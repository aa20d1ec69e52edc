package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"glimpse/internal/crash"
)

// pngOf is a black grey PNG of a size, of a thousandth of its bytes.
func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	chunk := func(kind string, content []byte) []byte {
		out := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
		out = append(append(out, kind...), content...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	row := make([]byte, 1+width)
	for range height {
		if _, err := z.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(width))
	head = append(binary.BigEndian.AppendUint32(head, uint32(height)), 8, 0, 0, 0, 0)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", head), chunk("IDAT", packed.Bytes()), chunk("IEND", nil))
}

// scansOf is a progressive JPEG of 8×8 pixels with so many scans.
func scansOf(scans int) []byte {
	segment := func(marker byte, content ...byte) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2)), content...)
	}
	code := func(class, symbol byte) []byte { // one symbol, of one bit
		return append(append([]byte{class, 1}, make([]byte, 15)...), symbol)
	}
	file := slices.Concat([]byte("\xff\xd8"), segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...),
		segment(0xc2, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), segment(0xc4, code(0, 0)...), segment(0xc4, code(0x10, 0)...),
		segment(0xda, 1, 1, 0, 0, 0, 0), []byte{0x7f})
	for range scans - 1 {
		file = slices.Concat(file, segment(0xda, 1, 1, 0, 1, 63, 0), []byte{0x7f})
	}
	return append(file, 0xff, 0xd9)
}

// Small files that unpack to much are refused before they do.
func TestPictureBombs(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		size int
		want string // "" for a picture that is read
	}{
		"a strip":           {pngOf(t, 1, 1_000_000), 8, "is 1×1000000 pixels; no side may be longer than 100 times the other"},
		"a long strip":      {pngOf(t, 1_000_000, 1), 8, "is 1000000×1 pixels; no side may be longer than 100 times the other"},
		"a panorama":        {pngOf(t, 2000, 20), 8, ""},
		"large when scaled": {pngOf(t, 200, 20_000), 2048, "is 200×20000 pixels: scaling it to a width of 2048 needs 1250 MB, but the limit is 1024 MB: make it smaller"},
		"many scans":        {scansOf(maxScans + 1), 8, "has more than the limit of 256 scans"},
		"few scans":         {scansOf(12), 8, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bomb.png")
			writeFile(t, path, string(c.file))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := ReadPixels(path, c.size)
			runtime.ReadMemStats(&after)
			if taken := after.TotalAlloc - before.TotalAlloc; taken > 8<<20 {
				t.Errorf("it takes %d MB", taken>>20)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != "picture "+path+" "+c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A picture that is turned is scaled by its other side.
func TestTurnedStripIsScaledByItsOtherSide(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	writeFile(t, path, string(withExif("png", pngOf(t, 20_000, 200), tiffWith(binary.BigEndian, 6))))
	if _, err := ReadPixels(path, 2048); err == nil || !strings.Contains(err.Error(), "scaling it to a width of 2048 needs 1250 MB") {
		t.Errorf("got %v", err)
	}
}

// A decoder that breaks fails the picture, by name, and not the program.
func TestDecoderPanics(t *testing.T) {
	broken := format{
		kind:   kind{magics: []string{"broken"}},
		config: func([]byte) (image.Config, error) { return image.Config{Width: 4, Height: 4}, nil },
		decode: func([]byte) (image.Image, error) { return nil, errors.New([]string{}[len(formats)]) },
		exif:   noExif,
		memory: memoryPNG,
	}
	formats = append(formats, broken)
	t.Cleanup(func() { formats = formats[:len(formats)-1] })
	path := filepath.Join(t.TempDir(), "a.jpg")
	writeFile(t, path, "broken picture")
	_, err := ReadPixels(path, 8)
	want := "picture " + path + " cannot be decoded: a fault in this program, not in its use: runtime error: index out of range"
	var fault *crash.Error
	if err == nil || !strings.HasPrefix(err.Error(), want) || errors.As(err, &fault) {
		t.Errorf("got %v", err)
	}
	if !decoding.TryAcquire(pictureMemory) {
		t.Fatal("its memory was not given back")
	}
	decoding.Release(pictureMemory)
}

// Pictures wait for memory rather than take it together.
func TestPicturesShareMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	writeFile(t, path, string(pngOf(t, 8, 8)))
	synctest.Test(t, func(t *testing.T) {
		if !decoding.TryAcquire(pictureMemory) {
			t.Fatal("pictures are being decoded")
		}
		read := make(chan error)
		for range 3 {
			go func() {
				_, err := ReadPixels(path, 8)
				read <- err
			}()
		}
		synctest.Wait()
		select {
		case err := <-read:
			t.Errorf("a picture was decoded while all memory was taken (%v)", err)
		default:
		}
		decoding.Release(pictureMemory)
		for range 3 {
			if err := <-read; err != nil {
				t.Error(err)
			}
		}
	})
}

// What a picture is shrunk to keeps its shape, and takes as much as that.
func TestTallPictureIsShrunk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	writeFile(t, path, string(pngOf(t, 600, 60_000)))
	var small image.Rectangle
	if err := WithPicture(path, 0, 640, func(source image.Image) { small = Shrink(source, 640).Rect }); err != nil {
		t.Fatal(err)
	}
	if small.Dx() != 6 || small.Dy() != 640 {
		t.Errorf("it is shrunk to %v", small)
	}
}
