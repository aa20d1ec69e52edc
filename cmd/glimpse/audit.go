package main

import (
	"errors"
	"os/exec"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
)

// audit has the engine audit a run. Without an engine it audits what is stored, and the audit says
// what is missing.
func audit(c *cobra.Command, o *cli.Audit, run string) error {
	found, err := engine.Find(cli.Version())
	if missing := (*engine.MissingError)(nil); errors.As(err, &missing) {
		return o.Write(c, nil, run)
	}
	if err != nil {
		return err
	}
	err = found.Run(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), o.Arguments(run)...)
	if told := (*exec.ExitError)(nil); errors.As(err, &told) {
		return cli.ExitError(told.ExitCode())
	}
	return err
}
