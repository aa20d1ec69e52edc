package store

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"glimpse/metrics/meteor"
)

// What reads usual rows quickly gives what reads any JSON, or leaves it to that.
func TestUsualRowsAreReadAsAnyAre(t *testing.T) {
	columns := []string{"run", "epoch", "val", "x"}
	rows := func() [][]any {
		return [][]any{
			{"3f2a", int64(1), nil, 0.5}, {"3f2a", int64(-7), "größe ☃", 1e-9}, {"3f2a", int64(math.MaxInt64), "", math.Copysign(0, -1)},
			{"\xff", int64(0), `"\`, math.Inf(1)}, {`{"a":"\\"}`, int64(0), `"\`, math.Inf(1)}, {"a,b}", int64(2), "{}", math.NaN()}, {"\u2028\x7f", int64(3), "a\nb", 1e300},
		}
	}
	s := newRowScanner(columns)
	quick := 0
	for _, row := range rows() {
		var line strings.Builder
		if err := jsonRows(&line)(columns, row); err != nil {
			t.Fatal(err)
		}
		want, err := parseRow([]byte(strings.TrimSpace(line.String())), columns)
		if err != nil {
			t.Fatal(err)
		}
		if s.scan([]byte(strings.TrimSuffix(line.String(), "\n"))) {
			quick++
			if !reflect.DeepEqual(s.values, want) {
				t.Errorf("%s is %#v, want %#v", line.String(), s.values, want)
			}
		}
	}
	if quick != 5 {
		t.Errorf("%d of the rows were usual, want 5", quick)
	}
	for _, line := range []string{
		``, `{`, `{}`, `{"run":"a","epoch":1,"val":null,"x":1`, `{"run":"a","epoch":1,"val":null,"x":1}}`, `{"run":"a","epoch":01,"val":null,"x":1}`,
		`{"run":"a","epoch":+1,"val":null,"x":1}`, `{"run":"a","epoch":1,"val":null,"x":inf}`, `{"run":"a","epoch":1,"val":null,"x":0x1p4}`,
		`{"run":"a","epoch":1,"val":nullx,"x":1}`, `{"run":"a","epoch":1,"val":true,"x":1}`, `{"run":"a","epoch":1,"val":"` + "\x00" + `","x":1}`,
		`{"epoch":1,"run":"a","val":null,"x":1}`, `{"run":"a","epoch":1,"val":null,"x":1e999}`, `{"run":"a","epoch":1.,"val":null,"x":1}`,
		`{"run":"a","epoch":,"val":null,"x":1}`, `{"run":"a\n","epoch":1,"val":null,"x":1}`, `{"run":"a\\`, `{"run":"a\"`, `{"run":"\u0041","epoch":1,"val":null,"x":1}`, `{"run":"` + "\xff" + `","epoch":1,"val":null,"x":1}`,
	} {
		if s.scan([]byte(line)) {
			t.Errorf("%q was taken for a usual row: %#v", line, s.values)
		}
	}
}

func TestUsualMetricsAreReadAsAnyAre(t *testing.T) {
	for text, usual := range map[string]bool{
		`{}`: true, `{"cider":0.5}`: true, `{"a":1,"b":-2.5e-07,"c":3E+2}`: true,
		`{"a":"nan"}`: false, `{"a":1,}`: false, `{"a":1}}`: false, `{"a\u0062":1}`: false, `{"a":01}`: false, `{"a":}`: false, `{"a":1`: false,
		`{"ä":1}`: false, `{:1}`: false, `{"a":1,,"b":2}`: false, `null`: false, `[1]`: false, `{"a":{"b":1}}`: false, ` {"a":1}`: false, ``: false,
	} {
		values := map[string]float64{}
		ok := parseMetrics(text, values)
		if ok != usual {
			t.Errorf("%s: usual is %v", text, ok)
		}
		var want map[string]float64
		if ok && (json.Unmarshal([]byte(text), &want) != nil || !reflect.DeepEqual(values, want)) {
			t.Errorf("%s is %v, want %v", text, values, want)
		}
	}
	for text, want := range map[string]bool{"0": true, "-0.0": true, "10": true, "1e5": true, "1.5E-3": true,
		"": false, "-": false, "00": false, "1.": false, ".5": false, "1e": false, "1e+": false, "1x": false, "+1": false, "NaN": false, "1_0": false} {
		if isNumber(text) != want {
			t.Errorf("%q is a number: %v", text, !want)
		}
	}
}

func TestUsualMeteorCountsAreReadAsAnyAre(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		want := meteorCounts{TestLength: 1 + g.IntN(20), RefLength: g.IntN(20), TestMatches: g.IntN(9), RefMatches: g.IntN(9), Chunks: g.IntN(5),
			TestWeight: g.Float64(), RefWeight: 8.25, TestMatchWeight: 1e-9 * g.Float64(), RefMatchWeight: 0}
		packed, err := want.Value()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(meteor.Stats(want))
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range []any{packed, string(text)} {
			var got meteorCounts
			if err := got.Scan(column); err != nil || got != want {
				t.Fatalf("%s became %+v, %v", column, got, err)
			}
		}
		if _, isPacked := packed.([]byte); !isPacked || unpack("meteor_stats", packed) != string(text) {
			t.Fatalf("%s is stored as %v", text, packed)
		}
	}
	for _, text := range []string{`{"ref_length":7,"test_length":5}`, `{"test_length":5}`, ` {"test_length": 5 }`} {
		if list, ok := countsList(text); ok {
			t.Errorf("%s was taken for usual: %s", text, list)
		}
		var got meteorCounts
		if err := got.Scan(text); err != nil || got.TestLength != 5 {
			t.Errorf("%s became %+v, %v", text, got, err)
		}
	}
}

// FuzzUsual holds what reads usual values quickly to what reads any.
func FuzzUsual(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":"nan","c":null}`))
	f.Add([]byte(`{"a":-0.5,"b":"x y","c":1e400}`))
	f.Add([]byte(`{"a":0.25,"b":2,"c":-3e-7}`))
	columns := []string{"a", "b", "c"}
	f.Fuzz(func(t *testing.T, line []byte) {
		if s := newRowScanner(columns); s.scan(line) {
			want, err := parseRow(line, columns)
			if err != nil || !reflect.DeepEqual(s.values, want) {
				t.Fatalf("%s is %#v, want %#v, %v", line, s.values, want, err)
			}
		}
		values := map[string]float64{}
		if parseMetrics(string(line), values) {
			var want map[string]float64
			if err := json.Unmarshal(line, &want); err != nil || !reflect.DeepEqual(values, want) {
				t.Fatalf("%s is %v, want %v, %v", line, values, want, err)
			}
		}
		var counts meteorCounts
		if list, ok := countsList(string(line)); ok && counts.parse(list) {
			var want meteor.Stats
			if err := json.Unmarshal(line, &want); err != nil || meteor.Stats(counts) != want {
				t.Fatalf("%s is %+v, want %+v, %v", line, counts, want, err)
			}
		}
	})
}
