package stats

import (
	"math/rand/v2"
	"strings"
	"testing"

	"glimpse/metrics"
)

func single(name string, images []metrics.ImageScore) Arm {
	return Arm{Name: name, Signature: "k=1", Runs: []Run{{Seed: 1, Images: images}}}
}

func TestPairwiseByHand(t *testing.T) {
	// B is ahead by 1 on each of five images. Of the 2⁵ ways to exchange captions,
	// only none and all give a mean difference as large, so p → 2/32. Every draw of
	// images has the difference 1.
	a, b := scored(1, 2, 3, 4, 5), scored(2, 3, 4, 5, 6)
	out, err := Pairwise([]Arm{single("A", a), single("B", b), single("C", a)}, Options{Metrics: []string{"cider"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Pairs) != 3 {
		t.Fatalf("%d pairs of 3 runs", len(out.Pairs))
	}
	p := out.Pairs[0]
	if p.B != "B" || p.A != "A" {
		t.Errorf("first pair is %s", p.Contrast)
	}
	near(t, "difference", p.Difference, 1, 1e-12)
	near(t, "low", p.Low, 1, 1e-12)
	near(t, "high", p.High, 1, 1e-12)
	near(t, "randomization", p.PRandomization, 2.0/32, 0.008) // 3 deviations of 10,000 shuffles
	near(t, "bootstrap", p.PBootstrap, 1.0/10001, 1e-9)
	near(t, "Holm", p.PHolm, min(1, 3*min(p.PRandomization, out.Pairs[2].PRandomization)), 1e-9)

	same := out.Pairs[1]
	near(t, "difference of equal runs", same.Difference, 0, 0)
	near(t, "randomization of equal runs", same.PRandomization, 1, 0)
	near(t, "bootstrap of equal runs", same.PBootstrap, 1, 0)
	if len(out.Warnings) != 2 || !strings.Contains(out.Warnings[0], "variance of training") {
		t.Errorf("warnings %q", out.Warnings)
	}
}

// Two independent sets of captions of equal quality differ at p < 0.05 about one
// time in twenty, in BLEU and in CIDEr.
func TestPairwiseErrorRate(t *testing.T) {
	g := rand.New(rand.NewPCG(2, 3))
	const pairs = 400
	wrong := map[string]int{}
	for range pairs {
		arms := captions(g, 2, 1, 80)
		out, err := Pairwise(arms, Options{Draws: 400, Metrics: []string{"bleu2", "rouge_l", "cider"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range out.Pairs {
			if p.PRandomization < 0.05 {
				wrong[p.Metric]++
			}
		}
	}
	// In CIDEr, the arms differ on these images by design, because each finds other
	// images hard. The test accounts for images, so its error rate holds too.
	for key, n := range wrong {
		if rate := float64(n) / pairs; rate > 0.08 { // 0.05 plus 2.75 standard errors
			t.Errorf("%s: %.3f of equal pairs differ", key, rate)
		}
	}
	if len(wrong) != 3 {
		t.Errorf("never significant: %v", wrong)
	}
}
