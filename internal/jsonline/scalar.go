package jsonline

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// AppendNumber appends a number as encoding/json writes it, in a fraction of the time. It must be finite.
func AppendNumber(line []byte, v float64) []byte {
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		text, err := json.Marshal(v) // with an exponent
		if err != nil {
			return append(line, "null"...)
		}
		return append(line, text...)
	}
	return strconv.AppendFloat(line, v, 'f', -1, 64)
}

// AppendText appends a text as encoding/json writes it where it escapes no HTML.
func AppendText(line []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			var b bytes.Buffer
			encoder := json.NewEncoder(&b)
			encoder.SetEscapeHTML(false)
			if encoder.Encode(text) != nil { // which takes every text
				return append(line, `""`...)
			}
			return append(line, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
		}
	}
	line = append(line, '"')
	line = append(line, text...)
	return append(line, '"')
}
