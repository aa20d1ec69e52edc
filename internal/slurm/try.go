package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"glimpse/runner"
)

// Check is the result of one check of a site.
type Check struct {
	Name   string
	Detail string
	Fix    string // what to do; "" if all is well
}

// tryScript returns a script that checks, on a node, what a trial needs there. It writes lines of
// a name, ok or bad, and a detail.
func (p *Place) tryScript(s submission) string {
	scratch := "${TMPDIR:-/tmp}"
	if p.settings.Scratch != "" {
		scratch = strings.NewReplacer("$", `\$`, "`", "\\`", `"`, `\"`, `\`, `\\`).Replace(p.settings.Scratch)
	}
	return p.header(s, 0) + fmt.Sprintf(`
%s
found=%s
say() { printf '%%s\t%%s\t%%s\n' "$1" "$2" "$3" >>"$found.part"; }
writable() {
	if file=$(mktemp -p "$2" 2>&1); then
		rm -f "$file"
		say "$1" ok "$2 on $(hostname)"
	else
		say "$1" bad "$file"
	fi
}
say node ok "$(hostname)"
writable scratch "%s"
mkdir -p "$GLIMPSE_CACHE"
writable cache "$GLIMPSE_CACHE"
if about=$(%s about --device %s 2>&1); then
	say engine ok "$(printf %%s "$about" | tr -d '\n{}"' | tr -s ' ')"
else
	say engine bad "$(printf %%s "$about" | tr '\n' ' ')"
fi
mv "$found.part" "$found"
`, p.environment(), quote(s.folder+"/found"), scratch, p.engine(), quote(p.Device))
}

// mend says how to fix each check that fails.
var mend = map[string]string{
	"scratch": "set scratch in cluster.yaml to a folder on the nodes' own disk",
	"cache":   "set $GLIMPSE_CACHE to a writable folder that the nodes share with this machine",
	"engine":  "install glimpse-engine where the nodes can find it, or load what it needs with setup or run_with in cluster.yaml",
}

// Try submits a job of a few seconds that checks what trials need on a node, and waits for it.
func (p *Place) Try(ctx context.Context) ([]Check, error) {
	s, err := p.newSubmission(0)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	id, err := p.sbatch(ctx, s, p.tryScript(s))
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = p.ask(context.WithoutCancel(ctx), "scancel", "--quiet", id) }()
	path := filepath.Join(s.folder, "found")
	for missing := 0; missing < 3; {
		if text, err := os.ReadFile(path); err == nil {
			ran := Check{Name: "slurm", Detail: fmt.Sprintf("job %s ran within %.0f s", id, time.Since(began).Seconds())}
			return append([]Check{ran}, parseFound(string(text))...), os.RemoveAll(s.folder)
		}
		known, err := p.queue(ctx)
		if err != nil && !errors.Is(err, runner.ErrSilent) {
			return nil, err
		}
		missing++
		for _, q := range known {
			if q.submission == s.id {
				missing = 0
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("job %s was cancelled before it ran: %w", id, ctx.Err())
		case <-time.After(p.Poll()):
		}
	}
	said, _ := os.ReadFile(filepath.Join(s.folder, "job.out"))
	return nil, fmt.Errorf("job %s ended but wrote nothing to %s: check that the nodes share this folder with this machine; its output: %s",
		id, s.folder, strings.TrimSpace(string(said)))
}

// parseFound reads what the script found.
func parseFound(text string) []Check {
	var checks []Check
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), "\t", 3)
		if len(fields) < 3 {
			continue
		}
		c := Check{Name: fields[0], Detail: fields[2]}
		if fields[1] != "ok" {
			c.Fix = mend[c.Name]
		}
		checks = append(checks, c)
	}
	return checks
}
