// Package ptb splits captions into tokens by the Penn Treebank rules of the COCO
// caption evaluation ([Tokenize]).
//
// Training and scoring share it, so a captioner learns the same tokens that are
// scored. It needs no Java. The tests compare it with the original implementation,
// token for token, on testdata/tokens.json.
package ptb

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// Version is the version of the tokens that [Tokenize] returns. Tokens are stored,
// so it must be raised with any change to them.
const Version = "ptb 1"

// Tokenize splits one line of text into lower-case tokens, exactly as the COCO
// caption evaluation does: with the Stanford tokenizer of CoreNLP 3.4.1, options
// -preserveLines -lowerCase and the default Penn Treebank 3 escapes, and then
// without the tokens in coco-caption's list of punctuation.
//
// It differs from the original in one way. The original reads a whole file as one
// stream, so a single letter with a period at the end of a line ("vitamin C.")
// depends on the first word of the next line. Here each line stands alone, and a
// line break within it is a space.
//
// Each byte that is not valid UTF-8 is replaced by U+FFFD, which is omitted like
// all characters that the lexer does not know. A token can contain a no-break
// space: "5 1/2" is one token.
func Tokenize(text string) []string {
	s := newScanner(text)
	tokens := make([]string, 0, len(text)/5+1)
	last := ""
	keep := func() {
		if last != "" && !isPunctuation(last) {
			tokens = append(tokens, last)
		}
	}
	for s.pos < len(s.line)-1 {
		if token := s.next(); token != "" {
			keep()
			last = token
		}
	}
	last = strings.TrimRightFunc(last, unicode.IsSpace) // coco-caption trims each line
	keep()
	return tokens
}

// line is a text as the lexer sees it: UTF-16 code units, the last of which is a
// newline. Positions are indices into it.
type line []uint16

// atEnd stands for the end of the text. It is a noncharacter, which newScanner
// replaces in the text itself.
const atEnd = 0xFFFF

// at returns the code unit at i, or atEnd past the newline.
func (l line) at(i int) uint16 {
	if uint(i) < uint(len(l)) {
		return l[i]
	}
	return atEnd
}

// match is the result of a rule at a position: the end of its token, and the end
// of all text that it matched. Text after the token is required context, which is
// scanned again. The lexer applies the rule with the largest total, and the first
// of them in a tie.
type match struct{ token, total int }

var noMatch = match{}

func upTo(end int) match { return match{end, end} }

func (m match) found() bool { return m.token > 0 }

// scanner walks over one line.
type scanner struct {
	line  line
	lower string    // the line in lower case where it is ASCII, else ""
	has   [128]bool // the ASCII characters in the line
	pos   int
}

func newScanner(text string) *scanner {
	ascii := true
	for i := 0; i < len(text); i++ {
		if text[i] >= 0x80 {
			ascii = false
			break
		}
	}
	s := &scanner{}
	if ascii {
		s.lower = strings.ToLower(text)
		s.line = make(line, len(text), len(text)+1)
		for i := 0; i < len(text); i++ {
			s.line[i] = uint16(text[i])
		}
	} else {
		s.line = utf16.Encode([]rune(text))
		for i, c := range s.line {
			if c == atEnd {
				s.line[i] = atEnd - 1
			}
		}
	}
	for i, c := range s.line {
		if isLineBreak(c) {
			s.line[i] = ' '
		}
		if c < 0x80 {
			s.has[c] = true
		}
	}
	s.has[0] = true // for rules with needs = 0
	s.line = append(s.line, '\n')
	return s
}

// next returns the next token. It returns "" after skipping white space or a
// character that is in no token.
func (s *scanner) next() string {
	if s.line[s.pos] == ' ' {
		s.pos = s.line.skipWhile(s.pos, isSpace)
		return ""
	}
	if end := s.plainWord(); end > s.pos {
		token := s.lower[s.pos:end]
		s.pos = end
		return token
	}
	var best match
	var how func(string) string
	try := rules
	if c := s.line[s.pos]; c < 0x80 {
		try = rulesFor[c]
	}
	for i := range try {
		if !s.has[try[i].needs] {
			continue
		}
		if m := try[i].match(s.line, s.pos); m.total > best.total {
			best, how = m, try[i].text
		}
	}
	if !best.found() {
		s.pos++
		return ""
	}
	start := s.pos
	s.pos = best.token
	if how == nil && s.lower != "" {
		return s.lower[start:best.token]
	}
	token := string(utf16.Decode(s.line[start:best.token]))
	if how != nil {
		token = how(token)
	}
	return LowerCase(token)
}

// plainWord is a fast path for most words. It returns the end of a run of ASCII
// letters before white space, or before a comma or period and white space. No rule
// looks past that white space, and apart from contractions and abbreviations, none
// would give another token. It returns 0 if the rules must decide.
func (s *scanner) plainWord() int {
	if s.lower == "" {
		return 0
	}
	end := s.pos
	for end < len(s.lower) && s.lower[end] >= 'a' && s.lower[end] <= 'z' {
		end++
	}
	if end == s.pos {
		return 0
	}
	after := s.line[end]
	if (after == ',' || after == '.') && isSpaceOrBreak(s.line[end+1]) {
		if end == s.pos+1 || after == '.' && keepsPeriod(s.lower[s.pos:end]) {
			return 0
		}
	} else if !isSpaceOrBreak(after) {
		return 0
	}
	if _, split := contractions[s.lower[s.pos:end]]; split {
		return 0
	}
	return end
}

// keepsPeriod reports whether a word is in any list of abbreviations.
func keepsPeriod(word string) bool {
	if len(word) > longestAbbreviation {
		return false
	}
	_, a := abbreviations[word]
	_, b := titles[word]
	_, c := beforeNumber[word]
	return a || b || c
}

// isPunctuation reports whether a token is in coco-caption's list of punctuation.
// That list also has names of brackets, but in upper case, so they never match a
// lower-cased token: -lrb- and the like are kept.
func isPunctuation(token string) bool {
	switch token {
	case "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";":
		return true
	}
	return false
}
