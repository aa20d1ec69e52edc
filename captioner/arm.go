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
func ArmOf(name string) (Arm, error) { return find("model.attention", Arms, Arm.name, name) }

// ArmNames are the names of the arms.
func ArmNames() []string { return names(Arms, Arm.name) }

func (a Arm) name() string { return a.Name }

// find gives the item of a name, which is the value of a key of studies.
func find[T any](key string, all []T, nameOf func(T) string, name string) (item T, err error) {
	for _, item := range all {
		if nameOf(item) == name {
			return item, nil
		}
	}
	return item, fmt.Errorf("%s %q: want one of %s", key, name, strings.Join(names(all, nameOf), ", "))
}

// names are those of all items, in their order.
func names[T any](all []T, nameOf func(T) string) []string {
	list := make([]string, len(all))
	for i, item := range all {
		list[i] = nameOf(item)
	}
	return list
}
