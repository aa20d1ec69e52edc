package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"glimpse/inspect"
	"glimpse/internal/cli"
	"glimpse/internal/store"
	"glimpse/runner"
	"glimpse/server"
)

func serveCommand() *cobra.Command {
	var (
		config  server.Config
		control bool
		data    string
		noOpen  bool
	)
	c := &cobra.Command{
		Use:   "serve",
		Short: "Show studies, trials and captions as live pages in the browser",
		Long: `Show databases as live pages, until Ctrl-C: studies with the answer so far,
their trials, single runs with their logs, comparisons, captions, and what runs
where. --db names a database, or a folder to search for them; repeat it for
several.

The pages are read-only and never make a runner wait. With --control, studies
can be stopped from their pages. The server listens on this machine only, and
answers only those who have the link it prints. From another machine, use a
tunnel: ssh -L 8080:127.0.0.1:8080 HOST`,
		Example: `  glimpse serve
  glimpse serve --db results.db --db from-the-cluster/
  glimpse serve --listen 127.0.0.1:8080 --no-open
  glimpse serve --listen 0.0.0.0:8443 --allow-remote \
    --cert cert.pem --key key.pem`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(config.Places) == 0 {
				config.Places = []string{cli.DBPath("")}
			}
			config.Album = albums(data)
			if control {
				config.Stop = stopStudy
			}
			if err := config.Check(); err != nil {
				return cli.Usage(err)
			}
			s, err := server.New(c.Context(), config)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), s.Link())
			if config.AllowRemote && config.Cert == "" {
				fmt.Fprintln(c.ErrOrStderr(),
					"glimpse: without --cert and --key, anyone on the network can read the pages and the token in the link")
			}
			if !noOpen {
				server.OpenBrowser(c.Context(), s.Link())
			}
			if err := s.Serve(); err != nil {
				return err
			}
			return c.Context().Err()
		},
	}
	c.Flags().StringArrayVar(&config.Places, "db", nil, "results database, or a folder to search for databases (repeatable; default $GLIMPSE_DB, else results.db)")
	c.Flags().StringVar(&data, "data", "", "folder of the data set, for pictures and references (default $GLIMPSE_DATA, else the study's data.root)")
	c.Flags().StringVar(&config.Listen, "listen", "127.0.0.1:0", "address to listen on; port 0 picks a free port")
	c.Flags().BoolVar(&control, "control", false, "allow studies to be stopped from the pages")
	c.Flags().BoolVar(&config.AllowRemote, "allow-remote", false, "allow an address that other machines can reach")
	c.Flags().StringVar(&config.Cert, "cert", "", "TLS certificate, in PEM")
	c.Flags().StringVar(&config.Key, "key", "", "the private key of --cert, in PEM")
	c.Flags().BoolVar(&noOpen, "no-open", false, "do not open a browser")
	return c
}

// albums returns a function that opens the data set of a study: in root or $GLIMPSE_DATA, else in
// the study's own folder.
func albums(root string) func(context.Context, *store.DB, string) (server.Album, error) {
	return func(ctx context.Context, db *store.DB, study string) (server.Album, error) {
		cache, err := cli.DataCache()
		if err != nil {
			return nil, err
		}
		opener := inspect.Opener{DB: db, Root: cli.DataRoot(root, ""), Cache: cache}
		album, err := opener.Album(ctx, study)
		if err != nil {
			return nil, err
		}
		return album, nil
	}
}

// stopStudy requests a study's runners to stop, as `glimpse stop` does.
func stopStudy(ctx context.Context, path, study string) ([]store.Run, error) {
	db, err := cli.OpenForWriting(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // the request is committed
	asked, err := db.StopStudy(ctx, study)
	if err != nil {
		return nil, err
	}
	return asked, runner.StopJobs(ctx, db, asked, cancelJobs)
}
