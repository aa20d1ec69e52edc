package term

import "fmt"

// Bytes shows a number of bytes as people say it, in powers of 1000: 12 bytes, 4.1 kB, 130 MB, 2.7
// GB.
func Bytes(n int64) string {
	if n < 1000 {
		return Plural(int(n), "byte")
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		if value /= 1000; value < 999.5 {
			break
		}
	}
	if value < 9.95 {
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}
