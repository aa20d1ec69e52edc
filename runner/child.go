package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"glimpse/internal/atomicfile"
	"glimpse/internal/jsonline"
	"glimpse/internal/private"
	"glimpse/internal/secret"
	"glimpse/internal/store"
)

// LogName is the name of a trial's log in its folder ([RunDir]).
const LogName = "log.txt"

// child is the process of a trial.
type child struct {
	cmd    *exec.Cmd
	log    *os.File
	offset int64 // size of the log when the process started
	heard  chan struct{}

	mu    sync.Mutex
	last  Event // the last event that told its progress
	ready bool  // it has sent an event, so it handles signals
	asked bool  // whether a checkpoint was requested before it was ready
}

// where returns how far the trial was at its last event; "" if there was none.
func (c *child) where() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := c.last; e.Kind {
	case EventStep:
		return fmt.Sprintf(" (last message: epoch %d, step %d of %d)", e.Epoch, e.Step, e.Steps)
	case EventEpoch:
		return fmt.Sprintf(" (last message: end of epoch %d)", e.Epoch)
	case EventPhase, EventCaptioning:
		return fmt.Sprintf(" (last message: phase %s)", e.Phase)
	}
	return ""
}

// checkpoint asks the trial for a checkpoint as soon as it handles signals.
func (c *child) checkpoint() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked = !c.ready; c.ready {
		_ = c.cmd.Process.Signal(syscall.SIGUSR1)
	}
}

// speaks records that the trial sent something.
func (c *child) speaks() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready = true; c.asked {
		c.asked = false
		_ = c.cmd.Process.Signal(syscall.SIGUSR1)
	}
	select {
	case c.heard <- struct{}{}:
	default:
	}
}

// supervise runs a claimed trial in a process of its own until it ends. A failed trial is not an
// error; a failing disk or database is.
func (s *study) supervise(ctx context.Context, task task) error {
	event, err := s.attempt(ctx, task)
	lost := errors.Is(err, store.ErrFenced)
	s.release(task.claim.Run, lost)
	if lost {
		event, err = Event{Kind: EventLost}, nil
	}
	if err == nil || errors.Is(err, ErrDisk) {
		event.Run, event.Attempt = task.claim.Run, task.claim.Attempt
		s.report(event)
	}
	return err
}

// attempt runs a claimed trial and returns how it ended.
func (s *study) attempt(ctx context.Context, task task) (Event, error) {
	durable := context.WithoutCancel(ctx)
	c, err := s.start(task)
	if err != nil {
		return s.fail(durable, task, failureOf(err), err.Error())
	}
	defer func() { _ = c.log.Close() }()
	s.children.Store(c, nil)
	defer s.children.Delete(c)
	s.report(Event{Kind: EventStarted, Run: task.claim.Run, Attempt: task.claim.Attempt})
	failure, cause := s.wait(ctx, c)
	return s.conclude(durable, ctx.Err() != nil, task, said{c.log.Name(), c.offset}, c.where(), failure, cause)
}

// start starts a trial's process.
func (s *study) start(task task) (*child, error) {
	dir := RunDir(s.cfg.Dir, task.claim.Run)
	if err := makeRunDir(s.cfg.Dir, dir); err != nil {
		return nil, err
	}
	log, err := openLog(dir, task.claim.Attempt)
	if err != nil {
		return nil, err
	}
	c := &child{log: log, heard: make(chan struct{}, 1)}
	if info, err := log.Stat(); err == nil {
		c.offset = info.Size()
	}
	c.cmd = s.cfg.Command(task.claim.Run)
	c.cmd.Stderr = log
	c.cmd.Stdout = &jsonline.Splitter[Event]{
		Each: func(event Event) { s.hear(c, task, event) }, Valid: func(event Event) bool { return event.Kind != "" }, Other: log,
	}
	// A group of its own, so that Ctrl-C on the terminal reaches this process
	// alone, and so that whatever the trial starts can be ended with it.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.WaitDelay = 5 * time.Second
	stdin, err := c.cmd.StdinPipe() // it ends when this process does
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("start the trial's process: %w", err)
	}
	_ = jsonline.Write(stdin, s.launch(task)) // a process that does not read it has ended, or will be killed as stalled
	return c, nil
}

// openLog opens a trial's log and starts the section of an attempt.
func openLog(dir string, attempt int64) (*os.File, error) {
	path := filepath.Join(dir, LogName)
	log, err := private.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	if err == nil {
		if _, err = fmt.Fprintf(log, "--- attempt %d, %s\n", attempt, time.Now().Format(time.RFC3339)); err != nil {
			_ = log.Close()
		}
	}
	if err != nil {
		return nil, &atomicfile.WriteError{Path: path, Err: err}
	}
	return log, nil
}

// launch returns the instructions for a trial's process.
func (s *study) launch(task task) Launch {
	settings := s.trials[task.claim.Run].Settings
	root := settings.Data.Root
	if root == "" {
		root = s.cfg.Root
	}
	return Launch{
		Run: task.claim.Run, Attempt: task.claim.Attempt, Database: s.cfg.DB.Path(), Dir: s.cfg.Dir, Root: root, Cache: s.cfg.Cache,
		Features: settings.Encoder.Path, Names: settings.Encoder.Names,
		Study: s.cfg.Study.Name, Prune: s.cfg.Study.Sweep.Prune, Keep: s.cfg.Study.Checkpoints.Keep,
		Device: s.cfg.Device, Threads: s.cfg.threads(task.run), Meteor: s.cfg.Meteor, CommandLine: s.cfg.CommandLine,
		StudyFiles: s.cfg.Study.Files, NoGit: s.cfg.NoGit,
		Lease: s.cfg.Lease, Silence: s.cfg.Silence,
	}
}

// hear handles an event from a trial.
func (s *study) hear(c *child, task task, event Event) {
	c.speaks()
	c.mu.Lock()
	if event.Kind != EventNote && event.Kind != EventSaved {
		c.last = event
	}
	c.mu.Unlock()
	event.Run, event.Attempt = task.claim.Run, task.claim.Attempt
	s.report(event)
}

// checkpoints passes requests for checkpoints to all running trials.
func (s *study) checkpoints(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.cfg.Checkpoint:
			s.children.Range(func(c, _ any) bool {
				c.(*child).checkpoint()
				return true
			})
		}
	}
}

// wait waits for a trial's process to end. When ctx ends, it asks the process to stop. It kills
// the process if it does not stop, if it has been silent for too long, or on request. It returns
// a failure and its cause, if any; store.Interrupted is not a failure.
func (s *study) wait(ctx context.Context, c *child) (failure, cause string) {
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	// Silence is counted in ticks. A suspended runner gets no ticks, so it does not end trials
	// for events that it could not receive.
	const tooLong = 20
	silent, tick := 0, time.NewTicker(max(s.cfg.Silence/tooLong, 1))
	defer tick.Stop()
	stop, kill := ctx.Done(), s.cfg.Kill
	var grace <-chan time.Time
	end := sync.OnceFunc(func() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) })
	for {
		select {
		case err := <-ended:
			end() // processes that the trial may have started
			switch {
			case failure != "" || err == nil:
				return failure, cause
			case toldToStop(err):
				return store.Interrupted, ""
			}
			_, headline := tail(c.log.Name(), c.offset)
			return FailureCrash, describe(err, headline)
		case <-c.heard:
			silent = 0
		case <-tick.C:
			if silent++; silent != tooLong {
				continue
			}
			failure, cause = FailureStalled, fmt.Sprintf("no progress for %v: process killed", s.cfg.Silence)
			end()
		case <-stop:
			stop = nil
			_ = c.cmd.Process.Signal(syscall.SIGTERM)
			timer := time.NewTimer(s.cfg.Grace)
			defer timer.Stop()
			grace = timer.C
		case <-grace:
			failure, cause = FailureStalled, fmt.Sprintf("did not stop within %v: process killed", s.cfg.Grace)
			end()
		case <-kill:
			kill = nil
			end()
		}
	}
}

// toldToStop reports whether a process died of a signal that asks it to stop, or for a
// checkpoint, before it handled signals.
func toldToStop(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && slices.Contains([]syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1}, status.Signal())
}

// describe returns how a process ended, with its own message if it printed one.
func describe(err error, headline string) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Sprintf("the trial's process: %v", err)
	}
	how := fmt.Sprintf("ended with exit code %d", exit.ExitCode())
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		how = fmt.Sprintf("was killed by signal %d, %v", status.Signal(), status.Signal())
		if status.Signal() == syscall.SIGKILL {
			how += " (perhaps out of memory)"
		}
	}
	if headline != "" {
		how += ": " + headline
	}
	return "the trial's process " + how
}

// said is what an attempt wrote to the log of its run: everything from an offset.
type said struct {
	path   string
	offset int64
}

// conclude checks the state in which a trial left its run, and records what it could not record
// itself. where is how far it was.
func (s *study) conclude(ctx context.Context, stopping bool, task task, log said, where, failure, cause string) (Event, error) {
	run, err := s.cfg.DB.Run(ctx, task.claim.Run)
	if err != nil {
		return Event{}, err
	}
	switch {
	case run.Attempt != task.claim.Attempt:
		return Event{}, store.ErrFenced
	case run.State == store.Completed:
		split, scores := run.Final()
		return Event{Kind: EventCompleted, Phase: split, Metrics: scores}, nil
	case run.State == store.Pruned:
		return Event{Kind: EventPruned, Message: run.Error}, nil
	case run.State == store.Interrupted && run.Stopped:
		return Event{Kind: EventInterrupted, Message: "asked to stop"}, nil
	case run.State == store.Interrupted:
		return Event{Kind: EventInterrupted}, nil
	case run.State == store.Failed:
		return s.fail(ctx, task, run.Failure, withLog(run.Error, log.path, log.offset))
	case stopping || killed(s.cfg.Kill) || failure == store.Interrupted:
		return Event{Kind: EventInterrupted}, s.cfg.DB.Interrupt(ctx, task.claim)
	case failure == "":
		failure, cause = FailureError, "the trial's process ended before the trial was complete"
	}
	return s.fail(ctx, task, failure, withLog("run "+run.ID+": "+cause+where, log.path, log.offset))
}

// fail records that a trial failed. It returns an error if the disk is the cause, since the other
// trials write to the same one.
func (s *study) fail(ctx context.Context, task task, failure, cause string) (Event, error) {
	cause = secret.Redact(strings.TrimSpace(cause))
	if err := s.cfg.DB.Fail(ctx, task.claim, failure, cause); err != nil {
		return Event{}, err
	}
	event := Event{Kind: EventFailed, Message: cause}
	if failure == FailureDisk {
		headline, _, _ := strings.Cut(cause, "\n")
		return event, fmt.Errorf("run %s: %s: %w", task.claim.Run, strings.TrimPrefix(headline, "run "+task.claim.Run+": "), ErrDisk)
	}
	return event, nil
}

// killed reports whether the channel is closed.
func killed(kill <-chan struct{}) bool {
	select {
	case <-kill:
		return true
	default:
		return false
	}
}
