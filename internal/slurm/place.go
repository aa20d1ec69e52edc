package slurm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"glimpse/captioner"
	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/atomicfile"
	"glimpse/runner"
)

// Place is a Slurm site with its settings. It implements [runner.Cluster].
type Place struct {
	Engine      string   // path of glimpse-engine on the nodes
	Environment []string // NAME=VALUE, set for the engine
	Study       string   // its name; submissions are named after it
	Spec        string   // the resolved study, for the feature job
	Device      string   // for the engine's --device
	DataRoot    string   // folder of the data set; "" to use the study's

	settings Settings
	folder   string // of all jobs
	ask      func(ctx context.Context, program string, args ...string) (string, error)

	features bool   // they must be computed before the next trials
	after    string // Slurm's id of the feature job; "" for none
	filling  *submission
	missing  int               // consecutive looks that did not find it
	tasks    map[string]ticket // by job
	size     int               // most tasks of an array; 0 until known
	noSacct  bool
	ended    map[string]string // how jobs ended, if known
}

// ticket says which task of which submission a job is, and who submitted it.
type ticket struct {
	Submission string `json:"submission"`
	Task       int    `json:"task"`
	User       int    `json:"user"` // who submitted it
}

// taskKey identifies a task.
type taskKey struct {
	submission string
	task       int
}

func (t ticket) key() taskKey { return taskKey{t.Submission, t.Task} }

const ticketFile = "slurm.json"

// New returns a place with these settings. A relative folder of jobs is relative to the
// database's folder.
func New(s Settings, database string) (*Place, error) {
	folder := s.Folder
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(filepath.Dir(database), folder)
	}
	folder, err := filepath.Abs(folder)
	if err == nil && strings.ContainsAny(folder, "%'\"\\\n") {
		err = fmt.Errorf("folder of jobs %q: the path must not contain quotes, backslashes, line breaks or %%", folder)
	}
	return &Place{settings: s, folder: folder, ask: run, tasks: map[string]ticket{}, ended: map[string]string{}}, err
}

// At returns the place whose jobs are in a folder, to stop them or look for them.
func At(folder string) *Place {
	return &Place{settings: Defaults(), folder: folder, ask: run, tasks: map[string]ticket{}, ended: map[string]string{}}
}

// Name implements runner.Cluster.
func (p *Place) Name() string { return "slurm" }

// Folder implements runner.Cluster.
func (p *Place) Folder() string { return p.folder }

// Poll returns the time between two looks.
func (p *Place) Poll() time.Duration { return time.Duration(p.settings.Poll) * time.Second }

// Threads returns the number of threads of a trial.
func (p *Place) Threads() int { return max(1, p.settings.CPUs/p.settings.TrialsPerJob) }

// Trials returns how many trials may be submitted at a time.
func (p *Place) Trials() int { return cmp.Or(p.settings.SubmitLimit, many) * p.settings.TrialsPerJob }

// answer is how long a Slurm command may take.
const answer = 2 * time.Minute

// run runs a Slurm command. It returns runner.ErrSilent if Slurm does not answer.
func run(ctx context.Context, program string, args ...string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(limited, program, args...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay, cmd.Env = &out, &said, time.Second, withoutDefaults(os.Environ())
	err := cmd.Run()
	message := strings.TrimSpace(said.String())
	switch {
	case err == nil:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%s not found: --on slurm needs Slurm's commands; run glimpse on a login node", program)
	case limited.Err() != nil || isSilence(message):
		return "", fmt.Errorf("%w: %s", runner.ErrSilent, cmp.Or(lastLine(message), program+" timed out"))
	}
	return "", fmt.Errorf("%s: %w", cmp.Or(lastLine(message), program), err)
}

// withoutDefaults returns an environment without the user's defaults for squeue, sacct and
// scancel: $SQUEUE_PARTITION would hide jobs, and $SQUEUE_STATES=all show ended ones. Defaults
// for sbatch stay: they are the user's wishes for the jobs.
func withoutDefaults(environment []string) []string {
	return slices.DeleteFunc(environment, func(variable string) bool {
		return strings.HasPrefix(variable, "SQUEUE_") || strings.HasPrefix(variable, "SACCT_") || strings.HasPrefix(variable, "SCANCEL_")
	})
}

func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }

// Fill schedules a feature job before the trials that are submitted next. It serves as
// runner.Config.Features.
func (p *Place) Fill(_ context.Context, s experiments.Settings, _ *data.Dataset, _ string, _ int, _ func(done, total int)) error {
	p.features = p.features || s.Encoder.Name != captioner.Joint
	return nil
}

// Submit implements runner.Cluster. If Slurm rejects a part, the parts it accepted before are
// cancelled.
func (p *Place) Submit(ctx context.Context, jobs []string) error {
	if err := p.submitFeatures(ctx); err != nil {
		return err
	}
	if p.size == 0 {
		config, err := p.ask(ctx, "scontrol", "show", "config")
		if err != nil && !errors.Is(err, runner.ErrSilent) {
			return err
		}
		p.size = parseMaxArraySize(config)
	}
	for array := range slices.Chunk(jobs, p.size*p.settings.TrialsPerJob) {
		if err := p.submitTrials(ctx, array); err != nil {
			if !errors.Is(err, runner.ErrSilent) {
				err = errors.Join(err, p.Cancel(context.WithoutCancel(ctx), jobs))
			}
			return err
		}
	}
	return nil
}

// submitTrials submits one array.
func (p *Place) submitTrials(ctx context.Context, jobs []string) error {
	s, err := p.newSubmission((len(jobs) + p.settings.TrialsPerJob - 1) / p.settings.TrialsPerJob)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(s.folder, "tasks"), strings.Join(jobs, "\n")+"\n"); err != nil {
		return err
	}
	for i, job := range jobs {
		t := ticket{s.id, i / p.settings.TrialsPerJob, os.Getuid()}
		raw, err := json.Marshal(t)
		if err == nil {
			err = write(filepath.Join(p.folder, job, ticketFile), string(raw)+"\n")
		}
		if err != nil {
			return err
		}
		p.tasks[job] = t
	}
	_, err = p.sbatch(ctx, s, p.trialsScript(s))
	return err
}

// submitFeatures submits the feature job, if features are needed.
func (p *Place) submitFeatures(ctx context.Context) error {
	if !p.features {
		return nil
	}
	p.features = false
	s, err := p.newSubmission(0)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(s.folder, "study.yaml"), p.Spec); err != nil {
		return err
	}
	if p.after, err = p.sbatch(ctx, s, p.featuresScript(s, p.Device)); err != nil {
		return fmt.Errorf("submit the feature job: %w", err)
	}
	p.filling = &s
	return nil
}

// newSubmission creates the folder of a submission.
func (p *Place) newSubmission(tasks int) (submission, error) {
	var random [3]byte
	_, _ = rand.Read(random[:]) // it never fails
	moment := time.Now().UTC().Format("20060102T150405")
	s := submission{id: plain(p.Study) + "-" + moment + "-" + hex.EncodeToString(random[:]), tasks: tasks}
	s.folder = filepath.Join(p.folder, "slurm", s.id)
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return s, &atomicfile.WriteError{Path: s.folder, Err: err}
	}
	return s, nil
}

// plain replaces the characters of a name that are special in Slurm's lists or in paths.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, name)
}

// sbatch submits a script and returns Slurm's id of the job.
func (p *Place) sbatch(ctx context.Context, s submission, script string) (string, error) {
	path := filepath.Join(s.folder, "script.sh")
	if err := write(path, script); err != nil {
		return "", err
	}
	said, err := p.ask(ctx, "sbatch", p.options(path)...)
	if err != nil {
		return "", err
	}
	return parseSbatch(said)
}

// options returns the arguments of sbatch for a script.
func (p *Place) options(script string) []string {
	options := []string{"--parsable"}
	if p.after != "" {
		options = append(options, "--dependency=afterok:"+p.after, "--kill-on-invalid-dep=yes")
	}
	return append(options, script)
}

// Preview writes the scripts and commands that would submit this many trials. It changes nothing.
func (p *Place) Preview(w io.Writer, trials int) error {
	s := submission{id: plain(p.Study) + "-SUBMISSION", tasks: (trials + p.settings.TrialsPerJob - 1) / p.settings.TrialsPerJob}
	s.folder = filepath.Join(p.folder, "slurm", s.id)
	after := ""
	if p.features {
		features := submission{id: s.id + "-FEATURES", folder: s.folder + "-FEATURES"}
		script := p.featuresScript(features, p.Device)
		if _, err := fmt.Fprintf(w, "%s\n$ sbatch --parsable %s/script.sh\n\n", script, features.folder); err != nil {
			return err
		}
		after = "--dependency=afterok:FEATURES --kill-on-invalid-dep=yes "
	}
	_, err := fmt.Fprintf(w, "%s\n$ sbatch --parsable %s%s/script.sh\n", p.trialsScript(s), after, s.folder)
	return err
}

func write(path, text string) error {
	return atomicfile.WriteMode(path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
