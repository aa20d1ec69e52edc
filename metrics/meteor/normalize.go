package meteor

import (
	"strings"
	"unicode"

	"glimpse/metrics/ptb"
)

// prefixKind says when a word keeps the period after it.
type prefixKind int

const (
	prefixAlways       prefixKind = iota + 1 // as in Mr.
	prefixBeforeNumber                       // as in No. 5
)

// normalize splits a caption into METEOR's words: what its option -norm
// does to English, with the words that keep their period in prefixes.
// Punctuation is set apart, compounds are taken to pieces, contractions split
// before the apostrophe, and all is put in lower case.
func normalize(tokens []string, prefixes map[string]prefixKind) []string {
	if isPlain(tokens) {
		return tokens
	}
	text := []rune(" " + strings.TrimSpace(strings.ReplaceAll(strings.Join(tokens, " "), "  ", " ")) + " ")
	text = splitSymbols(text)
	text = splitPeriodRuns(text)
	text = splitCommas(text)
	text = splitQuotes(text)
	text = splitHyphens(text)
	text = splitApostrophes(text)
	words := splitPeriods(strings.Fields(string(text)), prefixes)
	for i, w := range words {
		words[i] = ptb.LowerCase(w)
	}
	return words
}

// isPlain reports whether all tokens are made of ASCII letters in lower case and digits, so that
// nothing needs to be done.
func isPlain(tokens []string) bool {
	for _, t := range tokens {
		if t == "" {
			return false
		}
		for i := 0; i < len(t); i++ {
			if c := t[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

func isDecimal(r rune) bool { return r >= '0' && r <= '9' }

// isLetter tells a letter of METEOR's western and Cyrillic alphabets.
func isLetter(r rune) bool {
	switch {
	case r < 0x80:
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	case r >= 'À' && r <= 'ž':
		return r != '×' && r != '÷'
	}
	return r >= 0x400 && r <= 0x527 || r >= 0xA640 && r <= 0xA66E || r >= 0xA67E && r <= 0xA697 || r >= 0x1D00 && r <= 0x1D7F
}

func isWordChar(r rune) bool { return isDecimal(r) || isLetter(r) }

// splitSymbols sets apart every character that is neither part of a word nor
// handled further down.
func splitSymbols(text []rune) []rune {
	out := make([]rune, 0, len(text)+8)
	for _, r := range text {
		if isWordChar(r) || unicode.IsSpace(r) || strings.ContainsRune(".'`,-‘’", r) {
			out = append(out, r)
		} else {
			out = append(out, ' ', r, ' ')
		}
	}
	return out
}

// splitPeriodRuns sets apart two and more periods. They are written as
// ellipsisMark until words are split, which looks at single periods.
func splitPeriodRuns(text []rune) []rune {
	out := make([]rune, 0, len(text)+8)
	for i := 0; i < len(text); {
		n := 0
		for i+n < len(text) && text[i+n] == '.' {
			n++
		}
		if n < 2 {
			out = append(out, text[i])
			i++
			continue
		}
		out = append(out, ' ')
		for range n {
			out = append(out, ellipsisMark)
		}
		out = append(out, ' ')
		i += n
	}
	return out
}

// ellipsisMark stands for a period of an ellipsis. It is a private character,
// which splitSymbols sets apart where a caption has it.
const ellipsisMark = '\uE000'

// between replaces, from left to right and without overlap, each mid that
// stands between a left and a right character. The character on the right is
// used up, so that it cannot be on the left of the next one: "a-b-c" has one
// hyphen to replace. METEOR's patterns work in that way.
func between(text []rune, left func(rune) bool, mid rune, right func(rune) bool, with string) []rune {
	out := make([]rune, 0, len(text)+8)
	for i := 0; i < len(text); {
		if i+2 < len(text) && text[i+1] == mid && left(text[i]) && right(text[i+2]) {
			out = append(out, text[i])
			out = append(out, []rune(with)...)
			out = append(out, text[i+2])
			i += 3
			continue
		}
		out = append(out, text[i])
		i++
	}
	return out
}

func not(class func(rune) bool) func(rune) bool { return func(r rune) bool { return !class(r) } }

// splitCommas sets commas apart but for those within a number.
func splitCommas(text []rune) []rune {
	text = between(text, not(isDecimal), ',', not(isDecimal), " , ")
	text = between(text, isDecimal, ',', not(isDecimal), " , ")
	return between(text, not(isDecimal), ',', isDecimal, " , ")
}

// splitQuotes makes single quotes apostrophes, and sets double ones apart.
func splitQuotes(text []rune) []rune {
	s := strings.NewReplacer("`", "'", "‘", "'", "’", "'").Replace(string(text))
	return []rune(strings.NewReplacer("“", ` " `, "”", ` " `, "''", ` " `).Replace(s))
}

// splitHyphens takes compounds to pieces, so that a system gets credit for
// part of one.
func splitHyphens(text []rune) []rune {
	s := strings.ReplaceAll(strings.ReplaceAll(string(text), "–", "-"), "--", "-")
	left := func(r rune) bool { return r == '.' || isWordChar(r) }
	return between([]rune(s), left, '-', isWordChar, " ")
}

// splitApostrophes splits contractions before the apostrophe, and sets apart
// an apostrophe that is not inside a word.
func splitApostrophes(text []rune) []rune {
	text = between(text, not(isLetter), '\'', not(isLetter), " ' ")
	text = between(text, not(isWordChar), '\'', isLetter, " ' ")
	text = between(text, isLetter, '\'', not(isLetter), " ' ")
	text = between(text, isLetter, '\'', isLetter, " '")
	return between(text, isDecimal, '\'', func(r rune) bool { return r == 's' }, " '")
}

// splitPeriods sets apart the period at the end of a word, unless the word is
// known to keep it or the next word says that no sentence ends there. An
// acronym loses its periods instead.
func splitPeriods(words []string, prefixes map[string]prefixKind) []string {
	out := make([]string, 0, len(words)+4)
	for i, w := range words {
		stem, dotted := strings.CutSuffix(w, ".")
		if !dotted || stem == "" {
			out = append(out, strings.ReplaceAll(w, string(ellipsisMark), "."))
			continue
		}
		next := rune(0)
		if i+1 < len(words) {
			next = []rune(words[i+1])[0]
		}
		switch kind := prefixes[stem]; {
		case strings.Contains(stem, ".") && strings.IndexFunc(stem, isLetter) >= 0:
			out = append(out, strings.ReplaceAll(w, ".", ""))
		case kind == prefixAlways,
			next < unicode.MaxASCII && unicode.IsLower(next),
			kind == prefixBeforeNumber && isDecimal(next):
			out = append(out, w)
		default:
			out = append(out, stem, ".")
		}
	}
	return out
}
