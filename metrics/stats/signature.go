package stats

import (
	"fmt"
	"strings"
)

// signatureDifference returns "" for equal protocol signatures, else what
// differs. Signatures made of key:value or key=value fields, divided by any of
// | ; , or line ends (a flat JSON object is such a one), are compared field by
// field; others are shown whole.
func signatureDifference(a, b string) string {
	if a == b {
		return ""
	}
	fieldsA, okA := signatureFields(a)
	fieldsB, okB := signatureFields(b)
	if !okA || !okB {
		return fmt.Sprintf("signature %q against %q", b, a)
	}
	var out []string
	for _, f := range fieldsB {
		if old := lookUp(fieldsA, f[0]); old != f[1] {
			out = append(out, fmt.Sprintf("%s is %s against %s", f[0], orAbsent(f[1]), orAbsent(old)))
		}
	}
	for _, f := range fieldsA {
		if f[1] != "" && lookUp(fieldsB, f[0]) == "" {
			out = append(out, fmt.Sprintf("%s is %s against %s", f[0], orAbsent(""), f[1]))
		}
	}
	if len(out) == 0 { // the same fields in another order or spelling
		return fmt.Sprintf("signature %q against %q", b, a)
	}
	return strings.Join(out, "; ")
}

func signatureFields(s string) ([][2]string, bool) {
	var out [][2]string
	for field := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune("|;,{}\n", r) }) {
		field = strings.TrimSpace(field)
		if field == "" {
			continue
		}
		cut := strings.IndexAny(field, ":=")
		if cut <= 0 {
			return nil, false
		}
		key := strings.Trim(strings.TrimSpace(field[:cut]), `"`)
		value := strings.Trim(strings.TrimSpace(field[cut+1:]), `"`)
		out = append(out, [2]string{key, value})
	}
	return out, len(out) > 0
}

func lookUp(fields [][2]string, key string) string {
	for _, f := range fields {
		if f[0] == key {
			return f[1]
		}
	}
	return ""
}

func orAbsent(value string) string {
	if value == "" {
		return "absent"
	}
	return value
}
