package server

import (
	"context"
	"fmt"
	"html"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// OpenBrowser opens a link in the user's browser, where there is one to be seen. The link is
// handed over in a file that only its owner may read, and not on a command line, which everybody
// on the machine can see. It says nothing of what fails: the link is printed as well.
func OpenBrowser(ctx context.Context, link string) {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	} else if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return
	}
	program, err := exec.LookPath(opener)
	if err != nil {
		return
	}
	file, err := os.CreateTemp("", "glimpse-*.html") // its owner's alone
	if err != nil {
		return
	}
	_, err = fmt.Fprintf(file, `<!DOCTYPE html><meta charset="utf-8"><title>glimpse</title>
<meta http-equiv="refresh" content="0;url=%s">
`, html.EscapeString(link))
	if closed := file.Close(); err == nil && closed == nil {
		_ = exec.CommandContext(ctx, program, file.Name()).Start()
	}
	go func() {
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Second):
		}
		_ = os.Remove(file.Name())
	}()
}
