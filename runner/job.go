package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"glimpse/internal/atomicfile"
	"glimpse/internal/store"
)

// A Job is an attempt at a trial that runs elsewhere, in a process that shares a folder with this
// one, but no database. It has a folder of its own:
//
//	JOBS/studies/SHA256.json            the rows of a study, which its jobs share
//	JOBS/RUN/ATTEMPT/job.json           what to do
//	JOBS/RUN/ATTEMPT/log.txt            what its processes said
//	JOBS/RUN/ATTEMPT/again              it is to be made once more: its time was up, and nobody has put it back into the queue
//	JOBS/RUN/ATTEMPT/START/results.db   what came of it, as of the last checkpoint, one folder each time it was started
//	JOBS/RUN/ATTEMPT/START/runs/RUN     its checkpoints
//
// Each start creates a new folder START, so that two processes never write to the same files,
// even if each believes it is the only one. Results are written to a database on a local disk,
// and copied as a whole.
type Job struct {
	Launch Launch    `json:"launch"`
	Run    store.Run `json:"run"`   // for [store.DB.SaveStudy]
	Shared string    `json:"study"` // file of the study's rows, in the folder of all jobs

	study studyRows
}

// studyRows are the rows of a study. They are large if it has many trials.
type studyRows struct {
	Study       store.Study       `json:"study"`
	Declaration store.Declaration `json:"declaration"`
}

// share writes the rows into the folder of all jobs unless they are there, and returns their
// file.
func (s *studyRows) share(jobs string) (file string, err error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("job of study %s: %w", s.Study.Name, err)
	}
	sum := sha256.Sum256(raw)
	file = filepath.Join("studies", hex.EncodeToString(sum[:])+".json")
	path := filepath.Join(jobs, file)
	if _, err := os.Stat(path); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", &atomicfile.WriteError{Path: path, Err: err}
	}
	return file, writeFile(path, raw)
}

// writeFile writes a line atomically, readable by the owner only.
func writeFile(path string, line []byte) error {
	return atomicfile.WriteMode(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(append(line, '\n'))
		return err
	})
}

const (
	jobFile   = "job.json"
	againFile = "again"
	jobResult = "results.db"
	jobRuns   = "runs"
)

// jobFolder returns the folder of an attempt within that of all jobs.
func jobFolder(jobs string, claim store.Claim) string {
	return filepath.Join(jobs, claim.Run, strconv.FormatInt(claim.Attempt, 10))
}

// write creates the job's folder with its instructions.
func (j *Job) write(jobs string) error {
	folder := jobFolder(jobs, store.Claim{Run: j.Launch.Run, Attempt: j.Launch.Attempt})
	raw, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("job of run %s: %w", j.Launch.Run, err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return &atomicfile.WriteError{Path: folder, Err: err}
	}
	return writeFile(filepath.Join(folder, jobFile), raw)
}

// ReadJob reads the instructions from a job's folder.
func ReadJob(folder string) (j Job, err error) {
	path := filepath.Join(folder, jobFile)
	if err := readFile(path, &j); err != nil {
		return j, err
	}
	if j.Launch.Run == "" || j.Launch.Run != j.Run.ID || j.Launch.Attempt < 1 ||
		!filepath.IsLocal(j.Launch.Run) || !filepath.IsLocal(j.Shared) {
		return j, fmt.Errorf("%s: run or attempt is missing", path)
	}
	if err := readFile(filepath.Join(jobsOf(folder), j.Shared), &j.study); err != nil {
		return j, err
	}
	for _, text := range []*json.RawMessage{&j.study.Study.Compare, &j.study.Declaration.Text} {
		if string(*text) == "null" {
			*text = nil
		}
	}
	return j, nil
}

// jobsOf returns the folder of all jobs, given a job's folder.
func jobsOf(folder string) string { return filepath.Dir(filepath.Dir(folder)) }

// readFile reads a JSON value.
func readFile(path string, value any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// part is one start of a job: the folder of its results, and its attempt.
type part struct {
	folder         string
	attempt, start int64
}

func (p part) database() string { return filepath.Join(p.folder, jobResult) }
func (p part) runs() string     { return filepath.Join(p.folder, jobRuns) }

// files returns the names of the files beside a run's checkpoints.
func (p part) files(run string) (names []string) {
	entries, _ := os.ReadDir(RunDir(p.runs(), run)) // an error is of the next to read them
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// parts returns all starts of a run's jobs that left results, sorted by attempt and start.
func parts(jobs, run string) ([]part, error) {
	var all []part
	attempts, err := numbered(filepath.Join(jobs, run))
	if err != nil {
		return nil, err
	}
	for _, attempt := range attempts {
		dir := jobFolder(jobs, store.Claim{Run: run, Attempt: attempt})
		starts, err := numbered(dir)
		if err != nil {
			return nil, err
		}
		for _, start := range starts {
			p := part{filepath.Join(dir, strconv.FormatInt(start, 10)), attempt, start}
			switch _, err := os.Stat(p.database()); {
			case err == nil:
				all = append(all, p)
			case !errors.Is(err, fs.ErrNotExist):
				return nil, err
			}
		}
	}
	return all, nil
}

// numbered returns the folders whose names are numbers, in order; none if dir does not exist.
func numbered(dir string) (numbers []int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	for _, entry := range entries {
		if n, err := strconv.ParseInt(entry.Name(), 10, 64); err == nil && entry.IsDir() && n >= 0 && strconv.FormatInt(n, 10) == entry.Name() {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}
