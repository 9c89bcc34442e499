// Command store fills a database with 100,000 experiments and 1,000,000 runs and
// measures how long each question and each write takes then, and how much memory
// the process takes.
//
//	go run ./bench/store             SQLite
//	go run ./bench/store -postgres   a Postgres server of its own, which syncs to disk
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/pgtest"
)

func main() {
	onPostgres := flag.Bool("postgres", false, "measure Postgres in place of SQLite")
	experiments := flag.Int("experiments", 100_000, "how many, each with ten runs")
	calls := flag.Int("calls", 300, "of each kind")
	flag.Parse()
	if flag.NArg() == 2 { // the process that fills
		if err := fill(context.Background(), flag.Arg(0), flag.Arg(1), *experiments); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := run(context.Background(), *onPostgres, *experiments, *calls); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, onPostgres bool, experiments, calls int) error {
	driver, url, clean, err := place(ctx, onPostgres)
	if err != nil {
		return err
	}
	defer clean()
	s, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := fillApart(ctx, driver, url, experiments); err != nil {
		return err
	}
	return measure(ctx, s, experiments, calls)
}

// place returns where to make the database, and what removes it.
func place(ctx context.Context, onPostgres bool) (driver, url string, clean func(), err error) {
	if onPostgres {
		server, err := pgtest.Start("fsync=on", "full_page_writes=on")
		if err != nil {
			return "", "", nil, err
		}
		url, err := server.Database(ctx)
		return "pgx", url, server.Stop, err
	}
	folder, err := os.MkdirTemp("", "bench")
	return "sqlite", filepath.Join(folder, "dec.db"), func() { os.RemoveAll(folder) }, err
}

// fillApart fills in a process of its own, whose memory is not counted.
func fillApart(ctx context.Context, driver, url string, experiments int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "-experiments", fmt.Sprint(experiments), driver, url)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
