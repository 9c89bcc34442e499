// Package phases does for the engine what the phases of a run need: it provisions
// with OpenTofu, leads the agents through the bucket, watches and verifies, each on
// the run's own target. It implements what package orchestrator asks for.
package phases

import (
	"context"
	"log/slog"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/reconcile"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/internal/vault"
	"dec.local/dec/target"
)

// Options configures [New]. All are required.
type Options struct {
	Home    datadir.Home // where this server keeps the files of its runs
	Homes   homes        // where those of any run are
	Places  target.Places
	Tofu    tofu.Options // without Targets
	Agent   string       // artifact of this build's agent
	Bucket  *rendezvous.Bucket
	Vault   *vault.Vault
	Secrets vault.Keeper
	Intents reconcile.Intents
	Archive archive
	Version map[string]string // what this build is, for results
	Logger  *slog.Logger

	// BucketOf returns the bucket that has a run, until release is called: a run
	// that was taken over may have another data folder's.
	BucketOf func(ctx context.Context, run string) (b *rendezvous.Bucket, release func(), err error)
	// Certificate returns that of the agents of a run; nil if there is none, or if this
	// function is nil.
	Certificate func(agents []measure.AgentFacts) (*measure.Certificate, error)
	OnSecond    func(run, experiment string, s measure.Second) // called for each second of a load
	OnLost      func(run string)                               // the seconds of a run end before it does
	Notice      func(text string)                              // told that a run waits for its turn to measure
}

// New returns the options of an engine that concern the phases; the caller fills in
// the others.
func New(o Options) (orchestrator.Options, error) {
	o.Tofu.Targets = tofuTargets(o.Places)
	runners, err := newFleet(o.Home, o.Tofu, o.Homes)
	if err != nil {
		return orchestrator.Options{}, err
	}
	verifiers, err := newVerifiers(o.Places, reconcile.Options{Intents: o.Intents, Attempts: runners, Logger: o.Logger})
	if err != nil {
		return orchestrator.Options{}, err
	}
	return orchestrator.Options{
		Provisioner: &provisioner{
			fleet: runners, places: o.Places, agent: o.Agent, bucket: o.Bucket, home: o.Home, logger: o.Logger,
			vault: o.Vault, store: o.Secrets,
		},
		Workload: &workload{
			bucketOf: o.BucketOf, places: o.Places, logger: o.Logger, onSecond: o.OnSecond, onLost: o.OnLost, versions: o.Version,
			certificate: o.Certificate,
		},
		Watcher:   watcher{o.Places},
		Verifier:  &cleaner{archive: o.Archive, verifiers: verifiers, fleet: runners, logger: o.Logger},
		Measuring: measuringLocks(o.Places, o.Notice),
		Seal:      o.Vault.Seal,
		Logger:    o.Logger,
	}, nil
}
