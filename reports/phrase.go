package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// number writes v with up to three significant digits and a true minus sign.
func number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	s := strconv.FormatFloat(v, 'g', 3, 64)
	if strings.Contains(s, "e") && math.Abs(v) >= 1 {
		s = strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strings.Replace(s, "-", "−", 1)
}

// thousands writes a count in groups of three digits, divided by thin spaces.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteRune('\u202F')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// count is a number of things: "1 seed", "5 seeds".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// times is how often: "once", "twice", "3 times".
func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// meanText is a mean with its deviation, where there is one.
func meanText(mean, sd float64) string {
	switch {
	case !finite(mean):
		return "–"
	case !finite(sd):
		return fixed(mean, 1)
	}
	return fixed(mean, 1) + "\u00a0±\u00a0" + fixed(sd, 1)
}

// percent writes a share of 1: "61 %". Half a percent stays, "54.5 %": rounded up, it and the rest
// would add up to 101 %.
func percent(share float64) string {
	if _, part := math.Modf(100 * share); math.Abs(part-0.5) < 1e-9 {
		return percent1(share)
	}
	return fixed(100*share, 0) + "\u00a0%"
}

// percent1 is percent with a decimal, for shares that may be small.
func percent1(share float64) string { return fixed(100*share, 1) + "\u00a0%" }

// pointsText is a number of points: "1 point", "0.5 points".
func pointsText(v float64) string {
	if v == 1 {
		return "1 point"
	}
	return number(v) + " points"
}

// interval is a pair of bounds of a difference: "[0.90, 2.50]".
func interval(low, high float64, decimals int) string {
	if !finite(low) || !finite(high) {
		return "–"
	}
	return "[" + fixed(low, decimals) + ", " + fixed(high, decimals) + "]"
}

// pValue is a p-value as it is quoted in a sentence.
func pValue(p float64) string {
	switch {
	case !finite(p):
		return "p\u00a0–"
	case p < 0.001:
		return "p\u00a0<\u00a00.001"
	}
	return "p\u00a0=\u00a0" + pNumber(p)
}

// pNumber is a p-value as it stands in a table.
func pNumber(p float64) string {
	switch {
	case !finite(p):
		return "–"
	case p < 0.001:
		return "< 0.001"
	case p < 0.1:
		return fixed(p, 3)
	}
	return fixed(p, 2)
}

// smallNumber writes a probability with two significant digits. Levels of early looks are far
// below .001, where [pNumber] ends.
func smallNumber(p float64) string {
	switch {
	case !finite(p):
		return "–"
	case p < 0.00001:
		return "< 0.00001"
	}
	return fixed(p, max(2, 1-int(math.Floor(math.Log10(p)))))
}

// duration writes seconds as a person would: "4 min 10 s".
func duration(seconds float64) string {
	if !(seconds > 0) || seconds > 1e9 {
		return "–"
	}
	d := time.Duration(math.Round(seconds)) * time.Second
	switch {
	case d < 10*time.Second:
		return fixed(seconds, 1) + " s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// summary is the arm's mean over its finished seeds.
func (a *arm) summary() string {
	return meanText(a.Mean, a.SD) + ", " + count(len(a.Scores), "seed")
}

// name is the contrast as a difference.
func (c *contrast) name() string { return c.Label }

// summary is the difference with its interval and p, where there are any.
func (c *contrast) summary() string {
	text := signed(c.Difference, 2)
	if finite(c.Low) && finite(c.High) {
		text += " " + interval(c.Low, c.High, 2)
	}
	if c.Verdict != "" {
		text += ", " + pValue(c.Result.PHolm)
	}
	return text
}
