package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"glimpse/internal/jsonline"
)

// number is a float64 that passes through SQL and JSON without losing NaN and the infinities:
// they become the texts 'nan', 'inf' and '-inf'.
type number float64

// parseNonFinite is the inverse of jsonline.NonFinite.
func parseNonFinite(text string) (float64, error) {
	switch text {
	case "nan":
		return math.NaN(), nil
	case "inf":
		return math.Inf(1), nil
	case "-inf":
		return math.Inf(-1), nil
	}
	return 0, fmt.Errorf("cannot read a number from %q: expected a number, 'nan', 'inf' or '-inf'", text)
}

// Value implements driver.Valuer.
func (n number) Value() (driver.Value, error) {
	if text := jsonline.NonFinite(float64(n)); text != "" {
		return text, nil
	}
	return float64(n), nil
}

// Scan implements sql.Scanner. NULL is an error: scan a column that may be NULL through
// sql.Null[number].
func (n *number) Scan(src any) error {
	var v float64
	var err error
	switch src := src.(type) {
	case float64:
		v = src
	case int64:
		v = float64(src)
	case string:
		v, err = parseNonFinite(src)
	case []byte:
		v, err = parseNonFinite(string(src))
	default:
		err = fmt.Errorf("cannot read a number from %T", src)
	}
	*n = number(v)
	return err
}

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if text := jsonline.NonFinite(float64(n)); text != "" {
		return json.Marshal(text)
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(raw []byte) error {
	var v float64
	var err error
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err = json.Unmarshal(raw, &text); err == nil {
			v, err = parseNonFinite(text)
		}
	} else {
		err = json.Unmarshal(raw, &v)
	}
	*n = number(v)
	return err
}

// encodeMetrics writes a map of metrics as JSON with sorted keys; nil as NULL.
func encodeMetrics(values map[string]float64) (any, error) {
	if values == nil {
		return nil, nil
	}
	out := make(map[string]number, len(values))
	for key, v := range values {
		out[key] = number(v)
	}
	raw, err := json.Marshal(out)
	return string(raw), err
}

// decodeMetrics is the inverse of encodeMetrics.
func decodeMetrics(text *string) (map[string]float64, error) {
	if text == nil {
		return nil, nil
	}
	values := make(map[string]float64, strings.Count(*text, ":"))
	if parseMetrics(*text, values) {
		return values, nil
	}
	var in map[string]number
	if err := json.Unmarshal([]byte(*text), &in); err != nil {
		return nil, err
	}
	values = make(map[string]float64, len(in))
	for key, v := range in {
		values[key] = float64(v)
	}
	return values, nil
}

// parseMetrics is a fast path for what encodeMetrics writes when all metrics are finite, since
// reports read hundreds of thousands. It returns false for anything else; then the contents of
// values are meaningless.
func parseMetrics(text string, values map[string]float64) bool {
	rest, found := strings.CutPrefix(text, "{")
	if !found {
		return false
	}
	for rest != "}" {
		end := strings.IndexByte(rest, ':')
		if end < 2 || rest[0] != '"' || rest[end-1] != '"' || !plain(rest[1:end-1]) {
			return false
		}
		key := rest[1 : end-1]
		rest = rest[end+1:]
		if end = strings.IndexAny(rest, ",}"); end < 0 || !isNumber(rest[:end]) {
			return false
		}
		v, err := strconv.ParseFloat(rest[:end], 64)
		if err != nil {
			return false
		}
		values[key] = v
		if rest[end] == ',' {
			end++
			if rest[end:] == "}" {
				return false
			}
		}
		rest = rest[end:]
	}
	return true
}

// plain reports whether a text needs no escapes in JSON.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// isNumber reports whether a text is a JSON number.
func isNumber(text string) bool {
	text = strings.TrimPrefix(text, "-")
	rest := text[digits(text):]
	if rest == text || text[0] == '0' && len(text)-len(rest) > 1 {
		return false
	}
	if fraction, found := strings.CutPrefix(rest, "."); found {
		if rest = fraction[digits(fraction):]; rest == fraction {
			return false
		}
	}
	if rest == "" {
		return true
	}
	exponent := rest[1:]
	if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
		exponent = exponent[1:]
	}
	return (rest[0] == 'e' || rest[0] == 'E') && exponent != "" && digits(exponent) == len(exponent)
}

// digits counts the digits at the start of a text.
func digits(text string) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// encodeSeries writes values per word as numbers separated by spaces, in single
// precision (what a network computes in), packed where all are finite; nil as NULL.
func encodeSeries(values []float64) any {
	if values == nil {
		return nil
	}
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte(' ')
		}
		if text := jsonline.NonFinite(float64(float32(v))); text != "" {
			b.WriteString(text)
			continue
		}
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 32))
	}
	if packed := packList(b.String()); packed != nil {
		return packed
	}
	return b.String()
}

// decodeSeries is the inverse of encodeSeries.
func decodeSeries(text *string) ([]float64, error) {
	if text == nil {
		return nil, nil
	}
	fields := strings.Fields(*text)
	values := make([]float64, len(fields))
	for i, field := range fields {
		v, err := strconv.ParseFloat(field, 32)
		if err != nil {
			if v, err = parseNonFinite(field); err != nil {
				return nil, err
			}
		}
		values[i] = v
	}
	return values, nil
}

// series is a column of values per word; NULL reads as nil.
type series []float64

// Scan implements sql.Scanner.
func (s *series) Scan(src any) error {
	if packed, isBlob := src.([]byte); isBlob {
		if list, ok := unpackList(packed); ok {
			src = list
		}
	}
	text, err := optionalText(src)
	if err == nil {
		*s, err = decodeSeries(text)
	}
	return err
}

// metricValues is a column of metrics; NULL reads as nil.
type metricValues map[string]float64

// Scan implements sql.Scanner.
func (m *metricValues) Scan(src any) error {
	text, err := optionalText(src)
	if err == nil {
		*m, err = decodeMetrics(text)
	}
	return err
}

// optionalText is the text of a column; nil for NULL.
func optionalText(src any) (*string, error) {
	switch v := src.(type) {
	case nil:
		return nil, nil
	case string:
		return &v, nil
	}
	return nil, fmt.Errorf("cannot read text from %s", shown(src))
}
