package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
)

// options are the flags.
type options struct {
	tools, agent, omb, keep string
	only, loads             []string // empty for all
	seconds, minutes        int
	rounds                  int // 0 for those of the loads
	fresh, report           bool
}

// parse reads the flags.
func parse(args []string) (options, error) {
	var o options
	var only, loads string
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.StringVar(&only, "only", "", "tools to measure, separated by commas: "+strings.Join(toolNames(), ", "))
	flags.StringVar(&loads, "loads", "", "loads to measure, separated by commas: "+strings.Join(loadNames(), ", "))
	flags.StringVar(&o.omb, "omb", "", "folder in which the OpenMessaging Benchmark was built; it is left out otherwise")
	flags.IntVar(&o.seconds, "seconds", 0,
		"measured seconds of each cell, to see that it works or how memory grows; default: 10, or 20 to 30 behind the proxy")
	flags.IntVar(&o.rounds, "rounds", 0, "rounds of each load; default: 5, or 3 for other sizes than 1 KiB")
	flags.IntVar(&o.minutes, "minutes", 100, "time after which no further cell begins")
	flags.BoolVar(&o.fresh, "fresh", false, "measure everything again, also what was measured on this commit")
	flags.BoolVar(&o.report, "report", false, "measure nothing; show what was measured on this commit")
	flags.StringVar(&o.keep, "keep", ".long/peers/results", "folder of the results")
	flags.StringVar(&o.tools, "tools", ".tools", "folder of the installed tools")
	flags.StringVar(&o.agent, "agent", "bin/dec-agent", "the agent")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if o.only, err = list("--only", only, toolNames()); err != nil {
		return o, err
	}
	if o.loads, err = list("--loads", loads, loadNames()); err != nil {
		return o, err
	}
	if slices.Contains(o.only, "omb") && o.omb == "" {
		return o, fmt.Errorf("omb needs --omb DIR: clone github.com/openmessaging/benchmark and run bench/peers/tools/build-omb on it")
	}
	return o, nil
}

// list splits a list of known names.
func list(flag, text string, known []string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	names := strings.Split(text, ",")
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%s: there is no %q; there are %s", flag, name, strings.Join(known, ", "))
		}
	}
	return names, nil
}

// chosen reports whether a tool takes part.
func (o options) chosen(name string) bool {
	if name == "omb" && o.omb == "" && !o.report {
		return false
	}
	return len(o.only) == 0 || slices.Contains(o.only, name)
}

// asked reports whether a load takes part.
func (o options) asked(name string) bool {
	return len(o.loads) == 0 || slices.Contains(o.loads, name)
}
