package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"path/filepath"
	"slices"
	"testing"
)

// tiffWith is a TIFF block whose first directory holds another tag and the orientation.
func tiffWith(order binary.AppendByteOrder, o uint16) []byte {
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, entry := range [][2]uint16{{271, 7}, {274, o}} {
		tiff = order.AppendUint16(tiff, entry[0])
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, entry[1])
		tiff = order.AppendUint16(tiff, 0)
	}
	return order.AppendUint32(tiff, 0)
}

// withExif puts a TIFF block into a picture file of that kind.
func withExif(kind string, file, tiff []byte) []byte {
	switch kind {
	case "jpeg":
		segment := append([]byte("\xff\xe1"), binary.BigEndian.AppendUint16(nil, uint16(len(tiff)+8))...)
		return slices.Concat(file[:2], segment, []byte("Exif\x00\x00"), tiff, file[2:])
	case "png":
		chunk := append([]byte("eXIf"), tiff...)
		sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk))
		return slices.Concat(file[:33], binary.BigEndian.AppendUint32(nil, uint32(len(tiff))), chunk, sum, file[33:])
	default: // webp
		chunk := append([]byte("EXIF"), binary.LittleEndian.AppendUint32(nil, uint32(len(tiff)))...)
		made := slices.Concat(file, chunk, tiff)
		binary.LittleEndian.PutUint32(made[4:], uint32(len(made)-8))
		return made
	}
}

// corners is a picture of 16×8 whose quarters are red, green, blue and white.
func corners() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 16, 8))
	paints := [2][2]color.RGBA{{{255, 0, 0, 255}, {0, 255, 0, 255}}, {{0, 0, 255, 255}, {255, 255, 255, 255}}}
	for y := range 8 {
		for x := range 16 {
			img.SetRGBA(x, y, paints[y/4][x/8])
		}
	}
	return img
}

// The letters are the colours of the corners, row by row, after turning; from the figures of the Exif standard 2.32, tag 274.
func TestOrientation(t *testing.T) {
	var j, p bytes.Buffer
	if err := jpeg.Encode(&j, corners(), &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, corners()); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"jpeg": j.Bytes(), "png": p.Bytes()}
	for o, want := range map[uint16]string{
		0: "RGBW", 1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 9: "RGBW",
	} {
		for kind, file := range files {
			for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
				path := filepath.Join(t.TempDir(), "p")
				writeFile(t, path, string(withExif(kind, file, tiffWith(order, o))))
				img, err := ReadPicture(path)
				if err != nil {
					t.Fatal(err)
				}
				if b := img.Bounds(); (b.Dx() < b.Dy()) != (o >= 5 && o <= 8) {
					t.Errorf("%s, orientation %d: %v", kind, o, b)
				}
				if got := cornersOf(img); got != want {
					t.Errorf("%s, orientation %d, %s: %s, want %s", kind, o, order, got, want)
				}
			}
		}
	}
}

// The tag is believed as any whole number: Pillow does so but for bytes, browsers take a SHORT alone.
func TestOrientationOfOtherTypes(t *testing.T) {
	for kind, c := range map[uint16]struct {
		value [4]byte // of little-endian
		want  int
	}{
		1: {[4]byte{6, 9, 9, 9}, 6}, 3: {[4]byte{6, 0, 9, 9}, 6}, 4: {[4]byte{6}, 6}, 6: {[4]byte{6, 9}, 6}, 8: {[4]byte{6, 0, 9}, 6}, 9: {[4]byte{6}, 6},
		2: {[4]byte{'6'}, 1}, 7: {[4]byte{6}, 1}, 5: {[4]byte{6}, 1}, 11: {[4]byte{0, 0, 0xc0, 0x40}, 1}, // text, bytes of no meaning, fractions
	} {
		tiff := tiffWith(binary.LittleEndian, 6)
		binary.LittleEndian.PutUint16(tiff[24:], kind)
		copy(tiff[30:], c.value[:])
		if got := orientation(tiff); got != c.want {
			t.Errorf("type %d: %d, want %d", kind, got, c.want)
		}
	}
	big := tiffWith(binary.BigEndian, 6)
	binary.BigEndian.PutUint16(big[24:], 4)
	copy(big[30:], []byte{0, 0, 0, 8})
	if got := orientation(big); got != 8 {
		t.Errorf("LONG, big-endian: %d", got)
	}
	for value, want := range map[int32]int{-1: 1, 0: 1, 9: 1, 3: 3} {
		tiff := tiffWith(binary.LittleEndian, 6)
		binary.LittleEndian.PutUint16(tiff[24:], 9)
		binary.LittleEndian.PutUint32(tiff[30:], uint32(value))
		if got := orientation(tiff); got != want {
			t.Errorf("SLONG %d: %d, want %d", value, got, want)
		}
	}
}

// The orientation of a TIFF stands in its own directory.
func TestOrientationOfTIFF(t *testing.T) {
	file := tiffOf(4, 2, 2, 1, []byte{1, 2, 3, 4, 5, 6, 7, 8}, [3]uint32{274, 3, 6})
	picture, err := decodeWhole(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint8
	for y := range 4 {
		for x := range 2 {
			r, _, _, _ := picture.At(x, y).RGBA()
			got = append(got, uint8(r>>8))
		}
	}
	if want := []uint8{5, 1, 6, 2, 7, 3, 8, 4}; picture.Bounds().Dx() != 2 || !slices.Equal(got, want) {
		t.Errorf("%v: %v, want %v", picture.Bounds(), got, want)
	}
}

func cornersOf(img image.Image) string {
	b := img.Bounds()
	found := ""
	for _, at := range []image.Point{{1, 1}, {b.Dx() - 2, 1}, {1, b.Dy() - 2}, {b.Dx() - 2, b.Dy() - 2}} {
		r, g, b, _ := img.At(b.Min.X+at.X, b.Min.Y+at.Y).RGBA()
		switch bright := [3]bool{r > 0x8000, g > 0x8000, b > 0x8000}; bright {
		case [3]bool{true, false, false}:
			found += "R"
		case [3]bool{false, true, false}:
			found += "G"
		case [3]bool{false, false, true}:
			found += "B"
		case [3]bool{true, true, true}:
			found += "W"
		default:
			found += "?"
		}
	}
	return found
}

// A turned WebP: its one pixel has no corners to tell, so the tag alone is read.
func TestOrientationOfWebP(t *testing.T) {
	file := withExif("webp", pictures(t)["webp"], tiffWith(binary.LittleEndian, 6))
	if got := orientation(exifWebP(file)); got != 6 {
		t.Errorf("orientation %d", got)
	}
	path := filepath.Join(t.TempDir(), "p.webp")
	writeFile(t, path, string(file))
	if _, err := ReadPicture(path); err != nil {
		t.Error(err)
	}
}

// Whatever bytes a file holds, finding its orientation ends and gives one.
func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x20Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00"))
	f.Add(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x26eXIf"), tiffWith(binary.BigEndian, 6)...))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPEXIF\xff\xff\xff\xffII*\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, format := range formats {
			if o := orientation(format.exif(file)); o < 1 || o > 8 {
				t.Errorf("orientation %d", o)
			}
		}
	})
}

func TestShrink(t *testing.T) {
	for _, c := range []struct{ w, h, most, wantW, wantH int }{
		{640, 480, 224, 224, 168}, {480, 640, 224, 168, 224}, {100, 50, 224, 100, 50}, {3000, 2, 100, 100, 1},
	} {
		got := Shrink(image.NewRGBA(image.Rect(0, 0, c.w, c.h)), c.most).Rect
		if got.Dx() != c.wantW || got.Dy() != c.wantH {
			t.Errorf("%d×%d to %d: %v", c.w, c.h, c.most, got)
		}
	}
}
