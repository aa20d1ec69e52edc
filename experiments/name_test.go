package experiments

import (
	"strings"
	"testing"
)

const plain = "study: a\nmodel: {hidden: 64}\nsweep: {over: {model.attention: [none, soft], seed: [1, 2]}}\n"

func TestVariant(t *testing.T) {
	for _, c := range []struct {
		sets []string
		want string // a ~ at its end stands for that and a hash
	}{
		{nil, "a"},
		{[]string{"question=Why?", "data.root=/x", "checkpoints.keep=none"}, "a"},
		{[]string{"study=b"}, "b"},
		{[]string{"model.hidden=8", "study=b", "train.epochs=2"}, "b"},
		{[]string{"train.epochs=2", "model.hidden = 8"}, "a@model.hidden=8,train.epochs=2"},
		{[]string{"model.hidden=8", "question=x", "model.hidden=9"}, "a@model.hidden=9"},
		{[]string{"model.hidden=64"}, "a@model.hidden=64"}, // as in the file, but who reads the name need not know
		{[]string{"sweep.over.seed=[ 1, 2 ]"}, "a@sweep.over.seed=[1,2]"},
		{[]string{"train.optimizer={lr: 1e-2}"}, "a@train.optimizer={lr:1e-2}"},
		{[]string{"sweep.over.train.optimizer.lr=[1e-2]"}, "a@sweep.over.train.optimizer.lr=[1e-2]"},
		{[]string{"encoder.name=resnet18", "encoder.weights=../w/r18.pth"}, "a@encoder.name=resnet18,encoder.weights=.._w_r18.pth~"},
		{[]string{"encoder.name=resnet18", "encoder.weights=a.pth,seed=3"}, "a@encoder.name=resnet18,encoder.weights=a.pth,seed=3~"},
		{[]string{"sweep.over.seed=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]"},
			"a@sweep.over.seed=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,~"},
		{[]string{"train={epochs: 3}", "train.epochs=5"}, "a@train.epochs=5,train={epochs:3}~"},
	} {
		s := load(t, plain, c.sets...)
		got := s.Name
		if i := strings.IndexByte(got, '~'); i >= 0 && len(got) == i+9 {
			got = got[:i+1]
		}
		if got != c.want || len(s.Name) > 100 || strings.ContainsAny(s.Name, "/\\") {
			t.Errorf("with %q the study is called %q (%d characters), want %q", c.sets, s.Name, len(s.Name), c.want)
		}
		text, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse("a.yaml", text); err != nil || again.Name != s.Name {
			t.Errorf("%q is not read again: %v", s.Name, err)
		}
	}
}

// Overrides that ask for different things never share a name.
func TestVariantsDiffer(t *testing.T) {
	names := map[string][]string{}
	for _, sets := range [][]string{
		{"train={epochs: 3}", "train.epochs=5"}, {"train.epochs=5", "train={epochs: 3}"}, {"train.epochs=5"}, {"train.epochs=3"},
		{"train={epochs: 3}", "train={label_smoothing: 0.1}"}, {"train={label_smoothing: 0.1}"},
		{"encoder.name=resnet18", "encoder.weights=a/b"}, {"encoder.name=resnet18", "encoder.weights=a_b.pth"},
		{"encoder.name=resnet18", "encoder.weights=a b.pth"}, {"encoder.name=resnet18", "encoder.weights=ab.pth"},
		{"encoder.name=resnet18", "encoder.weights=a.pth,seed=3"}, {"encoder.name=resnet18", "encoder.weights=a.pth", "seed=3"},
	} {
		name := load(t, strings.Replace(plain, ", seed: [1, 2]", "", 1), sets...).Name
		if other, taken := names[name]; taken {
			t.Errorf("%q and %q are both called %s", other, sets, name)
		}
		names[name] = sets
	}
	one, other := load(t, plain, "model.hidden=8", "train.epochs=2"), load(t, plain, "train.epochs=2", "model.hidden=8")
	if one.Name != other.Name {
		t.Errorf("the order of overrides makes %s and %s", one.Name, other.Name)
	}
}

func TestParse(t *testing.T) {
	if s, err := Parse("a.yaml", []byte(plain)); err != nil || s.Name != "a" || s.Path != "a.yaml" {
		t.Errorf("Parse gives %+v (%v)", s, err)
	}
	for text, want := range map[string]string{
		"study: a@\n":      `a.yaml:1: study is "a@", but a variant must be named STUDY@KEY=VALUE`,
		"study: a@x/y=1\n": "a variant must be named",
		"study: .a@x=1\n":  "a variant must be named",
		"study: a@" + strings.Repeat("x", 99) + "\n": "with at most 100 letters",
		"study: .a\n":                  "must be at most 64 letters",
		"study: a\nextends: name.go\n": "a.yaml:2: extends is not allowed here",
		"question: a\n":                "the study has no name",
		"":                             "the file is empty",
	} {
		if _, err := Parse("a.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse of %q says %v, want %q", text, err, want)
		}
	}
}
