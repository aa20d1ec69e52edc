package experiments

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"glimpse/internal/term"
)

//go:embed flickr8k.yaml
var flickr8k []byte

// drafts are the project's studies from which a new one takes its settings, by data set. If that
// is not the study's own data set, the split is the usual one.
var drafts = []struct {
	data   string
	source []byte
}{{"shapes", demo}, {"flickr8k", flickr8k}, {"flickr30k", flickr8k}, {"coco", flickr8k}}

// DraftData lists the data sets that a Draft may use; the first is the default.
func DraftData() []string {
	var names []string
	for _, d := range drafts {
		names = append(names, d.data)
	}
	return names
}

// UnknownData is the error of a name that no data set has, and no folder or file either.
func UnknownData(name string) error {
	return fmt.Errorf("unknown data set %q%s (known: %s), and no folder or file has that name",
		printable(name, 60), suggest(name, DraftData()), strings.Join(DraftData(), ", "))
}

// A Draft describes a new study file. Zero values mean the usual choice.
type Draft struct {
	Name     string
	Question string
	Data     string // one of DraftData
	Root     string // folder of the data set
	Split    string // of the data set, if not the usual one
	Own      *Own   // the user's own data set, instead of Data, Root and Split
	// Over are swept keys as KEY=VALUE,VALUE,…: first the arms, with the baseline first, then the
	// factors that the arms are crossed with.
	Over   []string
	Seeds  int    // per arm; 0 is the number that the comparison needs, at least 5
	All    bool   // write every key that has an effect, not only the usual ones
	Path   string // the path of the new file, for comments and errors
	Schema string // path of schema.json, as written in the file; "" leaves it out
}

// Write returns the study as a commented file, and as Load would read it. The settings are those
// of the project's own study of the data set; the comments come from the table of keys.
func (d Draft) Write() ([]byte, *Study, error) {
	if !studyName.MatchString(d.Name) {
		return nil, nil, fmt.Errorf("the name %q must be at most 64 letters, digits, ., _ and -, the first a letter or digit", printable(d.Name, 60))
	}
	base, err := d.base()
	if err != nil {
		return nil, nil, err
	}
	s := *base
	s.Name, s.Checkpoints = d.Name, Checkpoints{Keep: find("checkpoints.keep").fallback.(string)}
	if d.Root != "" {
		s.Data.Root = d.Root
	}
	if d.Split != "" {
		s.Data.Split = d.Split
	}
	var why map[string]string
	if d.Own != nil {
		why = d.Own.fit(&s)
	}
	if err := d.sweep(&s); err != nil {
		return nil, nil, err
	}
	if d.Question != "" {
		s.Question = d.Question
	}
	trials, err := s.Plan()
	if err != nil {
		return nil, nil, fmt.Errorf("--sweep %s: %w", strings.Join(d.Over, " --sweep "), problem(err))
	}
	out, err := d.text(&s, base, trials, why)
	if err != nil {
		return nil, nil, fmt.Errorf("write the study %s: %w", d.Name, err)
	}
	read, err := parse(d.Path, out, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("the new study is not valid: %w", problem(err))
	}
	return out, read, nil
}

// problem returns an error of a study without its place, since there is no file yet.
func problem(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return errors.New(e.Msg)
	}
	return err
}

// base returns the study from which the draft takes its settings.
func (d Draft) base() (*Study, error) {
	name := cmp.Or(d.Data, drafts[0].data)
	if d.Own != nil {
		name = "flickr8k"
	}
	for _, known := range drafts {
		if known.data != name {
			continue
		}
		s, err := parse(name+".yaml", known.source, nil)
		if err == nil && s.Data.Name != name {
			s.Data = DataSettings(name, "").Data
		}
		return s, err
	}
	return nil, UnknownData(name)
}

// sweep sets what the study compares: the arms of the base study, or those of d.Over, each
// against the first, with the factors of d.Over and as many seeds as the contrasts need.
func (d Draft) sweep(s *Study) error {
	over := []Axis{*s.Sweep.axis(s.Compare.Arms)}
	if len(d.Over) > 0 {
		over = nil
	}
	for _, text := range d.Over {
		a, err := parseOver(text)
		if err == nil && slices.ContainsFunc(over, func(other Axis) bool { return other.Path == a.Path }) {
			err = fmt.Errorf("%s is swept twice; list all of its values in one --sweep", a.Path)
		}
		if err != nil {
			return fmt.Errorf("--sweep %s: %w", printable(text, 120), err)
		}
		over = append(over, *a)
	}
	if len(d.Over) > 0 {
		s.compareArms(over[0], over[1:])
	}
	seeds := Axis{Path: "seed"}
	ask := func(n int) {
		for seed := len(seeds.Values); seed < n; seed++ {
			seeds.Values = append(seeds.Values, fmt.Sprint(seed+1))
		}
		s.Sweep = Sweep{Method: "grid", Over: append(slices.Clip(over), seeds), Prune: Prune{Method: "none"}}
	}
	if d.Seeds > 0 {
		ask(d.Seeds)
		return nil
	}
	ask(1)
	trials, err := s.Plan()
	if err != nil {
		return fmt.Errorf("--sweep %s: %w", strings.Join(d.Over, " --sweep "), problem(err))
	}
	ask(neededSeeds(len(s.Declare(trials).Contrasts()), s.Compare.Primary.Alpha))
	return nil
}

// compareArms makes the study compare each value of an axis with the first, over some factors.
func (s *Study) compareArms(arms Axis, factors []Axis) {
	s.Compare.Arms, s.Compare.Baseline, s.Compare.Contrasts = arms.Path, arms.Values[0], nil
	for _, value := range arms.Values[1:] {
		s.Compare.Contrasts = append(s.Compare.Contrasts, [2]string{value, arms.Values[0]})
	}
	if !sizeMatters([]string{arms.Path}) {
		s.Compare.MatchParameters = 0
	}
	n := len(arms.Values) - 1
	others := strings.Join(arms.Values[:n], ", ")
	s.Question = fmt.Sprintf("What difference does %s make: %s or %s", arms.Path, others, arms.Values[n])
	if len(factors) > 0 {
		s.Question += ", averaged over " + term.Enumerate(texts(factors, func(a Axis) string { return a.Path }))
	}
	s.Question += "?"
}

// parseOver reads KEY=VALUE,VALUE,…
func parseOver(text string) (*Axis, error) {
	path, list, ok := strings.Cut(text, "=")
	path = strings.TrimSpace(path)
	switch {
	case !ok:
		return nil, errors.New("write KEY=VALUE,VALUE, such as model.hidden=64,128")
	case path == "seed":
		return nil, errors.New("arms are averaged over seeds; set their number with --seeds")
	case path == "data.root":
		return nil, errors.New("data.root is not part of a trial's identity and cannot be swept")
	case !isSetting(path):
		return nil, fmt.Errorf("no setting %q%s", printable(path, 60), Suggest(path, settingPaths()))
	}
	k, a := find(path), &Axis{Path: path}
	for item := range strings.SplitSeq(list, ",") {
		found := &problems{}
		v := (&converter{file: override, lines: []string{""}, problems: found}).set(path, strings.TrimSpace(item))
		if v == nil {
			return nil, problem(found.err())
		}
		value, wrong := k.parse(v)
		switch {
		case wrong != "":
			return nil, errors.New(wrong)
		case slices.Contains(a.Values, value):
			return nil, fmt.Errorf("%s is listed twice", value)
		}
		a.Values = append(a.Values, value)
	}
	if len(a.Values) < 2 {
		return nil, errors.New("a comparison needs at least two values")
	}
	return a, nil
}

// text returns the file. why gives reasons for the values of some keys.
func (d Draft) text(s, base *Study, trials []Trial, why map[string]string) ([]byte, error) {
	w := &draftWriter{}
	if d.Schema != "" {
		w.line("# yaml-language-server: $schema=%s\n#", d.Schema)
	}
	w.line("# What do you expect, and why? Write it here before you train anything.\n#")
	w.line("# plan:    glimpse plan %s\n# run:     glimpse run %s\n# report:  glimpse report %s -o report\n#", d.Path, d.Path, d.Name)
	rest := "Other keys have their defaults; `glimpse new --all` writes all keys."
	if d.All {
		rest = "All keys that have an effect in this study are listed."
	}
	w.comment(rest, "")
	for i := range keys {
		k := &keys[i]
		usual := base.given(k.path) || why[k.path] != "" || k.path == "data.root" && d.Root != "" || strings.HasPrefix(k.path, "compare.") || strings.HasPrefix(k.path, "sweep.")
		content := s.node(k, trials)
		if content == nil || !usual && !d.All || s.Sweep.axis(k.path) != nil {
			continue
		}
		if err := w.key(k, content, why[k.path]); err != nil {
			return nil, err
		}
	}
	return w.out.Bytes(), nil
}

// draftWriter writes keys with their comments, and opens sections as needed.
type draftWriter struct {
	out  bytes.Buffer
	open []string // sections around the last key
}

func (w *draftWriter) line(format string, args ...any) { fmt.Fprintf(&w.out, format+"\n", args...) }

func (w *draftWriter) key(k *key, content *yaml.Node, why string) error {
	names := strings.Split(k.path, ".")
	sections, name := names[:len(names)-1], names[len(names)-1]
	same := 0
	for same < len(sections) && same < len(w.open) && w.open[same] == sections[same] {
		same++
	}
	if same == 0 && k.path != "question" {
		w.line("")
	}
	for depth := same; depth < len(sections); depth++ {
		w.line("%s%s:", strings.Repeat("  ", depth), sections[depth])
	}
	w.open = sections
	indent := strings.Repeat("  ", len(sections))
	w.comment(k.tells(), indent)
	if why != "" {
		w.comment(why, indent)
	}
	if content.Kind != yaml.MappingNode {
		text, err := flow(content)
		w.line("%s%s: %s", indent, name, text)
		return err
	}
	w.line("%s%s:", indent, name)
	for i := 0; i+1 < len(content.Content); i += 2 {
		swept := content.Content[i].Value
		text, err := flow(content.Content[i+1])
		if err != nil {
			return err
		}
		w.comment(find(swept).tells(), indent+"  ")
		w.line("%s  %s: %s", indent, swept, text)
	}
	return nil
}

// flow returns a value on one line.
func flow(n *yaml.Node) (string, error) {
	if strings.Contains(n.Value, "\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
	text, err := yaml.Marshal(n)
	return strings.TrimSpace(string(text)), err
}

// tells returns everything in the table about a key, in sentences.
func (k *key) tells() string {
	text := k.doc
	if k.limits != "" || k.listed != nil {
		wanted := k.wanted()
		text += " " + strings.ToUpper(wanted[:1]) + wanted[1:]
		if k.fallback != nil {
			text += fmt.Sprintf("; default %v", k.fallback)
		}
		text += "."
	}
	return text
}

// comment writes a text as comments of at most 80 columns.
func (w *draftWriter) comment(text, indent string) {
	const width = 80
	line := indent + "#"
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width && line != indent+"#" {
			w.line("%s", line)
			line = indent + "#"
		}
		line += " " + word
	}
	w.line("%s", line)
}
