package filter

import (
	"fmt"
	"slices"
	"strings"
)

type tokenKind int

const (
	word tokenKind = iota
	quoted
	operator
	bracket // ( ) ,
	end
)

type token struct {
	kind tokenKind
	text string
	at   int // byte of the expression
}

// is reports whether the token is this keyword or sign.
func (t token) is(what string) bool {
	return (t.kind == word || t.kind == bracket) && strings.EqualFold(t.text, what)
}

func (t token) keyword() bool {
	return t.kind == word && slices.ContainsFunc([]string{"and", "or", "not", "in"}, t.is)
}

// String returns the token as error messages show it.
func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

const signs = "=!<>~"

// scan splits an expression into tokens. The last one is the end.
func scan(text string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(text); {
		c := text[at]
		t := token{at: at, text: text[at : at+1]}
		used := 1
		switch {
		case c == ' ':
			at++
			continue
		case strings.IndexByte("(),", c) >= 0:
			t.kind = bracket
		case strings.IndexByte(signs, c) >= 0:
			t.kind = operator
			for at+used < len(text) && strings.IndexByte(signs, text[at+used]) >= 0 {
				used++
			}
			if t.text = text[at : at+used]; t.text == "==" {
				t.text = "="
			}
			if tests[t.text] == nil {
				return nil, &Error{Text: text, At: at, Msg: fmt.Sprintf("unknown operator %q; use =, !=, <, <=, >, >= or ~", t.text)}
			}
		case c == '\'' || c == '"':
			length := strings.IndexByte(text[at+1:], c)
			if length < 0 {
				return nil, &Error{Text: text, At: at, Msg: "this quote is not closed"}
			}
			t.kind, t.text, used = quoted, text[at+1:at+1+length], length+2
		case c == '&' || c == '|':
			return nil, &Error{Text: text, At: at, Msg: "join conditions with and, or and not"}
		default:
			if used = strings.IndexAny(text[at:], " (),'\"&|"+signs); used < 0 {
				used = len(text) - at
			}
			t.text = text[at : at+used]
		}
		tokens = append(tokens, t)
		at += used
	}
	return append(tokens, token{kind: end, at: len(text)}), nil
}
