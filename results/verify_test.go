package results

import (
	"database/sql"
	"strings"
	"testing"

	"glimpse/internal/store"
)

// TestVerify breaks one promise after the other behind the database's back.
func TestVerify(t *testing.T) {
	study, trials := parse(t, usual)
	for _, c := range []struct{ broken, want, table string }{
		{"", "", ""},
		{"UPDATE runs SET settings = '{}' WHERE id = 'ID'", "run ID: its settings are those of run ", "runs"},
		{"UPDATE runs SET seed = 99 WHERE id = 'ID'", "run ID: its settings have seed 1, but the run says 99", "runs"},
		{"UPDATE captions SET words = 'a cat' WHERE run = 'ID' AND image = '003.jpg'", "run ID: its captions have sha256 ", "captions"},
		{"UPDATE captions SET cider = cider + 6 WHERE run = 'ID' AND image = '003.jpg'", "run ID: its counts give cider 0.6", "captions"},
		{"DELETE FROM metrics WHERE run = 'ID' AND key = 'bleu4'", "run ID: its counts give bleu4 ", "metrics"},
		{"UPDATE studies SET spec = 'study: [' WHERE name = 'usual'", "study usual: its file can no longer be read: ", "studies"},
		{"UPDATE declarations SET sha256 = 'x'", "study usual: its declaration 0 has sha256 ", "declarations"},
		{"DELETE FROM captions WHERE run = 'ID'", "run ID: it is completed but has no captions", "captions"},
		// What nothing else gives away.
		{"UPDATE captions SET log_prob = log_prob - 1 WHERE run = 'ID' AND image = '003.jpg'", "run ID: table captions: ", "captions"},
		{"UPDATE attempts SET started_ms = started_ms - 1 WHERE run = 'ID'", "run ID: table attempts: ", "attempts"},
		{"UPDATE runs SET finished_ms = finished_ms - 1 WHERE id = 'ID'", "run ID: table runs: ", "runs"},
		{"UPDATE runs SET weights_sha256 = captions_sha256 WHERE id = 'ID'", "run ID: table runs: ", "runs"},
		{"UPDATE runs SET environment = replace(environment, '{', '{\"cpu\":\"other\",') WHERE id = 'ID'", "run ID: table runs: ", "runs"},
		{"UPDATE study_runs SET arm = 'better' WHERE run = 'ID'", "study usual: table study_runs: ", "study_runs"},
		{"UPDATE declarations SET known = 3", "study usual: table declarations: ", "declarations"},
		{"UPDATE studies SET question = 'Is it worse?'", "study usual: table studies: ", "studies"},
		{"UPDATE run_hashes SET hash = 'x' WHERE run = 'ID' AND part = 'metrics'", "run ID: table metrics: ", "metrics"},
		{"DELETE FROM run_hashes WHERE run = 'ID' AND part = 'metrics'", "run ID: table metrics: ", "metrics"},
	} {
		db := openTemporary(t)
		save(t, db, store.Study{Name: "usual", Spec: usual}, declare(t, study, trials), runsOf(trials, better))
		id := trials[0].ID
		broken, want := strings.ReplaceAll(c.broken, "ID", id), strings.ReplaceAll(c.want, "ID", id)
		other, err := sql.Open("sqlite3", db.Path())
		check(t, err)
		_, err = other.Exec(broken)
		check(t, err)
		check(t, other.Close())
		found, err := Verify(t.Context(), db)
		check(t, err)
		if c.broken == "" {
			if !found.Sound() || found.Runs != len(trials) || found.Captions != 60*len(trials) || len(found.Unsealed) != 0 {
				t.Errorf("a sound database: %+v", found)
			}
			continue
		}
		told, changed := false, false
		for _, f := range found.Findings {
			told = told || strings.HasPrefix(f.Subject+": "+f.Problem, want)
			changed = changed || f.Table == c.table && strings.Contains(f.Problem, "no longer match their hashes")
		}
		if !told || !changed || len(found.Findings) > 2 {
			t.Errorf("%s: %+v, want %s, and rows of %s that were changed", broken, found.Findings, want, c.table)
		}
	}
}
