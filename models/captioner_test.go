package models

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// reference is what testdata/make_captioner_fixtures.py wrote of one arm with one cell.
type reference struct {
	arm  captioner.Arm
	cell captioner.Cell

	Tokens   []int64              `json:"tokens"`
	T        int                  `json:"T"`
	Losses   []float64            `json:"losses"`
	Captions map[string][][]int64 `json:"captions"`

	tensors map[string]namedTensor
}

func loadReference(t *testing.T, a captioner.Arm, c captioner.Cell) reference {
	t.Helper()
	ref := reference{arm: a, cell: c}
	base := "testdata/captioner_" + a.Name
	if c.Name != "gru" {
		base = "testdata/captioner_" + c.Name + "_" + a.Name
	}
	text, err := os.ReadFile(base + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &ref); err != nil {
		t.Fatal(err)
	}
	ref.tensors = fixtureTensors(t, base+".safetensors")
	return ref
}

// fixtureTensors are the tensors of a file by name.
func fixtureTensors(t *testing.T, path string) map[string]namedTensor {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	tensors, err := readSafetensors(path, hex.EncodeToString(sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	return byName(tensors)
}

func armOf(t *testing.T, name string) captioner.Arm {
	t.Helper()
	a, err := captioner.ArmOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// eachArm runs a test on each arm with each cell.
func eachArm(t *testing.T, test func(t *testing.T, a captioner.Arm, c captioner.Cell)) {
	for _, c := range captioner.Cells {
		for _, a := range captioner.Arms {
			t.Run(c.Name+" "+a.Name, func(t *testing.T) { test(t, a, c) })
		}
	}
}

// The sizes of the fixtures.
var referenceSizes = captioner.Sizes{Vocabulary: 53, Features: 24, Embedding: 12, Hidden: 36, Attention: 20, Layers: 1}

const referenceImages, referenceCaptions = 4, 5

func (r reference) batch() data.Batch {
	return data.Batch{Images: make([]int, referenceImages), Tokens: r.Tokens, C: referenceCaptions, T: r.T}
}

// network makes a captioner with the fixture's parameters of that prefix.
func (r reference) network(t *testing.T, s *torch.Scope, device torch.Device, prefix string) *network {
	t.Helper()
	shapes := r.arm.Parameters(r.cell, referenceSizes)
	p, err := newParameters(s, device, shapes, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.free)
	for i, sh := range shapes {
		x, ok := r.tensors[prefix+sh.Name]
		if !ok || !slices.Equal(x.shape, sh.Sizes) {
			t.Fatalf("%s%s: want %v, the reference has %v", prefix, sh.Name, sh.Sizes, x.shape)
		}
		s.CopyInto(p.tensors[i], s.FromFloats(torch.CPU, x.data, x.shape...))
	}
	n, err := newNetwork(p, device, r.arm, r.cell, referenceSizes, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r reference) features(s *torch.Scope, device torch.Device) *torch.Tensor {
	f := r.tensors["features"]
	return s.FromFloats(device, f.data, f.shape...)
}

// closeTo fails unless the tensor equals the reference within tolerance, and
// returns the largest difference.
func closeTo(t *testing.T, s *torch.Scope, what string, got *torch.Tensor, want namedTensor, tolerance float64) float64 {
	t.Helper()
	values, err := s.Floats(got)
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != len(want.data) {
		t.Fatalf("%s: %d values, want %d", what, len(values), len(want.data))
	}
	worst := 0.0
	for i, v := range values {
		worst = max(worst, math.Abs(float64(v)-float64(want.data[i])))
	}
	if !(worst <= tolerance) {
		t.Errorf("%s: differs by up to %.3g, more than %.3g", what, worst, tolerance)
	}
	return worst
}

// TestParity holds logits, loss, every gradient, ten optimizer steps and the
// decoded captions of each arm and cell against the reference implementation.
func TestParity(t *testing.T) { onEachDevice(t, testParity) }

func testParity(t *testing.T, device torch.Device) {
	eachArm(t, func(t *testing.T, a captioner.Arm, c captioner.Cell) {
		ref := loadReference(t, a, c)
		err := torch.Run(func(s *torch.Scope) error {
			n := ref.network(t, s, device, "start.")
			p := pack(ref.batch())
			settings := experiments.Optimizer{Name: "adam", LR: 5e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, ClipNorm: 0.5}
			opt, err := newOptimizer(s, settings, device, n.tensors)
			if err != nil {
				return err
			}
			defer opt.free()
			var logits, gradients float64
			for step, want := range ref.Losses {
				words := p.tensors(s, device)
				out, _ := n.logits(s, regions{features: ref.features(s, device)}, words, true)
				loss := s.CrossEntropy(out, words.target, 0.1)
				s.ZeroGrad(n.tensors)
				s.Backward(loss)
				got, err := s.Item(loss)
				if err != nil {
					return err
				}
				if math.Abs(got-want) > 2e-5 {
					t.Errorf("loss of step %d: %v, want %v", step+1, got, want)
				}
				if step == 0 {
					// The reference lists positions caption by caption.
					rows := s.FromInts(device, p.captionOrder(), int64(len(p.input)))
					logits = closeTo(t, s, "logits", s.Select(out, 0, rows), ref.tensors["logits"], 1e-5)
					for i, sh := range n.shapes {
						gradients = max(gradients, closeTo(t, s, "gradient of "+sh.Name, s.Grad(n.tensors[i]), ref.tensors["grad."+sh.Name], 1e-6))
					}
				}
				scale, err := clip(s, n.tensors, settings.ClipNorm)
				if err != nil {
					return err
				}
				if err := opt.update(s, scale, settings.LR); err != nil {
					return err
				}
			}
			var steps float64
			for i, sh := range n.shapes {
				steps = max(steps, closeTo(t, s, sh.Name+" after ten steps", n.tensors[i], ref.tensors["end."+sh.Name], 2e-4))
			}
			t.Logf("largest differences: logits %.2g, gradients %.2g, parameters after %d steps %.2g", logits, gradients, len(ref.Losses), steps)

			n = ref.network(t, s, device, "decode.")
			for _, width := range []int{1, 3, 5} {
				found, err := search(t.Context(), s, []*network{n}, []regions{{features: ref.features(s, device)}}, experiments.Decode{Beam: width, LengthPenalty: 0.7, MaxLength: 12})
				if err != nil {
					return err
				}
				for i, want := range ref.Captions[fmt.Sprint(width)] {
					got := slices.DeleteFunc(found[i].words, func(id int64) bool { return id == data.EndID })
					if !slices.Equal(got, want) {
						t.Errorf("beam %d, image %d: %v, want %v", width, i, got, want)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// captionOrder lists the positions caption by caption, each in its order.
func (p *positions) captionOrder() []int64 {
	type place struct {
		row, step int
		at        int64
	}
	var places []place
	at := int64(0)
	for step, size := range p.sizes {
		for i := range int(size) {
			places = append(places, place{p.row[i], step, at})
			at++
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.row != b.row {
			return a.row - b.row
		}
		return a.step - b.step
	})
	order := make([]int64, len(places))
	for i, x := range places {
		order[i] = x.at
	}
	return order
}

func TestArchitectureNamesMatchReference(t *testing.T) {
	eachArm(t, func(t *testing.T, a captioner.Arm, c captioner.Cell) {
		ref := loadReference(t, a, c)
		want := map[string]bool{}
		for name := range ref.tensors {
			if rest, ok := strings.CutPrefix(name, "start."); ok {
				want[rest] = true
			}
		}
		for _, sh := range a.Parameters(c, referenceSizes) {
			if !want[sh.Name] {
				t.Errorf("the reference has no parameter %s", sh.Name)
			}
			delete(want, sh.Name)
		}
		for name := range want {
			t.Errorf("parameter %s of the reference is missing", name)
		}
	})
}
