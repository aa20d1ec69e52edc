package meteor

import "strings"

// stem returns the stem of a lower-case English word by Porter's second
// algorithm (M. Porter, "The English (Porter2) stemming algorithm", Snowball
// 2002), in the version that METEOR 1.5 carries.
func stem(word string) string {
	if len(word) <= 2 {
		return word
	}
	for i := 0; i < len(word); i++ {
		if c := word[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			return stemAny(word)
		}
	}
	return stemASCII(word)
}

// stemAny stems a word with characters that the algorithm takes for
// consonants, each as one.
func stemAny(word string) string {
	const standIn = 0xFF
	var masked []byte
	var others []rune
	for _, r := range word {
		if r < 0x80 {
			masked = append(masked, byte(r))
		} else {
			masked = append(masked, standIn)
			others = append(others, r)
		}
	}
	if len(masked) <= 2 {
		return word
	}
	var out strings.Builder
	for _, b := range []byte(stemASCII(string(masked))) {
		if b == standIn && len(others) > 0 {
			out.WriteRune(others[0])
			others = others[1:]
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

// stemExceptions are stems that the rules would not give.
var stemExceptions = map[string]string{
	"skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie",
	"idly": "idl", "gently": "gentl", "ugly": "ugli", "early": "earli", "only": "onli", "singly": "singl",
	"sky": "sky", "news": "news", "howe": "howe", "atlas": "atlas", "cosmos": "cosmos", "bias": "bias", "andes": "andes",
}

// stemFinished are words that are left alone once their plural is gone.
var stemFinished = map[string]bool{
	"inning": true, "outing": true, "canning": true, "herring": true,
	"earring": true, "proceed": true, "exceed": true, "succeed": true,
}

// stemmer is a word on its way. A y that stands for a consonant is written Y.
type stemmer struct {
	word   []byte
	r1, r2 int // where the regions R1 and R2 begin
}

func stemASCII(word string) string {
	if s, ok := stemExceptions[word]; ok {
		return s
	}
	s := &stemmer{word: []byte(strings.TrimPrefix(word, "'"))}
	s.markConsonantY()
	s.findRegions()
	s.step0()
	s.step1a()
	if !stemFinished[string(s.word)] {
		s.step1b()
		s.step1c()
		s.replaceLongest(step2Rules, s.r1)
		s.step3()
		s.step4()
		s.step5()
	}
	return strings.ReplaceAll(string(s.word), "Y", "y")
}

func isVowel(b byte) bool { return strings.IndexByte("aeiouy", b) >= 0 }

func (s *stemmer) ends(suffix string) bool { return strings.HasSuffix(string(s.word), suffix) }

func (s *stemmer) cut(n int) { s.word = s.word[:len(s.word)-n] }

// inRegion reports whether a suffix of n letters lies in the region at r.
func (s *stemmer) inRegion(n, r int) bool { return len(s.word)-n >= r }

func (s *stemmer) hasVowelBefore(end int) bool {
	for _, b := range s.word[:end] {
		if isVowel(b) {
			return true
		}
	}
	return false
}

func (s *stemmer) markConsonantY() {
	for i, b := range s.word {
		if b == 'y' && (i == 0 || isVowel(s.word[i-1])) {
			s.word[i] = 'Y'
		}
	}
}

// findRegions sets R1, what follows the first consonant after a vowel, and R2,
// the same within R1.
func (s *stemmer) findRegions() {
	after := func(from int) int {
		for i := from; i+1 < len(s.word); i++ {
			if isVowel(s.word[i]) && !isVowel(s.word[i+1]) {
				return i + 2
			}
		}
		return len(s.word)
	}
	s.r1 = -1
	for _, prefix := range [...]string{"gener", "commun", "arsen"} {
		if strings.HasPrefix(string(s.word), prefix) {
			s.r1 = len(prefix)
		}
	}
	if s.r1 < 0 {
		s.r1 = after(0)
	}
	s.r2 = after(s.r1)
}

// step0 takes off a possessive.
func (s *stemmer) step0() {
	for _, suffix := range [...]string{"'s'", "'s", "'"} {
		if s.ends(suffix) {
			s.cut(len(suffix))
			return
		}
	}
}

// step1a takes off a plural.
func (s *stemmer) step1a() {
	switch {
	case s.ends("sses"):
		s.cut(2)
	case s.ends("ied"), s.ends("ies"):
		if len(s.word) > 4 {
			s.cut(2)
		} else {
			s.cut(1)
		}
	case s.ends("us"), s.ends("ss"):
	case s.ends("s"):
		if len(s.word) >= 2 && s.hasVowelBefore(len(s.word)-2) {
			s.cut(1)
		}
	}
}

// step1b takes off -ed, -ing and their adverbs.
func (s *stemmer) step1b() {
	for _, suffix := range [...]string{"eedly", "eed"} {
		if s.ends(suffix) {
			if s.inRegion(len(suffix), s.r1) {
				s.cut(len(suffix) - 2)
			}
			return
		}
	}
	for _, suffix := range [...]string{"ingly", "edly", "ing", "ed"} {
		if !s.ends(suffix) {
			continue
		}
		if !s.hasVowelBefore(len(s.word) - len(suffix)) {
			return
		}
		s.cut(len(suffix))
		switch {
		case s.ends("at"), s.ends("bl"), s.ends("iz"):
			s.word = append(s.word, 'e')
		case s.endsDouble():
			s.cut(1)
		case s.isShort():
			s.word = append(s.word, 'e')
		}
		return
	}
}

func (s *stemmer) endsDouble() bool {
	n := len(s.word)
	return n >= 2 && s.word[n-1] == s.word[n-2] && strings.IndexByte("bdfgmnprt", s.word[n-1]) >= 0
}

// isShort reports whether the word ends in a short syllable and R1 is empty.
func (s *stemmer) isShort() bool {
	return len(s.word) <= s.r1 && s.endsShortSyllable(len(s.word))
}

func (s *stemmer) endsShortSyllable(end int) bool {
	w := s.word[:end]
	n := len(w)
	if n == 2 {
		return isVowel(w[0]) && !isVowel(w[1])
	}
	return n > 2 && !isVowel(w[n-3]) && isVowel(w[n-2]) && !isVowel(w[n-1]) && strings.IndexByte("wxY", w[n-1]) < 0
}

// step1c turns a final y after a consonant into i.
func (s *stemmer) step1c() {
	n := len(s.word)
	if n > 2 && (s.word[n-1] == 'y' || s.word[n-1] == 'Y') && !isVowel(s.word[n-2]) {
		s.word[n-1] = 'i'
	}
}

// suffixRule replaces one suffix. Where before is set, one of its letters must
// come first.
type suffixRule struct{ suffix, with, before string }

// The rules of each step, longer suffixes before those they end in.
var step2Rules = []suffixRule{
	{"ization", "ize", ""}, {"ational", "ate", ""}, {"fulness", "ful", ""}, {"ousness", "ous", ""}, {"iveness", "ive", ""},
	{"tional", "tion", ""}, {"biliti", "ble", ""}, {"lessli", "less", ""},
	{"entli", "ent", ""}, {"ation", "ate", ""}, {"alism", "al", ""}, {"aliti", "al", ""}, {"ousli", "ous", ""}, {"iviti", "ive", ""}, {"fulli", "ful", ""},
	{"enci", "ence", ""}, {"anci", "ance", ""}, {"abli", "able", ""}, {"izer", "ize", ""}, {"ator", "ate", ""}, {"alli", "al", ""},
	{"bli", "ble", ""}, {"ogi", "og", "l"}, {"li", "", "cdeghkmnrt"},
}

var step3Rules = []suffixRule{
	{"ational", "ate", ""}, {"tional", "tion", ""}, {"alize", "al", ""},
	{"icate", "ic", ""}, {"iciti", "ic", ""}, {"ical", "ic", ""}, {"ful", "", ""}, {"ness", "", ""},
}

var step4Rules = []suffixRule{
	{"ement", "", ""}, {"ance", "", ""}, {"ence", "", ""}, {"able", "", ""}, {"ible", "", ""}, {"ment", "", ""},
	{"ant", "", ""}, {"ent", "", ""}, {"ism", "", ""}, {"ate", "", ""}, {"iti", "", ""}, {"ous", "", ""}, {"ive", "", ""}, {"ize", "", ""},
	{"ion", "", "st"}, {"al", "", ""}, {"er", "", ""}, {"ic", "", ""},
}

// replaceLongest applies the rule of the longest suffix, if that lies in the
// region at r; no shorter one is tried.
func (s *stemmer) replaceLongest(rules []suffixRule, r int) {
	for _, rule := range rules {
		if !s.ends(rule.suffix) {
			continue
		}
		if !s.inRegion(len(rule.suffix), r) {
			return
		}
		if rule.before != "" {
			start := len(s.word) - len(rule.suffix)
			if start == 0 || strings.IndexByte(rule.before, s.word[start-1]) < 0 {
				return
			}
		}
		s.cut(len(rule.suffix))
		s.word = append(s.word, rule.with...)
		return
	}
}

func (s *stemmer) step3() {
	if s.ends("ative") {
		if s.inRegion(len("ative"), s.r2) {
			s.cut(len("ative"))
		}
		return
	}
	s.replaceLongest(step3Rules, s.r1)
}

func (s *stemmer) step4() { s.replaceLongest(step4Rules, s.r2) }

// step5 takes off a final e or the second of two final l's.
func (s *stemmer) step5() {
	n := len(s.word)
	switch {
	case s.ends("e"):
		if s.inRegion(1, s.r2) || s.inRegion(1, s.r1) && !s.endsShortSyllable(n-1) {
			s.cut(1)
		}
	case s.ends("ll"):
		if s.inRegion(1, s.r2) {
			s.cut(1)
		}
	}
}
