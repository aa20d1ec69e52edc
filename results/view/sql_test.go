package view

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/internal/store"
	"glimpse/metrics"
)

// columnsOf gives the columns of a view of a new database.
func columnsOf(t *testing.T, name string) []string {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "results.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pool, err := sql.Open("sqlite3", db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	rows, err := pool.Query("SELECT * FROM " + name)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	return columns
}

// TestViewColumns holds that the views for notebooks have the fields of runs under their names,
// and every metric: what is new in the program is new in a migration too.
func TestViewColumns(t *testing.T) {
	runs, epochs := columnsOf(t, "v_runs"), columnsOf(t, "v_epochs")
	for _, f := range Fields() {
		section, _, nested := strings.Cut(f.Name, ".")
		switch {
		case nested && section != "test" && section != "val":
			continue // a setting, or a metric of either split
		case f.Name == "label" || f.Name == "silent_since":
			continue // which depend on the study's other runs, or on the time of asking
		case f.Name == tagField:
			f.Name = "tags"
		}
		if !slices.Contains(runs, f.Name) {
			t.Errorf("v_runs has no column %q", f.Name)
		}
	}
	for _, m := range metrics.Catalogue {
		if !slices.Contains(epochs, "val."+m.Key) {
			t.Errorf("v_epochs has no column val.%s", m.Key)
		}
	}
	for name, want := range map[string]string{
		"v_metrics":  "run split metric value",
		"v_captions": "run split image words log_prob beta entropy length ref_length rouge_l cider cider_d meteor",
		"v_readings": "run split image other own_log_prob other_log_prob regions_log_prob even_log_prob other_beta",
	} {
		if got := strings.Join(columnsOf(t, name), " "); got != want {
			t.Errorf("%s has %s, want %s", name, got, want)
		}
	}
}
