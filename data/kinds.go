package data

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A kind is a kind of file, known by its first bytes and its extensions.
type kind struct {
	name    string
	magics  []string // "?" stands for any byte
	endings []string // lower case
}

func (k kind) matches(file []byte) bool {
	return slices.ContainsFunc(k.magics, func(magic string) bool {
		if len(file) < len(magic) {
			return false
		}
		for i := range len(magic) {
			if magic[i] != '?' && magic[i] != file[i] {
				return false
			}
		}
		return true
	})
}

// toPNG converts most pictures: ImageMagick.
const toPNG = "magick IN OUT.png"

// others are known but unsupported kinds of pictures, each with a command that converts them.
var others = []struct {
	kind
	convert string
}{
	{kind{"AVIF picture", []string{"????ftypavif", "????ftypavis"}, []string{".avif"}}, "avifdec IN.avif OUT.png"},
	{kind{"HEIC picture", []string{"????ftyphei", "????ftyphev", "????ftypmif1", "????ftypmsf1"}, []string{".heic", ".heif", ".hif"}},
		"heif-convert IN.heic OUT.jpg"},
	{kind{"JPEG XL picture", []string{"\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n"}, []string{".jxl"}}, "djxl IN.jxl OUT.png"},
	{kind{"JPEG 2000 picture", []string{"\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"}, []string{".jp2", ".j2k", ".jpx"}},
		"opj_decompress -i IN.jp2 -o OUT.png"},
	{kind{"BigTIFF picture", []string{"II+\x00", "MM\x00+"}, nil}, "tiffcp -c none IN.tif OUT.tif"},
	{kind{"JPEG XR picture", []string{"II\xbc\x01"}, []string{".jxr", ".wdp"}}, toPNG},
	{kind{"PDF document", []string{"%PDF-"}, []string{".pdf"}}, "pdftoppm -png IN.pdf OUT"},
	{kind{"PostScript document", []string{"%!PS", "\xc5\xd0\xd3\xc6"}, []string{".eps", ".ps"}}, toPNG},
	{kind{"Photoshop picture", []string{"8BPS"}, []string{".psd"}}, toPNG},
	{kind{"GIMP picture", []string{"gimp xcf "}, []string{".xcf"}}, toPNG},
	{kind{"OpenEXR picture", []string{"v/1\x01"}, []string{".exr"}}, toPNG},
	{kind{"Radiance HDR picture", []string{"#?RADIANCE", "#?RGBE"}, []string{".hdr"}}, toPNG},
	{kind{"Windows icon", []string{"\x00\x00\x01\x00"}, []string{".ico"}}, toPNG},
	{kind{"QOI picture", []string{"qoif"}, []string{".qoi"}}, toPNG},
	{kind{"Targa picture", nil, []string{".tga"}}, toPNG}, // begins like anything
	{kind{"Netpbm picture", []string{"P1\n", "P2\n", "P3\n", "P4\n", "P5\n", "P6\n", "P7\n"},
		[]string{".pbm", ".pgm", ".ppm", ".pnm", ".pam"}}, toPNG},
	{kind{"SVG drawing", nil, []string{".svg", ".svgz"}}, svgToPNG}, // see isSVG
	{kind{"camera raw picture", []string{"FUJIFILMCCD-RAW", "????ftypcrx ", "IIU\x00", "IIRO"},
		[]string{".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef"}}, rawToPNG},
}

const (
	svgToPNG = "rsvg-convert IN.svg -o OUT.png"
	rawToPNG = "darktable-cli IN OUT.png"
)

// isSVG reports whether a file is an SVG drawing, which is text: its outermost element is near
// the start.
func isSVG(file []byte) bool {
	head := textHead(file)
	return bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head, []byte("<svg"))
}

func isHTML(file []byte) bool {
	head := textHead(file)
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// textHead returns the start of a text file, in lower case.
func textHead(file []byte) []byte {
	return bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(file[:min(len(file), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n"))
}

// unsupported is the error of a picture that seems intact, but is of an unsupported kind.
type unsupported struct {
	what    string // with its article
	convert string // the command that converts it
}

func (e unsupported) Error() string {
	return fmt.Sprintf("is %s, which is not supported; convert it, e.g. with `%s`", e.what, e.convert)
}

// article puts a or an before a kind's name.
func article(name string) string {
	if strings.ContainsAny(name[:1], "AEHO") { // an HEIC picture, an OpenEXR picture
		return "an " + name
	}
	return "a " + name
}

// PictureEndings returns the extensions of supported pictures, in lower case.
func PictureEndings() []string {
	var all []string
	for _, f := range formats {
		all = append(all, f.endings...)
	}
	return all
}

// IsPicture reports whether a name has the extension of a supported picture.
func IsPicture(name string) bool {
	ending := strings.ToLower(path.Ext(name))
	return slices.ContainsFunc(formats, func(f format) bool { return slices.Contains(f.endings, ending) })
}

// Unread returns the unsupported kind of picture that a name suggests, such as "HEIC picture",
// and the command that converts it; else "".
func Unread(name string) (kind, convert string) {
	ending := strings.ToLower(path.Ext(name))
	for _, other := range others {
		if slices.Contains(other.endings, ending) {
			return other.name, other.convert
		}
	}
	return "", ""
}
