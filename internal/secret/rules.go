package secret

import (
	"regexp"
	"strings"
)

// A rule finds one kind of secret. Its pattern has two groups: what stays, and the secret.
type rule struct {
	// signs are texts in lower case, one of which every text has to which the rule can apply. They
	// spare most texts the pattern, which takes far longer to find nothing.
	signs   []string
	pattern *regexp.Regexp
	// harmless tells of a match that it is none after all; nil finds all to be secrets.
	harmless func(before, value string) bool
}

func (r *rule) mayApply(low string) bool {
	for _, sign := range r.signs {
		if strings.Contains(low, sign) {
			return true
		}
	}
	return false
}

// names end the names of values that are secret, in any spelling of DB_PASSWORD, dbPassword, db-password.
const names = `(?:password|passwd|passphrase|pwd|secret|token|api[_.-]?key|access[_.-]?key(?:[_.-]?id)?|account[_.-]?key|` +
	`private[_.-]?key|secret[_.-]?key|encryption[_.-]?key|credentials?|authorization|[_.-]pass|[_.-]auth)`

// value is a text in quotes, or all up to a space.
const value = `"[^"\n]+"|'[^'\n]+'|[^\s"']+`

var rules = []rule{
	{
		signs: []string{"private key"},
		pattern: regexp.MustCompile(`()(-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----` +
			`(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z))`),
	},
	{ // what the issuers themselves say that their keys look like
		signs: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "akia", "asia", "aiza", "ya29.", "xox", "xapp-",
			"sk-", "sk_", "rk_", "hf_", "npm_", "pypi-", "sg.", "eyj", "dop_v1_", "dapi", "whsec_", "shpat_", "hooks.slack.com", "age-secret-key-"},
		pattern: regexp.MustCompile(`(\b|https://hooks\.slack\.com/services/)(` +
			`gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl(?:pat|dt)-[\w-]{16,}|` +
			`(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{35}|ya29\.[\w-]{16,}|` +
			`xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|(?:T|B)[A-Z0-9]{7,}/B[A-Z0-9]{7,}/\w{16,}|` +
			`sk-[\w-]{16,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[\w+/=]{16,}|hf_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{16,}|` +
			`pypi-[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*|` +
			`dop_v1_[a-f0-9]{16,}|dapi[a-f0-9]{32}|shpat_[a-f0-9]{16,}|AGE-SECRET-KEY-1[A-Z0-9]{16,})`),
		harmless: func(_, value string) bool { return !strings.ContainsAny(value, "0123456789") }, // sk-learn-and-so-on
	},
	{ // Authorization: Bearer …, of a log or a command
		signs:   []string{"bearer ", "basic "},
		pattern: regexp.MustCompile(`(?i)(\b(?:bearer|basic) +)([\w.~+/=-]{8,})`),
		harmless: func(_, value string) bool {
			return !strings.ContainsAny(value, "0123456789=") && strings.ToLower(value) == value
		},
	},
	{ // --password hunter2
		signs:    []string{"--"},
		pattern:  regexp.MustCompile(`(?i)(--[\w.-]*?` + names + `[ \t]+)(` + value + `)`),
		harmless: func(_, value string) bool { return strings.HasPrefix(value, "-") || blank(value) },
	},
	{ // PASSWORD=hunter2, "password": "hunter2"
		signs:   []string{"pass", "pwd", "secret", "token", "key", "credential", "auth"},
		pattern: regexp.MustCompile(`(?i)(\b[\w.-]*?` + names + `["']?[ \t]*(?::|=)=?>?[ \t]*)(` + value + `)`),
		harmless: func(before, value string) bool {
			assigned := strings.HasSuffix(before, "=")
			return blank(value) || len(value) < 4 || !assigned && !strings.ContainsAny(value, `0123456789"'`) && isWord(value)
		},
	},
	{ // of signed addresses
		signs:   []string{"signature=", "sig="},
		pattern: regexp.MustCompile(`(?i)([?&](?:x-amz-signature|x-goog-signature|sig)=)([\w%+/=-]{8,})`),
	},
}

// blank tells of a value that it stands for one, or for none.
func blank(value string) bool {
	value = strings.Trim(value, `"',;)}]`)
	switch strings.ToLower(value) {
	case "", "true", "false", "null", "nil", "none", "undefined":
		return true
	}
	return strings.HasPrefix(value, "$") || strings.HasPrefix(value, "<") || strings.HasPrefix(value, "{{") || strings.Trim(value, "*x.…") == ""
}

// isWord tells of a value that it reads like one of a sentence: "token: unexpected".
func isWord(value string) bool {
	return strings.Trim(strings.ToLower(value), "abcdefghijklmnopqrstuvwxyz-.,;:()/`") == ""
}
