package store

import (
	"encoding/json"
	"strings"
)

// Flatten gives the leaves of a JSON object, such as a run's settings, by their
// dotted paths. Anything but an object has none.
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
