package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// How often the databases are looked at, how often folders are searched for new ones, and how
// often pages are told anew where only time has passed.
const (
	lookEvery   = 2 * time.Second
	searchEvery = 15 * time.Second
	timePasses  = 15 * time.Second
)

// streams is how many pages are told of changes at once, and streamFor for how long before they
// ask again.
const (
	mostStreams = 200
	streamFor   = 10 * time.Minute
)

// A hub tells all streams the version of what is shown.
type hub struct {
	mu      sync.Mutex
	version uint64
	streams map[chan uint64]bool
}

// changed tells everybody that what is shown has changed.
func (s *server) changed() {
	h := &s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.version++
	for stream := range h.streams {
		select {
		case <-stream: // the version before, which nobody has taken yet
		default:
		}
		stream <- h.version
	}
}

// current is the version of what is shown.
func (s *server) current() uint64 {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.hub.version
}

// join gives a channel that holds the newest version, nil where there are too many.
func (h *hub) join() chan uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) >= mostStreams {
		return nil
	}
	stream := make(chan uint64, 1)
	stream <- h.version
	h.streams[stream] = true
	return stream
}

func (h *hub) leave(stream chan uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, stream)
}

// follow watches the databases until the context ends: the one watcher of all viewers.
func (s *server) follow(ctx context.Context) {
	searched, told := time.Now(), time.Now()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		changed := false
		if time.Since(searched) > searchEvery {
			searched = time.Now()
			before := len(s.listed())
			_ = s.search() // a folder that cannot be read now has shown what it had
			changed = len(s.listed()) > before
		}
		for _, src := range s.listed() {
			changed = src.look(ctx) || changed
		}
		if changed || time.Since(told) > timePasses {
			told = time.Now()
			s.changed()
		}
		select {
		case <-ctx.Done():
			for _, src := range s.listed() {
				src.close(ctx.Err())
			}
			return
		case <-tick.C:
		}
	}
}

// stream sends the version as a server-sent event whenever it changes
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	stream := s.hub.join()
	if stream == nil {
		http.Error(w, "too many pages are open; this one no longer updates; reload it to see changes", http.StatusServiceUnavailable)
		return
	}
	defer s.hub.leave(stream)
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	end := time.After(streamFor)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		case <-end:
			return // and the browser asks again
		case version := <-stream:
			_ = out.SetWriteDeadline(time.Now().Add(writeTimeout)) // else the server's own holds
			if _, err := fmt.Fprintf(w, "data: %d\n\n", version); err != nil || out.Flush() != nil {
				return
			}
		}
	}
}
