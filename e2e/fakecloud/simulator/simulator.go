// Package simulator is the fake cloud: one small process that keeps objects, runs
// the services of its instances for real, and goes wrong in the ways that it is
// told to. Package cloud is its interface.
//
// It outlives whatever is killed beside it, and ends by itself. Its folder tells
// all of it, also afterwards:
//
//	cloud.json      where it answers, and its keys
//	calls.jsonl     every call with its caller, and what came of it
//	objects/        a file for each object that ever was
//	instances/<id>/ a folder of package supervise for each service that runs
//	process/        the same for the cloud itself
package simulator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/internal/supervise"
)

// Options configures a cloud. Folder is required; every other zero value means
// the stated default.
type Options struct {
	Folder   string        `json:"folder"`      // absolute; made if it does not exist, and gone on with if it does
	Faults   cloud.Faults  `json:"faults"`      // none
	Lifetime time.Duration `json:"lifetime_ns"` // after which the cloud and all that it runs end; 30 min
}

const (
	// variable makes a program that begins with [Main] a cloud with these options.
	variable        = "FAKECLOUD_SERVE"
	defaultLifetime = 30 * time.Minute
	stopGrace       = 30 * time.Second // that the cloud has to stop its services
	listening       = "listening"      // the line that tells that it answers
)

// Start starts a cloud that outlives this program, and returns once it answers.
// The program must begin with supervise.Main and [Main]. Stopping the process
// ends the cloud and the services of all its instances.
func Start(ctx context.Context, o Options) (*supervise.Process, error) {
	if !filepath.IsAbs(o.Folder) {
		return nil, fmt.Errorf("start the fake cloud: folder %q: an absolute path is needed", o.Folder)
	}
	if err := o.Faults.Validate(); err != nil {
		return nil, fmt.Errorf("start the fake cloud: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the fake cloud: %w", err)
	}
	options, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("start the fake cloud: %w", err)
	}
	process, err := supervise.Start(ctx, filepath.Join(o.Folder, "process"), supervise.Spec{
		Name:        "fakecloud",
		Command:     []string{program},
		Environment: map[string]string{variable: string(options), "PATH": os.Getenv("PATH")},
		Readiness:   supervise.Readiness{Log: "^" + listening},
		Grace:       stopGrace,
		ExpiresAt:   time.Now().Add(cmp.Or(o.Lifetime, defaultLifetime)),
	}, supervise.Secrets{})
	if err != nil {
		return nil, err
	}
	if err := process.WaitReady(ctx); err != nil {
		return nil, errors.Join(err, process.Stop(context.WithoutCancel(ctx)))
	}
	return process, nil
}

// Main must be called at the beginning of every program that calls [Start], after
// supervise.Main. When this process was started to be a cloud, it becomes one
// and never returns.
func Main() {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	var o Options
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = Run(ctx, o, func() { fmt.Println(listening) })
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fakecloud:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
