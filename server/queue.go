package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"glimpse/internal/store"
	"glimpse/results"
	"glimpse/runner"
)

// queuePage shows what runs where, in all databases.
type queuePage struct {
	frame
	Failures []string
	Running  []working
	Waiting  []queued
	Control  bool
}

// A working trial is one that somebody works on, or did.
type working struct {
	Title, Link, Study, StudyLink string
	Where                         string
	Epochs, Of                    int
	Since, Heard                  time.Time
	Silent                        bool
	Stopping                      bool
}

// A queued study has trials that have not ended.
type queued struct {
	Name, Link, Database string
	Progress             progress
	Waiting              int // queued or interrupted
	Stop                 string
}

func (s *server) queue(ctx context.Context, _ *http.Request) (string, any, error) {
	p := queuePage{frame: frame{Title: "Queue", Trail: []crumb{{"Studies", "/"}}, Follows: true}, Control: s.Stop != nil}
	for _, src := range s.listed() {
		if err := s.queueOf(ctx, src, &p); err != nil {
			p.Failures = append(p.Failures, src.name+": "+err.Error())
		}
	}
	return "queue", p, nil
}

func (s *server) queueOf(ctx context.Context, src *source, p *queuePage) error {
	db, done, err := src.use()
	if err != nil {
		return err
	}
	defer done()
	studies, err := db.Studies(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{} // a run that two studies share is one
	for _, of := range studies {
		st, err := src.study(of.Name).stand(ctx, src, db)
		if err != nil {
			return fmt.Errorf("study %s: %w", of.Name, err)
		}
		q := queued{Name: of.Name, Link: studyLink(src, of.Name), Database: src.name, Progress: progressOf(st)}
		for _, r := range st.runs {
			switch r.State {
			case store.Queued, store.Interrupted:
				q.Waiting++
			case store.Running:
				if !seen[r.ID] {
					seen[r.ID] = true
					p.Running = append(p.Running, workingOn(src, of.Name, st, r))
				}
			}
		}
		if q.Progress.Ended < q.Progress.Total {
			if s.Stop != nil {
				q.Stop = q.Link + "/stop"
			}
			p.Waiting = append(p.Waiting, q)
		}
	}
	return nil
}

func workingOn(src *source, study string, st standing, r store.Run) working {
	w := working{
		Title: fmt.Sprintf("%.6s %s, seed %d", r.ID, armOf(st, r), r.Seed), Link: runLink(src, r.ID),
		Study: study, StudyLink: studyLink(src, study),
		Where: fmt.Sprintf("process %d on %s", r.Owner.PID, r.Owner.Host), Epochs: r.Epochs, Since: r.Started, Heard: r.Heard,
		Silent: !results.SilentSince(r, time.Now()).IsZero(), Stopping: r.Stopped,
	}
	if _, job := runner.JobsOf(r); job {
		w.Where = "a job of " + r.Owner.Host
	}
	if settings, err := results.Settings(r); err == nil { // else its page says so
		w.Of = settings.Train.AllEpochs()
	}
	return w
}

// stopPage asks whether a study is to be stopped.
type stopPage struct {
	frame
	Name, Database, Action, Back string
	Progress                     progress
}

func (s *server) confirmStop(ctx context.Context, r *http.Request) (string, any, error) {
	src, db, of, done, err := s.opened(ctx, r)
	if err != nil {
		return "", nil, err
	}
	defer done()
	st, err := src.study(of.Name).stand(ctx, src, db)
	if err != nil {
		return "", nil, err
	}
	link := studyLink(src, of.Name)
	return "stop", stopPage{
		frame: frame{Title: "Stop " + of.Name + "?", Trail: []crumb{{"Studies", "/"}, {of.Name, link}}},
		Name:  of.Name, Database: src.path, Action: link + "/stop", Back: link, Progress: progressOf(st),
	}, nil
}

// stop asks the runners of a study to stop, once somebody has confirmed it.
func (s *server) stop(w http.ResponseWriter, r *http.Request) {
	src, _, of, done, err := s.opened(r.Context(), r)
	if err == nil {
		done()
		if r.PostFormValue("confirm") != "stop" {
			err = &problem{http.StatusBadRequest, "Not confirmed", "Nothing was stopped: use the button on the confirmation page."}
		}
	}
	var asked []store.Run
	if err == nil {
		asked, err = s.Stop(r.Context(), src.path, of.Name)
	}
	if err != nil {
		code, m := explain(err)
		s.write(w, code, "message", m)
		return
	}
	running := 0
	for _, run := range asked {
		if run.State == store.Running {
			running++
		}
	}
	s.write(w, http.StatusOK, "message", message{
		frame: frame{Title: of.Name + " was asked to stop", Trail: []crumb{{"Studies", "/"}, {of.Name, studyLink(src, of.Name)}}},
		Text: fmt.Sprintf("%d running trials save and stop; current runners start no more trials of the study. "+
			"“glimpse run” resumes from the checkpoints.", running),
		Back: crumb{"The queue", "/queue"},
	})
}
