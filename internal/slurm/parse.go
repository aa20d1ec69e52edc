package slurm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"glimpse/runner"
)

// comment begins the comment of all jobs of ours; the submission follows.
const comment = "glimpse:"

// queued is a job, or a task of an array, that Slurm knows.
type queued struct {
	id         string // as scancel takes it: JOB or ARRAY_TASK
	submission string
	task       int // -1 where it is no array's
	state      string
	reason     string
}

// squeueFormat has array's id, task, id, state, reason and, last, the comment, which may hold
// anything.
const squeueFormat = "%F|%K|%A|%T|%r|%k"

// parseSqueue reads what squeue says of the jobs of ours, in squeueFormat. Lines that are none are
// left out: other programs may print there too.
func parseSqueue(text string) []queued {
	var all []queued
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimRight(line, "\r\n"), "|", 6)
		if len(fields) < 6 {
			continue
		}
		submission, ours := strings.CutPrefix(strings.TrimSpace(fields[5]), comment)
		if !ours {
			continue
		}
		q := queued{id: fields[2], submission: submission, task: -1, state: fields[3], reason: fields[4]}
		if task, err := strconv.Atoi(fields[1]); err == nil && task >= 0 {
			q.id, q.task = fields[0]+"_"+fields[1], task
		}
		if jobID.MatchString(q.id) {
			all = append(all, q)
		}
	}
	return all
}

// jobID is what scancel takes.
var jobID = regexp.MustCompile(`^\d+(_\d+)?$`)

// sight says how such a job stands. All that squeue tells of, it may go on with, whatever the
// state's name.
func (q queued) sight() runner.Sight {
	switch q.state {
	case "RUNNING", "COMPLETING", "SUSPENDED", "SIGNALING", "STOPPED", "STAGE_OUT", "RESIZING":
		return runner.Sight{State: runner.JobRunning}
	}
	why := q.reason
	if why == "None" || why == "(null)" {
		why = ""
	}
	return runner.Sight{State: runner.JobWaiting, Why: why}
}

// stuck tells whether Slurm put the job back into the queue and holds it there, since it could not be
// started on a node, or that happened too often: by itself it never starts again. Jobs that people
// hold are not meant.
func (q queued) stuck() bool {
	reason := strings.ReplaceAll(q.reason, "_", " ")
	return q.sight().State == runner.JobWaiting && (strings.HasSuffix(reason, " requeued held") || reason == "JobHoldMaxRequeue")
}

// parseSacct reads how the tasks of an array ended, by task, from what sacct says with -P -n -X -o
// JobID,State; -1 is a job that is no array's. The last line of a task is that of its last start.
func parseSacct(text string) map[int]string {
	ended := map[int]string{}
	for line := range strings.Lines(text) {
		id, state, found := strings.Cut(strings.TrimSpace(line), "|")
		if !found {
			continue
		}
		job, index, isTask := strings.Cut(id, "_")
		if _, err := strconv.ParseUint(job, 10, 64); err != nil {
			continue
		}
		task := -1
		if isTask {
			var err error
			if task, err = strconv.Atoi(index); err != nil || task < 0 {
				continue // tasks that were not started, as in 12_[3-7]
			}
		}
		if word, _, _ := strings.Cut(strings.TrimSuffix(state, "|"), " "); word != "" {
			ended[task] = word
		}
	}
	return ended
}

// parseSbatch reads the id that sbatch --parsable gives: JOB, or JOB;CLUSTER. Sites may print
// before it.
func parseSbatch(text string) (string, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	id, _, _ := strings.Cut(strings.TrimSpace(lines[len(lines)-1]), ";")
	if n, err := strconv.ParseUint(id, 10, 64); err != nil || n == 0 {
		return "", fmt.Errorf("sbatch printed no job id, but %.200q", text)
	}
	return id, nil
}

var arraySize = regexp.MustCompile(`(?m)^MaxArraySize\s*=\s*(\d+)\s*$`)

// parseMaxArraySize finds how many tasks an array may have in what scontrol show config says. It is
// 1001 where nothing is said: Slurm's own default.
func parseMaxArraySize(text string) int {
	if found := arraySize.FindStringSubmatch(text); found != nil {
		if n, err := strconv.Atoi(found[1]); err == nil && n > 0 {
			return n
		}
	}
	return 1001
}

// silence are what Slurm's commands say when its controller is away or busy. Whether it heard what
// was asked is then unknown.
var silence = []string{
	"Unable to contact slurm controller", "Socket timed out", "Zero Bytes were transmitted",
	"Connection refused", "Connection timed out", "temporarily unable", "Transport endpoint",
	"Unexpected message received", "Resource temporarily unavailable", "Protocol authentication error",
	"controller not responding",
}

func isSilence(said string) bool {
	for _, text := range silence {
		if strings.Contains(said, text) {
			return true
		}
	}
	return false
}
