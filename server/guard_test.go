package server

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/internal/store"
)

type headers map[string]string // "" takes one away

// An attack is a request, and the code that it is answered with.
type attack struct {
	method, path string // GET for ""
	header       headers
	body         string
	want         int
}

// TestAttacks holds who is answered, and who is refused.
func TestAttacks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1))
	stops := 0
	s := serve(t, Config{Places: []string{path}, Stop: func(_ context.Context, _, _ string) ([]store.Run, error) {
		stops++
		return nil, nil
	}})
	own := s.at("")
	form := url.Values{"confirm": {"stop"}}.Encode()
	cookie := func(value string) string {
		return "glimpse-" + strings.TrimPrefix(own, "http://127.0.0.1:") + "=" + value
	}
	post := func(path, body string, want int, header headers) attack {
		return attack{method: http.MethodPost, path: path, header: header, body: body, want: want}
	}
	for name, c := range map[string]attack{
		"the link":                           {path: "/?token=" + s.token, header: headers{"Cookie": ""}, want: 200},
		"with the cookie":                    {path: "/", want: 200},
		"under the name localhost":           {path: "/", header: headers{"Host": "localhost:80", "Cookie": "glimpse-80=" + s.token}, want: 200},
		"without a cookie":                   {path: "/", header: headers{"Cookie": ""}, want: 401},
		"assets without a cookie":            {path: "/assets/live.js", header: headers{"Cookie": ""}, want: 401},
		"events without a cookie":            {path: "/live", header: headers{"Cookie": ""}, want: 401},
		"a wrong cookie":                     {path: "/", header: headers{"Cookie": cookie("x")}, want: 401},
		"a wrong token":                      {path: "/?token=x", want: 401},
		"rebound name":                       {path: "/", header: headers{"Host": "evil.example"}, want: 421},
		"rebound name with the token":        {path: "/?token=" + s.token, header: headers{"Host": "evil.example"}, want: 421},
		"name that begins as this machine's": {path: "/", header: headers{"Host": "127.0.0.1.evil.example"}, want: 421},
		"another machine's address":          {path: "/", header: headers{"Host": "192.0.2.1"}, want: 421},
		"a path upwards":                     {path: "/assets/..%2f..%2fguard.go", want: 404},
		"a database that is a path":          {path: "/..%2f..%2fetc/run/passwd", want: 404},
		"an unknown database":                {path: "/none/study/s", want: 404},
		"an unknown study":                   {path: "/results/study/none", want: 404},
		"an unknown run":                     {path: "/results/run/zz", want: 404},
		"a run that is SQL":                  {path: "/results/run/" + url.PathEscape("' OR 1=1 --"), want: 404},
		"a comparison with one run":          {path: "/compare?run=results/aaaaaaaaaaaa", want: 400},
		"stop by a link":                     {path: "/results/study/s/stop?confirm=stop", want: 200}, // it asks
		"stop from the form":                 post("/results/study/s/stop", form, 200, headers{"Origin": own}),
		"stop without an origin":             post("/results/study/s/stop", form, 403, nil),
		"stop from another page":             post("/results/study/s/stop", form, 403, headers{"Origin": "http://evil.example"}),
		"stop from a sandbox":                post("/results/study/s/stop", form, 403, headers{"Origin": "null"}),
		"stop from another port":             post("/results/study/s/stop", form, 403, headers{"Origin": "http://127.0.0.1:1"}),
		"stop from another site":             post("/results/study/s/stop", form, 403, headers{"Origin": own, "Sec-Fetch-Site": "cross-site"}),
		"stop without a cookie":              post("/results/study/s/stop", form, 401, headers{"Origin": own, "Cookie": ""}),
		"stop by a token alone":              post("/results/study/s/stop?token="+s.token, form, 401, headers{"Origin": own, "Cookie": ""}),
		"stop unconfirmed":                   post("/results/study/s/stop", "", 400, headers{"Origin": own}),
		"stop with a long body":              post("/results/study/s/stop", strings.Repeat("a", 1<<20)+"&"+form, 400, headers{"Origin": own}),
		"stop of an unknown study":           post("/results/study/none/stop", form, 404, headers{"Origin": own}),
		"another method":                     {method: "DELETE", path: "/results/study/s", header: headers{"Origin": own}, want: 404},
		"a long header":                      {path: "/", header: headers{"X-Long": strings.Repeat("a", 64<<10)}, want: 431},
	} {
		t.Run(name, func(t *testing.T) {
			before := stops
			method := c.method
			if method == "" {
				method = http.MethodGet
			}
			request, err := http.NewRequest(method, own+c.path, strings.NewReader(c.body))
			check(t, err)
			request.Header.Set("Cookie", cookie(s.token))
			if c.body != "" {
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			for key, value := range c.header {
				if key == "Host" {
					request.Host = value
				} else if value == "" {
					request.Header.Del(key)
				} else {
					request.Header.Set(key, value)
				}
			}
			answer, err := http.DefaultTransport.RoundTrip(request)
			check(t, err)
			defer answer.Body.Close()
			if answer.StatusCode != c.want {
				t.Errorf("answered with %d, want %d", answer.StatusCode, c.want)
			}
			if want := map[bool]int{true: 1}[name == "stop from the form"]; stops-before != want {
				t.Errorf("%d studies were stopped, want %d", stops-before, want)
			}
			if answer.StatusCode != 431 && answer.Header.Get("Content-Security-Policy") != policy {
				t.Error("there is no policy")
			}
			set := answer.Header.Get("Set-Cookie")
			if set != "" && (!strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict")) {
				t.Errorf("the cookie is %s", set)
			}
		})
	}
}

// TestReadOnlyPages holds that without --control there is nothing to stop with.
func TestReadOnlyPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1))
	s := serve(t, Config{Places: []string{path}})
	if code, _ := s.get(t, "/results/study/s/stop"); code != http.StatusNotFound {
		t.Errorf("the page that asks is answered with %d", code)
	}
	if _, body := s.get(t, "/queue"); strings.Contains(body, "/stop") {
		t.Error("the queue has a link to stop")
	}
}

// TestListen holds which addresses want a word more.
func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.db")
	planned(t, path, "s", "")
	for _, c := range []struct {
		config Config
		want   string // in the error, "" for none
	}{
		{Config{Listen: "127.0.0.1:0"}, ""},
		{Config{Listen: "localhost:0"}, ""},
		{Config{Listen: "0.0.0.0:0"}, "--allow-remote"},
		{Config{Listen: ":0"}, "--allow-remote"},
		{Config{Listen: "0.0.0.0:0", AllowRemote: true}, ""},
		{Config{Listen: "127.0.0.1"}, "HOST:PORT"},
		{Config{Listen: "127.0.0.1:0", Cert: "c.pem"}, "must be given together"},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		c.config.Places = []string{path}
		s, err := New(ctx, c.config)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.config, err)
		}
		if err == nil {
			check(t, s.listener.Close())
		}
		cancel()
	}
}

// hostile are texts that would be harmful as HTML.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`

// TestTextsAreData holds that names, questions, errors and settings of others are shown as they
// are.
func TestTextsAreData(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "results.db")
	run := aRun("aaaaaaaaaaaa", hostile, 1)
	run.Swept = map[string]string{hostile: hostile}
	run.Settings = []byte(`{"seed": 1, "train": {"epochs": 2}, "name": "<script>alert(3)</script>"}`)
	db := planned(t, path, hostile, hostile, run)
	stored, err := db.Run(ctx, run.ID)
	check(t, err)
	claim, err := db.Claim(ctx, stored, store.Owner{Host: hostile, PID: 1, Lease: 1})
	check(t, err)
	check(t, db.SaveCaptions(ctx, claim, "val", []store.Caption{{Image: hostile, Words: hostile}}))
	check(t, db.Fail(ctx, claim, "crash", hostile))
	s := serve(t, Config{Places: []string{path}, Stop: noStop})
	study := "/results/study/" + url.PathEscape(hostile)
	for _, page := range []string{"/", "/queue", study, study + "/captions", study + "/stop", "/results/run/aaaaaaaaaaaa",
		study + "?where=" + url.QueryEscape(hostile) + "&sort=" + url.QueryEscape(hostile) + "&columns=" + url.QueryEscape(hostile)} {
		_, body := s.get(t, page)
		for _, bad := range []string{"<script>alert", "<img src=x", "onerror=alert(2)>\""} {
			if strings.Contains(body, bad) {
				t.Errorf("%s holds %s", page, bad)
			}
		}
		if page != "/queue" && !strings.Contains(body, "&lt;script&gt;alert") {
			t.Errorf("%s does not show the text at all", page)
		}
	}
}

// TestLogsStayInTheFolder holds that no log is read that a database of others names elsewhere.
func TestLogsStayInTheFolder(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	secret := filepath.Join(elsewhere, "log.txt")
	check(t, os.WriteFile(secret, []byte("not for you"), 0o600))
	path := filepath.Join(dir, "results.db")
	planned(t, path, "s", "", aRun("aaaaaaaaaaaa", "soft", 1), aRun("bbbbbbbbbbbb", "soft", 2))
	check(t, os.MkdirAll(filepath.Join(dir, "runs", "bbbbbbbbbbbb"), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "runs", "bbbbbbbbbbbb", "log.txt"), []byte("epoch 1 is done"), 0o600))
	check(t, os.Symlink(elsewhere, filepath.Join(dir, "runs", "aaaaaaaaaaaa")))
	s := serve(t, Config{Places: []string{path}})
	_, body := s.get(t, "/results/run/aaaaaaaaaaaa")
	if strings.Contains(body, "not for you") || !strings.Contains(body, "outside the database") {
		t.Error("a log outside the folder is shown, or nobody says why not")
	}
	if _, body := s.get(t, "/results/run/bbbbbbbbbbbb"); !strings.Contains(body, "epoch 1 is done") {
		t.Error("a log inside the folder is not shown")
	}
}
