package metrics

import "strings"

// rule is one production of the lexer.
type rule struct {
	// first are the ASCII characters that a match may begin with, in lower
	// case for either; a-z and 0-9 stand for ranges, "any" for all. Every rule
	// is tried where the text is not ASCII.
	first string
	match func(l line, i int) match
	// text makes the token of what matched; nil leaves it as it is.
	text func(string) string
}

// rules are in the order of the specification of CoreNLP 3.4.1's lexer
// (PTBLexer.flex), which decides between matches of equal extent. The comment
// after each gives the name it has there.
//
// Three kinds of rule differ from it in form, not in the tokens that remain
// after punctuation is dropped: those that give a period twice ("U.S." and
// "." at the end of a sentence) give it once; characters that the lexer leaves
// out have no rule, as what no rule matches is skipped; and the rules for an
// abbreviation at a sentence's end, before more text and at the end of the
// file are one.
var rules = []rule{
	{"c", matchCPlusPlus, nil},                         // c++
	{"cf", matchCSharp, nil},                           // c#, f#
	{"cglw'", matchContraction, nil},                   // cannot, 'tis, gonna, ...
	{"<", matchTag, spacesToNoBreak},                   // SGML
	{"&", matchDash, toText("--")},                     // SPMDASH
	{"&", matchAmpersandEntity, toText("&")},           // SPAMP
	{"&", matchPunctuationEntity, nil},                 // SPPUNC
	{"a-z&", matchWordBeforeClitic, dropSoftHyphens},   // WORD/REDAUX
	{"a-z", matchWordBeforeNot, dropSoftHyphens},       // SWORD/SREDAUX
	{"a-z&", matchWord, dropSoftHyphens},               // WORD
	{"a-z'&", matchApostropheWord, nil},                // APOWORD
	{"y", matchYApostrophe, nil},                       // APOWORD2
	{"h", matchFullURL, nil},                           // FULLURL
	{"any", matchLikelyURL, nil},                       // LIKELYURL
	{"a-z0-9<&", matchEmail, nil},                      // EMAIL
	{"@#", matchTwitter, nil},                          // TWITTER
	{"'&", matchCliticBeforeOther, closingQuotes},      // REDAUX before no letter
	{"n", matchNotBeforeOther, closingQuotes},          // SREDAUX before no letter
	{"0-9", matchDate, nil},                            // DATE
	{"0-9+-.:,", matchNumber, dropSoftHyphens},         // NUMBER
	{"", matchSubSuperscript, nil},                     // SUBSUPNUM
	{"0-9", matchFraction, spacesToNoBreak},            // FRAC
	{"", matchFractionSign, spellFraction},             // FRAC2
	{"-acps", matchTreebankSpecial, ampersands},        // TBSPEC
	{"a-z0-9", matchSlashed, nil},                      // THING3
	{"a-z$#", matchDollar, nil},                        // DOLSIGN
	{"", matchCurrency, spellCurrency},                 // DOLSIGN2
	{"a-z", matchInitialBeforeSentence, nil},           // ACRONYM before a new sentence
	{"a-z", matchAbbreviationBeforeNumber, nil},        // ABBREV3
	{"pc", matchCompanyBeforeLtd, nil},                 // pty. ltd.
	{"a-z", matchAbbreviation, nil},                    // ABBREV1
	{"a-z", matchTitle, nil},                           // ABBREV2
	{"a-z", matchTitleNoPeriod, nil},                   // ABBREV4/SPACE
	{"a-z", matchAcronymNoPeriod, nil},                 // ACRO/SPACENL
	{"'&", matchYear, nil},                             // TBSPEC2
	{"a-z0-9&", matchFileName, nil},                    // FILENAME
	{"a-z&", matchWordPeriod, dropSoftHyphens},         // WORD\./INSENTP
	{"0-9(+", matchPhone, phoneText},                   // PHONE
	{`"&`, matchOpeningDoubleQuote, openingQuotes},     // DBLQUOT before a letter
	{`"&`, matchDoubleQuote, closingQuotes},            // DBLQUOT
	{"<&", matchLess, toText("<")},                     // LESSTHAN
	{">&", matchGreater, toText(">")},                  // GREATERTHAN
	{":;=<>", matchSmiley, parentheses},                // SMILEY
	{"-^x=~<>'(", matchAsianSmiley, parentheses},       // ASIANSMILEY
	{"()[]{}", matchBracket, brackets},                 // { } [ ] ( )
	{"-", matchHyphens, longDash},                      // HYPHENS
	{".", matchEllipsis, toText("...")},                // LDOTS
	{"@#_*?!", matchRun, nil},                          // FNMARKS, ASTS, [?!]+
	{"\\", matchEscapedAsterisks, nil},                 // ASTS
	{",;:.=/", matchSentencePunctuation, nil},          // INSENTP, ., =, /
	{"a-z0-9", matchHyphenatedPeriod, dropSoftHyphens}, // HTHING\./INSENTP
	{"a-z0-9", matchHyphenated, dropSoftHyphens},       // HTHING
	{"a-z0-9", matchCompoundPeriod, nil},               // THING\./INSENTP
	{"a-z0-9", matchCompound, nil},                     // THING
	{"a-z", matchInitialsPeriod, ampersands},           // THINGA\./INSENTP
	{"a-z", matchInitials, ampersands},                 // THINGA
	{"'", matchOpeningSingleQuote, openingQuotes},      // ' before a letter
	{"'&", matchClitic, closingQuotes},                 // REDAUX
	{"n", matchNot, closingQuotes},                     // SREDAUX
	{"'`&", matchQuotes, closingQuotes},                // QUOTES
	{"<>", matchDuckFeet, nil},                         // FAKEDUCKFEET
	{"+%&~^|\\", matchSymbol, nil},                     // MISCSYMBOL
	{" \t", matchSpaces, toText("")},                   // SPACES
	{"&", matchNoBreakSpaceEntity, toText("")},         // &nbsp;
}

// rulesFor holds the rules to try at each ASCII character, in order.
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
