package data

import (
	"errors"
	"fmt"
)

// shownFaults is how many faults are told in full.
const shownFaults = 10

// faultList gathers what is wrong with a file, so that it can be told at once.
type faultList struct {
	first []error
	count int
}

func (f *faultList) add(err error) {
	if f.count++; f.count <= shownFaults {
		f.first = append(f.first, err)
	}
}

// err joins the first faults and the number of the others, a line each; nil where there is none.
func (f *faultList) err() error {
	if f.count > shownFaults {
		return errors.Join(append(f.first, fmt.Errorf("and %d more", f.count-shownFaults))...)
	}
	if f.count == 1 {
		return f.first[0]
	}
	return errors.Join(f.first...)
}
