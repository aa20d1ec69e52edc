package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// A study that is being run keeps its declaration and its runs; one that only seems
// to be run does not.
func TestDeclarationIsHeldWhileItIsRun(t *testing.T) {
	const minute = time.Minute
	for name, c := range map[string]struct {
		first  Declaration
		lease  time.Duration
		after  func(t *testing.T, db *DB, claim Claim) // the claim of aa00
		second Declaration
		runs   []Run
		busy   bool
		want   []string
	}{
		"another": {
			first: declaring("a", ""), lease: minute, second: declaring("b", ""), runs: runs(3)[1:],
			busy: true, want: []string{"0 a 0"},
		},
		"another with a reason": {
			first: declaring("a", ""), lease: minute, second: declaring("b", "a slip"), runs: runs(3)[1:],
			busy: true, want: []string{"0 a 0"},
		},
		"the same": {
			first: declaring("a", ""), lease: minute, second: declaring("a", ""), runs: runs(3),
			want: []string{"0 a 0"},
		},
		"none": {
			first: declaring("a", ""), lease: minute, runs: runs(3),
			want: []string{"0 a 0"},
		},
		"the first of a study without one": {
			lease: minute, second: declaring("b", ""), runs: runs(3),
			want: []string{"0 b 0"},
		},
		"silent for longer than its lease": {
			first: declaring("a", ""), lease: time.Millisecond, second: declaring("b", ""), runs: runs(3)[1:],
			after: func(*testing.T, *DB, Claim) { time.Sleep(5 * time.Millisecond) },
			want:  []string{"0 b 0"},
		},
		"heard of again": {
			first: declaring("a", ""), lease: minute, second: declaring("b", ""), runs: runs(3)[1:],
			after: func(t *testing.T, db *DB, claim Claim) {
				statement(t, db.Path(), "UPDATE runs SET heard_ms = 0")
				if _, err := db.Beat(context.Background(), claim); err != nil {
					t.Fatal(err)
				}
			},
			busy: true, want: []string{"0 a 0"},
		},
		"interrupted": {
			first: declaring("a", ""), lease: minute, second: declaring("b", ""), runs: runs(3)[1:],
			after: func(t *testing.T, db *DB, claim Claim) {
				if err := db.Interrupt(context.Background(), claim); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"0 b 0"},
		},
		"an amendment": { // it displaces nothing
			first: declaring("a", ""), lease: minute, second: declaring("b", "a slip"), runs: runs(3),
			after: func(t *testing.T, db *DB, _ Claim) { complete(t, db, "aa01") },
			want:  []string{"0 a 0*", "1 b 1*"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			if err := db.SaveStudy(ctx, Study{Name: "s"}, runs(2), c.first, nil); err != nil {
				t.Fatal(err)
			}
			run, err := db.Run(ctx, "aa00")
			if err != nil {
				t.Fatal(err)
			}
			claim, err := db.Claim(ctx, run, Owner{Host: "h", PID: 7, Lease: c.lease})
			if err != nil {
				t.Fatal(err)
			}
			if c.after != nil {
				c.after(t, db, claim)
			}
			before := members(t, db, "s")
			err = db.SaveStudy(ctx, Study{Name: "s", Question: "changed"}, c.runs, c.second, nil)
			var busy *BusyError
			switch {
			case !c.busy && err != nil:
				t.Fatal(err)
			case !c.busy:
			case !errors.As(err, &busy):
				t.Fatalf("%v, want a BusyError", err)
			default:
				const want = "study s is running under another declaration (run aa00, process 7 on h): " +
					"stop it first with `glimpse stop s`, or rename this study"
				if err.Error() != want || busy.Study != "s" || busy.Run.ID != "aa00" {
					t.Errorf("%v, want %s", err, want)
				}
				if study, err := db.Study(ctx, "s"); err != nil || study.Question != "" || !slices.Equal(members(t, db, "s"), before) {
					t.Errorf("it was written: %+v of %v, %v", study, members(t, db, "s"), err)
				}
			}
			if got := declared(t, db, "s"); !slices.Equal(got, c.want) {
				t.Errorf("declared are %q, want %q", got, c.want)
			}
		})
	}
}

// A run of another study holds up nobody.
func TestDeclarationIsNotHeldByAnotherStudy(t *testing.T) {
	db, ctx := open(t), context.Background()
	claimed(t, db) // aa00, of study s
	for _, name := range []string{"a", "b"} {
		if err := db.SaveStudy(ctx, Study{Name: "t"}, runs(2)[1:], declaring(name, ""), nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := declared(t, db, "t"), []string{"0 b 0"}; !slices.Equal(got, want) {
		t.Errorf("declared are %q, want %q", got, want)
	}
}
