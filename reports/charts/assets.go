package charts

import (
	"embed"
	"fmt"
	"strings"
)

var (
	//go:embed charts.css
	style string
	//go:embed d3.js
	library string
	//go:embed js/*.js
	sources embed.FS
)

// scripts are the files of the script in their order: what all charts share, then the kinds.
var scripts = []string{"page.js", "save.js", "curves.js", "rows.js", "search.js", "captions.js"}

// Script is the script that makes figures live, with the parts of D3 that it uses: JavaScript of
// one global, glimpseCharts, for a script element or a file of its own.
func Script() string {
	var b strings.Builder
	b.WriteString(library)
	b.WriteString("(() => {\n\"use strict\";\n")
	for _, name := range scripts {
		text, err := sources.ReadFile("js/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		b.Write(text)
	}
	b.WriteString("start();\n})();\n")
	return b.String()
}

// Style is the style sheet of figures, and of names that carry the colour of an arm ([ArmClass]).
// It defines the custom properties of the palette, for the light ground and the dark one.
func Style() string {
	return strings.NewReplacer("/*light*/", properties(false), "/*dark*/", properties(true), "/*arms*/", armRules()).Replace(style)
}

// armRules colour the names and the keys of arms.
func armRules() string {
	var b strings.Builder
	for i := range ArmTints {
		fmt.Fprintf(&b, ".%s{color:var(--arm%d-text);font-weight:600}.c%d{--key:var(--arm%d)}\n", ArmClass(i), i, i, i)
	}
	return b.String()
}
