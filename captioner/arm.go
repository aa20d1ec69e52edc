package captioner

import (
	"fmt"
	"strings"
)

// An Arm is what a word is predicted from beside the recurrent state: a
// value of model.attention. Package models' forward.go has the formulas.
type Arm struct {
	Name     string
	Regions  bool // looks at regions at all
	Scores   bool // weighs them by additive attention
	Sentinel bool // has the visual sentinel
}

// Arms lists the arms, in the order of help texts.
var Arms = []Arm{
	{Name: "none"},
	{Name: "soft", Regions: true, Scores: true},
	{Name: "adaptive", Regions: true, Scores: true, Sentinel: true},
	{Name: "uniform", Regions: true},
}

// ArmOf returns the arm of a name.
func ArmOf(name string) (Arm, error) {
	for _, a := range Arms {
		if a.Name == name {
			return a, nil
		}
	}
	return Arm{}, fmt.Errorf("model.attention %q: want one of %s", name, strings.Join(ArmNames(), ", "))
}

// ArmNames are the names of the arms.
func ArmNames() []string {
	names := make([]string, len(Arms))
	for i, a := range Arms {
		names[i] = a.Name
	}
	return names
}
