package jsonline

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// NonFinite is the text that stands for a number that is not finite, which JSON and SQL lack: "nan", "inf" or "-inf". It
// is empty for others.
func NonFinite(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return ""
}

// AppendNumber appends a number as encoding/json writes it, in a fraction of the time, and the text NonFinite where it is
// not finite.
func AppendNumber(line []byte, v float64) []byte {
	if text := NonFinite(v); text != "" {
		return AppendText(line, text)
	}
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		text, err := json.Marshal(v) // with an exponent
		if err != nil {
			return append(line, "null"...)
		}
		return append(line, text...)
	}
	return strconv.AppendFloat(line, v, 'f', -1, 64)
}

// AppendText appends a text as encoding/json writes it where it escapes no HTML. Most are of printable ASCII, JSON within
// JSON among them.
func AppendText(line []byte, text string) []byte {
	start := len(line)
	line = append(line, '"')
	from := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~':
			return appendAnyText(line[:start], text)
		case c == '"' || c == '\\':
			line = append(line, text[from:i]...)
			line = append(line, '\\')
			from = i
		}
	}
	line = append(line, text[from:]...)
	return append(line, '"')
}

func appendAnyText(line []byte, text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) != nil { // which takes every text
		return append(line, `""`...)
	}
	return append(line, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
