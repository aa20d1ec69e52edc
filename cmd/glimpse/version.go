package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `Print the latest release, the commit that was built, Go's version and the
system.`,
		Example: `  glimpse version`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "glimpse %s\n", cli.About())
			return err
		},
	}
}
