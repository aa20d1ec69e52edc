package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

// A Step is a command to run next, and what it does.
type Step struct{ Command, Does string }

// mostSteps is how many studies NextSteps names at most.
const mostSteps = 3

// NextSteps returns a line about what the working directory contains, and commands to run next.
// They are about the studies of the results database or, if there is none, about study files.
func NextSteps(ctx context.Context) (here string, steps []Step, err error) {
	db, err := store.OpenReadOnly(DBPath(""))
	if errors.Is(err, fs.ErrNotExist) {
		here, steps = stepsWithoutDB()
		return here, steps, nil
	}
	if err != nil {
		return "", nil, err
	}
	defer db.Close()
	names, err := StudyNames(ctx, db)
	if err != nil {
		return "", nil, err
	}
	slices.Reverse(names) // the newest first
	for _, name := range names[:min(mostSteps, len(names))] {
		runs, err := db.Members(ctx, name)
		if err != nil {
			return "", nil, err
		}
		steps = append(steps, stepOf(name, runs))
	}
	if len(names) == 0 {
		here, steps = stepsWithoutDB()
		return DBPath("") + " contains no study. " + here, steps, nil
	}
	steps = append(steps, Step{"glimpse runs", "list the runs, and their scores"})
	return fmt.Sprintf("%s contains %s.", DBPath(""), term.PluralOf(len(names), "study", "studies")), steps, nil
}

// stepOf returns what to do next with a recorded study.
func stepOf(name string, runs []store.Run) Step {
	completed, running := 0, 0
	for _, run := range runs {
		switch run.State {
		case store.Completed:
			completed++
		case store.Running:
			running++
		}
	}
	done := fmt.Sprintf("%d of %s complete", completed, term.Plural(len(runs), "trial"))
	switch {
	case running > 0:
		return Step{"glimpse watch " + Quote(name), "follow it: " + done}
	case completed < len(runs):
		if file := studyFile(name); file != "" {
			return Step{"glimpse run " + Quote(file), "resume it: " + done}
		}
		return Step{"glimpse run STUDY.yaml", "resume " + name + ": " + done}
	}
	return Step{"glimpse report " + Quote(name), "write its report: " + done}
}

// studyFile returns the file of a study, if it is in one of the usual folders; else "".
func studyFile(name string) string {
	for _, path := range studyFiles() {
		if stem(path) == name {
			return path
		}
	}
	return ""
}

func stepsWithoutDB() (string, []Step) {
	files := studyFiles()
	if len(files) == 0 {
		return "There is no study here.", []Step{
			{"glimpse new mine", "write a study to start from"},
			{"glimpse caption photo.jpg", "caption a picture of your own"},
			{"glimpse doctor", "check this machine"},
		}
	}
	first := files[0]
	for _, path := range files {
		if stem(path) == "demo" {
			first = path
		}
	}
	return fmt.Sprintf("%s here; none has been run yet.", term.PluralOf(len(files), "study", "studies")), []Step{
		{"glimpse plan " + Quote(first), "list its trials, and what they can detect"},
		{"glimpse run " + Quote(first), "train them"},
		{"glimpse caption photo.jpg", "caption a picture of your own"},
	}
}

// stem returns the name of a file without its folder and extension.
func stem(path string) string {
	base := filepath.Base(path)
	return base[:len(base)-len(filepath.Ext(base))]
}
