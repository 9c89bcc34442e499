// Command dec is the product with one more target, which is for tests.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"dec.local/dec/e2e/fakecloud"
	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/internal/cli"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/target/all"
)

func main() {
	supervise.Main(tofu.Sidecars())
	interrupts := make(chan os.Signal, 4)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	os.Exit(cli.Main(context.Background(), &cli.Env{
		Args:       os.Args[1:],
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		Getenv:     os.Getenv,
		Executable: executable,
		Interrupts: interrupts,
		Targets:    append(all.Targets(), fakecloud.Target),
		Version:    buildinfo.Versions(),
	}))
}
