package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Sessions keeps the sessions of browsers. It is a scs.CtxStore. A token is
// hashed: who reads the database cannot sign in.
type Sessions struct{ store *Store }

// Sessions returns the store of sessions.
func (s *Store) Sessions() *Sessions { return &Sessions{s} }

// hash returns how a token is kept.
func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// FindCtx returns the data of a session that has not expired.
func (s *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	now, err := s.store.now(ctx, s.store.db)
	if err != nil {
		return nil, false, err
	}
	var data []byte
	err = s.store.db.QueryRowContext(ctx, `SELECT data FROM sessions WHERE token = $1 AND expires_at > $2`, hash(token), now).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, fmt.Errorf("read a session: %w", err)
	}
	return data, true, nil
}

// CommitCtx stores a session until it expires, and removes those that have
// expired.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return s.store.write(ctx, "store a session", func(t *tx) error {
		if _, err := t.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at <= $1`, t.now); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO sessions (token, data, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, hash(token), data, nanos(expiry))
		return err
	})
}

// DeleteCtx removes a session; it is no error when there is none.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.store.write(ctx, "remove a session", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM sessions WHERE token = $1`, hash(token))
		return err
	})
}

// Find is [Sessions.FindCtx].
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is [Sessions.CommitCtx].
func (s *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is [Sessions.DeleteCtx].
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
