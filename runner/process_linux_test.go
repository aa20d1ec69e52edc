package runner

import "testing"

func TestCPUName(t *testing.T) {
	for _, c := range []struct{ cpuinfo, want string }{
		{"processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\ncpu family\t: 26\n", "AMD EPYC family 25 model 17"},
		{"processor\t: 0\nmodel name\t: ARMv8 Processor rev 1 (v8l)\n", "ARMv8 Processor rev 1 (v8l)"},
		{"processor\t: 0\nBogoMIPS\t: 50.00\n", ""},
		{"", ""},
	} {
		if got := cpuName(c.cpuinfo); got != c.want {
			t.Errorf("of %q: %q, want %q", c.cpuinfo, got, c.want)
		}
	}
}
