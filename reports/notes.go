package reports

import (
	"fmt"
	"slices"

	"glimpse/internal/term"
)

// noteSection shows what people wrote of the study and its runs, and the tags that they gave them.
func (r *result) noteSection() section {
	s := section{Name: "notes", Title: "Notes and tags"}
	t := table{
		Name: "note-table", Caption: "Notes and tags of the study and its trials. They are not part of the declaration or the scores.",
		Columns: []column{{Name: "About"}, {Name: "Written (UTC)"}, {Name: "Tag"}, {Name: "Note"}},
	}
	for _, n := range r.Notes {
		of := cell{Text: "the study"}
		if n.Run != "" {
			of = cell{Text: n.Run, Code: true}
		}
		row := []cell{of, {Text: day(n.Written)}, {}, {}}
		if n.Tag {
			row[2].Text = n.Text
		} else {
			row[3].Text = n.Text
		}
		t.Rows = append(t.Rows, row)
	}
	s.add(part{Table: &t})
	return s
}

// noticeDeleted tells of runs that were deleted after they had been scored, and what became of
// them.
func (r *result) noticeDeleted() {
	if len(r.Deleted) == 0 {
		return
	}
	now := map[string]*run{}
	for _, one := range r.Runs {
		now[one.ID] = one
	}
	var ids, texts []string
	for _, d := range r.Deleted {
		text := fmt.Sprintf("%s seed %d (%s, scored on %s, deleted on %s", d.Arm, d.Seed, d.Run, day(d.Finished), day(d.At))
		switch again := now[d.Run]; {
		case again == nil || !again.completed():
		case again.CaptionsSHA256 == d.CaptionsSHA256:
			text += "; trained again, with the same captions"
		default:
			text += "; trained again, with other captions"
		}
		texts = append(texts, text+")")
		if !slices.Contains(ids, d.Run) {
			ids = append(ids, d.Run)
		}
	}
	was := "was"
	if len(ids) > 1 {
		was = "were"
	}
	r.Notices = append(r.Notices, fmt.Sprintf("%s %s deleted after scoring, so these scores were known when the rest was run: %s.",
		count(len(ids), "trial"), was, term.Enumerate(few(texts, 6))))
}
