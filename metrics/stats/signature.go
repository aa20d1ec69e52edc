package stats

import (
	"fmt"
	"slices"
	"strings"
)

// SignatureDifferences lists the fields in which two protocol signatures differ,
// without those in except. A signature consists of key=value fields separated by
// spaces. A difference reads "beam is 3 against 5", with a's value first.
func SignatureDifferences(a, b string, except ...string) []string {
	if a == b {
		return nil
	}
	var found []string
	valuesA, valuesB := signatureFields(a), signatureFields(b)
	seen := slices.Clone(except)
	for _, field := range append(strings.Fields(a), strings.Fields(b)...) {
		key, _, _ := strings.Cut(field, "=")
		if va, vb := valuesA[key], valuesB[key]; va != vb && !slices.Contains(seen, key) {
			found = append(found, fmt.Sprintf("%s is %s against %s", key, orAbsent(va), orAbsent(vb)))
		}
		seen = append(seen, key)
	}
	return found
}

func signatureFields(signature string) map[string]string {
	values := map[string]string{}
	for _, field := range strings.Fields(signature) {
		key, value, ok := strings.Cut(field, "=")
		if !ok {
			value = "present"
		}
		values[key] = value
	}
	return values
}

func orAbsent(value string) string {
	if value == "" {
		return "absent"
	}
	return value
}
