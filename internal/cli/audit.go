package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/store"
	"glimpse/internal/term"
)

// Audit holds the flags of the verb audit, which both programs have: glimpse audits the stored
// captions; the engine can use the run's checkpoint as well.
type Audit struct {
	RunFlags
	train int
	json  bool
}

// AuditCommand returns the verb audit. It calls run to audit the run that the command line names.
func AuditCommand(run func(c *cobra.Command, o *Audit, id string) error) *cobra.Command {
	o := &Audit{}
	c := &cobra.Command{
		Use:   "audit RUN",
		Short: "Score a run's BLEU under other people's protocols",
		Long: `Score the captions of a completed run, named by the start of its ID, by
BLEU-1 to BLEU-4 under every way of counting found in papers, scripts and
tutorials: with and without brevity penalty, five, one or the best reference,
smoothing, markers counted as words, references cut at commas, and so on. Mark
which of them reach the scores that a Keras system claimed (81.0 and 73.0 on
test images, 81.45 and 77.5 on training images; docs/seed-system.md), and which
a paper may report.

Test captions come from the database, references from the data set. If the
engine, the run's best checkpoint and its features are available, a sample of
training images is captioned too, and next words are predicted from the true
words before them (teacher forcing). What is not available is listed. The audit
is stored with the run, replacing an earlier one.`,
		Example: `  glimpse audit 3f2a
  glimpse audit 3f2a --data /data/flickr8k --train 0
  glimpse audit 3f2a --json | jq '.rows[] | select(.reaches)'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: CompleteFromDB(RunIDs),
		RunE: func(c *cobra.Command, args []string) error {
			if o.train < 0 {
				return Usage(errors.New("--train must not be negative"))
			}
			if err := o.Check(); err != nil {
				return err
			}
			return run(c, o, args[0])
		},
	}
	o.Add(c)
	c.Flags().IntVar(&o.train, "train", 1000, "training images to caption; 0 for none")
	AddJSON(c, &o.json)
	return c
}

// Arguments returns the arguments with which the engine makes the same audit.
func (o *Audit) Arguments(run string) []string {
	args := []string{"audit", run, "--db", o.DB, "--data", o.Root, "--features", o.Features, "--names", o.Names, "--train", strconv.Itoa(o.train), "--device", o.Device, "--threads", strconv.Itoa(o.Threads)}
	if o.json {
		args = append(args, "--json")
	}
	return args
}

// Write audits a run and prints the result. Without an engine (nil) it audits only what is
// stored.
func (o *Audit) Write(c *cobra.Command, engine inspect.Engine, id string) error {
	results, err := OpenForWriting(o.DB)
	if err != nil {
		return err
	}
	defer results.Close()
	run, err := results.Run(c.Context(), id)
	if err != nil {
		return err
	}
	opener, err := Opener(c, results, engine, o.RunFlags)
	if err != nil {
		return err
	}
	audit, err := opener.Audit(c.Context(), run, o.train)
	if err != nil {
		return err
	}
	if o.json {
		return term.WriteJSON(c.OutOrStdout(), audit)
	}
	return printAudit(c.OutOrStdout(), audit)
}

// Opener returns an opener of the runs of db that writes its remarks to standard error, one per
// line. Flags take precedence over $GLIMPSE_DATA and the study.
func Opener(c *cobra.Command, db *store.DB, engine inspect.Engine, f RunFlags) (*inspect.Opener, error) {
	cache, err := DataCache()
	if err != nil {
		return nil, err
	}
	packed, err := packedCaptioners()
	return &inspect.Opener{
		DB: db, Engine: engine, Root: DataRoot(f.Root, ""), Features: f.Features, Names: f.Names, Cache: cache, Captioners: packed,
		Remark: func(line string) { fmt.Fprintln(c.ErrOrStderr(), line) },
	}, err
}
