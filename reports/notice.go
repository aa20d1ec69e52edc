package reports

import (
	"fmt"
	"slices"
	"strings"

	"glimpse/internal/store"
	"glimpse/internal/term"
)

// notice collects what a reader has to know before believing the verdict:
// missing trials, what the statistics warn of, arms of unequal size, and code
// or machines that changed within the study.
func (r *result) notice() {
	r.noticeMissing()
	r.noticeDeleted()
	r.noticeWarnings()
	r.noticeParameters()
	r.noticeCode()
}

// noticeWarnings passes on what the statistics warn of, a warning that holds
// for several arms or contrasts once.
func (r *result) noticeWarnings() {
	if r.Analysis == nil {
		return
	}
	var armTexts, contrastTexts groups
	last := map[string]int{} // label → the last arm of that label
	for i, a := range r.Arms {
		last[a.Label] = i
	}
	for _, w := range r.Analysis.Warnings {
		subject, text := "", sentence(w)
		if about, isArm := strings.CutPrefix(w, "arm "); isArm {
			found := -1
			for at, c := range about {
				if i, known := last[about[:at]]; c == ' ' && known && i > found {
					found, subject, text = i, about[:at], about[at+1:]+"."
				}
			}
		}
		armTexts.add(subject, text)
	}
	for _, c := range r.Contrasts {
		if c.Verdict != "" {
			for _, w := range c.Result.Warnings {
				contrastTexts.add(c.name(), w+".")
			}
		}
	}
	for _, g := range armTexts.list {
		switch {
		case g.subjects[0] == "":
			r.Notices = append(r.Notices, g.text)
		case len(g.subjects) == 1:
			r.Notices = append(r.Notices, g.subjects[0]+" "+g.text)
		default:
			r.Notices = append(r.Notices, term.Enumerate(few(g.subjects, 4))+": each "+g.text)
		}
	}
	for _, g := range contrastTexts.list {
		r.Notices = append(r.Notices, term.Enumerate(few(g.subjects, 4))+": "+g.text)
	}
}

// groups are texts, each with what it is said of.
type groups struct {
	list []*group
	of   map[string]*group
}

type group struct {
	text     string
	subjects []string
}

func (gs *groups) add(subject, text string) {
	if gs.of[text] == nil {
		if gs.of == nil {
			gs.of = map[string]*group{}
		}
		gs.of[text] = &group{text: text}
		gs.list = append(gs.list, gs.of[text])
	}
	gs.of[text].subjects = append(gs.of[text].subjects, subject)
}

// few is the beginning of a list with the number of what is left out.
func few(list []string, most int) []string {
	if len(list) <= most+1 {
		return list
	}
	return append(slices.Clone(list[:most]), fmt.Sprintf("%d more", len(list)-most))
}

// noticeMissing names the trials whose scores are missing.
func (r *result) noticeMissing() {
	finished := r.finished()
	if finished == 0 || finished == len(r.Runs) {
		return
	}
	var parts []string
	for _, a := range r.Arms {
		missing := slices.DeleteFunc(slices.Clone(a.Runs), func(run *run) bool {
			_, scored := r.Primary.of(run)
			return scored && run.completed()
		})
		for _, same := range r.byState(missing) {
			what := same.state
			if what == store.Completed {
				what = "completed without a score"
			}
			var seeds []int64
			for _, run := range same.runs {
				seeds = append(seeds, run.Seed)
			}
			parts = append(parts, fmt.Sprintf("%s %s %s", a.Label, seedList(seeds), what))
		}
	}
	r.Notices = append(r.Notices, fmt.Sprintf("Provisional: %d of %s finished. Missing: %s.",
		finished, count(len(r.Runs), "trial"), term.Enumerate(few(parts, 8))))
}

// sameState are runs that stand alike.
type sameState struct {
	state string // see evidence.stateText
	runs  []*run
}

// byState groups runs by how they stand.
func (e *evidence) byState(runs []*run) []sameState {
	var groups []sameState
	for _, state := range []string{store.Completed, store.Running, store.Queued, store.Interrupted, store.Failed, store.Pruned} {
		from := len(groups)
		for _, r := range runs {
			if r.State != state {
				continue
			}
			text := e.stateText(r)
			i := slices.IndexFunc(groups[from:], func(g sameState) bool { return g.state == text })
			if i < 0 {
				i, groups = len(groups)-from, append(groups, sameState{state: text})
			}
			groups[from+i].runs = append(groups[from+i].runs, r)
		}
	}
	return groups
}

// seedList names seeds: "seed 4", "seeds 4 and 5".
func seedList(seeds []int64) string {
	names := make([]string, len(seeds))
	for i, s := range seeds {
		names[i] = fmt.Sprint(s)
	}
	if len(names) == 1 {
		return "seed " + names[0]
	}
	return "seeds " + term.Enumerate(names)
}

// unmatched is the share by which the parameters of two arms may differ before
// the report says so, where the study declares none.
const unmatched = 0.05

// noticeParameters says that arms differ in size, which a difference in scores
// could come from.
func (r *result) noticeParameters() {
	allowed := r.Compare.MatchParameters
	if allowed == 0 {
		allowed = unmatched
	}
	var unequal []string
	for _, c := range r.Contrasts {
		if c.interacts() {
			continue
		}
		_, a := c.A.counts()
		_, b := c.B.counts()
		if a == 0 || b == 0 {
			continue
		}
		if share := float64(b-a) / float64(a); share > allowed || share < -allowed {
			unequal = append(unequal, fmt.Sprintf(
				"%s has %s parameters and %s %s (%s %%): the difference in scores may be due to size.",
				c.B.Label, thousands(b), c.A.Label, thousands(a), signed(100*share, 0)))
		}
	}
	if more := len(unequal) - mostNotices; more > 0 {
		unequal = append(unequal[:mostNotices], fmt.Sprintf("The same applies to %d more contrasts, whose arms also differ in size.", more))
	}
	r.Notices = append(r.Notices, unequal...)
}

// noticeCode says that runs were made by changed or by different code, or
// decode or know words differently on purpose.
func (r *result) noticeCode() {
	if free := r.Study.SweptProtocol(); len(free) > 0 {
		r.Notices = append(r.Notices, fmt.Sprintf("The runs differ in the protocol’s %s, which the study sweeps.", term.Enumerate(free)))
	}
	environments := r.environments()
	var dirty int
	for _, value := range environments["dirty"] {
		if value == "true" {
			dirty++
		}
	}
	if dirty > 0 {
		r.Notices = append(r.Notices, fmt.Sprintf("%s made with uncommitted changes in the code: the commit below is not the full source.", wasWere(dirty, "run")))
	}
	for _, key := range []string{"commit", "device"} {
		if values := tallied(environments[key]); len(values) > 1 {
			r.Notices = append(r.Notices, fmt.Sprintf("The runs come from more than one %s: %s.", key, term.Enumerate(values)))
		}
	}
}

// wasWere is a number of things with its verb: "1 run was", "2 runs were".
func wasWere(n int, thing string) string {
	if n == 1 {
		return "1 " + thing + " was"
	}
	return count(n, thing) + " were"
}
