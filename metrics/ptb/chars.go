package ptb

import "unicode"

// Character classes of the lexer. It was generated with Unicode 6.2 and works on
// UTF-16 code units, so characters beyond U+FFFF belong to no class.

// isAlpha reports whether c is a Unicode letter. The lexer's own class of letters
// has other characters too: see isWordLetter.
func isAlpha(c uint16) bool {
	if c < 0x80 {
		return isASCIILetter(c)
	}
	r := rune(c)
	return unicode.IsLetter(r) && !unicode.Is(lettersSince62, r) || c == 0x1885 || c == 0x1886
}

// isWordLetter reports whether c can begin or continue a word: a letter, a
// combining mark, a soft hyphen or one of a few signs (see wordMarks).
func isWordLetter(c uint16) bool {
	if c < 0x80 {
		return isASCIILetter(c)
	}
	return isAlpha(c) || unicode.Is(wordMarks, rune(c))
}

func isDigit(c uint16) bool {
	if c < 0x80 {
		return isASCIIDigit(c)
	}
	r := rune(c)
	return unicode.IsDigit(r) && !unicode.Is(digitsSince62, r)
}

func isAlphaOrDigit(c uint16) bool { return isAlpha(c) || isDigit(c) }

func isASCIILetter(c uint16) bool { return c < 0x80 && c|0x20 >= 'a' && c|0x20 <= 'z' }
func isASCIIUpper(c uint16) bool  { return c >= 'A' && c <= 'Z' }
func isASCIIDigit(c uint16) bool  { return c >= '0' && c <= '9' }
func isASCIIWord(c uint16) bool   { return isASCIILetter(c) || isASCIIDigit(c) }

func isSpace(c uint16) bool {
	return c == ' ' || c == '\t' || c == noBreakSpace || c >= 0x2000 && c <= 0x200A || c == 0x3000
}

func isLineBreak(c uint16) bool {
	return c >= '\n' && c <= '\r' || c == 0x85 || c == 0x2028 || c == 0x2029
}

func isSpaceOrBreak(c uint16) bool { return isSpace(c) || isLineBreak(c) }

const (
	noBreakSpace = 0xA0
	softHyphen   = 0xAD
)

// isApostrophe reports whether c is one of the three apostrophes. skipApostrophe
// handles &apos; as well.
func isApostrophe(c uint16) bool { return c == '\'' || c == 0x92 || c == 0x2019 }

// isInnerApostrophe is isApostrophe with the characters that people type for an
// apostrophe inside a word.
func isInnerApostrophe(c uint16) bool {
	return isApostrophe(c) || c == '`' || c == 0x91 || c == 0x2018 || c == 0x201B
}

// isHyphen reports whether c can join the parts of a compound.
func isHyphen(c uint16) bool {
	return c == '-' || c == '_' || c == 0x58A || c == 0x2010 || c == 0x2011
}

// isInnerPunctuation reports whether c is punctuation that does not end a
// sentence.
func isInnerPunctuation(c uint16) bool { return c == ',' || c == ';' || c == ':' || c == 0x3001 }

// oneOf reports whether c is one of the characters of set, all below U+10000.
func oneOf(c uint16, set string) bool {
	for _, r := range set {
		if rune(c) == r {
			return true
		}
	}
	return false
}

func lowerASCII(c uint16) uint16 {
	if isASCIIUpper(c) {
		return c + 'a' - 'A'
	}
	return c
}

// skipFold returns the end of word at i, or 0 if it is not there. It ignores the
// case of the text; word must be lower-case ASCII.
func (l line) skipFold(i int, word string) int {
	for k := 0; k < len(word); k++ {
		if lowerASCII(l.at(i+k)) != uint16(word[k]) {
			return 0
		}
	}
	return i + len(word)
}

// skipWhile returns the end of the longest run of characters of a class at i; i if
// there are none.
func (l line) skipWhile(i int, class func(uint16) bool) int {
	for i < len(l) && class(l[i]) {
		i++
	}
	return i
}

// skipApostrophe returns the position after an apostrophe at i, or 0.
func (l line) skipApostrophe(i int) int {
	if isApostrophe(l.at(i)) {
		return i + 1
	}
	return l.skipFold(i, "&apos;")
}

// skipInnerApostrophe is skipApostrophe for apostrophes inside a word.
func (l line) skipInnerApostrophe(i int) int {
	if isInnerApostrophe(l.at(i)) {
		return i + 1
	}
	return l.skipFold(i, "&apos;")
}

// skipWordLetter returns the position after one letter of a word at i, or 0. The
// letter can be an entity such as &eacute;.
func (l line) skipWordLetter(i int) int {
	c := l.at(i)
	if isWordLetter(c) {
		return i + 1
	}
	if c != '&' || !oneOf(l.at(i+1), "aeiouAEIOU") {
		return 0
	}
	for _, accent := range [...]string{"acute;", "grave;", "uml;"} {
		if end := l.skipFold(i+2, accent); end > 0 {
			return end
		}
	}
	return 0
}
