package secret

import (
	"strings"
	"testing"
)

// token is one that no scanner of repositories shall take for a real one.
func token(prefix string) string { return prefix + strings.Repeat("A1b2", 10) }

func TestRedact(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		// URLs
		{"http://user:pa55@host:5000/x", "http://host:5000/x"},
		{"see https://u:p%40@h/, and postgres://joe@db/x?y=1", "see https://h/, and postgres://db/x?y=1"},
		{"http://user:pa@ss@host/x", "http://host/x"},
		{"http://user:p/a?s@host/x", "http://host/x"},
		{`parse "http://user:pa ss@host": bad`, `parse "http://host": bad`},
		// names
		{"+DEPLOY_TOKEN=s3cret-value\n+x=1", "+DEPLOY_TOKEN=" + Mask + "\n+x=1"},
		{"DB_PASSWORD=hunter", "DB_PASSWORD=" + Mask},
		{`{"apiKey": "abc def", "n": 1}`, `{"apiKey": ` + Mask + `, "n": 1}`},
		{"password: hunter2", "password: " + Mask},
		{"export AWS_SECRET_ACCESS_KEY='a b'", "export AWS_SECRET_ACCESS_KEY=" + Mask},
		{"x --password hunter2 --jobs 2", "x --password " + Mask + " --jobs 2"},
		{"Authorization: Bearer abcdef0123", "Authorization: Bearer " + Mask},
		{"Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic " + Mask},
		{`PASSWORD="one ` + token("ghp_") + ` two"`, "PASSWORD=" + Mask},
		{"{token: " + token("ghp_") + ", x: 1}", "{token: " + Mask + ", x: 1}"},
		{"+  password:   hunter2", "+  password:   " + Mask},
		{"_authToken=abcdef", "_authToken=" + Mask},
		{"GET /x?X-Amz-Signature=abcdef0123&a=b", "GET /x?X-Amz-Signature=" + Mask + "&a=b"},
		// issuers
		{"+" + token("ghp_"), "+" + Mask},
		{token("github_pat_") + " x", Mask + " x"},
		{token("glpat-"), Mask},
		{"key AKIA" + strings.Repeat("Q7", 8), "key " + Mask},
		{"(" + token("sk-ant-") + ")", "(" + Mask + ")"},
		{token("hf_") + "," + token("xoxb-"), Mask + "," + Mask},
		{"-----BEGIN RSA PRIVATE KEY-----\n+MII\n+-----END RSA PRIVATE KEY-----\nx", Mask + "\nx"},
		{"-----BEGIN PRIVATE KEY-----\nMII", Mask},
	} {
		got := Redact(c.text)
		if got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.text, got, c.want)
		}
		if Redact(got) != got {
			t.Errorf("%q: redacting again gives %q", got, Redact(got))
		}
		if c.text != c.want && (Count(c.text) == 0 || Count(got) != 0) {
			t.Errorf("%q: %d secrets, then %d", c.text, Count(c.text), Count(got))
		}
	}
}

// What glimpse itself records and says is not taken for secrets.
func TestHarmless(t *testing.T) {
	for _, text := range []string{
		"",
		"glimpse run experiments/flickr8k-width.yaml --jobs 1 --threads 1 --pictures 0 --set model.hidden=48",
		"data=flickr8k:1d3c9f;split=test;tokenizer=ptb-1;vocabulary=5a0f;decode=beam5;metrics=3",
		"http://127.0.0.1:5000/@x?y=a@b", "http://127.0.0.1:5000: the server answered 403: ask admin@example.com", "https://example.com/a@2x.png", "file:///home/me/runs",
		"the token: unexpected end of file", "a tokenizer: ptb", "max_tokens: 4096", "keys: [1, 2]", "key: model.hidden",
		"password: <your password>", "TOKEN=$TOKEN", "PASSWORD=", "password: ''", "password:\nnext1", "secret: null", "pwd: /home",
		"sk-learn-and-others-too", "bearer certificates", "a basic understanding of it", "hf_transfer", "git@github.com:me/glimpse.git",
		"sha256 " + strings.Repeat("0123456789abcdef", 4),
		"encoder.weights: auto for efficientnet_lite2: want auto, random or the path of a .pth file",
	} {
		if got := Redact(text); got != text || Count(text) != 0 {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://user:pass@h:5000": "http://h:5000",
		"https://token@h/x":       "https://h/x",
		"runs":                    "runs",
		"/home/a@b/runs":          "/home/a@b/runs",
		"http://u: p/x@h:port/x":  "http://h:port/x",
		"http://h/a@b":            "http://h/a@b",
		"http://u:p@h/a@b?c@d":    "http://h/a@b?c@d",
		"http://u:p@h?c@d":        "http://h?c@d",
		"http://u:p@h:port/x":     "http://h:port/x",
	} {
		if got := URL(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	if got := Values("no user bob with hunter2", "hunter2", "", "o"); got != "no user bob with "+Mask {
		t.Error(got)
	}
}

func FuzzRedact(f *testing.F) {
	for _, seed := range []string{"http://u:p@h", "TOKEN=abcdef01", "password: x\n", token("ghp_"), "-----BEGIN PRIVATE KEY-----", "--token a://b:c@"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := Redact(text)
		if twice := Redact(once); twice != once {
			t.Errorf("%q → %q → %q", text, once, twice)
		}
		if Count(text) == 0 && once != text {
			t.Errorf("%q changed without a count: %q", text, once)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	text := strings.Repeat(`{"commit":"0123456789abcdef","dirty":false,"command":"glimpse run x.yaml","hashes":{"data":"0123456789abcdef"}}`, 20)
	for b.Loop() {
		Count(text)
	}
}
