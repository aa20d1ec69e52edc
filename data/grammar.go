package data

import (
	"cmp"
	"slices"
	"strings"
)

// places name the quarters of the picture, row by row.
var places = [2][2]string{
	{"at the top left", "at the top right"},
	{"at the bottom left", "at the bottom right"},
}

// captions makes the five captions of scene number i of a seed: two things and
// how one is seen from the other; one thing and its place; all things in
// reading order; two things with their sizes; two things with their places.
// All of them are true, and every one binds a colour to a shape.
func (sc scene) captions(seed int64, i int) []string {
	s := newStream(seed, useCaption, uint64(i))
	const plain, sized = false, true
	two := func() (thing, thing) {
		k := pick(s, len(sc.things), 2)
		return sc.things[k[0]], sc.things[k[1]]
	}
	var made []string
	a, b := two()
	made = append(made, a.name(plain)+choose(s, " is ", " ")+relation(s, a, b)+" "+b.name(plain))
	a, _ = two()
	made = append(made, choose(s, "there is ", "")+a.name(s.below(2) == 1)+" "+a.place())
	made = append(made, list(sc.things))
	a, b = two()
	made = append(made, a.name(sized)+" "+relation(s, a, b)+" "+b.name(sized))
	a, b = two()
	made = append(made, a.name(plain)+" "+a.place()+choose(s, " and ", " with ")+b.name(plain)+" "+b.place())
	for k, c := range made {
		made[k] = strings.ToUpper(c[:1]) + c[1:] + "."
	}
	return made
}

// name is the noun phrase of a thing, with its size or without.
func (t thing) name(sized bool) string {
	phrase := colours[t.colour].name + " " + shapes[t.shape]
	switch {
	case sized && t.large:
		return "a large " + phrase
	case sized:
		return "a small " + phrase
	case strings.IndexByte("aeiou", phrase[0]) >= 0:
		return "an " + phrase
	default:
		return "a " + phrase
	}
}

func (t thing) place() string { return places[t.row][t.column] }

// list names all things, row by row and from left to right.
func list(things []thing) string {
	reading := slices.SortedFunc(slices.Values(things), func(a, b thing) int {
		return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.column, b.column))
	})
	names := make([]string, len(reading))
	for k, t := range reading {
		names[k] = t.name(false)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// relation tells where a is, seen from b. Things on a diagonal allow two
// answers, of which chance picks one.
func relation(s stream, a, b thing) string {
	sideways := a.row == b.row
	if a.row != b.row && a.column != b.column {
		sideways = s.below(2) == 1
	}
	switch {
	case sideways && a.column < b.column:
		return "left of"
	case sideways:
		return "right of"
	case a.row < b.row:
		return "above"
	default:
		return "below"
	}
}

func choose(s stream, options ...string) string { return options[s.below(len(options))] }
