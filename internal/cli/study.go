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

// StudyFlags are those of every verb that reads a study file.
type StudyFlags struct {
	Sets []string // overrides, as KEY=VALUE
	Root string   // folder of the data set, "" where the flag is not given
}

// Add adds the flags to a verb.
func (f *StudyFlags) Add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.Sets, "set", nil, "override a key of the study, e.g. train.epochs=3 (repeatable)")
	addData(c, &f.Root)
	c.ValidArgsFunction = CompleteSpec
}

// Load reads the study file, with the data's folder as flag and environment want it. Whatever is wrong with it is an error
// of usage.
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

// studyFiles are the files that may be studies, in the places where they usually are.
func studyFiles() (files []string) {
	for _, pattern := range []string{"*.yaml", "*.yml", "experiments/*.yaml", "experiments/*.yml"} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		files = append(files, found...)
	}
	return files
}

// studyHint names the study file that is probably meant by a path where there is none.
func studyHint(path string) string {
	there := studyFiles()
	stems := make([]string, len(there))
	for i, file := range there {
		stems[i] = stem(file)
	}
	if i := slices.Index(stems, experiments.Nearest(stem(path), stems)); i >= 0 {
		return fmt.Sprintf("; did you mean %s?", there[i])
	}
	return "; name a study, such as experiments/demo.yaml"
}

// CompleteSpec makes shells complete a study file.
func CompleteSpec(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// Compute are the flags that say what computes, and with how many threads.
type Compute struct {
	Device  string
	Threads int
}

// Add adds the flags to a verb.
func (f *Compute) Add(c *cobra.Command) {
	c.Flags().StringVar(&f.Device, "device", "auto", "auto, cpu, cuda or cuda:N; auto: the first GPU, else the CPU")
	c.Flags().IntVar(&f.Threads, "threads", 0, "threads to compute with (default: the processors)")
}

// AddNoGit adds the flag that has nothing of git recorded with what is trained; see [NoGit].
func AddNoGit(c *cobra.Command, noGit *bool) {
	c.Flags().BoolVar(noGit, "no-git", false, "do not record commit and uncommitted changes (default $GLIMPSE_NO_GIT)")
}

// NoGit tells whether nothing of git is to be recorded: by the flag, or by a $GLIMPSE_NO_GIT that is set, and neither 0 nor false.
func NoGit(flag bool) bool {
	value := os.Getenv("GLIMPSE_NO_GIT")
	set, err := strconv.ParseBool(value)
	return flag || set || err != nil && value != ""
}

// RunFlags are those of verbs that open runs again: what computes, and where results and data are.
type RunFlags struct {
	Compute
	DB, Root string // "" where the flag is not given
	// Features and Names are the files of features of runs whose encoder reads them.
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

// deviceName is what --device takes; whether there is such a device, the engine knows.
var deviceName = regexp.MustCompile(`^(auto|cpu|cuda(:\d+)?)$`)

// Check refuses what no machine has.
func (f *Compute) Check() error {
	switch {
	case f.Threads < 0:
		return Usage(errors.New("--threads must not be negative"))
	case !deviceName.MatchString(f.Device):
		return Usage(fmt.Errorf("device %q: expected auto, cpu, cuda or cuda:N", f.Device))
	}
	return nil
}
