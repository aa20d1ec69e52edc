package slurm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"glimpse/runner"
)

// Look implements runner.Cluster.
func (p *Place) Look(ctx context.Context, jobs []string) (map[string]runner.Sight, error) {
	known, err := p.queue(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.lookAtFeatures(ctx, known); err != nil {
		return nil, err
	}
	var stuck []string
	byTask := make(map[taskKey]queued, len(known))
	for _, q := range known {
		byTask[taskKey{q.submission, q.task}] = q
	}
	sights := make(map[string]runner.Sight, len(jobs))
	var gone []string
	for _, job := range jobs {
		t, err := p.ticketOf(job)
		if err != nil {
			return nil, err
		}
		q, there := byTask[t.key()]
		if there && q.stuck() { // it will be cancelled, and counts as gone
			stuck, there, p.ended[job] = append(stuck, q.id), false, q.reason
		}
		if t.Submission != "" && t.User != os.Getuid() { // sites hide them
			sights[job] = runner.Sight{State: runner.JobWaiting, Why: "another user's job; only its results are visible", Log: p.output(t)}
			continue
		}
		if !there {
			sights[job] = runner.Sight{State: runner.JobGone, Why: p.ended[job], Log: p.output(t)}
			gone = append(gone, job)
			continue
		}
		sight := q.sight()
		sight.Log = p.output(t)
		sights[job] = sight
	}
	if err := p.scancel(ctx, stuck, "--quiet"); err != nil {
		return nil, err
	}
	for job, state := range p.endOf(ctx, gone) {
		sight := sights[job]
		sight.Why = state
		sights[job] = sight
	}
	return sights, nil
}

// queue returns all our jobs that Slurm knows.
func (p *Place) queue(ctx context.Context) ([]queued, error) {
	said, err := p.ask(ctx, "squeue", "--noheader", "--array", "--user="+strconv.Itoa(os.Getuid()), "--format="+squeueFormat)
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, runner.ErrSilent) {
			err = fmt.Errorf("%w: %w", runner.ErrSilent, err)
		}
		return nil, err
	}
	return parseSqueue(said), nil
}

// lookAtFeatures returns an error once the feature job has ended without computing the features:
// the trials that wait for it would never start.
func (p *Place) lookAtFeatures(ctx context.Context, known []queued) error {
	if p.filling == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(p.filling.folder, "done")); err == nil {
		p.filling, p.after, p.missing = nil, "", 0
		return nil
	}
	if i := slices.IndexFunc(known, func(q queued) bool { return q.submission == p.filling.id }); i >= 0 {
		p.missing = 0
		if !known[i].stuck() {
			return nil
		}
		err := fmt.Errorf("the feature job cannot start, so the trials that need it were cancelled; Slurm's reason: %s", known[i].reason)
		return errors.Join(err, p.scancel(ctx, []string{known[i].id}, "--quiet"))
	}
	if p.missing++; p.missing < 2 {
		return nil
	}
	log := filepath.Join(p.filling.folder, "job.out")
	text, _ := os.ReadFile(log)
	said := strings.TrimSpace(string(text[max(0, len(text)-2000):]))
	return fmt.Errorf("the feature job ended without computing them; its log %s ends with:\n%s", log, cmp.Or(said, "nothing"))
}

// ticketOf returns a job's task; Task is -1 for a job that was never submitted.
func (p *Place) ticketOf(job string) (t ticket, err error) {
	if t, known := p.tasks[job]; known {
		return t, nil
	}
	t.Task = -1
	raw, err := os.ReadFile(filepath.Join(p.folder, job, ticketFile))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil {
		return t, fmt.Errorf("job %s: %w", job, err)
	}
	p.tasks[job] = t
	return t, nil
}

// output returns the file with a task's output.
func (p *Place) output(t ticket) string {
	if t.Submission == "" {
		return ""
	}
	return filepath.Join(p.folder, "slurm", t.Submission, strconv.Itoa(t.Task)+".out")
}

// endOf asks Slurm's accounting how jobs ended, until it knows. Sites may have disabled
// accounting: then it returns nothing.
func (p *Place) endOf(ctx context.Context, jobs []string) map[string]string {
	told, bySubmission := map[string]string{}, map[string][]string{}
	for _, job := range jobs {
		if _, asked := p.ended[job]; !asked && p.tasks[job].Submission != "" && !p.noSacct {
			bySubmission[p.tasks[job].Submission] = append(bySubmission[p.tasks[job].Submission], job)
		}
	}
	for submission, jobs := range bySubmission {
		said, err := p.ask(ctx, "sacct", "--noheader", "--parsable2", "--allocations", "--starttime=now-30days",
			"--name="+submission, "--format=JobID,State")
		if err != nil {
			p.noSacct = !errors.Is(err, runner.ErrSilent)
			continue
		}
		states := parseSacct(said)
		for _, job := range jobs {
			switch state := states[p.tasks[job].Task]; state {
			case "", "PENDING", "RUNNING", "SUSPENDED", "REQUEUED": // accounting lags behind
			default:
				p.ended[job], told[job] = state, state
			}
		}
	}
	return told
}

// Cancel cancels jobs: waiting ones are removed from the queue, running ones save first. Other
// trials that share such a job end with it.
func (p *Place) Cancel(ctx context.Context, jobs []string) error {
	known, err := p.queue(ctx)
	if err != nil {
		return err
	}
	wanted := map[taskKey]bool{}
	for _, job := range jobs {
		t, err := p.ticketOf(job)
		if err != nil {
			return err
		}
		wanted[t.key()] = true
	}
	var ids []string
	for _, q := range known {
		if q.task >= 0 && wanted[taskKey{q.submission, q.task}] {
			ids = append(ids, q.id)
		}
	}
	err = p.scancel(ctx, ids, "--quiet", "--state=PENDING")
	if err == nil {
		err = p.scancel(ctx, ids, "--quiet", "--signal=TERM", "--full", "--state=RUNNING")
	}
	return err
}

// scancel cancels jobs in batches. Its complaints are ignored, since jobs may end meanwhile.
func (p *Place) scancel(ctx context.Context, ids []string, how ...string) error {
	for some := range slices.Chunk(ids, 200) {
		_, err := p.ask(ctx, "scancel", slices.Concat(how, some)...)
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			return err
		}
	}
	return nil
}
