package data

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// aPicture is 20×10 with a smooth change of colour.
func aPicture() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 20, 10))
	for y := range 10 {
		for x := range 20 {
			img.Set(x, y, color.RGBA{uint8(12 * x), uint8(25 * y), 90, 255})
		}
	}
	return img
}

// A lossless WebP of 1×1, as published in the WebP detection examples.
const webpPixel = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func pictures(t *testing.T) map[string][]byte {
	t.Helper()
	var j, p bytes.Buffer
	if err := jpeg.Encode(&j, aPicture(), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, aPicture()); err != nil {
		t.Fatal(err)
	}
	w, err := base64.StdEncoding.DecodeString(webpPixel)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"jpeg": j.Bytes(), "png": p.Bytes(), "webp": w}
}

func TestReadPixels(t *testing.T) {
	for name, file := range pictures(t) {
		path := filepath.Join(t.TempDir(), "any.name")
		writeFile(t, path, string(file))
		rgb, err := ReadPixels(path, 10)
		if err != nil || len(rgb) != 300 {
			t.Fatalf("%s: %d bytes, %v", name, len(rgb), err)
		}
		if name == "webp" {
			continue
		}
		near := map[string]float64{"png": 3, "jpeg": 24}[name]
		// Squashed to half the width: red rises by 24 a pixel, green by 25. JPEG
		// halves the colours' resolution, which blurs as much as a pixel.
		for _, at := range [][2]int{{3, 3}, {6, 5}} {
			x, y := at[0], at[1]
			got := rgb[3*(10*y+x):]
			if want := [3]float64{24*float64(x) + 6, 25 * float64(y), 90}; math.Abs(float64(got[0])-want[0]) > near ||
				math.Abs(float64(got[1])-want[1]) > near || math.Abs(float64(got[2])-want[2]) > near {
				t.Errorf("%s: pixel %v is %v, want about %v", name, at, got[:3], want)
			}
		}
	}
}

// A picture of the size asked for keeps its bytes.
func TestReadPixelsIdentity(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 7, 7))
	var want []uint8
	for i := range 49 {
		r, g, b := uint8(37*i), uint8(91*i), uint8(11*i)
		copy(img.Pix[4*i:], []uint8{r, g, b, 255})
		want = append(want, r, g, b)
	}
	path := filepath.Join(t.TempDir(), "p.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	f.Close()
	got, err := ReadPixels(path, 7)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	img.Pix[3] = 0 // transparent: white shows
	if got := Squash(img, 7); !slices.Equal(got[:3], []uint8{255, 255, 255}) || !slices.Equal(got[3:], want[3:]) {
		t.Errorf("transparent pixel is %v", got[:3])
	}
	for _, size := range []int{0, -1, 1 << 20} {
		if _, err := ReadPixels(path, size); err == nil {
			t.Errorf("size %d is accepted", size)
		}
	}
}

func TestBrokenPictures(t *testing.T) {
	good := pictures(t)
	bomb := slices.Clone(good["png"])
	binary.BigEndian.PutUint32(bomb[16:], 100_000)
	binary.BigEndian.PutUint32(bomb[20:], 100_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	for _, c := range []struct {
		name string
		file []byte
		want string // "" for a picture that is fine
	}{
		{"good jpeg", good["jpeg"], ""},
		{"jpeg with a tail", slices.Concat(good["jpeg"], []byte("trailing bytes of a phone's album")), ""},
		{"png with a tail", slices.Concat(good["png"], make([]byte, 50)), ""},
		{"half a jpeg", good["jpeg"][:len(good["jpeg"])-30], "truncated or damaged"},
		{"half a png", good["png"][:len(good["png"])-30], "truncated or damaged"},
		{"half a webp", good["webp"][:30], "truncated or damaged"},
		{"jpeg head", good["jpeg"][:100], "has a damaged header"},
		{"png bomb", bomb, "claims to be 100000×100000 pixels; the limit is 64 megapixels"},
		{"text", []byte("not found"), "is not a known picture format (it starts with 6e 6f 74"},
		{"gif", []byte("GIF89a\x01\x00\x01\x00"), "has a damaged header"},
		{"nothing", nil, "is an empty file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "p.jpg")
			writeFile(t, path, string(c.file))
			_, err := checkPicture(path)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				_, err = ReadPixels(path, 8)
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := ReadPixels(path, 8); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.jpg")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "is not a regular file", pipe: "is not a regular file", filepath.Join(dir, "x"): "is missing"} {
		if _, err := checkPicture(path); err == nil || err.Error() != want || skippable(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Damage behind the checks is found when decoding, with the file's name.
func TestPixelsNameTheFile(t *testing.T) {
	root := t.TempDir()
	writeFlickr(t, root, 6)
	d := loadFlickr(t, root)
	path := filepath.Join(root, "Images", "p1.png")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[50] ^= 0xff
	writeFile(t, path, string(b))
	if _, err := d.Pixels(1, 8); err == nil || !strings.Contains(err.Error(), path+" cannot be decoded") {
		t.Errorf("got %v", err)
	}
	for _, c := range [][2]int{{-1, 8}, {6, 8}, {0, 0}} {
		if _, err := d.Pixels(c[0], c[1]); err == nil {
			t.Errorf("image %d at size %d is accepted", c[0], c[1])
		}
	}
}

func FuzzPicture(f *testing.F) {
	var p bytes.Buffer
	if err := png.Encode(&p, image.NewGray(image.Rect(0, 0, 3, 3))); err != nil {
		f.Fatal(err)
	}
	f.Add(p.Bytes())
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x10JFIF"))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L"))
	f.Add(webpOf(2, 2, 1, 1))
	f.Fuzz(fuzzPicture)
}

// fuzzPicture reads a picture that is not large.
func fuzzPicture(t *testing.T, file []byte) {
	p, err := inspect(file)
	if err != nil || p.width > 1<<20/p.height {
		return // large ones take long to decode
	}
	// Not by decoded, which would make an error of a panic.
	if _, err := p.memory(file, int64(p.width)*int64(p.height)); err != nil {
		return
	}
	if picture, err := p.decode(file); err == nil {
		Squash(upright(picture, orientation(p.exif(file))), 4)
	}
}

// webpOf is a WebP file that claims a size, with transparency, and holds a frame of another.
func webpOf(claimedWidth, claimedHeight, width, height int) []byte {
	three := func(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }
	chunk := func(kind string, content []byte) []byte {
		file := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(content)))
		return append(append(file, content...), make([]byte, len(content)%2)...)
	}
	frame := binary.LittleEndian.AppendUint16([]byte{0x10, 0, 0, 0x9d, 0x01, 0x2a}, uint16(width))
	frame = append(binary.LittleEndian.AppendUint16(frame, uint16(height)), make([]byte, 30)...)
	content := slices.Concat([]byte("WEBP"),
		chunk("VP8X", slices.Concat([]byte{1 << 4, 0, 0, 0}, three(claimedWidth-1), three(claimedHeight-1))),
		chunk("ALPH", make([]byte, 1+claimedWidth*claimedHeight)), chunk("VP8 ", frame))
	return chunk("RIFF", content)
}

func TestWebPFrameOfAnotherSize(t *testing.T) {
	for _, c := range []struct {
		width, height int
		want          string
	}{
		{16383, 16383, "a frame of 16383×16383 pixels in a picture of 4×4"},
		{5, 4, "a frame of 5×4 pixels in a picture of 4×4"},
		{4, 4, "cannot be decoded"}, // the frame is empty
	} {
		path := filepath.Join(t.TempDir(), "a.webp")
		writeFile(t, path, string(webpOf(4, 4, c.width, c.height)))
		if _, err := ReadPicture(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d×%d: error %v, want %q", c.width, c.height, err, c.want)
		}
	}
	lossless := slices.Concat([]byte("RIFF\x2c\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), make([]byte, 10), []byte("VP8L\x0d\x00\x00\x00\x2f\xff\xff\xff\x0f"), make([]byte, 9))
	if _, err := inspect(lossless); err == nil || !strings.Contains(err.Error(), "a frame of 16384×16384 pixels in a picture of 1×1") {
		t.Errorf("lossless: error %v", err)
	}
}
