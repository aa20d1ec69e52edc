package data

import (
	"cmp"
	"slices"
	"strings"
)

// places name the ninths of the picture, row by row.
var places = [3][3]string{
	{"in the top left corner", "at the top", "in the top right corner"},
	{"on the left", "in the middle", "on the right"},
	{"in the bottom left corner", "at the bottom", "in the bottom right corner"},
}

// captions returns the five captions of scene number i of a seed. Each names at least one thing
// by colour and shape, and all are true.
func (sc scene) captions(seed int64, i int) []string {
	s := newStream(seed, useCaption, uint64(i))
	reading := slices.Clone(sc.things)
	slices.SortFunc(reading, func(a, b thing) int {
		return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.column, b.column))
	})
	pair := func() (thing, thing) {
		k := pick(s, len(sc.things), 2)
		return sc.things[k[0]], sc.things[k[1]]
	}
	var made []string
	a, b := pair()
	made = append(made, a.name(s)+" "+choose(s, "", "is ")+relation(s, a, b)+" "+b.name(s))
	a, _ = pair()
	made = append(made, choose(s, "there is ", "")+a.name(s)+" "+a.place())
	names := make([]string, len(reading))
	for k, t := range reading {
		names[k] = t.name(s)
	}
	last := len(names) - 1
	made = append(made, strings.Join(names[:last], ", ")+" and "+names[last])
	a, b = pair()
	made = append(made, a.name(s)+" "+a.place()+" is "+relation(s, a, b)+" "+b.name(s))
	a, b = pair()
	made = append(made, a.name(s)+" "+a.place()+choose(s, " and ", " with ")+b.name(s)+" "+b.place())
	for k, c := range made {
		made[k] = strings.ToUpper(c[:1]) + c[1:] + "."
	}
	return made
}

// name returns the noun phrase of a thing. It includes the size half of the time.
func (t thing) name(s stream) string {
	size := "small "
	if t.large {
		size = "large "
	}
	phrase := choose(s, size, "") + colours[t.colour].name + " " + shapes[t.shape]
	if strings.IndexByte("aeiou", phrase[0]) >= 0 {
		return "an " + phrase
	}
	return "a " + phrase
}

func (t thing) place() string { return places[t.row][t.column] }

// relation returns where a is relative to b. Things on a diagonal allow two answers; it picks one
// at random.
func relation(s stream, a, b thing) string {
	across, along := a.column-b.column, a.row-b.row
	sideways := max(across, -across) > max(along, -along)
	if across*across == along*along {
		sideways = s.below(2) == 1
	}
	switch {
	case sideways && across < 0:
		return "to the left of"
	case sideways:
		return "to the right of"
	case along < 0:
		return "above"
	default:
		return "below"
	}
}

func choose(s stream, options ...string) string { return options[s.below(len(options))] }
