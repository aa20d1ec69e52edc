package store

import (
	"encoding/json"
	"slices"
	"strings"
)

// Flatten returns the leaves of a JSON object, such as a run's settings, by their dotted paths.
// It returns none for anything but an object.
func Flatten(object json.RawMessage) map[string]any {
	leaves := map[string]any{}
	var walk func(prefix string, value any)
	walk = func(prefix string, value any) {
		inner, ok := value.(map[string]any)
		if !ok {
			leaves[prefix] = value
			return
		}
		for key, v := range inner {
			walk(strings.TrimPrefix(prefix+"."+key, "."), v)
		}
	}
	var root map[string]any
	if json.Unmarshal(object, &root) == nil {
		walk("", root)
	}
	return leaves
}

// Paths returns the leaves of [Flatten] as pairs of dotted path and text, sorted by path.
func Paths(object json.RawMessage) [][2]string {
	var pairs [][2]string
	for path, leaf := range Flatten(object) {
		if text, err := json.Marshal(leaf); err == nil {
			pairs = append(pairs, [2]string{path, strings.Trim(string(text), `"`)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return pairs
}
