package server

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// policy forbids whatever a page does not need: scripts and styles come from files of the server
// alone, and no page of others may frame this one.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// mostBody is how many bytes of a request's body are read.
const mostBody = 4 << 10

// newToken makes 256 random bits.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// guard lets a request through to next only if it names a host that is this machine, comes from a
// page of this server if it changes anything, and brings the token.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // without any, forms would be sent with the origin null
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.knownHost(r.Host) {
			s.refuse(w, http.StatusMisdirectedRequest, "Unknown host name",
				"Open the address printed by “glimpse serve”.")
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			site := r.Header.Get("Sec-Fetch-Site") // "" of older browsers
			if r.Header.Get("Origin") != s.scheme()+"://"+r.Host || site != "" && site != "same-origin" {
				s.refuse(w, http.StatusForbidden, "Request from another site", "Use the form on the page of this server.")
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		if given := r.URL.Query().Get("token"); given != "" && r.Method == http.MethodGet {
			s.welcome(w, r, given)
			return
		}
		cookie, err := r.Cookie(s.cookieName(r))
		if err != nil || !s.isToken(cookie.Value) {
			s.refuse(w, http.StatusUnauthorized, "Please use the link",
				"Open the link printed by “glimpse serve”, which contains a token. This browser then remembers it.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) isToken(given string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(s.token)) == 1
}

// cookieName is one for each port: browsers send the cookies of a host to all its ports.
func (s *server) cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "default"
	}
	return "glimpse-" + port
}

// welcome keeps the token of the link in a cookie, and goes on to the page without it. It does so
// by a page and not by a redirect, since a browser would send no strict cookie after a redirect
// that began on another site.
func (s *server) welcome(w http.ResponseWriter, r *http.Request, given string) {
	if !s.isToken(given) {
		s.refuse(w, http.StatusUnauthorized, "This link has expired",
			"Its token is out of date: use the last link printed by “glimpse serve”.")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(r), Value: s.token, Path: "/",
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode})
	query := r.URL.Query()
	query.Del("token")
	to := *r.URL
	to.Scheme, to.Host, to.RawQuery = "", "", query.Encode()
	path := to.String()
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		path = "/"
	}
	s.write(w, http.StatusOK, "welcome", struct {
		frame
		To string
	}{frame{Title: "Welcome"}, path})
}

// knownHost tells whether a request was meant for this machine. A page of others whose name was
// made to lead here (DNS rebinding) has that name; addresses cannot be rebound.
func (s *server) knownHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	if err == nil {
		return address.IsLoopback() || s.remote
	}
	return name == "localhost" || s.remote && slices.Contains(s.hosts, name)
}

func (s *server) scheme() string {
	if s.secure {
		return "https"
	}
	return "http"
}

// refuse says why a request is not answered.
func (s *server) refuse(w http.ResponseWriter, code int, title, text string) {
	s.write(w, code, "message", message{frame: frame{Title: title}, Text: text})
}
