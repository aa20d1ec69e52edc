// Make writes a results database of synthetic runs, to try the program with one of any size, and
// beside it the study's file:
//
//	go run ./internal/synthetic/make -runs 10000 big.db
//	glimpse report synthetic --db big.db
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"glimpse/internal/store"
	"glimpse/internal/synthetic"
)

func main() {
	runs := flag.Int("runs", 1000, "runs of the study, about; at most 10,000")
	shape := synthetic.OfRuns(1)
	flag.StringVar(&shape.Name, "study", shape.Name, "name of the study")
	flag.IntVar(&shape.Seeds, "seeds", shape.Seeds, "seeds of an arm")
	flag.IntVar(&shape.Epochs, "epochs", shape.Epochs, "epochs of a run")
	flag.IntVar(&shape.Images, "images", shape.Images, "captions of a completed run")
	flag.BoolVar(&shape.Search, "search", false, "a search of settings, which compares nothing")
	flag.Parse()
	shape.Arms = *runs / max(1, shape.Seeds)
	if err := write(flag.Arg(0), shape); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write makes the database at path, where there is none yet.
func write(path string, shape synthetic.Shape) (err error) {
	if path == "" || min(shape.Arms, shape.Seeds, shape.Epochs, shape.Images) < 1 {
		return errors.New("name a database to make, and numbers of at least 1")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: it is there already", path)
	}
	db, err := store.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := synthetic.Fill(context.Background(), db, shape); err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(path, ".db")+".yaml", []byte(shape.Spec()), 0o666)
}
