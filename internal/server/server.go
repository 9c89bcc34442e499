// Package server is the only wiring of the product: database, engine, targets,
// OpenTofu, evidence, events and HTTP API on one data folder. Here, and only here,
// siblings meet; each does its own work in its own package.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"time"

	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/evidence"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/httpapi"
	"dec.local/dec/internal/notify"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/phases"
	"dec.local/dec/internal/planner"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/stream"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/internal/upkeep"
	"dec.local/dec/internal/vault"
	"dec.local/dec/target"
	"dec.local/dec/technology"
)

// Options configures a [Server]. Folders and Targets are required.
type Options struct {
	Folders  *datadir.Folders
	Targets  []target.Target   // that plans may name
	Slots    map[string]int    // runs at once, by target; where not given as the target says, or on a shared database as stored
	Log      slog.Handler      // gets what goes to dec.log, too; nobody if nil
	Notice   func(text string) // told what a person who waits wants to know; the log if nil
	Notifier *notify.Notifier  // of [NewNotifier], told of leaks and ends; nobody if nil
	Hold     <-chan struct{}   // after the work was ended, calls are answered until it is closed, 10 s at most; not longer if nil
	Lease    time.Duration     // runs of a server that is silent for so long are taken over by others of the database; 30 s if zero
}

// Server is one data folder with all that works on it. Open one, let it listen, and
// run it.
type Server struct {
	URL    string // where clients of this machine reach it, once it listens
	Token  string // of the admin, once it listens
	Logger *slog.Logger

	options   Options
	folders   *datadir.Folders
	host      experiment.Host
	lock, log *os.File
	store     *store.Store
	bucket    *rendezvous.Bucket
	places    target.Places
	vault     *vault.Vault
	planner   *planner.Planner
	live      *evidence.Live
	evidence  *evidence.Reader
	runLogs   *evidence.RunLogs
	archiver  *evidence.Archiver
	engine    *orchestrator.Engine
	hub       *stream.Hub
	concluder *upkeep.Concluder
	metrics   *httpapi.Metrics
	outcomes  chan experiment.Event
	front     *front // nil until it listens
}

// Open takes the data folder and wires the parts. A folder that another process
// holds is a [*datadir.InUseError].
func Open(ctx context.Context, o Options) (_ *Server, err error) {
	s := &Server{options: o, folders: o.Folders, live: evidence.NewLive(), metrics: httpapi.NewMetrics(), outcomes: make(chan experiment.Event, 256)}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.lock, err = s.folders.Lock(); err != nil {
		return nil, err
	}
	if err := s.openLog(); err != nil {
		return nil, err
	}
	if err := s.openData(ctx); err != nil {
		return nil, err
	}
	if err := s.openParts(); err != nil {
		return nil, err
	}
	if err := s.openEngine(); err != nil {
		return nil, err
	}
	return s, s.cancelAbandoned(ctx)
}

// openData opens what holds data.
func (s *Server) openData(ctx context.Context) (err error) {
	s.places = OpenTargets(ctx, s.folders, s.options.Targets)
	if s.store, err = store.Open(ctx, s.folders.DatabaseURL(), storeOptions(s.places)); err != nil {
		return err
	}
	for target, n := range s.slots() {
		if err := s.store.SetSlots(ctx, target, n); err != nil {
			return err
		}
	}
	if s.bucket, err = rendezvous.OpenBucket(ctx, s.folders.BucketURL()); err != nil {
		return err
	}
	if s.vault, err = vault.Open(s.folders.KeyPath()); err != nil {
		return err
	}
	if s.folders.SharedDatabase() {
		s.host = s.folders.Host()
	}
	return nil
}

// slots are the slots that this server sets. On a shared database other servers may
// have been told of more targets; an own one knows only what this server was told.
func (s *Server) slots() map[string]int {
	if s.folders.SharedDatabase() {
		return s.options.Slots
	}
	slots := storeOptions(s.places).Slots
	maps.Copy(slots, s.options.Slots)
	return slots
}

// openParts makes what reads and tells of it.
func (s *Server) openParts() (err error) {
	s.evidence = evidence.New(evidence.Options{Folders: s.folders, Host: s.host, Store: s.store, Places: s.places, Bucket: s.bucket, Live: s.live})
	s.archiver = evidence.NewArchiver(s.evidence, s.runLogs, s.Logger)
	if s.planner, err = newPlanner(s.folders, s.places, s.options.Slots, s.store); err != nil {
		return err
	}
	s.concluder = upkeep.NewConcluder(upkeep.ConcluderOptions{
		Store: s.store, Compare: comparing(s.places, s.Logger), Logger: s.Logger, OnEnd: s.announceVerdict,
	})
	s.hub = stream.New(stream.Options{Source: s.store, Version: buildinfo.Version(), Draining: s.draining, Logger: s.Logger, Tail: s.evidence.Tail})
	return nil
}

// openEngine makes what executes runs.
func (s *Server) openEngine() error {
	binary, err := s.folders.FindTofu()
	if err != nil {
		return err
	}
	built, err := s.folders.Install(s.options.Targets)
	if err != nil {
		return err
	}
	home := s.folders.Home()
	o, err := phases.New(phases.Options{
		Home: home, Homes: s.evidence, Places: s.places, Agent: built.Agent, Bucket: s.bucket, Vault: s.vault, Secrets: s.store, Intents: s.store,
		Archive: s.archiver, Version: buildinfo.Versions(), Logger: s.Logger, BucketOf: s.evidence.BucketOf,
		Certificate: certificates(s.folders).Find,
		OnSecond:    s.onSecond, OnLost: s.live.Forget, Notice: s.notice,
		Tofu: tofu.Options{
			Dir: home.Runs(), Binary: binary, Mirror: home.Mirror(), Providers: providers(s.options.Targets, built), Artifacts: s.folders.Artifacts(),
			Stacks: technology.Stacks, Attempts: s.store, Logger: s.Logger, Install: s.folders.Data,
		},
	})
	if err != nil {
		return err
	}
	o.Store, o.Owner, o.Host, o.OnEvent = s.store, s.owner(), s.host, s.onEvent
	o.Lease, o.Poll = s.options.Lease, s.options.Lease/6 // as the defaults of both are to each other
	s.engine, err = orchestrator.New(o)
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

// draining reports whether no further run starts.
func (s *Server) draining() bool {
	d, err := s.store.Drain(context.Background())
	return err == nil && d.InForce()
}

// CheckBucket returns an error that says what to do when runs can't meet in the
// bucket.
func (s *Server) CheckBucket(ctx context.Context) error { return s.bucket.Check(ctx) }

// Close releases everything. What is running goes on.
func (s *Server) Close() error {
	var errs []error
	if s.front != nil {
		errs = append(errs, s.front.close())
	}
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
