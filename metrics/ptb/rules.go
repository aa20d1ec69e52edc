package ptb

import "strings"

// rule is one rule of the lexer.
type rule struct {
	// first are the ASCII characters with which a match can begin. Lower case
	// stands for both cases, a-z and 0-9 are ranges, and "any" is all characters.
	// At a non-ASCII character, every rule is tried.
	first string
	// needs is an ASCII character that the line must contain for the rule to match
	// anywhere; 0 for none.
	needs byte
	match func(l line, i int) match
	// text converts the matched text to the token; nil leaves it unchanged.
	text func(string) string
}

// rules are in the order of the specification of CoreNLP 3.4.1's lexer
// (PTBLexer.flex). If several match equally far, the first applies. The comment
// after each gives its name there.
//
// Three kinds of rule differ from the specification, but give the same tokens
// once punctuation is dropped. Rules that return a period twice there ("U.S." and
// "." at the end of a sentence) return it once here. Characters that the lexer
// omits have no rule here, because a character that no rule matches is skipped.
// And the rules for an abbreviation at the end of a sentence, before more text and
// at the end of the file are one rule here.
var rules = []rule{
	{"c", '+', matchCPlusPlus, nil},                         // c++
	{"cf", '#', matchCSharp, nil},                           // c#, f#
	{"cglw'", 0, matchContraction, nil},                     // cannot, 'tis, gonna, ...
	{"<", '>', matchTag, spacesToNoBreak},                   // SGML
	{"&", 0, matchDash, toText("--")},                       // SPMDASH
	{"&", 0, matchAmpersandEntity, toText("&")},             // SPAMP
	{"&", 0, matchPunctuationEntity, nil},                   // SPPUNC
	{"a-z&", 0, matchWordBeforeClitic, dropSoftHyphens},     // WORD/REDAUX
	{"a-z", 0, matchWordBeforeNot, dropSoftHyphens},         // SWORD/SREDAUX
	{"a-z&", 0, matchWord, dropSoftHyphens},                 // WORD
	{"a-z'&", 0, matchApostropheWord, nil},                  // APOWORD
	{"y", 0, matchYApostrophe, nil},                         // APOWORD2
	{"h", ':', matchFullURL, nil},                           // FULLURL
	{"any", '.', matchLikelyURL, nil},                       // LIKELYURL
	{"a-z0-9<&", '@', matchEmail, nil},                      // EMAIL
	{"@#", 0, matchTwitter, nil},                            // TWITTER
	{"'&", 0, matchCliticBeforeOther, closingQuotes},        // REDAUX before no letter
	{"n", 0, matchNotBeforeOther, closingQuotes},            // SREDAUX before no letter
	{"0-9", 0, matchDate, nil},                              // DATE
	{"0-9+-.:,", 0, matchNumber, dropSoftHyphens},           // NUMBER
	{"", 0, matchSubSuperscript, nil},                       // SUBSUPNUM
	{"0-9", 0, matchFraction, spacesToNoBreak},              // FRAC
	{"", 0, matchFractionSign, spellFraction},               // FRAC2
	{"-acps", 0, matchTreebankSpecial, ampersands},          // TBSPEC
	{"a-z0-9", '/', matchSlashed, nil},                      // THING3
	{"a-z$#", 0, matchDollar, nil},                          // DOLSIGN
	{"", 0, matchCurrency, spellCurrency},                   // DOLSIGN2
	{"a-z", '.', matchInitialBeforeSentence, nil},           // ACRONYM before a new sentence
	{"a-z", '.', matchAbbreviationBeforeNumber, nil},        // ABBREV3
	{"pc", '.', matchCompanyBeforeLtd, nil},                 // pty. ltd.
	{"a-z", '.', matchAbbreviation, nil},                    // ABBREV1
	{"a-z", '.', matchTitle, nil},                           // ABBREV2
	{"a-z", 0, matchTitleNoPeriod, nil},                     // ABBREV4/SPACE
	{"a-z", 0, matchAcronymNoPeriod, nil},                   // ACRO/SPACENL
	{"'&", 0, matchYear, nil},                               // TBSPEC2
	{"a-z0-9&", '.', matchFileName, nil},                    // FILENAME
	{"a-z&", '.', matchWordPeriod, dropSoftHyphens},         // WORD\./INSENTP
	{"0-9(+", 0, matchPhone, phoneText},                     // PHONE
	{`"&`, 0, matchOpeningDoubleQuote, openingQuotes},       // DBLQUOT before a letter
	{`"&`, 0, matchDoubleQuote, closingQuotes},              // DBLQUOT
	{"<&", 0, matchLess, toText("<")},                       // LESSTHAN
	{">&", 0, matchGreater, toText(">")},                    // GREATERTHAN
	{":;=<>", 0, matchSmiley, parentheses},                  // SMILEY
	{"-^x=~<>'(", 0, matchAsianSmiley, parentheses},         // ASIANSMILEY
	{"()[]{}", 0, matchBracket, brackets},                   // { } [ ] ( )
	{"-", 0, matchHyphens, longDash},                        // HYPHENS
	{".", 0, matchEllipsis, toText("...")},                  // LDOTS
	{"@#_*?!", 0, matchRun, nil},                            // FNMARKS, ASTS, [?!]+
	{"\\", 0, matchEscapedAsterisks, nil},                   // ASTS
	{",;:.=/", 0, matchSentencePunctuation, nil},            // INSENTP, ., =, /
	{"a-z0-9", '-', matchHyphenatedPeriod, dropSoftHyphens}, // HTHING\./INSENTP
	{"a-z0-9", '-', matchHyphenated, dropSoftHyphens},       // HTHING
	{"a-z0-9", '.', matchCompoundPeriod, nil},               // THING\./INSENTP
	{"a-z0-9", 0, matchCompound, nil},                       // THING
	{"a-z", '.', matchInitialsPeriod, ampersands},           // THINGA\./INSENTP
	{"a-z", 0, matchInitials, ampersands},                   // THINGA
	{"'", 0, matchOpeningSingleQuote, openingQuotes},        // ' before a letter
	{"'&", 0, matchClitic, closingQuotes},                   // REDAUX
	{"n", 0, matchNot, closingQuotes},                       // SREDAUX
	{"'`&", 0, matchQuotes, closingQuotes},                  // QUOTES
	{"<>", 0, matchDuckFeet, nil},                           // FAKEDUCKFEET
	{"+%&~^|\\", 0, matchSymbol, nil},                       // MISCSYMBOL
	{" \t", 0, matchSpaces, toText("")},                     // SPACES
	{"&", 0, matchNoBreakSpaceEntity, toText("")},           // &nbsp;
}

// rulesFor are the rules to try at each ASCII character, in order.
var rulesFor = func() (byFirst [128][]rule) {
	for c := range byFirst {
		lower := lowerASCII(uint16(c))
		for _, r := range rules {
			set := strings.NewReplacer("a-z", "abcdefghijklmnopqrstuvwxyz", "0-9", "0123456789").Replace(r.first)
			if r.first == "any" || oneOf(lower, set) {
				byFirst[c] = append(byFirst[c], r)
			}
		}
	}
	return byFirst
}()
