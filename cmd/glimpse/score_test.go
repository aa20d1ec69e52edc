package main

import (
	"os"
	"strings"
	"testing"

	"glimpse/internal/cli/clitest"
)

const (
	someReferences = `{"annotations": [
  {"image_id": 1, "caption": "A dog runs over the grass."},
  {"image_id": 2, "caption": "Two people sit on a bench."}
]}`
	someCandidates = `[{"image_id": 1, "caption": "a dog runs"}, {"image_id": "2", "caption": "two people"}]`
)

// TestScoreRefusals checks the messages for input that cannot be scored, and that nothing is
// printed or written then.
func TestScoreRefusals(t *testing.T) {
	clitest.Sandbox(t, map[string]string{
		"refs.json": someReferences, "good.json": someCandidates, "empty.json": "", "none.json": "[]",
		"other.json":    `[{"image_id": 1, "caption": "a dog"}, {"image_id": 3, "caption": "a cat"}]`,
		"twice.json":    "[\n {\"image_id\": 1, \"caption\": \"a dog\"},\n {\"image_id\": \"1\", \"caption\": \"a cat\"}]",
		"nan.json":      "[\n {\"image_id\": 1, \"caption\": NaN}]",
		"half.json":     `[{"image_id": 1.5, "caption": "a dog"}]`,
		"latin.json":    "[\n\n{\"image_id\": 1, \"caption\": \"caf\xe9\"}]",
		"wordless.json": `[{"image_id": 1, "caption": "..."}, {"image_id": 2, "caption": "a dog"}]`,
	})
	for _, c := range []struct {
		args string
		code int
		want string // in standard error
	}{
		{"score", 2, "--references and --candidates are required"},
		{"score --references refs.json", 2, "--references and --candidates are required"},
		{"score --references refs.json --candidates good.json extra", 2, "extra"},
		{"score --references refs.json --candidates good.json --candidates good.json", 2, "good.json is given twice"},
		{"score --references refs.json --candidates good.json --per-image good.json", 2, "would overwrite an input file"},
		{"score --references absent.json --candidates good.json", 1, "--references: open absent.json: no such file"},
		{"score --references refs.json --candidates absent.json", 1, "--candidates: open absent.json: no such file"},
		{"score --references refs.json --candidates .", 1, "is a directory"},
		{"score --references refs.json --candidates other.json", 1, `1 have references but no candidate ("2"), 1 have a candidate but no references ("3")`},
		{"score --references refs.json --candidates good.json --candidates other.json", 1, "refs.json, other.json: references and candidates are of different images"},
		{"score --references refs.json --candidates twice.json", 1, `twice.json:3: entry 2 (byte 41): image "1" already has a candidate, in entry 1 (byte 3) of line 2`},
		{"score --references refs.json --candidates nan.json", 1, "nan.json:2: entry 1 (byte 3): NaN at byte 30 is not JSON"},
		{"score --references refs.json --candidates half.json", 1, "half.json:1: entry 1 (byte 14) of image 1.5: its ID is 1.5, not a string or a whole number"},
		{"score --references refs.json --candidates refs.json", 1, "refs.json:1: expected a list of"},
		{"score --references refs.json --candidates empty.json", 1, "empty.json:1: JSON ends too early"},
		{"score --references none.json --candidates good.json", 1, "none.json: no captions found"},
		{"score --references latin.json --candidates good.json", 1, "latin.json:3: not UTF-8 at byte"},
		{"score --references wordless.json --candidates good.json", 1, `image "1" has no reference with words`},
		{"score --references refs.json --candidates good.json --meteor nowhere", 1, "--meteor nowhere: METEOR data: "},
		{"score --references refs.json --candidates good.json --meteor .", 1, "--meteor .: METEOR data in "},
		{"score --references refs.json --candidates good.json --per-image no/such/folder.csv", 1, "--per-image: "},
		{"data fetch", 2, "missing argument: meteor"},
		{"data fetch meteors", 2, `unknown argument "meteors"; expected meteor`},
	} {
		code, stdout, stderr := call(t, strings.Fields(c.args)...)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("glimpse %s: exit code %d, want %d; %q on standard output; standard error lacks %q:\n%s",
				c.args, code, c.code, stdout, c.want, stderr)
		}
	}
	if text, err := os.ReadFile("good.json"); err != nil || string(text) != someCandidates {
		t.Errorf("an input was changed: %q, %v", text, err)
	}
}
