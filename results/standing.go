package results

import (
	"fmt"
	"strings"
	"time"
)

// Conflict is the error for a study file that differs from the frozen declaration
// and is not a recorded amendment; nil if there is none.
func (s Standing) Conflict(study string) error {
	if s.Frozen == nil || len(s.Differences) == 0 {
		return nil
	}
	return &DeclarationError{Study: study, Frozen: s.Frozen.Frozen, Differences: s.Differences}
}

// A DeclarationError is returned for a study file that differs from what was
// declared before the first final split was scored.
type DeclarationError struct {
	Study       string
	Frozen      time.Time
	Differences []string
}

func (e *DeclarationError) Error() string {
	return fmt.Sprintf("the declaration of study %s was frozen when its first final split was scored (%s UTC), "+
		"but this file declares something else:\n  %s\n"+
		"Restore the file, or give the new study another name (--set study=NAME). "+
		"To record the change as an amendment, which the report shows separately as exploratory, use --amend \"reason\".",
		e.Study, e.Frozen.UTC().Format("2006-01-02 15:04"), strings.Join(e.Differences, "\n  "))
}

// Warnings say in plain sentences what keeps the study from confirming anything.
func (s Standing) Warnings() []string {
	var list []string
	if err := s.Conflict("this"); err != nil {
		list = append(list, fmt.Sprintf("the file differs from the declaration frozen on %s UTC: %s; "+
			"`glimpse run` needs --amend to accept it",
			s.Frozen.Frozen.UTC().Format("2006-01-02 15:04"), strings.Join(s.Differences, "; ")))
	}
	if s.Amendment != nil {
		list = append(list, fmt.Sprintf("the file is amendment %d, declared after scoring (%s): "+
			"the verdict still follows the first declaration", s.Amendment.Number, s.Amendment.Reason))
	}
	if s.Scored > 0 && (s.Frozen == nil || s.Frozen.Late()) {
		list = append(list, fmt.Sprintf("%d of %d trials had been scored before this study was declared: "+
			"its results are exploratory; use other seeds to confirm them",
			s.Scored, s.Trials))
	}
	return list
}
