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
		if there && q.stuck() { // it is cancelled, and counts as gone
			stuck, there, p.ended[job] = append(stuck, q.id), false, q.reason
		}
		if t.Submission != "" && t.User != os.Getuid() { // sites hide them
			sights[job] = runner.Sight{State: runner.JobWaiting, Why: "another user's job, known only by its results", Log: p.output(t)}
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

// queue asks for all jobs of ours.
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

// lookAtFeatures returns an error once the job that computes features is gone and has not done so:
// the trials that wait for it never begin.
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
		err := fmt.Errorf("the feature job cannot start, and the trials that wait for it are cancelled: %s", known[i].reason)
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

// ticketOf finds out which task a job is; one that was never submitted is none.
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

// output is where Slurm writes what a task says.
func (p *Place) output(t ticket) string {
	if t.Submission == "" {
		return ""
	}
	return filepath.Join(p.folder, "slurm", t.Submission, strconv.Itoa(t.Task)+".out")
}

// endOf asks how jobs ended, until that is known. Sites may have switched off what tells: then nothing is
// known.
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

// Cancel ends jobs: those that wait are taken out of the queue, those at work save first. Trials
// that share a job with one that is named end with it.
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

// scancel cancels jobs, some at a time. That it complains is no error: jobs end meanwhile.
func (p *Place) scancel(ctx context.Context, ids []string, how ...string) error {
	for some := range slices.Chunk(ids, 200) {
		_, err := p.ask(ctx, "scancel", slices.Concat(how, some)...)
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			return err
		}
	}
	return nil
}
