package metrics

import (
	"strings"
	"testing"
)

func auditItems() []AuditItem {
	return []AuditItem{
		{ID: "1", Candidate: "a dog runs", References: []string{"A dog runs, fast.", "The dog runs", "a small dog runs over sand"}},
		{ID: "2", Candidate: "two men sit on a bench", References: []string{"Two men sit on the bench.", "two men, a bench"}},
		{ID: "3", Candidate: "a cat", References: []string{"A black cat, asleep"}},
	}
}

func TestAudit(t *testing.T) {
	train := []AuditItem{{ID: "9", Candidate: "a red boat at sea", References: []string{"a red boat at sea"}}}
	forced := []AuditItem{
		{ID: "1", Candidate: "a dog runs fast", References: auditItems()[0].References},
		{ID: "1", Candidate: "a dog runs", References: auditItems()[0].References},
	}
	rows, err := Audit(
		AuditSplit{Name: "test", HeldOut: true, Claim: ClaimTest, Items: auditItems(), TeacherForced: forced},
		AuditSplit{Name: "train", Claim: ClaimTrain, Items: train})
	if err != nil {
		t.Fatal(err)
	}
	n := len(Protocols())
	if len(rows) != 2*n+1 || rows[n].Protocol != "teacher-forced" {
		t.Fatalf("%d rows for %d protocols on two splits and teacher forcing on one", len(rows), n)
	}
	if rows[n].Images != 1 {
		t.Errorf("teacher forcing on two references of one image scored %d images", rows[n].Images)
	}
	by := make(map[string]AuditRow)
	for _, r := range rows {
		by[r.Split+"/"+r.Protocol] = r
		if r.Says == "" || r.Source == "" || r.Why == "" {
			t.Errorf("%s lacks its words: %+v", r.Protocol, r)
		}
		if want := r.Protocol == "coco" && r.Split == "test"; r.Reportable != want {
			t.Errorf("%s on %s: reportable is %v", r.Protocol, r.Split, r.Reportable)
		}
		if want := r.BLEU[0] >= r.Claim.BLEU1 && r.BLEU[1] >= r.Claim.BLEU2; r.Reaches != want {
			t.Errorf("%s on %s: %v, reaches is %v", r.Protocol, r.Split, r.BLEU, r.Reaches)
		}
	}
	if r := by["train/coco"]; !r.Reaches || r.Why != "trained on these images" {
		t.Errorf("copied training captions: %+v", r)
	}
	// Image 3 has no reference without a comma.
	if got := by["test/no-comma-references"].Images; got != 2 {
		t.Errorf("%d images have references without commas, want 2", got)
	}
	for _, higher := range []string{"markers", "no-brevity"} {
		if by["test/"+higher].BLEU[1] < by["test/coco"].BLEU[1] {
			t.Errorf("%s lowers BLEU-2: %v against %v", higher, by["test/"+higher].BLEU, by["test/coco"].BLEU)
		}
	}
	if by["test/best-reference"].BLEU[1] < by["test/first-reference"].BLEU[1] {
		t.Error("the best reference is worse than the first")
	}
}

func TestAuditErrors(t *testing.T) {
	tests := []struct {
		name  string
		split AuditSplit
		want  string
	}{
		{"empty", AuditSplit{Name: "test"}, `split "test" has no captions`},
		{"no references", AuditSplit{Name: "val", Items: []AuditItem{{ID: "7", Candidate: "a"}}}, `split "val": image "7" has no references`},
		{"unequal", AuditSplit{Name: "val", Items: []AuditItem{{ID: "7", References: []string{"a", "b"}, ReferenceTokens: [][]string{{"a"}}}}},
			`image "7" has 2 references as text and 1 as tokens`},
	}
	for _, tt := range tests {
		if _, err := Audit(tt.split); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	rows, err := Audit(AuditSplit{Name: "test", HeldOut: true, Items: auditItems()[2:]})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Protocol == "seed-parsing" && (r.Images != 0 || r.Why != "leaves no image with a reference") {
			t.Errorf("nothing left: %+v", r)
		}
	}
}

func TestKerasTokens(t *testing.T) {
	got := strings.Join(kerasTokens("A dog's t-shirt, (red)!  It's\tfun."), "|")
	if want := "a|dog's|t|shirt|red|it's|fun"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
