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
	for _, c := range []struct{ broken, want string }{
		{"", ""},
		{"UPDATE runs SET settings = '{}' WHERE id = 'ID'", "run ID: its settings are those of run "},
		{"UPDATE captions SET words = 'a cat' WHERE run = 'ID' AND image = '003.jpg'", "run ID: its captions have the sha256 "},
		{"UPDATE captions SET cider = cider + 6 WHERE run = 'ID' AND image = '003.jpg'", "run ID: its counts give cider 0.6"},
		{"DELETE FROM metrics WHERE run = 'ID' AND key = 'bleu4'", "run ID: its counts give bleu4 "},
		{"UPDATE studies SET spec = 'study: [' WHERE name = 'usual'", "study usual: its file cannot be read any more: "},
		{"UPDATE declarations SET sha256 = 'x'", "study usual: its declaration 0 has the sha256 "},
		{"DELETE FROM captions WHERE run = 'ID'", "run ID: it is completed and has no captions"},
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
		switch {
		case c.broken == "" && (len(found.Findings) != 0 || found.Runs != len(trials) || found.Captions != 60*len(trials)):
			t.Errorf("a sound database: %+v", found)
		case c.broken != "" && (len(found.Findings) != 1 || !strings.HasPrefix(found.Findings[0].Subject+": "+found.Findings[0].Problem, want)):
			t.Errorf("%s: %+v, want %s", broken, found.Findings, want)
		}
	}
}
