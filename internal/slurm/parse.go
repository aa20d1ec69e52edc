package slurm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"glimpse/runner"
)

// comment starts the comment of all our jobs; the submission follows.
const comment = "glimpse:"

// queued is a job, or a task of an array, that Slurm knows.
type queued struct {
	id         string // for scancel: JOB or ARRAY_TASK
	submission string
	task       int // -1 for a job that is not in an array
	state      string
	reason     string
}

// squeueFormat lists the array's id, task, id, state, reason and, last because it may contain
// anything, the comment.
const squeueFormat = "%F|%K|%A|%T|%r|%k"

// parseSqueue reads squeue's output in squeueFormat, and returns our jobs. It skips other lines,
// since other programs may print there too.
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

// jobID matches the ids that scancel accepts.
var jobID = regexp.MustCompile(`^\d+(_\d+)?$`)

// sight returns the state of the job. Any job that squeue lists may still run, whatever its state
// is called.
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

// stuck reports whether Slurm requeued the job and holds it because it could not be started,
// perhaps too often: it would never start by itself. It returns false for jobs that a person
// holds.
func (q queued) stuck() bool {
	reason := strings.ReplaceAll(q.reason, "_", " ")
	return q.sight().State == runner.JobWaiting && (strings.HasSuffix(reason, " requeued held") || reason == "JobHoldMaxRequeue")
}

// parseSacct reads how the tasks of an array ended, by task, from the output of sacct -P -n -X -o
// JobID,State; -1 is a job that is not in an array. The last line of a task is about its last
// start.
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
				continue // tasks that never started, such as 12_[3-7]
			}
		}
		if word, _, _ := strings.Cut(strings.TrimSuffix(state, "|"), " "); word != "" {
			ended[task] = word
		}
	}
	return ended
}

// parseSbatch reads the id from the output of sbatch --parsable: JOB, or JOB;CLUSTER. Sites may
// print lines before it.
func parseSbatch(text string) (string, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	id, _, _ := strings.Cut(strings.TrimSpace(lines[len(lines)-1]), ";")
	if n, err := strconv.ParseUint(id, 10, 64); err != nil || n == 0 {
		return "", fmt.Errorf("expected a job ID from sbatch, got %.200q", text)
	}
	return id, nil
}

var arraySize = regexp.MustCompile(`(?m)^MaxArraySize\s*=\s*(\d+)\s*$`)

// parseMaxArraySize reads the most tasks of an array from the output of scontrol show config. It
// returns 1001, Slurm's default, if the output does not say.
func parseMaxArraySize(text string) int {
	if found := arraySize.FindStringSubmatch(text); found != nil {
		if n, err := strconv.Atoi(found[1]); err == nil && n > 0 {
			return n
		}
	}
	return 1001
}

// silence are the messages of Slurm's commands when its controller is away or busy. Whether it
// received the request is then unknown.
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
