// Package server wires the parts of the product together on one data folder:
// database, engine, OpenTofu, local target, events and HTTP API. Here, and only
// here, siblings meet.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/httpapi"
	"dec.local/dec/internal/notify"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/reconcile"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/stream"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/target"
	"dec.local/dec/target/local"
	"dec.local/dec/technology"
)

// Options configures a [Server]. Folders is required.
type Options struct {
	Folders  *Folders
	Slots    map[string]int    // runs at once, by target; as stored, at first 1, where not given
	Log      slog.Handler      // gets what goes to dec.log, too; nobody if nil
	Notice   func(text string) // told what a person who waits wants to know; the log if nil
	Notifier *notify.Notifier  // told of leaks and ends; nobody if nil
	Lease    time.Duration     // runs of a server that is silent for so long are taken over by others of the database; 30 s if zero
}

// Server is one data folder with all that works on it.
type Server struct {
	Engine *orchestrator.Engine
	Hub    *stream.Hub
	Logger *slog.Logger

	options   Options
	folders   *Folders
	host      experiment.Host
	lock      *os.File
	log       *os.File
	store     *store.Store
	bucket    *rendezvous.Bucket
	runLogs   *runLogs
	archive   *archiver
	ledger    *local.Ledger
	vault     *vault
	planner   *Planner
	field     *Field
	live      *seconds
	metrics   *httpapi.Metrics
	concluder *concluder
	notifier  *notify.Notifier
	outcomes  chan experiment.Event
}

// Open takes the data folder and wires the parts. A folder that another process
// holds is an [*InUseError].
func Open(ctx context.Context, o Options) (_ *Server, err error) {
	s := &Server{options: o, folders: o.Folders, notifier: o.Notifier, live: newSeconds(), metrics: httpapi.NewMetrics(),
		outcomes: make(chan experiment.Event, 256)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.lock, err = s.folders.takeFolder(); err != nil {
		return nil, err
	}
	if s.log, err = s.folders.openLog(); err != nil {
		return nil, err
	}
	s.runLogs = newRunLogs(s.folders.home())
	s.Logger = newLogger(s.log, s.runLogs, o.Log)
	if err := s.openPlaces(ctx); err != nil {
		return nil, err
	}
	if err := s.openEngine(); err != nil {
		return nil, err
	}
	return s, s.abandon(ctx)
}

// openPlaces opens what holds data.
func (s *Server) openPlaces(ctx context.Context) (err error) {
	if s.store, err = store.Open(ctx, s.folders.database(), store.Options{}); err != nil {
		return err
	}
	for target, n := range s.options.Slots {
		if err := s.store.SetSlots(ctx, target, n); err != nil {
			return err
		}
	}
	if s.ledger, err = local.Open(s.folders.Ledger); err != nil {
		return err
	}
	if s.bucket, err = rendezvous.OpenBucket(ctx, s.folders.BucketURL()); err != nil {
		return err
	}
	if s.vault, err = openVault(cmp.Or(s.folders.KeyFile, filepath.Join(s.folders.Data, "key"))); err != nil {
		return err
	}
	if s.folders.shared() {
		s.host = s.folders.host()
	}
	s.field = &Field{folders: s.folders, host: s.host, store: s.store, ledger: s.ledger, bucket: s.bucket, live: s.live}
	s.archive = &archiver{own: s.folders.home(), bucket: s.bucket, bucketOf: s.field.bucketOf, store: s.store, logs: s.runLogs, logger: s.Logger,
		wake: make(chan struct{}, 1), others: map[home]struct{}{}}
	s.planner = &Planner{Folders: s.folders, Slots: s.options.Slots, Past: s.store}
	s.concluder = &concluder{store: s.store, logger: s.Logger, wake: make(chan struct{}, 1), ended: s.announce}
	s.Hub = stream.New(stream.Options{Source: s.store, Version: buildinfo.Version(), Draining: s.draining, Logger: s.Logger, Tail: s.field.Tail})
	return nil
}

// CheckBucket tells whether runs can meet in the bucket. Its error says what to
// do.
func (s *Server) CheckBucket(ctx context.Context) error { return s.bucket.Check(ctx) }

// openEngine wires what executes runs.
func (s *Server) openEngine() error {
	binary, err := s.folders.FindTofu()
	if err != nil {
		return err
	}
	built, err := s.folders.install()
	if err != nil {
		return err
	}
	home := s.folders.home()
	fleet, err := newFleet(tofu.Options{
		Dir: home.runs(), Binary: binary, Mirror: home.mirror(), ProviderVersion: built.Provider, Artifacts: s.folders.artifacts(),
		Stacks: technology.Stacks, Nodes: target.Nodes, LedgerDir: s.folders.Ledger, Attempts: s.store, Logger: s.Logger, Install: s.folders.Data,
	}, s.field)
	if err != nil {
		return err
	}
	verifier, err := reconcile.New(reconcile.Options{Inventory: s.ledger, Ledger: s.store, Attempts: fleet, Logger: s.Logger})
	if err != nil {
		return err
	}
	s.Engine, err = orchestrator.New(orchestrator.Options{
		Store:       s.store,
		Provisioner: &provisioner{fleet: fleet, agent: built.Agent, bucket: s.bucket, home: home, logger: s.Logger, vault: s.vault, store: s.store},
		Workload:    &workload{bucketOf: s.field.bucketOf, ledger: s.ledger, logger: s.Logger, onSecond: s.second, onLost: s.live.forget},
		Watcher:     s.ledger,
		Verifier:    &cleaner{archive: s.archive, verifier: verifier, fleet: fleet, logger: s.Logger},
		Measuring:   map[string]orchestrator.Measuring{LocalTarget: &turn{ledger: s.ledger, notice: s.notice}},
		Owner:       s.owner(),
		Host:        s.host,
		Seal:        s.vault.seal,
		Lease:       s.options.Lease,
		Poll:        s.options.Lease / 6, // as the defaults of both are to each other
		OnEvent:     s.hear,
		Logger:      s.Logger,
	})
	return err
}

// owner names the holder of leases: processes of one data folder of one machine,
// which never live at the same time.
func (s *Server) owner() string { return s.host.ID + ":" + s.folders.Data }

// notice tells who waits, and the log.
func (s *Server) notice(text string) {
	s.Logger.Info(text)
	if s.options.Notice != nil {
		s.options.Notice(text)
	}
}

// draining tells whether no further run starts.
func (s *Server) draining() bool {
	d, err := s.store.Drain(context.Background())
	return err == nil && d.InForce()
}

// Close releases everything. What is running goes on.
func (s *Server) Close() error {
	var errs []error
	if s.bucket != nil {
		errs = append(errs, s.bucket.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	for _, file := range []*os.File{s.log, s.lock} { // the lock last: it releases the folder
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the data folder: %w", err)
	}
	return nil
}
