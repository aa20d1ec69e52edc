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

// Changes are the differences of a working directory's tracked files from its commit. Of the study's
// files they are kept as text; of the others, which may hold anything, names and hashes alone. A run
// recorded by an earlier version has no Files, and in Diff the differences of all.
type Changes struct {
	SHA256 string `json:"sha256"` // of all differences, as git writes them
	Bytes  int    `json:"bytes"`  // of the same
	Diff   string `json:"diff"`   // of the study's files, without what looks like a secret, up to maxDiff bytes
	// Files are the files that differ, at most maxChanged of them: path from the top of the
	// repository → SHA-256 of what is there now; "" if that is no file that could be read.
	Files map[string]string `json:"files"`
	More  int               `json:"more_files,omitempty"` // how many differ beside those in Files
}

const (
	maxDiff    = 64 << 10 // of a diff that is kept with each run
	maxChanged = 100
)

// gitTimeout bounds all that git is asked for a run.
const gitTimeout = 5 * time.Second

// Commit is the commit of the working directory's git; "" if it has none or cannot be asked.
func Commit(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	hash, err := git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	return hash
}

// commit asks git for the commit of the working directory and for what tracked files differ in;
// changes are nil if none do. A results database among them does not count. What git cannot say
// is left out.
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
		text, _ := diff(ctx, nil, own) // what it cannot say is left out
		text = secret.Redact(strings.ToValidUTF8(text, "?"))
		changes.Diff = strings.ToValidUTF8(text[:min(len(text), maxDiff)], "")
	}
	return hash, changes
}

// list notes which files of the repository at top differ.
func (c *Changes) list(ctx context.Context, top string, names []string) {
	for _, name := range names {
		if len(c.Files) == maxChanged {
			c.More++
			continue
		}
		c.Files[strings.ToValidUTF8(name, "?")] = hashOf(ctx, filepath.Join(top, name))
	}
}

// diff asks git for the differences of these paths from the commit, whatever it is configured to show.
func diff(ctx context.Context, options, paths []string) (string, error) {
	args := slices.Concat([]string{"diff", "--no-color", "--no-ext-diff", "--no-textconv"}, options, []string{"HEAD", "--"}, paths)
	return git(ctx, args...)
}

// git runs git in the working directory, and gives what it says.
func git(ctx context.Context, args ...string) (string, error) {
	// A setting of the user's would name files by their way from the working directory.
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
	if real, err := filepath.EvalSymlinks(folder); err == nil { // as git gives the top
		folder = real
	}
	inside, err := filepath.Rel(top, filepath.Join(folder, filepath.Base(file)))
	if err != nil || !filepath.IsLocal(inside) {
		return ""
	}
	return filepath.ToSlash(inside)
}

// hashOf returns the SHA-256 of a file, or of where a link leads; "" of what is neither, or
// cannot be read in time.
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
