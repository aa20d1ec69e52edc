package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glimpse/data"
	"glimpse/experiments"
	"glimpse/internal/jsonline"
)

// The test binary is also an engine: with this variable it does what the variable says.
const roleVariable = "GLIMPSE_TEST_ENGINE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

// play is an engine that does one thing.
func play(role string) int {
	if err := CheckCaller("v1"); err != nil {
		fmt.Fprintln(os.Stderr, "glimpse:", err)
		return 1
	}
	switch role {
	case "waiting":
		if err := SetWaiting(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(os.Getpid(), Waiting(os.Environ()), os.Args[1:])
	case "about":
		fmt.Printf(`{"version": "v1", "libtorch": "2.1.2", "device": %q, "gpus": []}`, os.Args[3])
	case "refuse":
		fmt.Fprintln(os.Stderr, "glimpse: there is no GPU")
		return 2
	case "silent":
		return 7
	case "babble":
		fmt.Println("a library prints")
	case "features":
		f, ctx, err := ReadFeatures(context.Background(), os.Stdin)
		if err != nil || f.Settings.Seed != 3 || f.Root != "pictures" || f.Device != "cpu" || f.Threads != 2 {
			fmt.Fprintln(os.Stderr, "asked for", f, err)
			return 1
		}
		fmt.Println("a library prints")
		_ = jsonline.Write(os.Stdout, Done{1, 2})
		_ = jsonline.Write(os.Stdout, Done{2, 2})
		if os.Getenv("GLIMPSE_TEST_LEFT") == "" {
			return 0
		}
		<-ctx.Done() // the runner is gone
		_ = os.WriteFile(os.Getenv("GLIMPSE_TEST_LEFT"), nil, 0o600)
	case "runner": // which is killed while its engine computes
		_ = os.Setenv(roleVariable, "features")
		p, err := Self("v1")
		if err == nil {
			err = p.Compute(context.Background(), asked, func(done, total int) { fmt.Println(done, "of", total) })
		}
		fmt.Fprintln(os.Stderr, err)
	case "deaf":
		time.Sleep(time.Hour)
	}
	return 0
}

var asked = Features{Settings: experiments.Settings{Seed: 3}, Root: "pictures", Device: "cpu", Threads: 2}

// engineThat gives an engine that plays a role.
func engineThat(t *testing.T, role, version string) *Program {
	t.Helper()
	t.Setenv(roleVariable, role)
	p, err := Self(version)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFind(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(filepath.Dir(self), Name)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ named, found, want string }{
		{"", "", "this command needs the engine, but there is no " + beside + ": build it with `./bootstrap build`"},
		{"absent", "", "$GLIMPSE_ENGINE is set to absent, which is not a program"},
		{text, "", "$GLIMPSE_ENGINE is set to " + text},
		{t.TempDir(), "", "which is not a program"},
		{self, self, ""},
	} {
		t.Setenv("GLIMPSE_ENGINE", c.named)
		p, err := Find("v1")
		var missing *MissingError
		switch {
		case c.want != "" && (!errors.As(err, &missing) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: %v, want %s", c.named, err, c.want)
		case c.want == "" && (err != nil || p.Path != c.found):
			t.Errorf("%q: %+v, %v", c.named, p, err)
		}
	}
	if err := os.WriteFile(beside, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(beside)
	t.Setenv("GLIMPSE_ENGINE", "")
	if p, err := Find("v1"); err != nil || p.Path != beside {
		t.Errorf("beside the program: %+v, %v", p, err)
	}
}

func TestAsk(t *testing.T) {
	info, err := engineThat(t, "about", "v1").Ask(t.Context(), "cuda:1")
	if err != nil || info.Libtorch != "2.1.2" || info.Device != "cuda:1" || info.Path == "" {
		t.Errorf("%+v, %v", info, err)
	}
	for _, c := range []struct {
		role, version, want string
		code                int
	}{
		{"about", "v2", "glimpse has version v2, but its engine ", 1},
		{"refuse", "v1", "there is no GPU", 2},
	} {
		_, err := engineThat(t, c.role, c.version).Ask(t.Context(), "auto")
		var told *Failure
		if !errors.As(err, &told) || !strings.HasPrefix(told.Message, c.want) || told.Code != c.code {
			t.Errorf("%s: %v, want %s", c.role, err, c.want)
		}
	}
	if _, err := engineThat(t, "babble", "v1").Ask(t.Context(), "auto"); err == nil || !strings.Contains(err.Error(), "did not describe itself") {
		t.Error(err)
	}
	var exit *exec.ExitError
	if _, err := engineThat(t, "silent", "v1").Ask(t.Context(), "auto"); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Error(err)
	}
}

// TestRunPassesRemarksOn holds that what an engine says is not said twice, and that its exit code is known.
func TestRunPassesRemarksOn(t *testing.T) {
	var remarks bytes.Buffer
	err := engineThat(t, "refuse", "v1").Run(t.Context(), nil, &remarks, "audit")
	var exit *exec.ExitError
	if remarks.String() != "glimpse: there is no GPU\n" || !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("%q, %v", remarks.String(), err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := engineThat(t, "deaf", "v1").Run(ctx, nil, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestCompute(t *testing.T) {
	var seen []int
	d := &data.Dataset{Options: data.Options{Root: "pictures"}}
	err := engineThat(t, "features", "v1").Fill(t.Context(), experiments.Settings{Seed: 3}, d, "cpu", 2, func(done, total int) { seen = append(seen, done, total) })
	if err != nil || fmt.Sprint(seen) != "[1 2 2 2]" {
		t.Errorf("%v, %v", seen, err)
	}
	if err := engineThat(t, "refuse", "v1").Fill(t.Context(), experiments.Settings{}, d, "cpu", 2, nil); err == nil || err.Error() != "there is no GPU" {
		t.Error(err)
	}
}

// TestComputeEndsWithItsRunner kills a runner while its engine computes: the engine learns of it and stops.
func TestComputeEndsWithItsRunner(t *testing.T) {
	left := filepath.Join(t.TempDir(), "left")
	runner := exec.Command(os.Args[0])
	runner.Env = append(os.Environ(), roleVariable+"=runner", "GLIMPSE_TEST_LEFT="+left)
	said, err := runner.StdoutPipe()
	if err == nil {
		err = runner.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = runner.Process.Kill() }()
	// After its last line: an engine that writes to a runner that is gone ends by SIGPIPE, which is not what is tested.
	for lines := bufio.NewScanner(said); lines.Text() != "2 of 2"; {
		if !lines.Scan() {
			t.Fatalf("the runner ends with %q, %v", lines.Text(), lines.Err())
		}
	}
	_ = runner.Process.Kill()
	_ = runner.Wait()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(left); err == nil {
			return
		}
		if time.Now().After(until) {
			t.Fatal("the engine goes on without its runner")
		}
	}
}
