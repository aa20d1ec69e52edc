package experiments

import "testing"

// TestDemo holds that the built-in study is the file, and takes overrides.
func TestDemo(t *testing.T) {
	built, err := Demo([]string{"train.epochs=3"})
	if err != nil {
		t.Fatal(err)
	}
	read, err := Load("demo.yaml", []string{"train.epochs=3"})
	if err != nil {
		t.Fatal(err)
	}
	if built.Name != "demo@train.epochs=3" || built.Train.Epochs != 3 || built.ID() != read.ID() {
		t.Errorf("study %s of %d epochs, settings %s; the file gives %s", built.Name, built.Train.Epochs, built.ID(), read.ID())
	}
}
