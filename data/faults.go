package data

import (
	"errors"
	"fmt"
)

// shownFaults is how many faults are shown in full.
const shownFaults = 10

// faultList collects the faults of a file, to report them together.
type faultList struct {
	first []error
	count int
}

func (f *faultList) add(err error) {
	if f.count++; f.count <= shownFaults {
		f.first = append(f.first, err)
	}
}

// err returns the first faults and the number of the others, one per line; nil if there are none.
func (f *faultList) err() error {
	if f.count > shownFaults {
		return errors.Join(append(f.first, fmt.Errorf("and %d more", f.count-shownFaults))...)
	}
	if f.count == 1 {
		return f.first[0]
	}
	return errors.Join(f.first...)
}
