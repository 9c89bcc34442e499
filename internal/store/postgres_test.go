package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/pgtest"
	"dec.local/dec/internal/store/storetest"
)

var _ scs.CtxStore = (*store.Sessions)(nil)

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) (*store.Store, *sql.DB) {
		url := pgtest.URL(t)
		return open(t, url, store.Options{Now: now, OneHost: []string{"local"}}), openDB(t, "pgx", url)
	})
}

// Servers that start at the same moment make the schema once.
func TestPostgresOpenedAtOnce(t *testing.T) {
	url := pgtest.URL(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			s, err := store.Open(t.Context(), url, store.Options{})
			if err != nil {
				t.Errorf("Open(): %v", err)
				return
			}
			if err := errors.Join(s.Ping(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestNewerPostgresIsRefused(t *testing.T) {
	url := pgtest.URL(t)
	open(t, url, store.Options{})
	db := openDB(t, "pgx", url)
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), url, store.Options{}); !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "schema is 999") {
		t.Errorf("Open() of a newer database = %v, want %v with its schema", err, store.ErrNewer)
	}
}

func TestPasswordsStayOutOfErrors(t *testing.T) {
	for _, url := range []string{"postgres://ann:canary@127.0.0.1:1/dec", "postgres://ann:canary@host:port/dec", "postgres://ann:canary@/dec?host=/absent", "postgres://ann:can%ary@h/dec"} {
		_, err := store.Open(t.Context(), url, store.Options{})
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "can%ary") {
			t.Errorf("Open(%s) = %v, want an error without the password", url, err)
		}
	}
	if _, err := store.Open(t.Context(), "", store.Options{}); err == nil {
		t.Error("Open() of nothing = nil, want an error")
	}
}

func TestPostgresClock(t *testing.T) {
	s := open(t, pgtest.URL(t), store.Options{})
	before := time.Now().Truncate(time.Microsecond)
	now, err := s.Now(t.Context())
	after := time.Now().Add(time.Microsecond)
	if err != nil || now.Before(before) || now.After(after) {
		t.Errorf("Now() = %v, %v, want it between %v and %v", now, err, before, after)
	}
	if err := s.Backup(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("Backup() of Postgres = %v, want an error that names pg_dump", err)
	}
}

// A database that is started again is waited for: by writers, and by those who
// listen, who hear of what others write afterwards.
func TestPostgresRestart(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	url := server.URL(t)
	s, other := open(t, url, store.Options{}), open(t, url, store.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan struct{}, 1)
	listening := make(chan error, 1)
	go func() {
		listening <- s.Listen(ctx, func() {
			select {
			case woken <- struct{}{}:
			default:
			}
		})
	}()
	<-woken // it listens
	server.Halt()
	written := make(chan error, 1)
	go func() { written <- s.Audit(ctx, experiment.AuditEntry{Object: "written while it was down"}) }()
	if err := s.Ping(ctx); err == nil {
		t.Error("Ping() while the server is down = nil, want an error")
	}
	if err := server.Launch(); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Errorf("Audit() across a restart: %v", err)
	}
	entries, _, err := s.ListAudit(ctx, "", 0)
	if err != nil || len(entries) != 1 {
		t.Errorf("ListAudit() = %+v, %v, want the one entry", entries, err)
	}
	<-woken // it listens again
	admit(t, other, 1)
	<-woken
	cancel()
	if err := <-listening; !errors.Is(err, context.Canceled) {
		t.Errorf("Listen() = %v, want %v", err, context.Canceled)
	}
}
