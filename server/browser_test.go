package server

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	shots   = flag.String("shots", "", "a folder for screenshots of every page")
	shotsDB = flag.String("shots-db", "", "the database that they are of")
)

// browse opens a Chromium, or skips the test where there is none. said are the complaints of the console.
func browse(t *testing.T) (ctx context.Context, said *[]string) {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("there is no Chromium: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()))
	allocated, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	tab, close := chromedp.NewContext(allocated)
	t.Cleanup(close)
	ctx, cancel := context.WithTimeout(tab, 3*time.Minute)
	t.Cleanup(cancel)
	said = &[]string{}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError {
				*said = append(*said, e.Entry.Text+" "+e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			*said = append(*said, e.ExceptionDetails.Error())
		}
	})
	return ctx, said
}

// TestShots takes a picture of every page, for somebody to look at:
//
//	go test ./server -run TestShots -shots DIR -shots-db results.db
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("-shots names no folder")
	}
	s := serve(t, Config{Places: []string{*shotsDB}, Stop: noStop})
	ctx, said := browse(t)
	pages := map[string]string{
		"home": "/", "queue": "/queue", "study": "/results/study/flickr8k-attention", "search": "/results/study/flickr8k-search",
		"run": "/results/run/5db0ff063e71", "compare": "/compare?run=results/5db0ff063e71&run=results/1c7f5cde2170",
		"captions": "/results/study/flickr8k-attention/captions", "stop": "/results/study/flickr8k-attention/stop",
	}
	visit(t, ctx, s.Link())
	time.Sleep(20 * time.Second) // until all is analysed
	for name, path := range pages {
		for _, kind := range []struct {
			name          string
			width, height int64
			dark          bool
		}{{"desktop", 1280, 900, false}, {"phone", 390, 844, false}, {"dark", 1280, 900, true}} {
			scheme := "light"
			if kind.dark {
				scheme = "dark"
			}
			var picture []byte
			err := chromedp.Run(ctx, chromedp.EmulateViewport(kind.width, kind.height),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
				chromedp.Navigate(s.at(path)), chromedp.Sleep(1500*time.Millisecond), chromedp.FullScreenshot(&picture, 90))
			if err != nil {
				t.Fatal(name, err)
			}
			if err := os.WriteFile(filepath.Join(*shots, name+"-"+kind.name+".jpg"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, line := range *said {
		t.Error(line)
	}
}

// visit opens a link and waits until the page behind its welcome is there.
func visit(t *testing.T, ctx context.Context, link string) {
	t.Helper()
	if err := chromedp.Run(ctx, chromedp.Navigate(link), chromedp.WaitVisible("#content", chromedp.ByQuery)); err != nil {
		t.Fatal(err)
	}
}
