package reports

import (
	"math"
	"testing"

	"gonum.org/v1/plot/vg"

	"glimpse/experiments"
	"glimpse/internal/store"
	"glimpse/metrics"
	"glimpse/results"
)

func TestScoresOfSingleCaptions(t *testing.T) {
	s := metrics.ImageScore{Match: [4]int{4, 2, 1, 0}, Length: 7, RefLength: 8, CIDEr: 0.5, CIDErD: 0.4, RougeL: 0.3, METEOR: 0.2}
	brevity := math.Exp(1 - 8.0/7)
	for key, want := range map[string]float64{
		"cider": 50, "cider_d": 40, "rouge_l": 30, "meteor": 20, "meteor-exact-stem": 20,
		"bleu1": 100 * brevity * 4 / 7,
		"bleu2": 100 * brevity * math.Sqrt(4.0/7*3/7),
		"bleu4": 100 * brevity * math.Pow(4.0/7*3/7*2/6*1/5, 0.25),
	} {
		if got, ok := imagePoints(key, &s); !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s of the caption is %g, not %g", key, got, want)
		}
	}
	if _, ok := imagePoints("length_ratio", &s); ok {
		t.Error("a length ratio was taken for a score of single captions")
	}
	if got, ok := imagePoints("bleu4", &metrics.ImageScore{}); got != 0 || !ok {
		t.Errorf("BLEU-4 of an empty caption is %g", got)
	}
}

func TestImageDifferencesAreMeansOverSeeds(t *testing.T) {
	side := func(name string) experiments.Side {
		return experiments.Side{Name: name, Terms: []experiments.Term{{Cell: name, Weight: 1}}}
	}
	named := func(name string, ids ...string) *arm {
		a := &arm{Name: name}
		for _, id := range ids {
			a.Runs = append(a.Runs, &run{Run: &results.Run{Run: store.Run{ID: id}}})
		}
		return a
	}
	book := bookImages("cider", []experiments.Contrast{{B: side("b"), A: side("a")}}, []*arm{named("a", "1"), named("b", "2", "3")})
	for id, cider := range map[string]float64{"1": 1, "2": 0.25, "3": 0.75, "4": 100} {
		book.add(id, []metrics.ImageScore{{ID: "1.jpg", CIDEr: cider}, {ID: "2.jpg", CIDEr: 0.1}})
	}
	book.add("3", nil) // has no scores of this split
	got := (&contrast{B: &arm{images: book.sides["b"]}, A: &arm{images: book.sides["a"]}}).imageDifferences()
	if len(got) != 2 || got[0].Image != "1.jpg" || math.Abs(got[0].Points+50) > 1e-9 || math.Abs(got[1].Points) > 1e-9 {
		t.Errorf("differences are %v", got)
	}
}

func TestNamesStandWhereThereIsRoom(t *testing.T) {
	frame := vg.Rectangle{Max: vg.Point{X: 100, Y: 100}}
	at := vg.Point{X: 90, Y: 50} // too near the right end
	first, ok := beside(at, 40, 10, frame, nil)
	if !ok || first.Max.X > at.X {
		t.Errorf("the first name lies at %v", first)
	}
	second, ok := beside(at, 40, 10, frame, []vg.Rectangle{first})
	if !ok || overlaps(second, []vg.Rectangle{first}) {
		t.Errorf("the second name lies at %v, over the first at %v", second, first)
	}
	if _, ok := beside(at, 200, 10, frame, nil); ok {
		t.Error("a name wider than the frame found room")
	}
}

func TestTeXIsEscaped(t *testing.T) {
	for text, want := range map[string]string{
		`50 % & a_b {x} \y`:           `50 \% \& a\_b \{x\} \textbackslash{}y`,
		"1.0\u00a0±\u00a00.5 [−1, 2]": `1.0\,$\pm$\,0.5 {[}$-$1, 2{]}`,
		"4\u202F515":                  `4\,515`,
		"#1 ^2 $3 < 4":                `\#1 \textasciicircum{}2 \$3 $<$ 4`,
	} {
		if got := tex(text); got != want {
			t.Errorf("%q became %s, not %s", text, got, want)
		}
	}
}

// Three small losses and one large gain: the mean and the number of images disagree.
func TestScoreAndImagesMayDisagree(t *testing.T) {
	of := func(difference float64) *contrast {
		return &contrast{Contrast: &results.Contrast{}, B: &arm{}, A: &arm{}, Difference: difference}
	}
	list := []imageDifference{{"1", -1}, {"2", -1}, {"3", -2}, {"4", 12}}
	ic := newImageComparison(of(2), list)
	want := " Its score is higher although it wins on fewer images: it gains 12.0 points on average where it wins, and loses 1.3 where it loses."
	if got := ic.disagreement("cider"); got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	more := []imageDifference{{"1", -9}, {"2", 4}, {"3", 6}}
	want = " Its score is lower although it wins on more images: BLEU-4 is computed over all captions together; it is not a mean over images."
	if got := newImageComparison(of(-2), more).disagreement("bleu4"); got != want {
		t.Errorf("of BLEU: %q, want %q", got, want)
	}
	if got := newImageComparison(of(2), list[3:]).disagreement("cider"); got != "" {
		t.Errorf("where they agree: %q", got)
	}
}
