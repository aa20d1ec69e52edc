package runner

import (
	"cmp"
	"context"
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
	"strings"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/private"
	"glimpse/internal/store"
)

// A Job is an attempt at a trial that is made elsewhere, by a process that shares a folder with this one, and no
// database. It lies in a folder of its own:
//
//	JOBS/studies/SHA256.json            the rows of a study, which its jobs share
//	JOBS/RUN/ATTEMPT/job.json           what to do
//	JOBS/RUN/ATTEMPT/log.txt            what its processes said
//	JOBS/RUN/ATTEMPT/again              it is to be made once more: its time was up, and nobody has put it back into the queue
//	JOBS/RUN/ATTEMPT/START/results.db   what came of it, as of the last checkpoint, one folder each time it was started
//	JOBS/RUN/ATTEMPT/START/runs/RUN     its checkpoints
//
// Whoever starts it makes a new folder START, so that two processes never write to the same files, even where both think
// that they are the only one. Results are written to a database on a disk of the machine, and copied whole.
type Job struct {
	Launch Launch    `json:"launch"`
	Run    store.Run `json:"run"`   // as [store.DB.SaveStudy] reads it
	Shared string    `json:"study"` // file of the study's rows, in the folder of all jobs

	study studyRows
}

// studyRows are the rows of a study. They are large where it has many trials.
type studyRows struct {
	Study       store.Study       `json:"study"`
	Declaration store.Declaration `json:"declaration"`
}

// share writes the rows into the folder of all jobs, unless they are there, and gives their file there.
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

// writeFile writes a line, whole, for its owner alone.
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

// JobFolder is the folder of an attempt within that of all jobs.
func JobFolder(jobs string, claim store.Claim) string {
	return filepath.Join(jobs, claim.Run, strconv.FormatInt(claim.Attempt, 10))
}

// write makes the job's folder, with what is to be done.
func (j *Job) write(jobs string) error {
	folder := JobFolder(jobs, store.Claim{Run: j.Launch.Run, Attempt: j.Launch.Attempt})
	raw, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("job of run %s: %w", j.Launch.Run, err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return &atomicfile.WriteError{Path: folder, Err: err}
	}
	return writeFile(filepath.Join(folder, jobFile), raw)
}

// ReadJob reads what is to be done from a job's folder.
func ReadJob(folder string) (j Job, err error) {
	path := filepath.Join(folder, jobFile)
	if err := readFile(path, &j); err != nil {
		return j, err
	}
	if j.Launch.Run == "" || j.Launch.Run != j.Run.ID || j.Launch.Attempt < 1 || !filepath.IsLocal(j.Launch.Run) || !filepath.IsLocal(j.Shared) {
		return j, fmt.Errorf("%s: it names no run and attempt", path)
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

// jobsOf is the folder of all jobs that a job's folder is in.
func jobsOf(folder string) string { return filepath.Dir(filepath.Dir(folder)) }

// readFile reads a value of JSON.
func readFile(path string, value any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("what to do: %w", err)
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// part is one start of a job: where its results lie, and of which attempt it is.
type part struct {
	folder         string
	attempt, start int64
}

func (p part) database() string { return filepath.Join(p.folder, jobResult) }
func (p part) runs() string     { return filepath.Join(p.folder, jobRuns) }

// parts gives all starts of a run's jobs that left results, by attempt and start.
func parts(jobs, run string) ([]part, error) {
	var all []part
	for _, attempt := range numbered(filepath.Join(jobs, run)) {
		dir := JobFolder(jobs, store.Claim{Run: run, Attempt: attempt})
		for _, start := range numbered(dir) {
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

// numbered gives the folders whose names are numbers, in order; none of a folder that is not there.
func numbered(dir string) []int64 {
	entries, _ := os.ReadDir(dir)
	var numbers []int64
	for _, entry := range entries {
		if n, err := strconv.ParseInt(entry.Name(), 10, 64); err == nil && entry.IsDir() && n >= 0 && strconv.FormatInt(n, 10) == entry.Name() {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// Start is a job that was started: the database that its trial writes to, and how that is passed on.
type Start struct {
	Launch Launch
	DB     *store.DB

	part    part
	scratch string
}

// Begin begins a job in its folder: it makes a database in the folder scratch, on a disk of this machine, from what the newest start of
// any of the run's jobs left, and claims the run there. scratch "" is the system's folder for temporary files. It returns nil
// where there is nothing left to do.
func (j *Job) Begin(ctx context.Context, folder, scratch string) (_ *Start, err error) {
	before, err := parts(jobsOf(folder), j.Launch.Run)
	if err != nil {
		return nil, err
	}
	s := &Start{Launch: j.Launch}
	if s.part, err = newPart(folder, j.Launch.Attempt); err != nil {
		return nil, err
	}
	if s.scratch, err = os.MkdirTemp(scratch, "glimpse-"); err != nil {
		return nil, &atomicfile.WriteError{Path: cmp.Or(scratch, os.TempDir()), Err: err}
	}
	defer func() {
		if err != nil {
			s.End()
		}
	}()
	for _, p := range slices.Backward(before) {
		run, err := s.goOn(ctx, p)
		switch {
		case err != nil:
			fmt.Fprintf(os.Stderr, "%s cannot be gone on from: %v\n", p.folder, err)
			continue
		case run.State == store.Completed:
			s.End()
			return nil, nil
		}
		return s, s.claim(ctx, run)
	}
	if s.DB, err = store.Open(filepath.Join(s.scratch, jobResult)); err != nil {
		return nil, err
	}
	if err := s.DB.SaveStudy(ctx, j.study.Study, []store.Run{j.Run}, j.study.Declaration, nil); err != nil {
		return nil, err
	}
	run, err := s.DB.Run(ctx, j.Run.ID)
	if err != nil {
		return nil, err
	}
	return s, s.claim(ctx, run)
}

// newPart makes the folder of a new start.
func newPart(folder string, attempt int64) (part, error) {
	for n := int64(0); ; n++ {
		p := part{filepath.Join(folder, strconv.FormatInt(n, 10)), attempt, n}
		err := os.Mkdir(p.folder, private.Mode(folder))
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return p, &atomicfile.WriteError{Path: p.folder, Err: err}
		}
		return p, nil
	}
}

// goOn takes over what an earlier start left, its checkpoints included.
func (s *Start) goOn(ctx context.Context, from part) (run store.Run, err error) {
	path := filepath.Join(s.scratch, jobResult)
	if err := copyFile(from.database(), path); err != nil {
		return run, err
	}
	db, err := store.OpenExisting(path)
	if err == nil {
		if run, err = db.Run(ctx, s.Launch.Run); err == nil {
			s.DB = db
			return run, linkCheckpoints(RunDir(from.runs(), run.ID), s.part.runs(), run)
		}
		err = errors.Join(err, db.Close())
	}
	return run, errors.Join(err, os.Remove(path))
}

// claim claims the run in the start's own database.
func (s *Start) claim(ctx context.Context, seen store.Run) error {
	claim, err := s.DB.ClaimAs(ctx, seen, max(s.Launch.Attempt, seen.Attempt+1), me(DefaultLease))
	s.Launch.Attempt, s.Launch.Database, s.Launch.Dir = claim.Attempt, s.DB.Path(), s.part.runs()
	return err
}

// publishing is how long a start tries to pass on its last results, and how long it waits at first between two tries.
const publishing, between = 10 * time.Minute, time.Second

// Publish passes on what the database holds, as TrialConfig.Publish wants it: whole, in the place of what was passed on before.
// The last results are tried again for some minutes, so that a folder that is full or away for a while loses nothing.
func (s *Start) Publish(ctx context.Context, last bool) error {
	for wait, began := between, time.Now(); ; wait *= 2 {
		err := s.publish(ctx)
		if err == nil || !last || time.Since(began) > publishing {
			return err
		}
		fmt.Fprintf(os.Stderr, "the results cannot be passed on, and are tried again: %v\n", err)
		if sleep(ctx, wait) != nil {
			return err
		}
	}
}

func (s *Start) publish(ctx context.Context) error {
	copied := filepath.Join(s.scratch, "copy.db")
	if err := errors.Join(removeIfThere(copied), s.DB.Backup(ctx, copied)); err != nil {
		return err
	}
	return atomicfile.WriteMode(s.part.database(), 0o600, func(w io.Writer) error {
		f, err := os.Open(copied)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		_, err = io.Copy(w, f)
		return err
	})
}

// End closes the database and removes it.
func (s *Start) End() {
	if s.DB != nil {
		_ = s.DB.Close()
	}
	_ = os.RemoveAll(s.scratch)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// linkCheckpoints puts the checkpoints that a run goes on from, or is opened with, into its folder among those of all runs, from another
// folder. Files of checkpoints are never written to again, so a link is as good as a copy, and is made where the filesystem knows links.
// What is missing is for the trial to find out.
func linkCheckpoints(from, runs string, run store.Run) error {
	if len(run.Progress) == 0 {
		return nil
	}
	var p progress
	if err := json.Unmarshal(run.Progress, &p); err != nil {
		return fmt.Errorf("run %s: its progress cannot be read: %w", run.ID, err)
	}
	to := RunDir(runs, run.ID)
	if err := makeRunDir(runs, to); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	names := p.checkpoints()
	for _, entry := range entries {
		stem, _, _ := strings.Cut(entry.Name(), ".")
		if !slices.Contains(names, stem) {
			continue
		}
		source, target := filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())
		if err := removeIfThere(target); err != nil { // of another start, which was taken over before
			return err
		}
		err := os.Link(source, target)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			err = copyFile(source, target)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// copyFile copies a file whole, for its owner alone.
func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return atomicfile.WriteMode(to, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}
