package main

import (
	"errors"
	"os/exec"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
)

// audit lets the engine audit a run. Where there is none, what is stored is audited, and the audit says what is missing.
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
