package main

import (
	"strings"

	"github.com/spf13/cobra"

	"glimpse/internal/cli"
	"glimpse/internal/engine"
	"glimpse/internal/term"
	"glimpse/internal/torch"
)

// aboutCommand prints, for glimpse, what this engine is and which device it would use.
func aboutCommand() *cobra.Command {
	var compute cli.Compute
	c := &cobra.Command{
		Use:    "about",
		Short:  "Describe this engine as JSON",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e, err := newEngine(compute)
			if err != nil {
				return err
			}
			info := engine.Info{
				Version: cli.Version(), Libtorch: torch.Version(), BLAS: torch.BLAS(), Libraries: torch.LibraryDir(),
				Threads: torch.Threads(), Device: e.Device.String(), GPU: e.Device.Name(), GPUs: []string{},
			}
			n, err := torch.CUDADevices()
			if err != nil {
				info.NoGPU = err.Error()
			}
			for i := range n {
				device := torch.Device(i)
				info.GPUs = append(info.GPUs, strings.TrimSpace(device.String()+" "+device.Name()))
			}
			return term.WriteJSON(c.OutOrStdout(), info)
		},
	}
	compute.Add(c)
	return c
}
