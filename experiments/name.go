package experiments

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxName limits the characters in the name of a variant.
const maxName = 100

var (
	// studyName matches the names of studies, which are typed in commands and name folders.
	studyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	// resolvedName matches these, and the names of variants.
	resolvedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(@[A-Za-z0-9._@=,+\[\]{}:~-]+)?$`)
	// unsafe matches what variantName replaces.
	unsafe = regexp.MustCompile(`[^A-Za-z0-9._@=,+\[\]{}:-]`)
	// padding matches spaces without meaning.
	padding = regexp.MustCompile(`\s*([,:\[\]{}])\s*`)
)

// checkName checks the name that a file or --set gives a study.
func (s *Study) checkName(found *problems) {
	switch {
	case !s.given("study"):
		found.add(s.at(""), "the study has no name; add study: NAME (names are not inherited through extends)")
	case s.Name == "" && len(found.list) == 0:
		found.add(s.at("study"), "study is empty, but must name the study")
	case strings.Contains(s.Name, "@"):
		found.add(s.at("study"), "study is %q, but @ is reserved for variants made by --set; choose another name",
			printable(s.Name, 60))
	case !studyName.MatchString(s.Name) && s.Name != "":
		found.add(s.at("study"), "study is %q, but must be at most 64 letters, digits, ., _ and -, starting with a letter or digit",
			printable(s.Name, 60))
	}
}

// checkResolvedName checks the name of a resolved study, which may be a variant.
func (s *Study) checkResolvedName(found *problems) {
	if !strings.Contains(s.Name, "@") {
		s.checkName(found)
	} else if !resolvedName.MatchString(s.Name) || len(s.Name) > maxName {
		found.add(s.at("study"),
			"study is %q, but a variant must be named STUDY@KEY=VALUE,… with at most %d letters, digits and ._@=,+-[]{}:~",
			printable(s.Name, 60), maxName)
	}
}

// An overriding is one --set, split into key and value.
type overriding struct{ key, value string }

// variantName returns the name of a study after overrides. It is unchanged if they do not change
// the trials, or set the name themselves. Different overrides give different names. What does not
// fit in the name is hashed.
func variantName(base string, sets []string) string {
	var given []overriding
	for _, arg := range sets {
		key, text, _ := strings.Cut(arg, "=")
		o := overriding{strings.TrimSpace(key), text}
		switch {
		case o.key == "study":
			return base
		case o.key == "question", o.key == "data.root", o.key == "checkpoints", strings.HasPrefix(o.key, "checkpoints."):
		default:
			given = append(given, o)
		}
	}
	if len(given) == 0 {
		return base
	}
	lossy := entangled(given)
	if !lossy {
		given = lastOfEach(given)
	}
	var parts []string
	for _, o := range given {
		value := o.value
		if k := find(o.key); k != nil && k.isText() {
			lossy = lossy || strings.ContainsAny(value, ",=@") // would look like another override
		} else {
			value = padding.ReplaceAllString(strings.TrimSpace(value), "$1")
		}
		parts = append(parts, o.key+"="+value)
	}
	slices.Sort(parts)
	full := base + "@" + strings.Join(parts, ",")
	name := unsafe.ReplaceAllString(full, "_")
	if !lossy && name == full && len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", given))
	end := fmt.Sprintf("~%x", sum[:4])
	return name[:min(len(name), maxName-len(end))] + end
}

// entangled reports whether the result depends on the order of overrides beyond the last of each
// key: because one is inside another, or mappings of one key are merged.
func entangled(given []overriding) bool {
	for i, a := range given {
		for j, b := range given {
			merged := i != j && a.key == b.key && strings.HasPrefix(strings.TrimSpace(a.value), "{")
			if merged || strings.HasPrefix(b.key, a.key+".") {
				return true
			}
		}
	}
	return false
}

// lastOfEach keeps the last override of each key, in the order of the keys.
func lastOfEach(given []overriding) []overriding {
	last := map[string]overriding{}
	for _, o := range given {
		last[o.key] = o
	}
	var kept []overriding
	for _, o := range last {
		kept = append(kept, o)
	}
	slices.SortFunc(kept, func(a, b overriding) int { return strings.Compare(a.key, b.key) })
	return kept
}
