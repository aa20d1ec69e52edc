package results

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"glimpse/internal/secret"
	"glimpse/internal/store"
	"glimpse/internal/term"
)

// Exposure is what a database holds that should not be passed on with it: runs recorded by earlier versions have the whole
// differences of a checkout, whatever its files were. As JSON, it is a contract.
type Exposure struct {
	Runs    int `json:"runs"`        // that hold any of it
	Noted   int `json:"study_notes"` // studies whose notes hold any of it
	Diffs   int `json:"whole_diffs"` // runs that hold all that a checkout differed in
	Secrets int `json:"secrets"`     // values that look like a password, a key or a token
	// Studies hold such a value in what they declare, which never changes: [Redact] leaves it.
	Studies []string `json:"studies"`
}

// Exposed looks for it in these studies, their notes and their runs or, where none is named, in
// the whole database.
func Exposed(ctx context.Context, db *store.DB, studies ...string) (Exposure, error) {
	x := Exposure{Studies: []string{}}
	holders := map[[2]string]bool{}
	err := db.Texts(ctx, studies, func(text store.Text) { x.add(holders, text) })
	if err != nil {
		return x, err
	}
	all, err := db.Studies(ctx)
	for _, s := range all {
		if (len(studies) == 0 || slices.Contains(studies, s.Name)) && secret.Count(s.Question+"\n"+s.Spec) > 0 {
			x.Studies = append(x.Studies, s.Name)
		}
	}
	return x, err
}

// Redact takes it out of the runs of these studies and of all notes, or of the whole database
// where none is named, for good: see [store.Rewrite]. Of differences the names of the files and
// the hash stay. It returns what it took out.
func Redact(ctx context.Context, path string, studies []string) (Exposure, error) {
	x := Exposure{Studies: []string{}}
	holders := map[[2]string]bool{}
	err := store.Rewrite(ctx, path, studies, func(text store.Text) string { return x.add(holders, text) })
	return x, err
}

// Environment is what a run recorded of where it was made, without what should not be passed on.
func Environment(run store.Run) json.RawMessage {
	cleaned, _, _ := redact(store.Text{Column: "environment", Value: string(run.Environment)})
	return json.RawMessage(cleaned)
}

// add counts what a text holds, and returns the text without it. holders are the runs and studies
// that were counted.
func (x *Exposure) add(holders map[[2]string]bool, text store.Text) string {
	cleaned, diffs, secrets := redact(text)
	x.Diffs += diffs
	x.Secrets += secrets
	if of := [2]string{text.Study, text.Run}; diffs+secrets > 0 && !holders[of] {
		holders[of] = true
		if text.Study != "" {
			x.Noted++
		} else {
			x.Runs++
		}
	}
	return cleaned
}

// Empty tells whether there is none.
func (x Exposure) Empty() bool { return !x.Removable() && len(x.Studies) == 0 }

// Removable tells whether there is any that [Redact] takes out.
func (x Exposure) Removable() bool { return x.Runs+x.Noted > 0 }

// Holders counts the runs that hold it, and the studies whose notes do: "2 runs and the notes of 1
// study".
func (x Exposure) Holders() string {
	var parts []string
	if x.Runs > 0 {
		parts = append(parts, term.Plural(x.Runs, "run"))
	}
	switch {
	case x.Noted == 1:
		parts = append(parts, "the notes of 1 study")
	case x.Noted > 1:
		parts = append(parts, "the notes of "+term.Count(int64(x.Noted))+" studies")
	}
	return strings.Join(parts, " and ")
}

// Remark says what there is in the database at path, and which command takes it out; "" where there is nothing.
func (x Exposure) Remark(path, command string) string {
	var parts []string
	if x.Removable() {
		parts = append(parts, fmt.Sprintf("%s contains %s: remove it with `%s`", path, x, command))
	}
	if len(x.Studies) > 0 {
		parts = append(parts, fmt.Sprintf("the text of %s contains what looks like a secret; declarations never change, so revoke the secret",
			term.Enumerate(x.Studies)))
	}
	return strings.Join(parts, "; ")
}

// String counts what runs hold: "the uncommitted changes of a whole checkout (2 runs) and 1 value that looks like a secret".
func (x Exposure) String() string {
	var parts []string
	if x.Diffs > 0 {
		parts = append(parts, fmt.Sprintf("the uncommitted changes of a whole checkout (%s)", term.Plural(x.Diffs, "run")))
	}
	switch {
	case x.Secrets == 1:
		parts = append(parts, "1 value that looks like a secret")
	case x.Secrets > 1:
		parts = append(parts, term.Count(int64(x.Secrets))+" values that look like secrets")
	}
	return strings.Join(parts, " and ")
}

// redact takes out of a text what should not be passed on, and counts it.
func redact(text store.Text) (cleaned string, diffs, secrets int) {
	found := secret.Count(text.Value)
	if text.Column != "environment" {
		return secret.Redact(text.Value), 0, found
	}
	whole := strings.Contains(text.Value, `"diff"`)
	if !whole && found == 0 {
		return text.Value, 0, 0 // nearly all
	}
	var environment map[string]any
	decoder := json.NewDecoder(strings.NewReader(text.Value))
	decoder.UseNumber()
	if err := decoder.Decode(&environment); err != nil {
		return secret.Redact(text.Value), 0, found // db check tells that it is no JSON
	}
	if changes, ok := environment["changes"].(map[string]any); ok {
		if diff, ok := changes["diff"].(string); ok && diff != "" && changes["files"] == nil {
			files := map[string]any{}
			for _, name := range filesOf(diff) {
				files[secret.Redact(name)] = ""
			}
			changes["diff"], changes["files"] = "", files
			diffs = 1
		}
	}
	secrets = redactIn(environment)
	if diffs+secrets == 0 {
		return text.Value, 0, 0
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(environment); err != nil {
		return secret.Redact(text.Value), diffs, secrets // what was decoded can be encoded
	}
	return strings.TrimSuffix(out.String(), "\n"), diffs, secrets
}

// redactIn takes secrets out of the texts of a JSON object, and counts them.
func redactIn(object map[string]any) int {
	found := 0
	for key, value := range object {
		switch v := value.(type) {
		case string:
			found += secret.Count(v)
			object[key] = secret.Redact(v)
		case map[string]any:
			found += redactIn(v)
		}
	}
	return found
}

// filesOf are the files that differ in git's text, which may have been cut off.
func filesOf(diff string) []string {
	var names []string
	for line := range strings.SplitSeq(diff, "\n") {
		if rest, found := strings.CutPrefix(line, "diff --git "); found {
			if name := newName(rest); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// newName is the second of two names: a/NAME b/NAME, in quotes where they hold what is no plain text.
func newName(pair string) string {
	if strings.HasSuffix(pair, `"`) {
		if at := strings.LastIndex(pair, ` "b/`); at >= 0 {
			if name, err := strconv.Unquote(pair[at+1:]); err == nil {
				return strings.ToValidUTF8(strings.TrimPrefix(name, "b/"), "?")
			}
		}
		return ""
	}
	if half := len(pair) / 2; len(pair)%2 == 1 && pair[half] == ' ' {
		a, b := strings.TrimPrefix(pair[:half], "a/"), strings.TrimPrefix(pair[half+1:], "b/")
		if a == b {
			return b
		}
	}
	_, name, _ := strings.Cut(pair, " b/") // it was renamed
	return name
}
