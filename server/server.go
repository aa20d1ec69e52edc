package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"glimpse/internal/store"
)

// Limits of what is served at once, and for how long. Event streams set their own time to write.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 10 * time.Second
	writeTimeout    = 60 * time.Second
	idleTimeout     = 2 * time.Minute
	mostHeader      = 16 << 10
	mostConnections = 512
)

// A Config says what is shown, to whom, and what they may do.
type Config struct {
	Places []string // databases, and folders that are searched for databases
	// Listen is an address such as 127.0.0.1:0, where port 0 is any that is free.
	Listen string
	// AllowRemote permits an address that other machines reach.
	AllowRemote bool
	// Cert and Key are files of a TLS certificate and its key, in PEM; "" for plain HTTP.
	Cert, Key string
	// Album opens the data set of a study of a database; nil where pictures are not to be shown.
	Album func(ctx context.Context, db *store.DB, study string) (Album, error)
	// Stop asks whoever works on a study of the database at path to stop, and gives the runs that
	// were not completed. Without it (nil) the pages can change nothing.
	Stop func(ctx context.Context, path, study string) ([]store.Run, error)
}

// A Server is ready to serve.
type Server struct {
	server
	listener net.Listener
	http     *http.Server
}

type server struct {
	Config
	token    string
	secure   bool            // by TLS
	remote   bool            // other machines reach it
	hosts    []string        // names of this machine, in small letters
	ctx      context.Context // of the whole server
	hub      hub
	analyses chan struct{} // holds one value while an analysis is computed
	pages    pageCache
	albums   albums

	mu      sync.Mutex
	sources []*source
	more    bool // there are more databases than are shown
}

// errRemote refuses an address that was not allowed.
var errRemote = errors.New("other machines can reach that address: pass --allow-remote to allow it, best with --cert and --key, " +
	"since without TLS anyone on the network can read the pages and the token; " +
	"or listen on 127.0.0.1 and use `ssh -L`")

// Check refuses what cannot be meant: an address without a port, one that other machines reach
// unless that is allowed, and a certificate without a key.
func (c Config) Check() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; expected HOST:PORT, such as 127.0.0.1:8080", c.Listen, err)
	}
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("--cert and --key must be given together")
	}
	if !isLoopback(host) && !c.AllowRemote {
		return fmt.Errorf("--listen %s: %w", c.Listen, errRemote)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// New opens the address and the databases. A database that cannot be read is shown as such; there
// is an error for what [Config.Check] refuses, for an address that cannot be had, and for a
// folder without databases. The context ends the server.
func New(ctx context.Context, c Config) (*Server, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(c.Listen) // as checked
	s := &Server{server: server{Config: c, token: newToken(), secure: c.Cert != "", ctx: ctx,
		hub: hub{streams: map[chan uint64]bool{}}, analyses: make(chan struct{}, 1)}}
	s.albums.shrinking = make(chan struct{}, mostShrinking)
	s.remote = !isLoopback(host)
	s.hosts = append(s.hosts, strings.ToLower(host))
	if name, err := os.Hostname(); err == nil {
		s.hosts = append(s.hosts, strings.ToLower(name))
	}
	templates()
	assets()
	if err := s.search(); err != nil {
		return nil, err
	}
	if len(s.listed()) == 0 {
		return nil, fmt.Errorf("%s: no results database found: create one with `glimpse run STUDY.yaml`, or name another with --db",
			strings.Join(c.Places, ", "))
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", c.Listen, err)
	}
	s.listener = netutil.LimitListener(listener, mostConnections)
	s.http = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: mostHeader,
	}
	return s, nil
}

// Link is the address with the token, for those who may see the pages.
func (s *Server) Link() string {
	host, port, _ := net.SplitHostPort(s.listener.Addr().String()) // which it gave itself
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return fmt.Sprintf("%s://%s/?token=%s", s.scheme(), net.JoinHostPort(host, port), s.token)
}

// Serve answers until the context ends, which is no error.
func (s *Server) Serve() error {
	var watching sync.WaitGroup
	watching.Go(func() { s.follow(s.ctx) })
	go func() {
		<-s.ctx.Done()
		_ = s.http.Close()
	}()
	var err error
	if s.secure {
		err = s.http.ServeTLS(s.listener, s.Cert, s.Key)
	} else {
		err = s.http.Serve(s.listener)
	}
	if s.ctx.Err() != nil {
		watching.Wait()
		return nil
	}
	return fmt.Errorf("serve %s: %w", s.listener.Addr(), err)
}

// search looks for databases that are not listed yet. Those that are gone stay listed, and say so.
func (s *server) search() error {
	known := map[string]string{}
	for _, src := range s.listed() {
		known[src.path] = src.name
	}
	f, err := find(s.Places, known)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more = f.more
	for _, path := range f.paths {
		if len(s.sources) == mostSources {
			s.more = true
			break
		}
		src := &source{name: f.names[path], path: path}
		if s.ctx.Err() == nil {
			src.look(s.ctx)
		}
		s.sources = append(s.sources, src)
	}
	return nil
}

// listed are the databases that are shown.
func (s *server) listed() []*source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sources[:len(s.sources):len(s.sources)]
}

// source finds a database by its name in URLs, nil where there is none.
func (s *server) source(name string) *source {
	for _, src := range s.listed() {
		if src.name == name {
			return src
		}
	}
	return nil
}

// using gives a database by its name in URLs until done is called.
func (s *server) using(name string) (src *source, db *store.DB, done func(), err error) {
	if src = s.source(name); src == nil {
		return nil, nil, nil, notFound("There is no such database", fmt.Sprintf("%q is not one of the databases shown.", name))
	}
	db, done, err = src.use()
	return src, db, done, err
}

// handler gives the pages, behind the guard.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.home))
	mux.HandleFunc("GET /queue", s.page(s.queue))
	mux.HandleFunc("GET /compare", s.page(s.compare))
	mux.HandleFunc("GET /compare/captions.json", s.cached(s.comparedCaptions))
	mux.HandleFunc("GET /live", s.stream)
	mux.HandleFunc("GET /assets/{name}", s.asset)
	mux.HandleFunc("GET /{db}/study/{study}", s.page(s.study))
	mux.HandleFunc("GET /{db}/study/{study}/figures.css", s.figureStyle)
	mux.HandleFunc("GET /{db}/study/{study}/captions", s.page(s.captions))
	mux.HandleFunc("GET /{db}/study/{study}/captions.json", s.cached(s.captionData))
	mux.HandleFunc("GET /{db}/study/{study}/picture", s.picture)
	mux.HandleFunc("GET /{db}/run/{run}", s.page(s.run))
	mux.HandleFunc("GET /{db}/run/{run}/captions.json", s.cached(s.captionsOfRun))
	if s.Stop != nil {
		mux.HandleFunc("GET /{db}/study/{study}/stop", s.page(s.confirmStop))
		mux.HandleFunc("POST /{db}/study/{study}/stop", s.stop)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, http.StatusNotFound, "There is no such page", "The start page lists all studies.")
	})
	return s.guard(mux)
}
