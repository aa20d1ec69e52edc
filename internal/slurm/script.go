package slurm

import (
	"fmt"
	"reflect"
	"strings"
)

// submission is one submission to sbatch: an array of jobs, or the feature job.
type submission struct {
	id, folder string // our name for it, and the folder of its files
	tasks      int    // in the array; 0 for a single job
}

// header returns the #SBATCH lines of a script: what it needs from Slurm.
func (p *Place) header(s submission, limit int) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "#SBATCH "+format+"\n", args...) }
	b.WriteString("#!/bin/sh\n")
	line("--job-name=%s", s.id)
	line("--comment=%s", comment+s.id)
	output := s.folder + "/job.out"
	if s.tasks > 0 {
		throttle := ""
		if limit > 0 {
			throttle = fmt.Sprintf("%%%d", limit)
		}
		line("--array=0-%d%s", s.tasks-1, throttle)
		line("--signal=B:USR1@%d", p.settings.SaveBefore)
		output = s.folder + "/%a.out"
	}
	line("--requeue")
	line("--open-mode=append")
	line("--output=%s", quoteOption(output))
	line("--ntasks=1")
	for _, k := range keys {
		if k.option == "" {
			continue
		}
		if field := p.settings.field(k.name); field.Kind() == reflect.Int {
			line("--%s=%d", k.option, field.Int())
		} else if text := field.String(); text != "" {
			line("--%s=%s", k.option, quoteOption(text))
		}
	}
	for _, option := range p.settings.Sbatch {
		line("%s", option)
	}
	return b.String()
}

// environment returns shell lines that set the environment the engine needs, whatever Slurm
// passes on, and the site's setup lines.
func (p *Place) environment() string {
	var b strings.Builder
	for _, variable := range p.Environment {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	if p.settings.Setup != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimRight(p.settings.Setup, "\n"))
	}
	return b.String()
}

// engine returns the start of the engine's command line.
func (p *Place) engine() string { return strings.TrimSpace(p.settings.RunWith + " " + quote(p.Engine)) }

// trialsScript returns the script that runs the trials of one task of an array, each in its own
// process. They save at SIGTERM, which Slurm sends before it ends a job, and at SIGUSR1, which
// warns that the time is nearly up; then the task is requeued. The task is named by array and
// index, since the id of its last task is that of the whole array.
func (p *Place) trialsScript(s submission) string {
	scratch := ""
	if p.settings.Scratch != "" {
		scratch = " --scratch " + quote(p.settings.Scratch)
	}
	return p.header(s, p.settings.ArrayLimit) + fmt.Sprintf(`
jobs=%s
%s
first=$((SLURM_ARRAY_TASK_ID * %d + 1))
tasks=$(sed -n "${first},$((first + %d))p" %s)
pids= stopped= again=
stop() {
	stopped=yes
	for pid in $pids; do kill -TERM "$pid" 2>/dev/null; done
}
trap stop TERM INT
trap 'again=yes; stop' USR1
for task in $tasks; do
	%s trial --job "$jobs/$task"%s >/dev/null 2>>"$jobs/$task/log.txt" &
	pids="$pids $!"
done
[ -z "$stopped" ] || stop # it came while they were started
code=0
for pid in $pids; do
	wait "$pid"
	ended=$?
	while kill -0 "$pid" 2>/dev/null; do # a signal ended the waiting
		wait "$pid"
		ended=$?
	done
	[ "$ended" -eq 0 ] || code=$ended
done
if [ -n "$again" ] && [ "$code" -eq 130 ]; then
	scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" ||
		for task in $tasks; do : >"$jobs/$task/again"; done
fi
exit "$code"
`, quote(p.folder), p.environment(), p.settings.TrialsPerJob, p.settings.TrialsPerJob-1, quote(s.folder+"/tasks"), p.engine(), scratch)
}

// featuresScript returns the script that computes the features a study needs.
func (p *Place) featuresScript(s submission, device string) string {
	data := ""
	if p.DataRoot != "" {
		data = " --data " + quote(p.DataRoot)
	}
	return p.header(s, 0) + fmt.Sprintf(`
%s
%s features %s%s --device %s --threads %d || exit
: >%s
`, p.environment(), p.engine(), quote(s.folder+"/study.yaml"), data, quote(device), p.settings.CPUs, quote(s.folder+"/done"))
}

// quote quotes a word for a shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// quoteOption quotes the value of an option for an #SBATCH line.
func quoteOption(value string) string {
	if strings.ContainsAny(value, " \t") {
		return `"` + value + `"`
	}
	return value
}
