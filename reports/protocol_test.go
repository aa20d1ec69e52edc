package reports

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glimpse/internal/store"
)

func TestOtherProtocolsAreRefused(t *testing.T) {
	trials := finished(2, levels, "none", "adaptive")
	trials[3].signed = strings.Replace(usualSignature, "tokenizer=ptb", "tokenizer=simple", 1)
	dir := filepath.Join(t.TempDir(), "report")
	err := Write(context.Background(), usual(t, trials), "attention", dir)
	if err == nil {
		t.Fatal("runs of two protocols were compared")
	}
	for _, s := range []string{"different protocols", "tokenizer is ptb against simple", "(none, seed 1)", "(adaptive, seed 2)", "run the study again"} {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("the error does not say %q: %v", s, err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("a refused report left files")
	}
}

func TestSweptDecodingIsNoOtherProtocol(t *testing.T) {
	var trials []trial
	for _, beam := range []string{"1", "5"} {
		for _, tr := range finished(2, levels, "none", "adaptive") {
			tr.swept = map[string]string{"decode.beam": beam}
			tr.signed = strings.Replace(usualSignature, "beam:5", "beam:"+beam, 1)
			trials = append(trials, tr)
		}
	}
	r := analysed(t, trials)
	if !slices.ContainsFunc(r.Notices, func(s string) bool { return strings.Contains(s, "decode, which the study sweeps") }) {
		t.Errorf("no notice names the swept decoding: %q", r.Notices)
	}
}

func TestUnknownStudy(t *testing.T) {
	db := usual(t, []trial{{arm: "none", seed: 1, state: store.Queued}})
	err := Write(context.Background(), db, "atention", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "attention") {
		t.Errorf("the error does not name the studies that there are: %v", err)
	}
}
