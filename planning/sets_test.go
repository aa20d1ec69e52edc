package planning

import (
	"strings"
	"testing"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
)

// TestFeaturesForetold holds for which encoders features are foretold.
func TestFeaturesForetold(t *testing.T) {
	study, err := experiments.Demo(nil)
	if err != nil {
		t.Fatal(err)
	}
	sets := Sets{Cache: data.Cache{Dir: t.TempDir()}}
	trials, err := sets.Trials(study)
	if err != nil {
		t.Fatal(err)
	}
	settings := trials[0].Settings
	here, err := sets.present(settings)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{captioner.Joint: "", "resnet18": "", "resnet7": "encoder.name"} {
		settings.Encoder.Name = name
		got, err := here.Features(settings, "weights")
		if (got != "") != (name == "resnet18") || (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
