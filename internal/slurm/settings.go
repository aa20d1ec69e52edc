package slurm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"glimpse/experiments"
)

// Settings are the settings of a site, in cluster.yaml: how to use its Slurm. They are not part
// of a study.
type Settings struct {
	Partition    string   `yaml:"partition"`
	Account      string   `yaml:"account"`
	QOS          string   `yaml:"qos"`
	Time         string   `yaml:"time"`
	CPUs         int      `yaml:"cpus"`
	Memory       string   `yaml:"mem"`
	GRES         string   `yaml:"gres"`
	Constraint   string   `yaml:"constraint"`
	ArrayLimit   int      `yaml:"array_limit"`
	SubmitLimit  int      `yaml:"submit_limit"`
	TrialsPerJob int      `yaml:"trials_per_job"`
	SaveBefore   int      `yaml:"save_before"`
	Sbatch       []string `yaml:"sbatch"`
	Setup        string   `yaml:"setup"`
	RunWith      string   `yaml:"run_with"`
	Scratch      string   `yaml:"scratch"`
	Folder       string   `yaml:"folder"`
	Poll         int      `yaml:"poll"`
}

// Defaults returns the settings of an empty cluster.yaml.
func Defaults() Settings {
	return Settings{CPUs: 1, TrialsPerJob: 1, SaveBefore: 120, Folder: "jobs", Poll: 10}
}

// key describes a key of cluster.yaml. Its type is that of the field.
type key struct {
	name, doc, example string
	option             string         // of sbatch; "" for none
	least, most        int            // limits of a number
	form               *regexp.Regexp // pattern of a text; nil for any line
	lines              bool           // a text of several lines
}

var (
	word   = regexp.MustCompile(`^\S*$`)
	length = regexp.MustCompile(`^(\d+|\d+:\d{2}|\d+:\d{2}:\d{2}|\d+-\d+(:\d{2}){0,2})?$`)
	memory = regexp.MustCompile(`^(\d+[KMGT]?)?$`)
)

const many = 1_000_000

// keys are all keys, in the order of the file.
var keys = []key{
	{name: "partition", option: "partition", form: word, example: "gpu", doc: "partition for jobs; default: the site's"},
	{name: "account", option: "account", form: word, example: "project-42", doc: "account to charge"},
	{name: "qos", option: "qos", form: word, example: "normal", doc: "quality of service"},
	{name: "time", option: "time", form: length, example: "4:00:00",
		doc: "time limit of a job, in sbatch's format; a trial that needs more saves and continues in another job"},
	{name: "cpus", option: "cpus-per-task", least: 1, most: 4096, example: "2",
		doc: "processors of a job, shared by its trials; the last digits of results depend on the threads of a trial"},
	{name: "mem", option: "mem", form: memory, example: "4G", doc: "memory of a job"},
	{name: "gres", option: "gres", form: word, example: "gpu:1", doc: "generic resources, such as a GPU"},
	{name: "constraint", option: "constraint", form: word, example: "a100",
		doc: "required node features; results are the same bit for bit only on one kind of machine"},
	{name: "sbatch", example: "[--exclusive, --mail-type=FAIL]", doc: "further options of sbatch"},
	{name: "array_limit", most: many, example: "20", doc: "jobs of an array that run at a time; 0 for no limit"},
	{name: "submit_limit", most: many, example: "500", doc: "jobs submitted at a time; 0 for all; sites may limit this per user"},
	{name: "trials_per_job", least: 1, most: 64, example: "2", doc: "trials that share a job, and its GPU"},
	{name: "save_before", least: 10, most: 3600, example: "120", doc: "seconds before its time limit at which a job saves"},
	{name: "setup", lines: true, example: "|\n  module load cuda", doc: "shell lines to run before the trials, such as loading modules"},
	{name: "run_with", example: "apptainer exec --nv glimpse.sif", doc: "command prefix for the engine, such as a container"},
	{name: "scratch", example: "/scratch",
		doc: "folder on the node's own disk, for the database of a running trial; default: $TMPDIR or /tmp"},
	{name: "folder", example: "/shared/me/jobs",
		doc: "folder of all jobs, shared by the nodes and this machine; relative to the database's folder"},
	{name: "poll", least: 1, most: 3600, example: "10", doc: "seconds between two queries to Slurm"},
}

// Variable is the environment variable with the path of the site's settings.
const Variable = "GLIMPSE_CLUSTER"

// FileName is the name of that file beside a database.
const FileName = "cluster.yaml"

// Find returns the path of the site's settings for a database: $GLIMPSE_CLUSTER, else
// cluster.yaml beside the database.
func Find(database string) string {
	if path := os.Getenv(Variable); path != "" {
		return path
	}
	return filepath.Join(filepath.Dir(database), FileName)
}

// Load reads a site's settings. Its errors name file and line.
func Load(path string) (Settings, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Settings{}, fmt.Errorf("no %s: write one with `glimpse new --cluster`, or set $%s to another: %w", path, Variable, err)
	}
	if err != nil {
		return Settings{}, err
	}
	return parse(path, text)
}

// mostBytes limits the size of a file of settings.
const mostBytes = 64 << 10

// parse reads settings; path is for errors.
func parse(path string, text []byte) (s Settings, err error) {
	s = Defaults()
	if len(text) > mostBytes {
		return s, fmt.Errorf("%s: larger than %d bytes", path, mostBytes)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	if len(document.Content) == 0 {
		return s, nil
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return s, nil
	}
	if root.Kind != yaml.MappingNode {
		return s, fmt.Errorf("%s:%d: expected keys with values, such as partition: gpu", path, root.Line)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		name, value := root.Content[i], root.Content[i+1]
		if err := s.set(name.Value, value, seen); err != nil {
			return s, fmt.Errorf("%s:%d: %w", path, name.Line, err)
		}
	}
	return s, nil
}

// set sets the value of a key.
func (s *Settings) set(name string, value *yaml.Node, seen map[string]bool) error {
	var names []string
	for i, k := range keys {
		names = append(names, k.name)
		if k.name != name {
			continue
		}
		if seen[name] {
			return fmt.Errorf("duplicate key %s", name)
		}
		seen[name] = true
		if value.Kind == yaml.AliasNode || value.Tag == "!!null" {
			return fmt.Errorf("%s has no value", name)
		}
		field := s.field(keys[i].name)
		if err := value.Decode(field.Addr().Interface()); err != nil {
			return fmt.Errorf("%s: expected %s, such as %s", name, kindOf(field), strings.TrimSpace(k.example))
		}
		return k.check(field)
	}
	if near := experiments.Nearest(name, names); near != "" {
		return fmt.Errorf("unknown key %q; did you mean %s?", name, near)
	}
	return fmt.Errorf("unknown key %q; known keys: %s", name, strings.Join(names, ", "))
}

// field finds the field of a key.
func (s *Settings) field(name string) reflect.Value {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name {
			return v.Field(i)
		}
	}
	panic("cluster.yaml: key " + name + " has no field")
}

func kindOf(field reflect.Value) string {
	switch field.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "text"
}

// check rejects values that Slurm, or the script, could not accept.
func (k key) check(field reflect.Value) error {
	switch field.Kind() {
	case reflect.Int:
		if n := int(field.Int()); n < k.least || n > k.most {
			return fmt.Errorf("%s: %d is not between %d and %d", k.name, n, k.least, k.most)
		}
	case reflect.String:
		text := field.String()
		if strings.ContainsRune(text, 0) || !k.lines && strings.ContainsAny(text, "\n\r") {
			return fmt.Errorf("%s: expected one line of text", k.name)
		}
		if k.form != nil && !k.form.MatchString(text) {
			return fmt.Errorf("%s: %q is not valid; expected a value such as %s", k.name, text, k.example)
		}
		if k.name == "folder" && (text == "" || strings.ContainsAny(text, `%'"\`)) {
			return fmt.Errorf("folder: %q: the path must not be empty or contain quotes, backslashes or %%", text)
		}
	case reflect.Slice:
		for i := range field.Len() {
			if option := field.Index(i).String(); !strings.HasPrefix(option, "-") || strings.ContainsAny(option, "\n\r\x00") {
				return fmt.Errorf("%s: %q is not an option such as --exclusive", k.name, option)
			}
		}
	}
	return nil
}

// Template returns a commented file of settings to start from.
func Template() []byte {
	var b bytes.Buffer
	b.WriteString("# How to run trials on this site's Slurm (glimpse run STUDY --on slurm). Put it beside the results database, or\n" +
		"# set $" + Variable + " to its path. Uncomment what you want to set; the rest keeps the defaults of Slurm or glimpse.\n")
	defaults := Defaults()
	for _, k := range keys {
		fmt.Fprintf(&b, "\n# %s\n", k.doc)
		if field := defaults.field(k.name); !field.IsZero() {
			fmt.Fprintf(&b, "%s: %v\n", k.name, field)
		} else {
			fmt.Fprintf(&b, "# %s: %s\n", k.name, strings.ReplaceAll(k.example, "\n", "\n# "))
		}
	}
	return b.Bytes()
}

// Schema returns the JSON schema of the file, for editors.
func Schema() []byte {
	properties := map[string]any{}
	var none Settings
	defaults := Defaults()
	for _, k := range keys {
		p := map[string]any{"description": k.doc}
		switch field := none.field(k.name); field.Kind() {
		case reflect.Int:
			p["type"], p["minimum"], p["maximum"], p["default"] = "integer", k.least, k.most, defaults.field(k.name).Int()
		case reflect.Slice:
			p["type"], p["items"] = "array", map[string]any{"type": "string", "pattern": "^-"}
		default:
			p["type"] = "string"
			if k.form != nil {
				p["pattern"] = k.form.String()
			}
		}
		properties[k.name] = p
	}
	text, err := json.MarshalIndent(map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": "cluster.yaml of glimpse", "type": "object",
		"additionalProperties": false, "properties": properties,
	}, "", "  ")
	if err != nil {
		panic(err) // cannot happen: the value is our own
	}
	return append(text, '\n')
}
