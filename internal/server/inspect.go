package server

import (
	"context"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/store"
	"dec.local/dec/target/local"
)

// Backup writes a copy of the database to a new file, also while a server is at
// work.
func (f *Folders) Backup(ctx context.Context, path string) error {
	db, err := store.Open(ctx, f.database(), store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Backup(ctx, path)
}

// Inventory lists what exists on every target, without a server.
func (f *Folders) Inventory(ctx context.Context) ([]api.TargetInventory, error) {
	ledger, err := local.Open(f.Ledger)
	if err != nil {
		return nil, err
	}
	field := &Field{folders: f, ledger: ledger}
	if f.Used() {
		db, err := store.Open(ctx, f.database(), store.Options{})
		if err != nil {
			return nil, err
		}
		defer db.Close()
		field.store = db
	}
	return field.Inventory(ctx)
}
