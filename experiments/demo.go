package experiments

import _ "embed"

//go:embed demo.yaml
var demo []byte

// Demo returns the study of demo.yaml, which is part of the program. It uses drawn shapes and
// needs no files. sets override its keys as in [Load].
func Demo(sets []string) (*Study, error) { return parse("demo.yaml", demo, sets) }
