package filter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// longest limits an expression, in bytes, and so its depth of nesting.
const longest = 4096

// Row returns the value of a field of one row, or false if it has none.
type Row func(field string) (Value, bool)

// Filter reports whether a row is selected.
type Filter func(Row) bool

// An Error says what is wrong with an expression, and where.
type Error struct {
	Text string // the expression
	At   int    // the byte of Text where the fault starts
	Msg  string
}

// Error returns the message and, below it, the expression with a mark under the fault.
func (e *Error) Error() string {
	before := []rune(e.Text[:e.At])
	return fmt.Sprintf("%s\n  %s\n  %s^", e.Msg, e.Text, strings.Repeat(" ", len(before)))
}

// Parse parses an expression; an empty one selects every row. kindOf returns the kind of a field,
// or an error for an unknown one. Every error of Parse is an *Error; the message for an unknown
// field is kindOf's.
func Parse(text string, kindOf func(field string) (Kind, error)) (Filter, error) {
	text = strings.TrimSpace(strings.Map(oneLine, text))
	if len(text) > longest {
		return nil, &Error{Text: strings.ToValidUTF8(text[:20], "") + "…", Msg: fmt.Sprintf("the expression is longer than %d bytes", longest)}
	}
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 1 {
		return func(Row) bool { return true }, nil
	}
	p := &parser{text: text, tokens: tokens, kindOf: kindOf}
	chosen, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.next(); t.kind != end {
		return nil, p.wrong(t, "expected and, or, or the end of the expression, not %s", t)
	}
	return chosen, nil
}

// oneLine turns line breaks and tabs into spaces, so that the mark of an error is under the right
// place.
func oneLine(c rune) rune {
	if unicode.IsSpace(c) {
		return ' '
	}
	return c
}

type parser struct {
	text   string
	tokens []token // the last one is the end
	kindOf func(field string) (Kind, error)
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept consumes the next token if it is this keyword or sign.
func (p *parser) accept(word string) bool {
	found := p.peek().is(word)
	if found {
		p.next()
	}
	return found
}

func (p *parser) wrong(t token, format string, args ...any) error {
	return &Error{Text: p.text, At: t.at, Msg: fmt.Sprintf(format, args...)}
}

func (p *parser) or() (Filter, error) {
	return p.joined("or", p.and, func(a, b Filter) Filter { return func(r Row) bool { return a(r) || b(r) } })
}

func (p *parser) and() (Filter, error) {
	return p.joined("and", p.not, func(a, b Filter) Filter { return func(r Row) bool { return a(r) && b(r) } })
}

func (p *parser) joined(word string, part func() (Filter, error), join func(a, b Filter) Filter) (Filter, error) {
	left, err := part()
	for err == nil && p.accept(word) {
		var right Filter
		if right, err = part(); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (p *parser) not() (Filter, error) {
	if p.accept("not") {
		inner, err := p.not()
		return func(r Row) bool { return !inner(r) }, err
	}
	if open := p.peek(); p.accept("(") {
		inner, err := p.or()
		if err == nil && !p.accept(")") {
			err = p.wrong(open, "this ( is not closed")
		}
		return inner, err
	}
	return p.condition()
}

// condition parses a field with its operator and value.
func (p *parser) condition() (Filter, error) {
	name := p.next()
	if name.kind != word || name.keyword() {
		return nil, p.wrong(name, "expected a field, as in arm=adaptive, not %s", name)
	}
	field := name.text
	kind, err := p.kindOf(field)
	if err != nil {
		return nil, p.wrong(name, "%v", err)
	}
	if p.accept("in") {
		return p.among(field, kind)
	}
	sign := p.peek()
	if sign.kind != operator {
		return func(r Row) bool { _, has := r(field); return has }, nil
	}
	p.next()
	holds := tests[sign.text]
	if ordered := strings.ContainsAny(sign.text, "<>"); ordered && kind.IsText() || sign.text == "~" && !kind.IsText() {
		return nil, p.wrong(sign, "%s is %s and cannot be compared with %s; use %s", field, kind, sign.text, kind.operators())
	}
	want, err := p.value(field, kind)
	return func(r Row) bool {
		v, has := r(field)
		return has && holds(kind, v, want)
	}, err
}

// among parses the values of `in`.
func (p *parser) among(field string, kind Kind) (Filter, error) {
	if t := p.peek(); !p.accept("(") {
		return nil, p.wrong(t, "expected values in parentheses after in, as in arm in (soft, adaptive)")
	}
	var wanted []Value
	for {
		want, err := p.value(field, kind)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, want)
		t := p.peek()
		if p.accept(")") {
			break
		}
		if !p.accept(",") {
			return nil, p.wrong(t, "expected a comma or ), not %s", t)
		}
	}
	return func(r Row) bool {
		v, has := r(field)
		return has && slices.ContainsFunc(wanted, func(want Value) bool { return kind.equal(v, want) })
	}, nil
}

func (p *parser) value(field string, kind Kind) (Value, error) {
	t := p.next()
	if t.kind != word && t.kind != quoted {
		return Value{}, p.wrong(t, "expected a value for %s, not %s", field, t)
	}
	if t.keyword() {
		return Value{}, p.wrong(t, "%s is a keyword; to use it as a value, quote it: '%s'", t.text, t.text)
	}
	v, err := kind.parse(t.text)
	if err != nil {
		return Value{}, p.wrong(t, "%s: %v", field, err)
	}
	return v, nil
}

// tests are the comparisons, by operator.
var tests = map[string]func(k Kind, v, want Value) bool{
	"=":  Kind.equal,
	"!=": func(k Kind, v, want Value) bool { return !k.equal(v, want) },
	"<":  func(_ Kind, v, want Value) bool { return v.Number < want.Number },
	"<=": func(_ Kind, v, want Value) bool { return v.Number <= want.Number },
	">":  func(_ Kind, v, want Value) bool { return v.Number > want.Number },
	">=": func(_ Kind, v, want Value) bool { return v.Number >= want.Number },
	"~": func(_ Kind, v, want Value) bool {
		return strings.Contains(strings.ToLower(v.Text), strings.ToLower(want.Text))
	},
}

// equal reports whether a value equals the wanted one or, for words, contains it.
func (k Kind) equal(v, want Value) bool {
	if k == Words {
		return slices.Contains(strings.Fields(v.Text), want.Text)
	}
	return k.Compare(v, want) == 0
}

// Compare orders two values of a kind. NaN comes before every number.
func (k Kind) Compare(a, b Value) int {
	if k.IsText() {
		return strings.Compare(a.Text, b.Text)
	}
	if math.IsNaN(a.Number) && math.IsNaN(b.Number) {
		return 0
	}
	return cmp.Compare(a.Number, b.Number)
}
