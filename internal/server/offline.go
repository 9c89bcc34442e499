package server

import (
	"context"
	"log/slog"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/notify"
	"dec.local/dec/internal/planner"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/store"
	"dec.local/dec/target"
)

// Backup writes a copy of a data folder's database to a new file, also while a
// server is at work.
func Backup(ctx context.Context, f *datadir.Folders, path string) error {
	db, err := store.Open(ctx, f.DatabaseURL(), store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Backup(ctx, path)
}

// Propose decides whether a plan may be run in a data folder, as a server of it would,
// and knows the earlier runs that its database has.
func Propose(ctx context.Context, f *datadir.Folders, targets []target.Target, plan []byte) (api.DryRun, error) {
	var past planner.Past
	if f.Used() {
		db, err := store.Open(ctx, f.DatabaseURL(), store.Options{})
		if err != nil {
			return api.DryRun{}, err
		}
		defer db.Close()
		past = db
	}
	p, err := newPlanner(f, OpenTargets(ctx, f, targets), nil, past)
	if err != nil {
		return api.DryRun{}, err
	}
	return p.Propose(ctx, plan)
}

// CheckBucket tries the bucket of a data folder, and names it.
func CheckBucket(ctx context.Context, f *datadir.Folders) (name string, err error) {
	b, err := rendezvous.OpenBucket(ctx, f.BucketURL())
	if err != nil {
		return "", err
	}
	defer b.Close()
	return b.String(), b.Check(ctx)
}

// NewNotifier returns what tells a webhook, whose messages the secret signs. Its
// error does not repeat the address or the secret.
func NewNotifier(url, secret string, logger *slog.Logger) (*notify.Notifier, error) {
	return notify.New(notify.Options{URL: url, Secret: secret, Logger: logger})
}
