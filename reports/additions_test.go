package reports

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/internal/store"
)

// TestNewArmAndEncoder holds that reports label an arm and know the grid of an encoder that package captioner lists,
// without more.
func TestNewArmAndEncoder(t *testing.T) {
	arms, encoders := captioner.Arms, captioner.Encoders
	t.Cleanup(func() { captioner.Arms, captioner.Encoders = arms, encoders })
	captioner.Arms = append(slices.Clip(arms), captioner.Arm{Name: "hard", Regions: true, Scores: true})
	wide, err := captioner.EncoderOf("resnet18")
	check(t, err)
	wide.Name = "wide18"
	captioner.Encoders = append(slices.Clip(encoders), wide)

	study := store.Study{Name: "attention", Spec: usualSpec,
		Compare: json.RawMessage(strings.ReplaceAll(usualCompare, "adaptive", "hard"))}
	db := fill(t, study, finished(3, map[string]float64{"none": 0.5, "soft": 0.52, "hard": 0.6}, "none", "soft", "hard"))
	r := analysedFrom(t, db, "attention")
	for _, run := range r.Runs {
		run.Settings = json.RawMessage(`{"encoder":{"name":"wide18","image_size":224}}`)
	}
	if got := r.regions(); got != 49 {
		t.Errorf("entropy is drawn against %d regions, want 7×7", got)
	}
	hard := r.Arms[len(r.Arms)-1]
	if hard.Label != "hard" || hard.tint() == r.Arms[1].tint() {
		t.Errorf("the new arm is labelled %q, and tinted %+v, as soft is %+v", hard.Label, hard.tint(), r.Arms[1].tint())
	}
	rows := r.scoreTable().Rows
	if len(rows) != 3 {
		t.Errorf("%d arms in the table of scores", len(rows))
	}
}
