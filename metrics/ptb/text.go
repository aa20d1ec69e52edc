package ptb

import (
	"slices"
	"strings"
	"unicode"
)

// Conversion of matched text to tokens: the Penn Treebank's ASCII forms, according
// to the lexer's default options (ptb3Escaping, latexQuotes).

func toText(text string) func(string) string {
	return func(string) string { return text }
}

// dropSoftHyphens removes soft hyphens, which only mark where a line can break. A
// text of nothing else becomes "-".
func dropSoftHyphens(s string) string {
	if out := strings.ReplaceAll(s, "\u00AD", ""); out != "" {
		return out
	}
	return "-"
}

func spacesToNoBreak(s string) string { return strings.ReplaceAll(s, " ", "\u00A0") }

var (
	parenthesesReplacer = strings.NewReplacer("(", "-LRB-", ")", "-RRB-")
	bracketsReplacer    = strings.NewReplacer("(", "-LRB-", ")", "-RRB-", "[", "-LSB-", "]", "-RSB-", "{", "-LCB-", "}", "-RCB-")
	fractionReplacer    = strings.NewReplacer("¼", "1/4", "½", "1/2", "¾", "3/4", "⅓", "1/3", "⅔", "2/3")
	currencyReplacer    = strings.NewReplacer("¢", "cents", "£", "#", "\u0080", "$", "¤", "$", "₠", "$", "€", "$")

	// Quotation marks become those of TeX. The two replacers differ only in
	// undirected marks.
	openingReplacer = strings.NewReplacer(append([]string{"&apos;", "`", "'", "`", `"`, "``", "&quot;", "``"}, directedQuotes...)...)
	closingReplacer = strings.NewReplacer(append([]string{"&apos;", "'", "'", "'", `"`, "''", "&quot;", "''"}, directedQuotes...)...)
	directedQuotes  = []string{
		"\u0091", "`", "\u2018", "`", "\u201B", "`", "\u2039", "`",
		"\u0092", "'", "\u2019", "'", "\u203A", "'",
		"\u0093", "``", "\u201C", "``", "\u00AB", "``",
		"\u0094", "''", "\u201D", "''", "\u00BB", "''",
	}
)

func parentheses(s string) string   { return parenthesesReplacer.Replace(s) }
func brackets(s string) string      { return bracketsReplacer.Replace(s) }
func spellFraction(s string) string { return fractionReplacer.Replace(s) }
func spellCurrency(s string) string { return currencyReplacer.Replace(s) }
func openingQuotes(s string) string { return openingReplacer.Replace(s) }
func closingQuotes(s string) string { return closingReplacer.Replace(s) }
func phoneText(s string) string     { return parentheses(spacesToNoBreak(s)) }

// longDash shortens a dash of three or four hyphens to two.
func longDash(s string) string {
	if len(s) == 3 || len(s) == 4 {
		return "--"
	}
	return s
}

// ampersands replaces &amp;, in either case, with &.
func ampersands(s string) string {
	const entity = "&amp;"
	for i := 0; i+len(entity) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(entity)], entity) {
			s = s[:i+1] + s[i+len(entity):]
		}
	}
	return s
}

// LowerCase converts s to lower case by the full Unicode rules for English, like
// Java's String.toLowerCase: İ becomes i with a combining dot, and a Σ that ends a
// word becomes ς. It expects a single token: it does not look for word boundaries
// within s.
func LowerCase(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && isFinalSigma(runes, i):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// isFinalSigma reports whether the sigma at i has a cased letter before it and
// none after it in the token. Java looks only within the word, but a token is
// within one word.
func isFinalSigma(runes []rune, i int) bool {
	cased := func(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }
	return slices.ContainsFunc(runes[:i], cased) && !slices.ContainsFunc(runes[i+1:], cased)
}
