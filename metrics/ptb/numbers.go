package ptb

// Numbers, dates, fractions, money and telephone numbers.

// digits extends each position of from by lo to hi digits of a class, and returns
// every position reached, so that a rule can follow all possible lengths.
func (l line) digits(from []int, lo, hi int, class func(uint16) bool) []int {
	var reached []int
	for _, p := range from {
		for n := 1; n <= hi && class(l.at(p+n-1)); n++ {
			if n >= lo {
				reached = append(reached, p+n)
			}
		}
	}
	return reached
}

// after returns, for each position of from that has a character of the class, the
// position after it.
func (l line) after(from []int, class func(uint16) bool) []int {
	var reached []int
	for _, p := range from {
		if class(l.at(p)) {
			reached = append(reached, p+1)
		}
	}
	return reached
}

func furthest(ends []int) int {
	best := 0
	for _, e := range ends {
		best = max(best, e)
	}
	return best
}

func isDateSeparator(c uint16) bool { return c == '-' || c == '/' }
func isPhoneSeparator(c uint16) bool {
	return c == '-' || c == ' ' || c == noBreakSpace
}
func isPeriod(c uint16) bool { return c == '.' }

// matchDate matches dates such as 3/4/2005 and 03-04-05.
func matchDate(l line, i int) match {
	if !isDigit(l.at(i)) {
		return noMatch
	}
	p := l.after(l.digits([]int{i}, 1, 2, isDigit), isDateSeparator)
	p = l.after(l.digits(p, 1, 2, isDigit), isDateSeparator)
	return upTo(furthest(l.digits(p, 2, 4, isDigit)))
}

// matchNumber matches digits with separators and an optional sign. A number can
// begin with a separator (.22) but not end with one.
func matchNumber(l line, i int) match {
	start := i
	if c := l.at(i); c == '-' || c == '+' {
		start++
	}
	end := l.skipWhile(start, isDigit)
	for oneOf(l.at(end), ".:,\u00AD\u066B\u066C") {
		next := l.skipWhile(end+1, isDigit)
		if next == end+1 {
			break
		}
		end = next
	}
	if end == start {
		return noMatch
	}
	return upTo(end)
}

// matchSubSuperscript matches superscript or subscript digits with an optional
// sign.
func matchSubSuperscript(l line, i int) match {
	start := i
	if c := l.at(i); c == 0x207A || c == 0x207B || c == 0x208A || c == 0x208B {
		start++
	}
	raised := l.skipWhile(start, func(c uint16) bool {
		return c == 0x2070 || c == 0xB9 || c == 0xB2 || c == 0xB3 || c >= 0x2074 && c <= 0x2079
	})
	lowered := l.skipWhile(start, func(c uint16) bool { return c >= 0x2080 && c <= 0x2089 })
	if end := max(raised, lowered); end > start {
		return upTo(end)
	}
	return noMatch
}

// matchFraction matches 7/8 and, as one token, 5 7/8 or 5-7/8.
func matchFraction(l line, i int) match {
	if !isDigit(l.at(i)) {
		return noMatch
	}
	starts := append(l.after(l.digits([]int{i}, 1, 4, isDigit), isPhoneSeparator), i)
	var denominators []int
	for _, p := range l.digits(starts, 1, 4, isDigit) {
		switch {
		case l.at(p) == '/' || l.at(p) == 0x2044:
			denominators = append(denominators, p+1)
		case l.at(p) == '\\' && l.at(p+1) == '/':
			denominators = append(denominators, p+2)
		}
	}
	return upTo(furthest(l.digits(denominators, 1, 4, isDigit)))
}

// matchFractionSign matches a single character such as ½.
func matchFractionSign(l line, i int) match {
	if c := l.at(i); c >= 0xBC && c <= 0xBE || c >= 0x2153 && c <= 0x215E {
		return upTo(i + 1)
	}
	return noMatch
}

// matchDollar matches $ with any capitals before it (US$), or #, which stands for
// a pound sign.
func matchDollar(l line, i int) match {
	if l.at(i) == '#' {
		return upTo(i + 1)
	}
	if end := l.skipWhile(i, isASCIIUpper); l.at(end) == '$' {
		return upTo(end + 1)
	}
	return noMatch
}

// matchCurrency matches the other currency signs.
func matchCurrency(l line, i int) match {
	if oneOf(l.at(i), "\u00A2\u00A3\u00A4\u00A5\u0080\u20A0\u20AC\u060B\u0E3F\u20A4\uFFE0\uFFE1\uFFE5\uFFE6") {
		return upTo(i + 1)
	}
	return noMatch
}

// matchPhone matches telephone numbers. They are an area code in parentheses, or
// up to two groups of digits, and then two groups, separated by spaces or hyphens;
// or three or four groups separated by periods.
func matchPhone(l line, i int) match {
	if c := l.at(i); c != '(' && c != '+' && !isASCIIDigit(c) {
		return noMatch
	}
	var heads []int // where the last two groups can begin
	if l.at(i) == '(' {
		for _, p := range l.digits([]int{i + 1}, 2, 3, isASCIIDigit) {
			if l.at(p) == ')' {
				heads = append(heads, p+1)
				if c := l.at(p + 1); c == ' ' || c == noBreakSpace {
					heads = append(heads, p+2)
				}
			}
		}
	}
	start := i
	for start < i+2 && l.at(start) == '+' {
		start++
	}
	country := l.digits([]int{start}, 2, 4, isASCIIDigit)
	area := append(l.after(country, isPhoneSeparator), start)
	heads = append(heads, l.after(l.digits(area, 2, 4, isASCIIDigit), isPhoneSeparator)...)
	middles := l.digits(heads, 3, 4, isASCIIDigit)
	middles = append(middles, l.after(middles, isPhoneSeparator)...)
	ends := l.digits(middles, 3, 5, isASCIIDigit)

	// With periods, the first group is optional, and only it can follow a +.
	dotted := l.after(country, isPeriod)
	if start == i {
		dotted = append(dotted, i)
	}
	dotted = l.after(l.digits(dotted, 2, 4, isASCIIDigit), isPeriod)
	dotted = l.after(l.digits(dotted, 3, 4, isASCIIDigit), isPeriod)
	ends = append(ends, l.digits(dotted, 3, 5, isASCIIDigit)...)
	return upTo(furthest(ends))
}
