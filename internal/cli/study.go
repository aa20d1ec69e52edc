package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"glimpse/experiments"
)

// StudyFlags are the flags of every verb that reads a study file.
type StudyFlags struct {
	Sets []string // overrides, as KEY=VALUE
	Root string   // folder of the data set; "" if the flag is not given
}

// Add adds the flags to a verb.
func (f *StudyFlags) Add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.Sets, "set", nil, "override a key of the study, e.g. train.epochs=3 (repeatable)")
	addData(c, &f.Root)
	c.ValidArgsFunction = CompleteSpec
}

// Load reads the study file, and sets the data's folder from the flag or the environment. Any
// fault in the file is an error of usage.
func (f *StudyFlags) Load(path string) (*experiments.Study, error) {
	study, err := experiments.Load(path, f.Sets)
	if _, missing := os.Stat(path); errors.Is(missing, fs.ErrNotExist) {
		err = fmt.Errorf("%w%s", err, studyHint(path))
	}
	if err != nil {
		return nil, Usage(err)
	}
	study.SetRoot(DataRoot(f.Root, study.Data.Root))
	return study, nil
}

// studyFiles returns the files that may be studies, in the usual folders.
func studyFiles() (files []string) {
	for _, pattern := range []string{"*.yaml", "*.yml", "experiments/*.yaml", "experiments/*.yml"} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		files = append(files, found...)
	}
	return files
}

// studyHint suggests a study file for a path that does not exist.
func studyHint(path string) string {
	there := studyFiles()
	stems := make([]string, len(there))
	for i, file := range there {
		stems[i] = stem(file)
	}
	if i := slices.Index(stems, experiments.Nearest(stem(path), stems)); i >= 0 {
		return fmt.Sprintf("; did you mean %s?", there[i])
	}
	return "; give a study file, such as experiments/demo.yaml"
}

// CompleteSpec makes shells complete a study file.
func CompleteSpec(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// Compute are the flags for the device and the number of threads.
type Compute struct {
	Device  string
	Threads int
}

// Add adds the flags to a verb.
func (f *Compute) Add(c *cobra.Command) {
	c.Flags().StringVar(&f.Device, "device", "auto", "auto, cpu, cuda or cuda:N; auto: the first GPU, else the CPU")
	c.Flags().IntVar(&f.Threads, "threads", 0, "threads to compute with (default: the processors)")
}

// AddNoGit adds the flag --no-git, which keeps git's state out of the record; see [NoGit].
func AddNoGit(c *cobra.Command, noGit *bool) {
	c.Flags().BoolVar(noGit, "no-git", false, "do not record commit and uncommitted changes (default $GLIMPSE_NO_GIT)")
}

// NoGit reports whether git's state must not be recorded: the flag is set, or $GLIMPSE_NO_GIT is
// set to anything but 0 or false.
func NoGit(flag bool) bool {
	value := os.Getenv("GLIMPSE_NO_GIT")
	set, err := strconv.ParseBool(value)
	return flag || set || err != nil && value != ""
}

// RunFlags are the flags of verbs that reopen runs: device, threads, database and data.
type RunFlags struct {
	Compute
	DB, Root string // "" if the flag is not given
	// Features and Names are the feature files for runs with precomputed features.
	Features, Names string
}

// Add adds the flags to a verb.
func (f *RunFlags) Add(c *cobra.Command) {
	f.Compute.Add(c)
	AddDB(c, &f.DB)
	addData(c, &f.Root)
	AddFeatures(c, &f.Features, &f.Names)
}

// AddFeatures adds the flags --features and --names to a verb.
func AddFeatures(c *cobra.Command, path, names *string) {
	c.Flags().StringVar(path, "features", "", "features for runs with encoder.name precomputed (default the study's encoder.path)")
	c.Flags().StringVar(names, "names", "", "file with the image names of --features, if that file has none")
}

func addData(c *cobra.Command, root *string) {
	c.Flags().StringVar(root, "data", "", "folder of the data set (default $GLIMPSE_DATA, else the study's data.root)")
}

// deviceName matches the values of --device. The engine checks whether the device exists.
var deviceName = regexp.MustCompile(`^(auto|cpu|cuda(:\d+)?)$`)

// Check returns an error of usage for values that are invalid on any machine.
func (f *Compute) Check() error {
	switch {
	case f.Threads < 0:
		return Usage(errors.New("--threads must not be negative"))
	case !deviceName.MatchString(f.Device):
		return Usage(fmt.Errorf("device %q: expected auto, cpu, cuda or cuda:N", f.Device))
	}
	return nil
}
