package data

import "testing"

func TestSamples(t *testing.T) {
	var s Samples
	s.Add([][]int64{
		{4, 5, 6, EndID}, {4, 5, 6, EndID}, // alike
		{4, 5, 6}, {EndID}, // cut off; empty
	}, 2, []float64{1, 2, 3, -4}, 7)
	s.Add([][]int64{
		{4, 4, EndID}, {4, 5, 6, 4, 5, 6}, // both repeat, one is cut off
		{4, 5, 4, 5, EndID}, {4, 5, 6, 7, 5, 6, 8, EndID}, // two words in a row twice do not count
	}, 4, []float64{0.5, 0, 0, 0}, 0.5)
	want := Samples{Captions: 8, Tokens: 4 + 4 + 3 + 1 + 3 + 6 + 5 + 8, Unfinished: 2, Empty: 1, Repeating: 2, Different: 7, Reward: 2.5, Entropy: 7.5}
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}
