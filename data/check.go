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

// Broken is an image of a split that cannot be used for training.
type Broken struct {
	Image  string `json:"image"`  // its id
	Path   string `json:"path"`   // of its picture
	Split  string `json:"split"`  // its split; "" if splits are drawn
	File   string `json:"file"`   // text file that lists it
	Line   int    `json:"line"`   // its line in File
	Reason string `json:"reason"` // what is wrong with it
	// Skippable says whether [Skip] leaves the image out: its file exists but is broken. A
	// missing file may exist on another machine, which would then train on other data.
	Skippable bool `json:"skippable"`
}

// What to do with images whose picture is broken.
const (
	Refuse = "refuse" // reject the data set
	Skip   = "skip"   // leave them out
)

// refuses reports whether the image makes the data set be rejected, rather than being left out.
func (o Options) refuses(b Broken) bool { return o.OnBroken != Skip || !b.Skippable }

// Refusal returns the error with which Load would reject a data set that was loaded by Look; nil
// if Load accepts it.
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

// Faults is the error of a data set with images that cannot be used, in the order of their files.
type Faults []Broken

// faultsTold is how many faults an error shows in full.
const faultsTold = 20

// Error returns the number of faults and the first twenty, each with file and line.
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
		fmt.Fprintf(&lines, "  and %d more; list all with `glimpse data info`\n", rest)
	}
	return lines.String() + f.advice()
}

// advice returns what to do about the faults.
func (f Faults) advice() string {
	advice := "download the data again, or remove the images from their splits"
	if slices.ContainsFunc(f, func(b Broken) bool { return b.Skippable }) {
		advice += "; set `data.on_broken: skip` to leave out images with broken pictures"
	}
	return advice
}

// Unwrap returns the first fault.
func (f Faults) Unwrap() error { return f[0].fault() }

func (b Broken) fault() Error { return Error{b.File, b.Line, b.Reason} }

// String returns what is wrong as "file:line: reason".
func (b Broken) String() string { return b.fault().Error() }

// checkPicture reads a picture's file and decodes it completely. It returns the SHA-256 of the
// file. Its error is worded to follow the file's name.
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

// checkPictures decodes every picture file that the cache does not know to be intact, and hashes
// it in the same pass. broken has an error for each broken picture, nil for others. The results
// are cached.
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

// skippable reports whether a picture is broken because of its file's content.
func skippable(broken error) bool {
	away := awayError{}
	return !errors.As(broken, &away)
}
