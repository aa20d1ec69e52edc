// Package secret finds what looks like a password, a key or a token in text, and
// takes it out: user names and passwords of URLs, keys by their issuers' well-known
// prefixes, private keys, and values of names such as DB_PASSWORD or api_key.
//
// It guesses: what it does not know it leaves, and now and then it takes something
// harmless. So nothing may depend on a text that went through it, and no text may be
// kept on the ground that it did. It must not import any other package of this module.
package secret

import (
	"net/url"
	"regexp"
	"strings"
)

// Mask stands in the place of what was taken out.
const Mask = "[redacted]"

// Redact returns the text with [Mask] in the place of what looks like a secret. User
// names and passwords of URLs go without a trace. Redacting twice changes nothing more.
func Redact(text string) string {
	text, _ = redact(text)
	return text
}

// Count returns how many values of the text [Redact] takes out.
func Count(text string) int {
	_, found := redact(text)
	return found
}

// URL returns an address as it may be shown: without user name and password. Of one that is
// not well formed all goes that may be either. What is no address comes back as it is.
func URL(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	if u, err := url.Parse(address); err == nil {
		if u.User == nil {
			return address
		}
		u.User = nil
		return u.String()
	}
	return scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
}

// Values returns the text with [Mask] in the place of each of the secrets, which are
// known. One of less than four bytes is left: it stands in many words.
func Values(text string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, s, Mask)
		}
	}
	return text
}

// redact takes secrets out and counts them.
func redact(text string) (string, int) {
	low := strings.ToLower(text)
	found := 0
	if strings.Contains(low, "://") {
		text, found = withoutUsers(text)
	}
	for _, r := range rules {
		if !r.mayApply(low) {
			continue
		}
		text = replace(r.pattern, text, func(parts []string) (string, bool) {
			before, value := parts[1], parts[2]
			if strings.Trim(value, `"',;)}`) == Mask || r.harmless != nil && r.harmless(before, value) {
				return "", false
			}
			found++
			return before + Mask, true
		})
	}
	return text, found
}

// users are the name and the password of a URL: all up to the last @ of its authority. A
// password with a slash or a space, which should be escaped, ends the authority too early:
// it is known by what follows the colon, which is no port.
var users = regexp.MustCompile(`(?i)(\b[a-z][a-z0-9+.-]*://)(?:[^\s/?#"'<>]*@|` +
	`[^\s/:@"'<>]*:[0-9]*[^\s0-9/:@"'<>](?:[^\s@"'<>]*|[^/@\n"'<>]*)@)`)

func withoutUsers(text string) (string, int) {
	found := 0
	return replace(users, text, func(parts []string) (string, bool) {
		found++
		return parts[1], true
	}), found
}

// replace is ReplaceAllStringFunc with the parts of each match; without ok the match stays.
func replace(pattern *regexp.Regexp, text string, with func(parts []string) (by string, ok bool)) string {
	var out strings.Builder
	from := 0
	for _, at := range pattern.FindAllStringSubmatchIndex(text, -1) {
		parts := make([]string, len(at)/2)
		for i := range parts {
			if at[2*i] >= 0 {
				parts[i] = text[at[2*i]:at[2*i+1]]
			}
		}
		if by, ok := with(parts); ok {
			out.WriteString(text[from:at[0]] + by)
			from = at[1]
		}
	}
	if from == 0 {
		return text
	}
	return out.String() + text[from:]
}
