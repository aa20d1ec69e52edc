package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A fact is a thing that has to be known to repeat the study, with its values
// over all runs.
type fact struct {
	Name   string
	Values []string
	Code   bool
}

// reproduceSection says what the study is and how to run it again.
func (r *result) reproduceSection() section {
	s := section{Name: "reproduce", Title: "How to reproduce"}
	name := fileName(r.Study.Name)
	s.add(part{Text: "Save the study below as " + name + ".yaml, then:"})
	command := fmt.Sprintf("glimpse run %s.yaml --report report\nglimpse runs %s --json    # captions_sha256 of each trial, to compare with runs.csv", name, name)
	commits := slices.Compact(slices.Sorted(slices.Values(r.environments()["commit"])))
	if len(commits) == 1 {
		command = "git checkout " + fileName(commits[0]) + " && ./bootstrap build\n" + command
	}
	s.add(part{Listing: &listing{"Commands", "sh", command}})
	s.add(part{Text: "On the same kind of machine, with the same number of threads, the captions are identical, byte for byte."})
	s.add(part{Facts: r.provenance()})
	s.add(part{Listing: &listing{"The resolved study", "yaml", strings.TrimRight(strings.ReplaceAll(r.Study.Spec, "\r\n", "\n"), "\n")}})
	return s
}

// provenance lists what the runs were made with.
func (r *result) provenance() []fact {
	facts := []fact{
		{Name: "spec sha256", Values: []string{fmt.Sprintf("%x", sha256.Sum256([]byte(r.Study.Spec)))}, Code: true},
	}
	facts = append(facts, r.declarationFacts()...)
	if signatures := r.tally(func(run *run) string { return run.Signature }); len(signatures) > 0 {
		facts = append(facts, fact{Name: "protocol", Values: signatures, Code: true})
	}
	byKey := r.environments()
	keys := slices.SortedFunc(maps.Keys(byKey), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	for _, key := range keys {
		facts = append(facts, fact{Name: strings.ReplaceAll(strings.TrimSuffix(key, "_bytes"), "_", " "), Values: merged(key, byKey[key])})
	}
	var first, last time.Time
	for _, run := range r.Runs {
		if t := run.Started; !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
		if t := run.Finished; t.After(last) {
			last = t
		}
	}
	if !first.IsZero() && last.After(first) {
		facts = append(facts, fact{Name: "trained", Values: []string{day(first) + " to " + day(last) + " (UTC)"}})
	}
	var seconds float64
	for _, run := range r.Runs {
		seconds += run.Seconds
	}
	return append(facts, fact{Name: "time of all trials", Values: []string{duration(seconds)}})
}

// rank puts the facts that decide a repetition first.
func rank(key string) int {
	for i, prefix := range []string{"commit", "dirty", "device", "gpu", "cpu", "threads", "versions"} {
		if strings.HasPrefix(key, prefix) {
			return i
		}
	}
	return 99
}

// tally lists the distinct values over the runs that have one, each with the
// number of its runs where there are several.
func (r *result) tally(value func(*run) string) []string {
	var values []string
	for _, run := range r.Runs {
		if v := value(run); v != "" {
			values = append(values, v)
		}
	}
	return tallied(values)
}

func tallied(values []string) []string {
	counts := map[string]int{}
	for _, v := range values {
		counts[v]++
	}
	distinct := slices.Sorted(maps.Keys(counts))
	if len(distinct) > 1 {
		for i, v := range distinct {
			distinct[i] = fmt.Sprintf("%s (%s)", v, count(counts[v], "run"))
		}
	}
	return few(distinct, mostPhrases)
}

// merged lists the values of one environment key. Sizes are written in
// gigabytes, and many different numbers become their range.
func merged(key string, values []string) []string {
	var numbers []float64
	for _, v := range values {
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			numbers = append(numbers, n)
		}
	}
	write := number
	if strings.HasSuffix(key, "_bytes") {
		write = func(v float64) string { return fixed(v/1e9, 2) + " GB" }
	} else if distinct := tallied(values); len(distinct) <= 3 || len(numbers) < len(values) {
		return distinct
	}
	if len(numbers) < len(values) {
		return tallied(values)
	}
	least, greatest := write(slices.Min(numbers)), write(slices.Max(numbers))
	if least == greatest {
		return []string{least}
	}
	return []string{least + " to " + greatest}
}

// environments are what the runs recorded of where they were made: key → the value of each run that has it.
func (r *result) environments() map[string][]string {
	if r.made == nil {
		r.made = map[string][]string{}
		texts := map[string]string{} // so that what thousands of runs have in common is there once
		for _, run := range r.Runs {
			for key, value := range run.environment() {
				if known, found := texts[value]; found {
					value = known
				}
				texts[value] = value
				r.made[key] = append(r.made[key], value)
			}
		}
	}
	return r.made
}

// environment is what the run recorded of where it was made, with the keys of
// nested objects joined by points, less what the table of runs has.
func (r *run) environment() map[string]string {
	decoder := json.NewDecoder(bytes.NewReader(r.Environment))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		return nil // absent, or written by something else: nothing to show
	}
	delete(tree, "timings")
	delete(tree, "attempts")
	delete(tree, "changes") // whole files, perhaps
	delete(tree, "command")
	if tree["commit"] == nil {
		delete(tree, "dirty") // of nothing
	}
	flat := map[string]string{}
	flatten(flat, "", tree)
	return flat
}

func flatten(into map[string]string, key string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for name, inner := range v {
			flatten(into, strings.TrimPrefix(key+"."+name, "."), inner)
		}
	case []any:
		var parts []string
		for _, inner := range v {
			parts = append(parts, fmt.Sprint(inner))
		}
		into[key] = strings.Join(parts, ", ")
	default:
		if text := fmt.Sprint(v); text != "" {
			into[key] = text
		}
	}
}

// day is a time to the minute, in UTC.
func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
