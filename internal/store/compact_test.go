package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/metrics"
	"glimpse/metrics/meteor"
)

// uncompacted is the schema before captions and readings were compacted.
const uncompacted = 11

// manyCaptions adds a completed run with n captions and readings, as arms with adaptive attention
// have them.
func manyCaptions(t *testing.T, db *DB, n int) {
	t.Helper()
	g, ctx := rand.New(rand.NewPCG(5, 6)), t.Context()
	values := func(scale float64) []float64 {
		list := make([]float64, 10)
		for i := range list {
			list[i] = scale * g.Float64()
		}
		return list
	}
	captions, scores, readings := make([]Caption, n), make([]metrics.ImageScore, n), make([]Reading, n)
	for i := range n {
		image := fmt.Sprintf("%d_%x.jpg", g.Uint32(), i)
		captions[i] = Caption{Image: image, Words: strings.Repeat("word ", 9) + "end", LogProb: -10 * g.Float64(),
			Beta: values(1), Entropy: values(4)}
		scores[i] = metrics.ImageScore{ID: image, Length: 10, RefLength: 11, RougeL: g.Float64(), CIDEr: g.Float64(), METEOR: g.Float64(),
			MeteorStats: meteor.Stats{TestLength: 10, RefLength: 11, TestMatches: 7, RefMatches: 7, Chunks: 3,
				TestWeight: 4.5, RefWeight: 3.75, TestMatchWeight: g.Float64(), RefMatchWeight: 2.45}}
		readings[i] = Reading{Image: image, Other: "other.jpg", LogProb: values(-3), LogProbOther: values(-5), BetaOther: values(1e-5)}
	}
	if err := db.SaveStudy(ctx, Study{Name: "many"}, []Run{{ID: "cc00", Settings: json.RawMessage("{}")}}, Declaration{}, nil); err != nil {
		t.Fatal(err)
	}
	run, err := db.Run(ctx, "cc00")
	if err != nil {
		t.Fatal(err)
	}
	claim, err := db.Claim(ctx, run, Owner{})
	err = errors.Join(err, db.Start(ctx, claim, Start{Signature: "sig"}), db.SaveCaptions(ctx, claim, "test", captions),
		db.Complete(ctx, claim, Result{
			Scores: map[string][]metrics.ImageScore{"test": scores}, Metrics: map[string]map[string]float64{"test": {"cider": 1}},
			CaptionsSHA256: "c", WeightsSHA256: "w"}),
		db.SaveReadings(ctx, "cc00", "test", readings))
	if err != nil {
		t.Fatal(err)
	}
}

// beforeCompacting gives the path of a closed database of the schema before, with the rows of db
// as that had them, hashes included, and captions that only others can have written.
func beforeCompacting(t *testing.T, db *DB) string {
	t.Helper()
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "results.db")
	writer, err := openWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrate(ctx, writer, path, uncompacted); err != nil {
		t.Fatal(err)
	}
	old := &DB{path: path, writer: writer, reader: writer}
	err = old.write(ctx, func(tx *sql.Tx) error {
		err := db.read(ctx, func(from *sql.Tx) error {
			for _, table := range tables {
				err := table.each(ctx, from, "", nil, func(columns []string, values []any) error {
					insert, err := table.insert(ctx, tx, columns, false)
					if err == nil {
						_, err = insert.ExecContext(ctx, values...) // as texts, unlike put
						err = errors.Join(err, insert.Close())
					}
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		var packed int
		err = tx.QueryRow("SELECT COUNT(*) FROM captions WHERE TYPEOF(beta) = 'blob' OR TYPEOF(meteor_stats) = 'blob'").Scan(&packed)
		if packed > 0 {
			err = errors.Join(err, fmt.Errorf("%d captions are packed before the schema that packs them", packed))
		}
		for _, text := range []string{"1 2 ", " ", "", "nan", "1e+06", "0.1\x002", "\xff", `{"test_length":1}`, `{"chunks":2, "test_length":1}`} {
			_, failed := tx.Exec(`INSERT INTO captions (run, split, image, words, log_prob, beta, entropy, meteor_stats)
				VALUES ('aa01', 'val', ?1, '', -1, ?1, ?1, ?1)`, text)
			err = errors.Join(err, failed)
		}
		err = errors.Join(err, theRun("aa01").seal(ctx, tx))
		_, failed := tx.Exec("UPDATE run_hashes SET hash = '11' || SUBSTR(hash, INSTR(hash, ':')) WHERE part <> 'diff'")
		return errors.Join(err, failed)
	})
	if err = errors.Join(err, old.fold(), writer.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// exported is what an export of a database holds, by file, but for the number of its schema.
func exported(t *testing.T, path string) map[string]string {
	t.Helper()
	db, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	dir := filepath.Join(t.TempDir(), "x")
	if _, err := db.Export(t.Context(), dir, JSONLines); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	schema := func(n int) string { return fmt.Sprintf(`"schema": %d`, n) }
	files[manifestName] = strings.Replace(files[manifestName], schema(uncompacted), schema(newest()), 1)
	return files
}

// sameExport compares two exports.
func sameExport(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: %s differs: %d bytes, %d before", what, name, len(got[name]), len(text))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d files, %d before", what, len(got), len(want))
	}
}

// TestCompacting brings a database from the schema before to this one: every value is the same,
// and so are hashes, findings, views and what others made; the file is much smaller.
func TestCompacting(t *testing.T) {
	ctx, db := t.Context(), full(t)
	manyCaptions(t, db, 2000)
	path := beforeCompacting(t, db)
	statement(t, path, `CREATE VIEW theirs AS SELECT beta IS NULL AS bare FROM captions; CREATE TABLE mine (text TEXT);
		CREATE VIEW broken AS SELECT * FROM gone; UPDATE captions SET words = 'other' WHERE run = 'aa00' AND image = 'b.jpg'`)
	view := func(path, query string) (text string) {
		t.Helper()
		reader, err := openReader(path, url.Values{"mode": {"ro"}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reader.Close() }()
		rows, err := names(ctx, reader, query)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(rows, "\n")
	}
	look := func() (map[string]string, string, [3]string) {
		t.Helper()
		read, err := OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = read.Close() }()
		return exported(t, path), problems(t, read), [3]string{
			view(path, `SELECT CONCAT_WS('|', run, split, image, words, log_prob, COALESCE(beta, 'NULL'), COALESCE(entropy, 'NULL'),
				length, ref_length, rouge_l, cider, cider_d, meteor) FROM v_captions ORDER BY run, split, image`),
			view(path, "SELECT bare FROM theirs ORDER BY 1"),
			view(path, "SELECT sql FROM sqlite_master WHERE name IN ('theirs', 'mine', 'broken') ORDER BY name"),
		}
	}
	rows, found, views := look()
	if !strings.Contains(found, "run aa00: table captions: rows no longer match") || strings.Contains(found, "cc00") {
		t.Fatalf("found before: %s", found)
	}
	large, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if from, to, outdated := Outdated(path); from != uncompacted || to != newest() || !outdated {
		t.Errorf("outdated before: %d, %d, %v", from, to, outdated)
	}
	now, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var texts, lists, free int
	err = errors.Join(
		now.reader.QueryRow(`SELECT COUNT(*) FROM captions WHERE run = 'cc00'
			AND TYPEOF(beta) || TYPEOF(entropy) || TYPEOF(meteor_stats) <> 'blobblobblob'`).Scan(&texts),
		now.reader.QueryRow("SELECT COUNT(*) FROM v_readings WHERE run = 'cc00' AND other_beta LIKE '%e-0%'").Scan(&lists),
		now.reader.QueryRow("PRAGMA freelist_count").Scan(&free), now.Close())
	if err != nil || texts > 0 || lists == 0 || free > 0 {
		t.Errorf("%d texts, %d lists with exponents, %d free pages, %v", texts, lists, free, err)
	}
	if _, _, outdated := Outdated(path); outdated {
		t.Error("still outdated")
	}
	rowsNow, foundNow, viewsNow := look()
	sameExport(t, "brought up to date", rowsNow, rows)
	if foundNow != found {
		t.Errorf("found is\n%s, and was\n%s", foundNow, found)
	}
	if viewsNow != views {
		t.Errorf("views show\n%s, and showed\n%s", viewsNow, views)
	}
	if small, err := os.Stat(path); err != nil || small.Size() > large.Size()*3/5 { // of which a tenth are other tables
		t.Errorf("%d bytes, of %d before, %v", small.Size(), large.Size(), err)
	}
}

// TestRoomIsGivenBack: what a migration that was killed before it did so left free is given back
// by whoever opens the database next, and so is what was deleted; a little is left for later rows.
func TestRoomIsGivenBack(t *testing.T) {
	db := full(t)
	manyCaptions(t, db, 4000)
	path := beforeCompacting(t, db)
	writer, err := openWriter(path)
	if err == nil {
		err = errors.Join(migrate(t.Context(), writer, path, newest()), (&DB{path: path, writer: writer}).fold(), writer.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name, statement string
		stays           bool
	}{
		{"killed", "SELECT 1", false},
		{"a little deleted", "DELETE FROM captions WHERE run = 'cc00' AND image < '2'", true},
		{"all deleted", "DELETE FROM captions; DELETE FROM readings", false},
	} {
		statement(t, path, step.statement)
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := Open(path)
		if err = errors.Join(err, opened.Check(t.Context()), opened.Close()); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(path)
		if stays := after.Size() == before.Size(); err != nil || stays != step.stays || !stays && after.Size() > before.Size()/2 {
			t.Errorf("%s: %d bytes, %d before, %v", step.name, after.Size(), before.Size(), err)
		}
	}
}

// TestCompactedIsAsWritten holds that what is migrated, what is imported from an older schema,
// what is merged and what this version writes are the same bytes.
func TestCompactedIsAsWritten(t *testing.T) {
	ctx, dir, db := t.Context(), t.TempDir(), full(t)
	path := beforeCompacting(t, db)
	want := exported(t, path)
	before := read(t, path)
	old, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = old.Export(ctx, filepath.Join(dir, "x"), JSONLines)
	if err = errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	imported := filepath.Join(dir, "imported.db")
	if _, err := Import(ctx, filepath.Join(dir, "x"), imported); err != nil {
		t.Fatal(err)
	}
	merged := open(t)
	outcome, err := merged.Merge(ctx, path, never)
	if of := outcomes(outcome); err != nil || of["aa00"] != MergeAdded || of["aa01"] != MergeAdded {
		t.Fatalf("%+v, %v", outcome, err)
	}
	if string(read(t, path)) != string(before) {
		t.Error("the older file was changed")
	}
	migrated, err := Open(path)
	if err = errors.Join(err, migrated.Close(), merged.Close()); err != nil {
		t.Fatal(err)
	}
	sameExport(t, "imported", exported(t, imported), want)
	stored := func(path, where string) (rows []string) {
		t.Helper()
		reader, err := openReader(path, url.Values{"mode": {"ro"}})
		if err == nil {
			defer func() { _ = reader.Close() }()
			rows, err = names(ctx, reader, `SELECT run || QUOTE(image) || QUOTE(beta) || QUOTE(entropy) || QUOTE(meteor_stats)
				FROM captions `+where+`
				UNION ALL SELECT run || QUOTE(image) || QUOTE(own_log_prob) || QUOTE(other_log_prob) || QUOTE(other_beta)
				FROM readings ORDER BY 1`)
		}
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for name, other := range map[string]string{"imported": imported, "merged": merged.Path()} {
		if got, want := fmt.Sprint(stored(other, "")), fmt.Sprint(stored(path, "")); got != want {
			t.Errorf("%s is\n%s, and migrated\n%s", name, got, want)
		}
	}
	const ours = "WHERE run = 'aa00'"
	if got, want := fmt.Sprint(stored(path, ours)), fmt.Sprint(stored(db.Path(), ours)); got != want {
		t.Errorf("migrated is\n%s, and written\n%s", got, want)
	}
}
