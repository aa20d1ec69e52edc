package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"glimpse/internal/cli"
	"glimpse/internal/cli/clitest"
)

// vanishStudy reads the pictures of the test split only after all epochs.
const vanishStudy = `
study: vanish
question: Is it told which picture is gone?
data: {name: coco, root: scenes, split: official, min_count: 1}
encoder: {name: cnn, image_size: 32, channels: 4}
model: {embedding: 16, attention: none, dropout: 0}
train: {epochs: 8, batch_images: 4, select: {metric: val.cider, beam: 1}}
decode: {beam: 1, max_length: 12}
sweep: {over: {model.hidden: [8, 9]}}
`

// TestPictureVanishes removes or damages a picture while a study that has checked its data runs.
func TestPictureVanishes(t *testing.T) {
	needEngine(t)
	clitest.Sandbox(t, map[string]string{"vanish.yaml": vanishStudy, "drawn.yaml": "study: drawn\ndata: {name: shapes, images: 60}\n"})
	if code, _, stderr := call(t, "data", "export", "drawn.yaml", "-o", "scenes"); code != 0 {
		t.Fatal(stderr)
	}
	picture := filepath.Join("scenes", "images", "scene-000059.png")
	whole, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	for i := len(damaged) / 2; i < len(damaged)/2+40; i++ {
		damaged[i] ^= 0xff
	}
	put := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(picture, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// study runs the study and calls then after the first epoch.
	study := func(want int, then func(), flags ...string) string {
		t.Helper()
		cmd := exec.Command("glimpse", append([]string{"run", "vanish.yaml", "--threads", "1", "--jobs", "1", "--pictures", "0"}, flags...)...)
		pipe, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			if then != nil && strings.Contains(lines.Text(), "epoch 1/8") {
				then()
				then = nil
			}
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("run %v: exit code %d, want %d:\n%s", flags, code, want, said.String())
		}
		return said.String()
	}
	for _, c := range []struct {
		how   string
		then  func()
		want  string
		kinds [2]int // failures of the kinds error and data
		named int    // failures that name the picture
	}{
		{"missing", func() { _ = os.Remove(picture) }, "is missing", [2]int{2, 0}, 2},
		{"damaged", func() { put(damaged) }, "cannot be decoded", [2]int{2, 0}, 2},
	} {
		t.Run(c.how, func(t *testing.T) {
			put(whole)
			db := []string{"--db", c.how + ".db"}
			said := study(cli.ExitSomeFailed, c.then, db...)
			for _, want := range []string{"2 of 2 trials failed", "caption the test split: ", "picture scenes/images/scene-000059.png " + c.want, "fix the cause, then `glimpse run --retry-failed`"} {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not said:\n%s", want, said)
				}
			}
			_, shown, _ := call(t, "runs", "--json", "--db", c.how+".db")
			kinds := [2]int{strings.Count(shown, `"failure": "error"`), strings.Count(shown, `"failure": "data"`)}
			if named := strings.Count(shown, "scene-000059.png"); kinds != c.kinds || named != c.named {
				t.Errorf("%v failures (error, data), %d of which name the picture; want %v and %d:\n%s", kinds, named, c.kinds, c.named, shown)
			}
			put(whole)
			if said := study(cli.ExitSomeFailed, nil, db...); strings.Contains(said, "started") {
				t.Errorf("without being asked to it tried again:\n%s", said)
			}
			said = study(cli.ExitDone, nil, append(db, "--retry-failed")...)
			if !strings.Contains(said, "2 of 2 trials done") {
				t.Errorf("with --retry-failed:\n%s", said)
			}
		})
	}
	// Pictures are checked before training: a bad one ends the study then, and no trial has failed.
	put(damaged)
	frozen := []string{"--set", "encoder.name=efficientnet_lite0", "--set", "encoder.weights=random", "--set", "train.epochs=1"}
	said := study(cli.ExitFailed, nil, frozen...)
	if want := `picture "scenes/images/scene-000059.png" cannot be decoded`; !strings.Contains(said, want) {
		t.Errorf("%q is not said:\n%s", want, said)
	}
	put(whole)
	if said := study(cli.ExitDone, nil, frozen...); !strings.Contains(said, "2 of 2 trials done") {
		t.Errorf("with the picture mended:\n%s", said)
	}
}
