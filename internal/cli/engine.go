package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gocloud.dev/blob"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/reconcile"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/target"
	"dec.local/dec/target/local"
	"dec.local/dec/technology"
)

// station is one data folder with all that works on it: the parts of the
// product, wired together.
type station struct {
	engine *orchestrator.Engine
	store  *store.Store
	tofu   *tofu.Runner
	ledger *local.Ledger
	bucket *blob.Bucket
	lock   *os.File
}

// listener hears what happens to runs.
type listener struct {
	event  func(experiment.Event)
	second func(run string, s measure.Second)
	notice func(format string, args ...any)
}

// open takes the data folder and wires the parts. A folder that another dec
// holds is an error that names the process.
func (f *folders) open(ctx context.Context, env *Env, hear listener) (_ *station, err error) {
	s := &station{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.lock, err = f.takeFolder(); err != nil {
		return nil, err
	}
	binary, err := f.tofu()
	if err != nil {
		return nil, err
	}
	built, err := f.install(env.Executable)
	if err != nil {
		return nil, err
	}
	logger, err := f.logger()
	if err != nil {
		return nil, err
	}
	if s.store, err = store.OpenSQLite(ctx, filepath.Join(f.Data, "dec.db"), store.Options{}); err != nil {
		return nil, err
	}
	if s.ledger, err = local.Open(f.Ledger); err != nil {
		return nil, err
	}
	bucketURL := "file://" + f.bucket()
	if s.bucket, err = rendezvous.OpenBucket(ctx, bucketURL); err != nil {
		return nil, err
	}
	s.tofu, err = tofu.New(tofu.Options{
		Dir: f.runs(), Binary: binary, Mirror: f.mirror(), ProviderVersion: built.Provider, Artifacts: f.artifacts(),
		Stacks: technology.Stacks, Nodes: target.Nodes, LedgerDir: f.Ledger, Attempts: s.store, Logger: logger, Install: f.Data,
	})
	if err != nil {
		return nil, err
	}
	verifier, err := reconcile.New(reconcile.Options{Inventory: s.ledger, Ledger: s.store, Attempts: s.tofu, Logger: logger})
	if err != nil {
		return nil, err
	}
	s.engine, err = orchestrator.New(orchestrator.Options{
		Store:       s.store,
		Provisioner: &provisioner{runner: s.tofu, agent: built.Agent, bucketURL: bucketURL, bucketDir: f.bucket()},
		Workload:    &workload{bucket: s.bucket, ledger: s.ledger, logger: logger, onSecond: hear.second},
		Watcher:     s.ledger,
		Verifier:    &cleaner{verifier: verifier, runner: s.tofu, logger: logger},
		Measuring:   map[string]orchestrator.Measuring{localTarget: &turn{ledger: s.ledger, notice: hear.notice}},
		Owner:       f.Data,
		OnEvent:     hear.event,
		Logger:      logger,
	})
	return s, err
}

// logger writes dec.log in the data folder: what a person watching a run wants
// is progress, and what explains a failure later is the log.
func (f *folders) logger() (*slog.Logger, error) {
	file, err := os.OpenFile(filepath.Join(f.Data, "dec.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return slog.New(slog.NewTextHandler(file, nil)), nil
}

func (s *station) close() {
	if s.bucket != nil {
		s.bucket.Close()
	}
	if s.store != nil {
		s.store.Close()
	}
	if s.lock != nil {
		s.lock.Close() // releases the folder
	}
}

// takeFolder makes the data folder and locks it for this process.
func (f *folders) takeFolder() (*os.File, error) {
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(f.Data, "lock")
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := os.ReadFile(path) // the message does without it
		lock.Close()
		return nil, fmt.Errorf("the data folder %s is in use by process %s; wait for it, or name another folder with --data DIR", f.Data, strings.TrimSpace(string(holder)))
	} else if err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock data folder %s: %w", f.Data, err)
	}
	err = lock.Truncate(0)
	if err == nil {
		_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock data folder %s: %w", f.Data, err)
	}
	return lock, nil
}

// result reads the result of a run that has one.
func (s *station) result(ctx context.Context, run string) (measure.Result, bool) {
	data, err := s.store.Result(ctx, run)
	if err != nil || len(data) == 0 {
		return measure.Result{}, false
	}
	var result measure.Result
	if err := json.Unmarshal(data, &result); err != nil {
		return measure.Result{}, false
	}
	return result, true
}

// placement gives brokers and agents CPUs of their own, so that the load
// generator doesn't take from the broker what the broker's numbers need. On a
// single CPU they share it.
func placement() map[string][]int {
	n := runtime.NumCPU()
	if n < 2 {
		return nil
	}
	cpus := map[string][]int{}
	for cpu := range n {
		role := "broker"
		if cpu >= (n+1)/2 {
			role = "agent"
		}
		cpus[role] = append(cpus[role], cpu)
	}
	return cpus
}

// turn is the machine's measuring lock, which says that it waits: two data
// folders never measure at once.
type turn struct {
	ledger *local.Ledger
	notice func(format string, args ...any)
}

// LockMeasuring implements [orchestrator.Measuring].
func (t *turn) LockMeasuring(ctx context.Context) (func(), error) {
	soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	release, err := t.ledger.LockMeasuring(soon)
	if err == nil || ctx.Err() != nil || !errors.Is(err, local.ErrMeasuring) {
		return release, err
	}
	t.notice("waiting: %s", strings.TrimSuffix(err.Error(), ": "+context.DeadlineExceeded.Error()))
	return t.ledger.LockMeasuring(ctx)
}

// cleaner verifies, and forgets the files of a run that is clean.
type cleaner struct {
	verifier *reconcile.Verifier
	runner   *tofu.Runner
	logger   *slog.Logger
}

// Verify returns the receipt of a run.
func (c *cleaner) Verify(ctx context.Context, run string) (experiment.Receipt, error) {
	receipt, err := c.verifier.Verify(ctx, run)
	if err != nil {
		return receipt, err
	}
	// The infrastructure is gone whether or not the folder goes too.
	if err := c.runner.Remove(run); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.logger.Warn("the run's folder stays", "run", run, "error", err)
	}
	return receipt, nil
}
