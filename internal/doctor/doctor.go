// Package doctor checks what glimpse needs on this machine: what is there, what is missing, and
// how to fix it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"glimpse/internal/atomicfile"
	"glimpse/internal/engine"
	"glimpse/internal/meteordata"
	"glimpse/internal/store"
)

// The states of a finding.
const (
	OK      = "ok"
	Absent  = "absent"  // only some studies need it
	Missing = "missing" // must be fixed before anything runs
)

// Finding is the result of one check. Its JSON is a stable interface.
type Finding struct {
	Name   string `json:"name"`
	State  string `json:"state"` // OK, Absent or Missing
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

// Places are the paths and versions to check.
type Places struct {
	Version  string // of this program; the engine must have the same
	Cache    string // the cache directory; "" if there cannot be one
	Shared   string // a read-only shared cache; "" for none
	NoCache  error  // why there cannot be a cache
	Flickr8k string // the folder of Flickr8k; "" if not set
	Database string // the results database
}

// Examine runs all checks.
func Examine(ctx context.Context, at Places) []Finding {
	findings := append([]Finding{checkProgram(at.Version)}, checkEngine(ctx, at.Version)...)
	findings = append(findings, checkCache(at.Cache, at.Shared, at.NoCache)...)
	return append(findings, checkFlickr8k(at.Flickr8k), checkDatabase(ctx, at.Database))
}

func checkProgram(version string) Finding {
	detail := fmt.Sprintf("%s, %s, %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return Finding{Name: "glimpse", State: OK, Detail: detail}
}

// checkEngine looks for the engine, and asks it about libtorch, GPUs and threads.
func checkEngine(ctx context.Context, version string) []Finding {
	_, info, err := engine.FindAndAsk(ctx, version, "auto")
	if missing := (*engine.MissingError)(nil); errors.As(err, &missing) {
		return []Finding{{"engine", Absent, "no " + missing.Path,
			"training needs it: build it with `./bootstrap build`, or set $GLIMPSE_ENGINE to its path"}}
	}
	if err != nil {
		return []Finding{{"engine", Missing, err.Error(), "rebuild it with `./bootstrap build`"}}
	}
	findings := []Finding{
		{Name: "engine", State: OK, Detail: info.Path},
		{Name: "libtorch", State: OK, Detail: strings.TrimSuffix(info.Libtorch+" in "+info.Libraries, " in ")},
	}
	if info.NoGPU != "" {
		findings = append(findings, Finding{"cuda", Absent, info.NoGPU,
			"training runs on the CPU; to use a GPU, install NVIDIA's driver and build with `GLIMPSE_VARIANT=cuda ./bootstrap build`"})
	} else {
		findings = append(findings, Finding{Name: "cuda", State: OK, Detail: strings.Join(info.GPUs, ", ")})
	}
	threads := fmt.Sprintf("libtorch uses %d of %d processors", info.Threads, runtime.NumCPU())
	return append(findings, Finding{Name: "threads", State: OK, Detail: threads})
}

// checkCache checks the cache and the read-only one: whether it is writable, and whether it has
// weights and METEOR's data.
func checkCache(dir, shared string, none error) []Finding {
	if none != nil {
		var findings []Finding
		for _, name := range []string{"cache", "weights", "meteor"} {
			findings = append(findings, Finding{name, Missing, none.Error(), mendCache})
		}
		return findings
	}
	writable, weights, meteor := checkWritable(dir), checkWeights(filepath.Join(dir, "weights")), checkMeteor(meteordata.Dir(dir))
	if shared == "" {
		return []Finding{writable, weights, meteor}
	}
	writable.Detail += ", and read-only " + shared
	if of := checkWeights(filepath.Join(shared, "weights")); weights.State != OK && of.State == OK {
		weights = of
	}
	if of := checkMeteor(meteordata.Dir(shared)); meteor.State != OK && of.State == OK {
		meteor = of
	}
	return []Finding{writable, weights, meteor}
}

const mendCache = "set $GLIMPSE_CACHE to a folder that you can write to"

func checkWritable(dir string) Finding {
	const name = "cache"
	if err := os.MkdirAll(dir, 0o755); err == nil {
		if _, release, err := atomicfile.Folder(dir); err == nil {
			release()
			return Finding{Name: name, State: OK, Detail: dir}
		}
	}
	return Finding{name, Missing, dir + " is not writable", mendCache}
}

// checkWeights lists the encoder weights in the cache.
func checkWeights(dir string) Finding {
	const name = "weights"
	files, err := filepath.Glob(filepath.Join(dir, "*.pth"))
	if err != nil || len(files) == 0 {
		return Finding{name, Absent, "no encoder weights in " + dir,
			"studies with encoder.weights: auto download their own (about 20 MB, with pip)"}
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return Finding{Name: name, State: OK, Detail: strings.Join(files, ", ")}
}

// checkMeteor looks for METEOR's data in the cache.
func checkMeteor(dir string) Finding {
	const name = "meteor"
	if !meteordata.Complete(dir) {
		return Finding{name, Absent, "no METEOR data in " + dir,
			"METEOR is scored without synonyms and paraphrases (meteor-exact-stem); for them run `glimpse data fetch meteor` (104 MB, with pip)"}
	}
	return Finding{Name: name, State: OK, Detail: dir}
}

// checkFlickr8k looks for the caption file of a known layout; `glimpse data info` reads the data
// set itself.
func checkFlickr8k(dir string) Finding {
	const name = "flickr8k"
	const hint = "only studies of flickr8k need it: unpack the data set and pass its folder with --data or $GLIMPSE_DATA"
	if dir == "" {
		return Finding{name, Absent, "no folder set", hint}
	}
	for _, captions := range []string{"captions.txt", "Flickr8k.token.txt"} {
		if _, err := os.Stat(filepath.Join(dir, captions)); err == nil {
			return Finding{Name: name, State: OK, Detail: filepath.Join(dir, captions)}
		}
	}
	return Finding{name, Absent, "no captions.txt or Flickr8k.token.txt in " + dir, hint}
}

func checkDatabase(ctx context.Context, path string) Finding {
	const name = "database"
	db, err := store.OpenReadOnly(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{Name: name, State: OK, Detail: path + " does not exist yet; `glimpse run` creates it"}
	}
	if err == nil {
		defer db.Close()
		err = db.Check(ctx)
	}
	if err != nil {
		return Finding{name, Missing, err.Error(), "move the file away, or use another with --db or $GLIMPSE_DB"}
	}
	runs, err := db.Members(ctx, "")
	if err != nil {
		return Finding{name, Missing, err.Error(), "move the file away, or use another with --db or $GLIMPSE_DB"}
	}
	states := map[string]int{}
	for _, r := range runs {
		states[r.State]++
	}
	return Finding{Name: name, State: OK,
		Detail: fmt.Sprintf("%s, %d runs, %d completed", path, len(runs), states[store.Completed])}
}
