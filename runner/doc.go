// Package runner takes a study from its plan to scored trials: it checks the data, fills the
// feature cache, and runs each trial in a child process. It resumes interrupted trials and skips
// complete ones.
//
// Its input is a planned study, an open results database and an [Engine], which does everything
// that needs a network. Its output is rows in the database and checkpoint files. It must not
// import models or reports: the command passes the Engine.
//
// # Two halves
//
// [Run] is the parent: one process that queues trials and starts a child for each. [RunTrial] is
// the child, and all that a cluster's job needs to call. The child writes to the database itself,
// and sends JSON lines ([Event]) to its parent on standard output; its standard error is the
// trial's log. Its standard input stays open while its parent lives.
//
// # Who runs a trial
//
// A trial is claimed before it is run, and every write carries the claim (see internal/store). A
// claim is taken over if its holder is dead: either it ran in the same place (machine, boot and
// process-id namespace) and its process is gone, or its count of heartbeats has not changed for a
// whole lease while this process watched. Clocks of different processes are not compared for it, so
// a clock that jumps does no harm. A holder that was only suspended finds that it has lost its
// claim when it wakes, and its writes have no effect.
//
// # Data
//
// A run is for one data set. Its content (captions, splits, pictures) is hashed and compared with
// what the run was planned for and with what earlier attempts recorded: by the study before
// anything is trained, and by each trial. A difference is a [DataError]. Verbs that open the data
// of a stored run call [CheckData].
//
// # Resuming
//
// A checkpoint is committed by one transaction of the database, which names the checkpoint file,
// stores the state of epoch selection, and records the epoch that the checkpoint completes. Files
// are never overwritten: their names contain the attempt and a serial number, and obsolete ones
// are removed after the commit. So whenever a process is killed, the last commit is complete, and
// a trial resumed from it ends bit-identical to one that was never stopped.
package runner
