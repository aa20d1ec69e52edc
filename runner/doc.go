// Package runner takes a study from its plan to scored trials: it checks the
// data, fills the feature cache, and runs each trial in a child process,
// resuming what was interrupted and skipping what is complete.
//
// It takes a planned study, an open results database and an [Engine], which
// does everything that needs a network; what it gives is rows in the database
// and checkpoint files. It may import experiments, data, metrics and
// internal/store, and must not import models or reports: an Engine is wired in
// by the command.
//
// # Two halves
//
// [Run] is the study: one process that queues trials and starts a child for
// each. [RunTrial] is the child's half, and is all that a cluster's job would
// have to call. The child writes to the database itself, and speaks to its
// parent in JSON lines on its standard output ([Event]); its standard error is
// the trial's log. Its standard input stays open while its parent lives.
//
// # Who runs a trial
//
// A trial is claimed before it is run, and every write carries the claim
// (see internal/store). A claim is taken over when its holder is dead: it
// runs in the same place (machine, boot and process-id namespace) and its
// process is gone, or its count of heartbeats stood still for a whole lease
// while this process watched. No clocks of two processes are ever compared, so a clock that
// jumps does no harm; and a holder that was only suspended finds its claim lost
// when it wakes, and nothing it writes counts.
//
// # Data
//
// A run is for one data set. Its content (captions, splits, pictures) is hashed
// and compared with what the run was planned for and with what an earlier attempt
// of it recorded: by the study before anything is trained, and by each trial.
// A difference is a [DataError]. Verbs that open the data of a stored
// run use [CheckData].
//
// # Resuming
//
// A checkpoint is committed by one transaction of the database, which names the
// checkpoint file, holds the state of epoch selection, and records the epoch
// that the checkpoint completes. Files are never overwritten: their
// names carry the attempt and a serial number, and those that no longer matter
// are removed after the commit. So whatever moment a process is killed at, the
// last commit is whole, and a trial resumed from it ends bit-identical to one
// that was never stopped.
package runner
