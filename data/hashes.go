package data

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"glimpse/internal/atomicfile"
)

// stamp shows whether a file has changed since it was hashed. A program that writes
// a file can set mtime as it likes, but not ctime, the time of change of the inode.
type stamp struct {
	size, mtime, ctime int64 // bytes, and nanoseconds since 1970; ctime 0 where the system has none
}

// hashed is a picture's content hash and the stamp it holds for.
type hashed struct {
	sum [32]byte
	stamp
}

// fresh is how old a file must be to trust its times of change: a younger one
// could change again within the clock's grain. Tests lower it.
var fresh = 2 * time.Second

// pictureHashes gives the sha256 of every image's content: the file's bytes,
// or for drawn scenes the pixels at the given size. Files are hashed once; what
// is known is kept in dir with size and times of change. With dir "" nothing is kept.
func (d *Dataset) pictureHashes(dir string, size int) ([][32]byte, error) {
	sums := make([][32]byte, len(d.Images))
	if d.scenes != nil {
		inParallel(len(sums), 1, func(i int) { sums[i] = sha256.Sum256(d.scenes[i].paint(size)) })
		return sums, nil
	}
	root, err := filepath.Abs(d.Options.Root)
	if err != nil {
		return nil, err
	}
	rootSum := sha256.Sum256([]byte(root))
	file := filepath.Join(dir, "pictures-"+hex.EncodeToString(rootSum[:8])+".txt")
	var known map[string]hashed
	if dir != "" {
		known = readHashes(file)
	}
	found := make([]hashed, len(sums))
	names := make([]string, len(sums)) // paths below the root, however that is written
	var changed atomic.Bool
	var failed atomic.Pointer[error]
	now := time.Now()
	inParallel(len(sums), 4, func(i int) {
		info, err := os.Stat(d.Images[i].Path)
		if err == nil {
			names[i], err = filepath.Rel(d.Options.Root, d.Images[i].Path)
		}
		if err != nil {
			failed.Store(&err)
			return
		}
		found[i].stamp = stamp{info.Size(), info.ModTime().UnixNano(), changeTime(info)}
		if k, ok := known[names[i]]; ok && k.stamp == found[i].stamp {
			found[i].sum = k.sum
			return
		}
		if found[i].sum, err = hashFile(d.Images[i].Path); err != nil {
			failed.Store(&err)
		}
		changed.Store(true)
	})
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	for i := range found {
		sums[i] = found[i].sum
	}
	if dir != "" && changed.Load() {
		// A hash that is not kept is made again: no reason to fail.
		_ = os.MkdirAll(dir, 0o755)
		_ = writeHashes(file, names, found, now.Add(-fresh).UnixNano())
	}
	return sums, nil
}

func hashFile(path string) (sum [32]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return sum, fmt.Errorf("picture %s: %w", path, err)
	}
	h.Sum(sum[:0])
	return sum, nil
}

// A file of known hashes: this line, then "hex size mtime ctime name" a line, and
// at last the CRC-32C of all that in hex.
const hashesHead = "glimpse picture hashes 2\n"

// readHashes gives the known hashes by name; none when the file is not there,
// of another version or not whole.
func readHashes(file string) map[string]hashed {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return parseHashes(text)
}

func parseHashes(text []byte) map[string]hashed {
	cut := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') + 1
	body, last := text[:cut], strings.TrimSpace(string(text[cut:]))
	if !bytes.HasPrefix(body, []byte(hashesHead)) || last != fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)) {
		return nil
	}
	known := make(map[string]hashed)
	for line := range strings.Lines(string(body[len(hashesHead):])) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
		if len(fields) != 5 || len(fields[0]) != 64 {
			return nil
		}
		var h hashed
		_, err := hex.Decode(h.sum[:], []byte(fields[0]))
		size, err2 := strconv.ParseInt(fields[1], 10, 64)
		mtime, err3 := strconv.ParseInt(fields[2], 10, 64)
		ctime, err4 := strconv.ParseInt(fields[3], 10, 64)
		if cmp.Or(err, err2, err3, err4) != nil {
			return nil
		}
		h.stamp = stamp{size, mtime, ctime}
		known[fields[4]] = h
	}
	return known
}

// writeHashes replaces the file of known hashes, leaving out files that
// changed after the time given.
func writeHashes(file string, names []string, found []hashed, before int64) error {
	return atomicfile.Write(file, func(f io.Writer) error {
		sum := crc32.New(castagnoli)
		w := bufio.NewWriter(f)
		both := io.MultiWriter(w, sum)
		io.WriteString(both, hashesHead)
		for i, h := range found {
			if max(h.mtime, h.ctime) < before && !strings.Contains(names[i], "\n") {
				fmt.Fprintf(both, "%x %d %d %d %s\n", h.sum, h.size, h.mtime, h.ctime, names[i])
			}
		}
		fmt.Fprintf(w, "%08x\n", sum.Sum32())
		return w.Flush()
	})
}

// sortedDistinct gives the different hashes in order.
func sortedDistinct(hashes [][32]byte) [][32]byte {
	sorted := slices.Clone(hashes)
	slices.SortFunc(sorted, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(sorted)
}
