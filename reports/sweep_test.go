package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/results"
)

// randomSearch is the store of a search of n random trials over five
// parameters, of which the learning rate matters most.
func randomSearch(t testing.TB, n int) *store.DB {
	g := rand.New(rand.NewPCG(7, 7))
	var trials []trial
	for i := range n {
		lr := math.Exp(math.Log(1e-4) + g.Float64()*math.Log(100))
		hidden := []int{128, 256, 512}[g.IntN(3)]
		arm := []string{"none", "soft", "adaptive"}[g.IntN(3)]
		off := math.Log(lr / 1e-3)
		trials = append(trials, trial{arm: arm, seed: int64(i + 1), state: store.Completed,
			level: 0.5 - 0.02*off*off + 0.01*math.Log2(float64(hidden)/128) + 0.01*g.NormFloat64(),
			swept: map[string]string{"train.optimizer.lr": fmt.Sprintf("%.3g", lr), "model.hidden": fmt.Sprint(hidden),
				"model.dropout": fmt.Sprintf("%.2f", 0.6*g.Float64()), "train.schedule.name": []string{"cosine", "constant"}[g.IntN(2)]}})
	}
	for i := range trials {
		trials[i].name = fmt.Sprintf("attention=%s lr=%s hidden=%s", trials[i].arm, trials[i].swept["train.optimizer.lr"], trials[i].swept["model.hidden"])
	}
	return fill(t, store.Study{Name: "search", Question: "Which settings suit the captioner?", Spec: "study: search\n",
		Compare: json.RawMessage(`{"arms":"","contrasts":null}`)}, trials)
}

// gridSearch is the store of a grid over two parameters, two seeds each.
func gridSearch(t testing.TB) *store.DB {
	var trials []trial
	for i, lr := range []string{"0.0001", "0.0003", "0.001", "0.003"} {
		for k, hidden := range []string{"128", "256", "512"} {
			for seed := range int64(2) {
				trials = append(trials, trial{arm: "soft", name: "lr=" + lr + " hidden=" + hidden, seed: seed + 1, state: store.Completed,
					level: 0.4 + 0.02*float64(k) - 0.03*math.Abs(float64(i)-2), swept: map[string]string{"train.optimizer.lr": lr, "model.hidden": hidden}})
			}
		}
	}
	return fill(t, store.Study{Name: "grid", Question: "Which size and rate?", Spec: "study: grid\n",
		Compare: json.RawMessage(`{"arms":"","contrasts":null}`)}, trials)
}

func TestParameterScales(t *testing.T) {
	lr := newParameter("train.optimizer.lr", "lr", strings.Fields("0.01 0.0001 0.001"))
	if !lr.Log || lr.Label != "lr" || lr.Levels[0] != "0.0001" || math.Abs(lr.place("0.001")-0.5) > 1e-9 {
		t.Errorf("the learning rate became %+v, with 0.001 at %g", lr, lr.place("0.001"))
	}
	name := newParameter("train.schedule.name", "x", strings.Fields("cosine constant"))
	if name.Numeric || name.place("constant") != 0 || name.place("cosine") != 1 {
		t.Errorf("the schedule became %+v", name)
	}
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprint(i))
	}
	wide := newParameter("model.hidden", "x", many)
	if len(wide.bins) != mostBins || wide.bin("0") != 0 || wide.bin("10") != 2 || wide.bin("20") != mostBins-1 || wide.bins[0] != "0 to 4" {
		t.Errorf("21 values are divided into %q", wide.bins)
	}
}

func TestEffectOfAParameter(t *testing.T) {
	var trials []searched
	for i, v := range []float64{10, 20, 40, 50} { // values a a b b
		trials = append(trials, searched{&run{Run: &results.Run{Run: store.Run{Swept: map[string]string{"x.y": []string{"a", "b"}[i/2]}}}}, v})
	}
	e := newEffect(newParameter("x.y", "x", []string{"a", "b"}), trials)
	// between = 4·15² = 900, total = 20² + 10² + 10² + 20² = 1000
	if e.Best != 1 || e.Spread != 30 || math.Abs(e.Explained-0.9) > 1e-9 {
		t.Errorf("the effect is %+v", e)
	}
}

func TestSearchIsShown(t *testing.T) {
	p := newPage(analysedFrom(t, randomSearch(t, 30), "search"), nil)
	for _, s := range p.Sections {
		if s.Name == "search" {
			if !strings.HasPrefix(s.Finding, "train.optimizer.lr matters most") || len(s.Parts[1].Figures) != 1+5 {
				t.Errorf("%s %d figures", s.Finding, len(s.Parts[1].Figures))
			}
			return
		}
	}
	t.Error("a search has no section of its own")
}

func TestStudyOfArmsIsNoSearch(t *testing.T) {
	if list := analysed(t, finished(2, levels, "none", "adaptive")).Parameters; list != nil {
		t.Errorf("parameters of a study of arms: %v", list)
	}
}

// A search names its best trial first, decided or not, and makes nothing of the difference of two of its settings.
func TestVerdictOfASearchNamesTheBestTrial(t *testing.T) {
	for state, word := range map[string]string{store.Queued: "No answer yet", store.Completed: "Described"} {
		var trials []trial
		for i, lr := range []string{"0.0001", "0.001", "0.01"} {
			for k, dropout := range []string{"0.3", "0.5"} {
				level := 0.3 + 0.02*float64(i) - 0.05*float64(k)
				swept := map[string]string{"train.optimizer.lr": lr, "model.dropout": dropout}
				trials = append(trials,
					trial{arm: "none", name: "none", seed: 1, state: store.Completed, level: level, swept: swept},
					trial{arm: "soft", name: "soft", seed: 1, state: state, level: level - 0.1, swept: swept})
			}
		}
		db := fill(t, store.Study{Name: "search", Question: "Which rate?", Spec: "study: search\n",
			Compare: json.RawMessage(`{"arms":"model.attention","baseline":"none","contrasts":[["soft","none"]],"primary":{"metric":"test.cider","minimum_effect":1,"alpha":0.05}}`)}, trials)
		got := analysedFrom(t, db, "search").verdict()
		if got.Word != word || !strings.HasPrefix(got.Sentence, "Best of ") || !strings.Contains(got.Sentence, "lr\u00a0=\u00a00.01") || strings.Contains(got.Sentence, "difference") {
			t.Errorf("soft is %s: the verdict is %+v", state, got)
		}
	}
}
