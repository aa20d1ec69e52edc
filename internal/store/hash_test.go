package store

import "testing"

func TestCaptionsSHA256IsOfIDOrder(t *testing.T) {
	a := []Caption{{Image: "b", Words: "x y"}, {Image: "a", Words: ""}}
	// printf 'a\t\nb\tx y\n' | sha256sum
	const want = "69037ace10246c69cc80313429f8a3fea3844f79c2bbcc6b47461c934b92b32a"
	if got := CaptionsSHA256(a); got != want {
		t.Errorf("hash is %s, want %s", got, want)
	}
	if a[0].Image != "b" {
		t.Error("the argument was reordered")
	}
}
