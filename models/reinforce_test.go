package models

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/torch"
)

// reinforced is what testdata/make_reinforce_fixtures.py wrote of one arm.
type reinforced struct {
	Tokens  []int64   `json:"tokens"`
	T       int       `json:"T"`
	Rewards []float64 `json:"rewards"`
	Greedy  []float64 `json:"greedy"`
	By      map[string]struct {
		Loss float64 `json:"loss"`
		Norm float64 `json:"norm"` // of the gradient
	} `json:"by"` // baseline

	gradients map[string]namedTensor // baseline mean
}

func loadReinforced(t *testing.T, arm string) (ref reinforced) {
	t.Helper()
	text, err := os.ReadFile("testdata/reinforce_" + arm + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &ref); err != nil {
		t.Fatal(err)
	}
	ref.gradients = fixtureTensors(t, "testdata/reinforce_"+arm+".safetensors")
	return ref
}

// captions are the reference's samples, without <s>.
func (r reinforced) captions() (captions [][]int64) {
	for row := range slices.Chunk(r.Tokens, r.T) {
		end := max(slices.Index(row, data.PadID), 0)
		if end == 0 {
			end = len(row)
		}
		captions = append(captions, row[1:end])
	}
	return captions
}

// The gradient of every parameter equals what PyTorch's autograd gives in float64.
func TestReinforceParity(t *testing.T) { onEachDevice(t, testReinforceParity) }

func testReinforceParity(t *testing.T, device torch.Device) {
	for _, arm := range []string{"none", "adaptive"} {
		ref, start := loadReinforced(t, arm), loadReference(t, armOf(t, arm), captioner.Cells[0])
		for baseline, want := range ref.By {
			err := torch.Run(func(s *torch.Scope) error {
				n := start.network(t, s, device, "start.")
				var greedy []float64
				if baseline == "greedy" {
					greedy = ref.Greedy
				}
				look := n.look(s, regions{features: start.features(s, device)}, false)
				loss := n.policyLoss(s, look, ref.captions(), advantages(ref.Rewards, greedy, referenceCaptions))
				s.Backward(loss)
				got, err := s.Item(loss)
				if err != nil {
					return err
				}
				norm, err := s.GradNorm(n.tensors)
				if err != nil {
					return err
				}
				if math.Abs(got-want.Loss) > 1e-5 || math.Abs(norm-want.Norm) > 1e-5 {
					t.Errorf("%s, baseline %s: loss %v and norm %v, want %v and %v", arm, baseline, got, norm, want.Loss, want.Norm)
				}
				worst := 0.0
				for i, sh := range n.shapes {
					if baseline == "mean" {
						worst = max(worst, closeTo(t, s, "gradient of "+sh.Name, s.Grad(n.tensors[i]), ref.gradients["grad."+sh.Name], 1e-6))
					}
				}
				t.Logf("%s, baseline %s: largest difference of a gradient %.2g", arm, baseline, worst)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func eachCell(t *testing.T, test func(t *testing.T, c captioner.Cell)) {
	for _, c := range captioner.Cells {
		t.Run(c.Name, func(t *testing.T) { test(t, c) })
	}
}

// tiny is a captioner of two words, with random parameters, and the features of one image.
func tiny(t *testing.T, s *torch.Scope, cell captioner.Cell) (*network, *torch.Tensor) {
	t.Helper()
	torch.Seed(8)
	sizes := captioner.Sizes{Vocabulary: 6, Features: 5, Embedding: 4, Hidden: 7, Attention: 3, Layers: 1}
	a := armOf(t, "adaptive")
	p, err := newParameters(s, torch.CPU, a.Parameters(cell, sizes), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.free)
	n, err := newNetwork(p, torch.CPU, a, cell, sizes, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	return n, s.Normal(torch.CPU, 0, 2, 1, 4, sizes.Features)
}

// tinyLength is the longest caption of tiny, </s> included.
const tinyLength = 3

// allCaptions are those that tiny can say: ended, or cut off at tinyLength.
func allCaptions() [][]int64 {
	var all [][]int64
	var grow func(words []int64)
	grow = func(words []int64) {
		for _, word := range []int64{data.EndID, 4, 5} {
			longer := append(slices.Clone(words), word)
			if word == data.EndID || len(longer) == tinyLength {
				all = append(all, longer)
				continue
			}
			grow(longer)
		}
	}
	grow(nil)
	return all
}

// probabilities of captions of one image by operations that are not fused, as a tensor.
func probabilities(s *torch.Scope, n *network, look picture, captions [][]int64) *torch.Tensor {
	p := pack(batchOf(1, captions))
	logits, _ := n.predict(s, look, p.tensors(s, torch.CPU), false)
	logp := s.LogSoftmax(s.Add(logits, n.mask(s)), 1) // M×V
	chosen := make([]float32, len(p.input)*int(n.sizes.Vocabulary))
	member := make([]float32, len(captions)*len(p.input))
	at := 0
	for _, size := range p.sizes {
		for _, row := range p.row[:size] {
			chosen[at*int(n.sizes.Vocabulary)+int(p.target[at])] = 1
			member[row*len(p.input)+at] = 1
			at++
		}
	}
	m := int64(len(p.input))
	each := s.MatMul(s.Mul(logp, s.FromFloats(torch.CPU, chosen, m, n.sizes.Vocabulary)), s.Full(torch.CPU, 1, n.sizes.Vocabulary, 1)) // M×1
	sums := s.MatMul(s.FromFloats(torch.CPU, member, int64(len(captions)), m), each)                                                   // one a caption
	return s.Softmax(s.View(sums, -1), 0)                                                                                              // all captions: they sum to 1
}

// Over all captions that there are, the expected gradient of the loss is that of the expected
// reward.
func TestReinforceIsUnbiased(t *testing.T) { eachCell(t, testReinforceIsUnbiased) }

func testReinforceIsUnbiased(t *testing.T, cell captioner.Cell) {
	all := allCaptions()
	rewards := make([]float64, len(all))
	random := rand.New(rand.NewPCG(2, 3))
	for i := range rewards {
		rewards[i] = 5 * random.Float64()
	}
	err := torch.Run(func(s *torch.Scope) error {
		n, features := tiny(t, s, cell)
		p := probabilities(s, n, n.look(s, regions{features: features}, false), all)
		share, err := s.Floats(p)
		if err != nil {
			return err
		}
		exact := make([]float32, len(all))
		for i, r := range rewards {
			exact[i] = float32(-r)
		}
		s.Backward(s.Sum(s.Mul(p, s.FromFloats(torch.CPU, exact, int64(len(all))))))
		want := gradientsOf(t, s, n)

		// Pairs of samples, each as probable as it is.
		var pairs [][]int64
		var drawn, weights []float64
		for i, a := range all {
			for j, b := range all {
				pairs = append(pairs, a, b)
				drawn = append(drawn, rewards[i], rewards[j])
				both := float64(share[i]) * float64(share[j])
				weights = append(weights, both, both)
			}
		}
		expected := func(captions [][]int64, advantages, weights []float64, each float64) *torch.Tensor {
			weighted := make([]float64, len(advantages))
			for i, a := range advantages {
				weighted[i] = a * weights[i] * float64(len(captions)) / each // the loss is a mean over each captions
			}
			return n.policyLoss(s, n.look(s, regions{features: features}, false), captions, weighted)
		}
		single := make([]float64, len(all))
		for i, p := range share {
			single[i] = float64(p)
		}
		for baseline, loss := range map[string]*torch.Tensor{
			"mean":   expected(pairs, advantages(drawn, nil, 2), weights, 2),
			"greedy": expected(all, advantages(rewards, []float64{rewards[4]}, len(all)), single, 1),
		} {
			s.ZeroGrad(n.tensors)
			s.Backward(loss)
			for name, got := range gradientsOf(t, s, n) {
				for k := range got {
					if d := math.Abs(float64(got[k] - want[name][k])); !(d < 2e-6) {
						t.Errorf("baseline %s, %s[%d]: the expected gradient is %v, that of the expected reward %v", baseline, name, k, got[k], want[name][k])
						break
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func gradientsOf(t *testing.T, s *torch.Scope, n *network) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for i, sh := range n.shapes {
		values, err := s.Floats(s.Grad(n.tensors[i]))
		if err != nil {
			t.Fatal(err)
		}
		all[sh.Name] = values
	}
	return all
}

// Captions are sampled as often as they are probable, by Pearson's χ² test, whatever is dropped in
// training.
func TestSampledCaptions(t *testing.T) { eachCell(t, testSampledCaptions) }

func testSampledCaptions(t *testing.T, cell captioner.Cell) {
	const draws = 20_000
	all := allCaptions()
	err := torch.Run(func(s *torch.Scope) error {
		n, features := tiny(t, s, cell)
		look := n.look(s, regions{features: features}, false)
		share, err := s.Floats(probabilities(s, n, look, all))
		if err != nil {
			return err
		}
		drawn, _, err := n.sample(s, look, experiments.Decode{MaxLength: tinyLength}, draws, rand.NewPCG(3, samplerStream))
		if err != nil {
			return err
		}
		count := make([]float64, len(all))
		for _, words := range drawn {
			count[slices.IndexFunc(all, func(c []int64) bool { return slices.Equal(c, words) })]++
		}
		chi := 0.0
		for i := range all {
			want := draws * float64(share[i])
			chi += (count[i] - want) * (count[i] - want) / want
		}
		// 14 degrees of freedom: χ² passes 36.1 once in a thousand times.
		if len(all) != 15 || chi > 36.1 {
			t.Errorf("χ² over %d captions is %.1f: counts %v of %v", len(all), chi, count, share)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAdvantages(t *testing.T) {
	rewards := []float64{1, 2, 6, 4, 4, 4}
	if got, want := advantages(rewards, nil, 3), []float64{-3, -1.5, 4.5, 0, 0, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("mean of the others: %v, want %v", got, want)
	}
	if got, want := advantages(rewards, []float64{2, 5}, 3), []float64{-1, 0, 4, -1, -1, -1}; !reflect.DeepEqual(got, want) {
		t.Errorf("greedy: %v, want %v", got, want)
	}
}
