package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"glimpse/internal/secret"
)

// Changes are the differences between a working directory's tracked files and its commit. For the
// study's files they include the text; for others, which may contain anything, only names and
// hashes. A run recorded by an earlier version has no Files, and in Diff the differences of all
// files.
type Changes struct {
	SHA256 string `json:"sha256"` // of the diff of all files, as git writes it
	Bytes  int    `json:"bytes"`  // size of that diff
	Diff   string `json:"diff"`   // of the study's files, without anything that looks like a secret; at most maxDiff bytes
	// Files are the files that differ, at most maxChanged: path from the top of the repository →
	// SHA-256 of the current content; "" if it cannot be read.
	Files map[string]string `json:"files"`
	More  int               `json:"more_files,omitempty"` // how many more differ
}

const (
	maxDiff    = 64 << 10 // of the diff stored with a run
	maxChanged = 100
)

// gitTimeout limits all calls of git for a run.
const gitTimeout = 5 * time.Second

// Commit returns the commit of the working directory's git repository; "" if there is none or git
// fails.
func Commit(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	hash, err := git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	return hash
}

// commit asks git for the commit of the working directory and the changes of tracked files; nil
// if there are none. It ignores a tracked results database, and leaves out what git cannot
// answer.
func commit(ctx context.Context, database string, study []string) (hash string, changes *Changes) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	if hash = Commit(ctx); hash == "" {
		return "", nil
	}
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return hash, nil
	}
	all := []string{":/"}
	if inside := within(top, database); inside != "" {
		all = append(all, ":(top,exclude,literal)"+inside)
	}
	whole, err := diff(ctx, nil, all)
	if err != nil || whole == "" {
		return hash, nil
	}
	sum := sha256.Sum256([]byte(whole))
	changes = &Changes{SHA256: hex.EncodeToString(sum[:]), Bytes: len(whole), Files: map[string]string{}}
	if names, err := diff(ctx, []string{"--name-only", "-z", "--no-renames"}, all); err == nil {
		changes.list(ctx, top, strings.Split(strings.TrimSuffix(names, "\x00"), "\x00"))
	}
	var own []string
	for _, file := range study {
		if inside := within(top, file); inside != "" {
			own = append(own, ":(top,literal)"+inside)
		}
	}
	if len(own) > 0 {
		text, _ := diff(ctx, nil, own) // errors are ignored: then there is no diff
		text = secret.Redact(strings.ToValidUTF8(text, "?"))
		changes.Diff = strings.ToValidUTF8(text[:min(len(text), maxDiff)], "")
	}
	return hash, changes
}

// list records which files of the repository at top differ.
func (c *Changes) list(ctx context.Context, top string, names []string) {
	for _, name := range names {
		if len(c.Files) == maxChanged {
			c.More++
			continue
		}
		c.Files[strings.ToValidUTF8(name, "?")] = hashOf(ctx, filepath.Join(top, name))
	}
}

// diff asks git for the differences between these paths and the commit, whatever git's
// configuration.
func diff(ctx context.Context, options, paths []string) (string, error) {
	args := slices.Concat([]string{"diff", "--no-color", "--no-ext-diff", "--no-textconv"}, options, []string{"HEAD", "--"}, paths)
	return git(ctx, args...)
}

// git runs git in the working directory and returns its output.
func git(ctx context.Context, args ...string) (string, error) {
	// A user's setting could make git name files relative to the working directory.
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "diff.relative=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	out, err := cmd.Output()
	return strings.TrimRight(string(out), "\n"), err
}

// within returns the path of a file in the folder top, with slashes; "" if it is not in it.
func within(top, file string) string {
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil { // git's top is a real path
		folder = real
	}
	inside, err := filepath.Rel(top, filepath.Join(folder, filepath.Base(file)))
	if err != nil || !filepath.IsLocal(inside) {
		return ""
	}
	return filepath.ToSlash(inside)
}

// hashOf returns the SHA-256 of a file, or of the target of a link; "" for anything else, or if
// it cannot be read in time.
func hashOf(ctx context.Context, path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return ""
	}
	hash := sha256.New()
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		target, err := os.Readlink(path)
		if err != nil {
			return ""
		}
		hash.Write([]byte(target))
	case info.Mode().IsRegular():
		file, err := os.Open(path)
		if err != nil {
			return ""
		}
		defer file.Close()
		release := context.AfterFunc(ctx, func() { file.Close() })
		defer release()
		if _, err := io.Copy(hash, file); err != nil {
			return ""
		}
	default:
		return ""
	}
	return hex.EncodeToString(hash.Sum(nil))
}
