package results

import (
	"context"
	"slices"

	"glimpse/internal/secret"
	"glimpse/internal/store"
)

// Notes gives the notes and tags of a study and of its runs or, for the empty name, of the whole
// database, as [store.DB.Notes] does, without what looks like a secret.
func Notes(ctx context.Context, db *store.DB, study string) ([]store.Note, error) {
	notes, err := db.Notes(ctx, study)
	for i := range notes {
		notes[i].Text = secret.Redact(notes[i].Text)
	}
	return notes, err
}

// NotesOf gives the notes of a run's studies and then its own, without tags, likewise.
func NotesOf(ctx context.Context, db *store.DB, run store.Run) ([]store.Note, error) {
	all, err := Notes(ctx, db, "")
	return slices.DeleteFunc(all, func(n store.Note) bool {
		return n.Tag || n.Run != run.ID && !slices.Contains(run.Studies, n.Study)
	}), err
}

// Tags are those of a run and of its studies, likewise.
func Tags(run store.Run) []string {
	tags := slices.Clone(run.Tags)
	for i := range tags {
		tags[i] = secret.Redact(tags[i])
	}
	return tags
}
