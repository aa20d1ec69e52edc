package data

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"glimpse/internal/term"
)

// Broken is an image of a split that cannot be trained on.
type Broken struct {
	Image  string `json:"image"`  // its id
	Path   string `json:"path"`   // of its picture
	Split  string `json:"split"`  // that it stands in; "" where splits are drawn
	File   string `json:"file"`   // text file that names it
	Line   int    `json:"line"`   // there
	Reason string `json:"reason"` // what is wrong with it
	// Skippable says whether [Skip] leaves it out: its file is there, and broken. A missing one
	// may be there on another machine, which would train on other data.
	Skippable bool `json:"skippable"`
}

// What becomes of images whose picture is broken.
const (
	Refuse = "refuse" // the data set is refused
	Skip   = "skip"   // they are left out
)

// refuses says whether an image that cannot be trained on is refused, rather than left out.
func (o Options) refuses(b Broken) bool { return o.OnBroken != Skip || !b.Skippable }

// Refusal is the error with which Load refuses a data set that was loaded by Look; nil for one
// that it takes.
func (d *Dataset) Refusal() error {
	var refused Faults
	for _, b := range d.Broken {
		if d.Options.refuses(b) {
			refused = append(refused, b)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return fmt.Errorf("data set %s: %s cannot be used; %s", d.Name, term.Plural(len(refused), "image"), refused.advice())
}

// Faults is the error of a data set of which some images cannot be trained on, in the order of
// their files.
type Faults []Broken

// faultsTold is how many faults an error tells in full.
const faultsTold = 20

// Error tells the first twenty faults, each with file and line, and how many there are.
func (f Faults) Error() string {
	if len(f) == 1 {
		return f[0].String() + "; " + f.advice()
	}
	var lines strings.Builder
	fmt.Fprintf(&lines, "%d images cannot be used:\n", len(f))
	for _, b := range f[:min(len(f), faultsTold)] {
		fmt.Fprintf(&lines, "  %v\n", b)
	}
	if rest := len(f) - faultsTold; rest > 0 {
		fmt.Fprintf(&lines, "  and %d more; `glimpse data info` lists all\n", rest)
	}
	return lines.String() + f.advice()
}

// advice says what to do.
func (f Faults) advice() string {
	advice := "get the data again, or remove the images from their splits"
	if slices.ContainsFunc(f, func(b Broken) bool { return b.Skippable }) {
		advice += "; set `data.on_broken: skip` to leave out images with broken pictures"
	}
	return advice
}

// Unwrap is the first of them.
func (f Faults) Unwrap() error { return f[0].fault() }

func (b Broken) fault() Error { return Error{b.File, b.Line, b.Reason} }

// String gives what is wrong as "file:line: reason".
func (b Broken) String() string { return b.fault().Error() }

// checkPicture reads a picture's file and decodes it whole. It gives the sha256 of what it read.
// The error follows its name.
func checkPicture(path string) (sum [32]byte, err error) {
	content, err := readPicture(path)
	if err != nil {
		return sum, err
	}
	sum = sha256.Sum256(content)
	p, err := inspect(content)
	if err == nil {
		err = p.decoded(content, 0, 0, func(image.Image) {})
	}
	return sum, err
}

// checkPictures decodes every picture file that the cache does not know to be whole, and hashes it
// in the same pass. broken says what is wrong with a picture, nil for a whole one; what was
// learned is kept.
func (d *Dataset) checkPictures(paths []string) (known []picture, broken []error) {
	tables, taken := d.pictureTables(), time.Now()
	known, broken = make([]picture, len(paths)), make([]error, len(paths))
	inParallel(len(paths), 4, func(i int) {
		var seen stamp
		if info, err := os.Stat(paths[i]); err == nil {
			seen = stampOf(info)
		}
		p := &known[i]
		if *p = tables.find(d.below(paths[i])); p.stamp != seen {
			*p = picture{stamp: seen}
		}
	})
	var unknown []int
	for i := range known {
		if !known[i].whole {
			unknown = append(unknown, i)
		}
	}
	var mu sync.Mutex
	done := 0
	inParallel(len(unknown), 2, func(k int) {
		i := unknown[k]
		p := &known[i]
		sum, err := checkPicture(paths[i])
		if broken[i] = err; err == nil {
			p.whole, p.hashed, p.sum = true, true, sum
		}
		if d.Options.Cache.Checking != nil {
			mu.Lock()
			defer mu.Unlock()
			done++
			d.Options.Cache.Checking(done, len(unknown))
		}
	})
	if len(unknown) > 0 {
		d.keepPictures(paths, known, taken)
	}
	return known, broken
}

// skippable says whether what is wrong with a picture is its file's content.
func skippable(broken error) bool {
	away := awayError{}
	return !errors.As(broken, &away)
}
