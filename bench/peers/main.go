// Command peers measures what other load generators cost and say beside DEC's
// agents, on one machine, in rounds in which they take turns: Kafka's own
// performance tests, nats bench, the OpenMessaging Benchmark, and a bare loop around
// the client library. Behind a proxy of known delay it shows which of them report
// what is true.
//
// What was measured on a commit is kept and not measured again, so the command may
// be stopped and started at any time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// Exit codes beside 0: a cell has failed; cells are left; a figure is missed.
const (
	exitFailed = 1
	exitLeft   = 3
	exitMissed = 4
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		if err := bareLoop(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bare loop:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code, err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peers:", err)
		code = exitFailed
	}
	os.Exit(code)
}

func run(ctx context.Context, args []string) (code int, err error) {
	o, err := parse(args)
	if err != nil {
		return 0, err
	}
	kept, err := openStore(o)
	if err != nil {
		return 0, err
	}
	all := cells(o)
	if !o.report {
		if code, err = measureAll(ctx, o, kept, all); err != nil {
			return code, err
		}
	}
	results, err := kept.results(all)
	if err != nil {
		return code, err
	}
	if missed := report(os.Stdout, all, results); missed && code == 0 {
		code = exitMissed
	}
	return code, nil
}
