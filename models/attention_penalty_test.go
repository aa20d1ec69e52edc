package models

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/internal/torch"
)

// The loss with the penalty and the gradient of every parameter equal what PyTorch's autograd gives in float64.
func TestAttentionPenaltyParity(t *testing.T) { onEachDevice(t, testAttentionPenaltyParity) }

func testAttentionPenaltyParity(t *testing.T, device torch.Device) {
	gru, lstm := captioner.Cells[0], captioner.Cells[1]
	for _, c := range []struct {
		fixture, arm string
		cell         captioner.Cell
	}{{"soft", "soft", gru}, {"adaptive", "adaptive", gru}, {"lstm_adaptive", "adaptive", lstm}} {
		t.Run(c.fixture, func(t *testing.T) {
			var want struct{ Lambda, Penalty, Loss float64 }
			text, err := os.ReadFile("testdata/attention_penalty_" + c.fixture + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			gradients := fixtureTensors(t, "testdata/attention_penalty_"+c.fixture+".safetensors")
			ref := loadReference(t, armOf(t, c.arm), c.cell)
			err = torch.Run(func(s *torch.Scope) error {
				n, p := ref.network(t, s, device, "start."), pack(ref.batch())
				seen, words := regions{features: ref.features(s, device)}, p.tensors(s, device)
				logits, weights := n.logits(s, seen, words, true)
				penalty := n.attentionPenalty(s, weights, seen, p)
				loss := s.Add(s.CrossEntropy(logits, words.target, 0), s.MulScalar(penalty, want.Lambda))
				s.ZeroGrad(n.tensors)
				s.Backward(loss)
				for what, got := range map[*torch.Tensor]float64{penalty: want.Penalty, loss: want.Loss} {
					if value, err := s.Item(what); err != nil || math.Abs(value-got) > 2e-5 {
						t.Errorf("%v, %v: want %v", value, err, got)
					}
				}
				for i, sh := range n.shapes {
					closeTo(t, s, "gradient of "+sh.Name, s.Grad(n.tensors[i]), gradients["grad."+sh.Name], 2e-6)
				}
				return s.Err()
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Regions that an image does not have are not missed.
func TestAttentionPenaltyOfOwnRegions(t *testing.T) {
	b := data.Batch{Images: make([]int, 2), C: 1, T: 4, Tokens: []int64{1, 5, 6, 2, 1, 7, 2, 0}}
	p := pack(b) // positions: first words of images 0 and 1, second words of both, third word of image 0
	weights := []float32{
		0.25, 0.75, 0,
		0.5, 0.25, 0.25,
		0.5, 0.5, 0,
		0, 0, 1,
		1, 0, 0,
	}
	// Image 0 has two regions, looked at 1.75 and 1.25 times; image 1 has three: 0.5, 0.25 and 1.25.
	want := (0.75*0.75 + 0.25*0.25 + 0.5*0.5 + 0.75*0.75 + 0.25*0.25) / 2
	err := torch.Run(func(s *torch.Scope) error {
		seen := regions{features: s.Zeros(torch.CPU, torch.Float, 2, 3, 4), counts: []int64{2, 3}}
		n := &network{device: torch.CPU}
		got, err := s.Item(n.attentionPenalty(s, s.FromFloats(torch.CPU, weights, 5, 3), seen, p))
		if err != nil || math.Abs(got-want) > 1e-6 {
			t.Errorf("%v, %v: want %v", got, err, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
