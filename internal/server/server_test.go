package server_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/notify"
	"dec.local/dec/internal/server"
	"dec.local/dec/target/all"
)

func TestOneProcessWorksOnADataFolder(t *testing.T) {
	f := newFolders(t)
	_, end := open(t, server.Options{Folders: f, Targets: all.Targets()})
	_, err := server.Open(t.Context(), server.Options{Folders: f, Targets: all.Targets()})
	inUse, ok := errors.AsType[*datadir.InUseError](err)
	if !ok || inUse.Holder != strconv.Itoa(os.Getpid()) {
		t.Fatalf("second Open = %v, want that process %d holds the folder", err, os.Getpid())
	}
	end()
	open(t, server.Options{Folders: f, Targets: all.Targets()})
}

func TestCommandsFindAnAnnouncedServer(t *testing.T) {
	for name, announced := range map[string]bool{"announced": true, "not announced": false} {
		t.Run(name, func(t *testing.T) {
			f := newFolders(t)
			s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
			_, quiet := serve(t, s, server.ListenOptions{Announce: announced})
			find := func() bool {
				_, found, err := client.Discover(t.Context(), f.Data, client.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return found
			}
			if found := find(); found != announced {
				t.Errorf("the server is found: %v, want %v", found, announced)
			}
			quiet()
			if find() {
				t.Error("the server is found after it has ended")
			}
		})
	}
}

func TestSignInLinkSignsOneBrowserIn(t *testing.T) {
	s, _ := open(t, server.Options{Folders: newFolders(t), Targets: all.Targets()})
	serve(t, s, server.ListenOptions{PublicURL: "https://dec.example.com/"})
	link, code, _ := strings.Cut(s.SignIn(), "#code=")
	if link != "https://dec.example.com/sign-in" {
		t.Errorf("sign-in link = %q, want one at the public URL", link)
	}
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		answer, err := http.Post(s.URL+"/api/v1/session", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("sign-in = %d, want %d", answer.StatusCode, want)
		}
	}
}

func TestSecretOptionsAreNowhere(t *testing.T) {
	const canary = "canary-7f3a9c51"
	f := newFolders(t)
	s, end := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, quiet := serve(t, s, server.ListenOptions{})
	submitted, err := c.Submit(t.Context(), plan(`{"password": "`+canary+`"}`), "k1")
	if err != nil {
		t.Fatal(err)
	}
	tried, err := c.DryRun(t.Context(), plan(`{"password": "`+canary+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.Experiment(t.Context(), submitted.ID)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := c.Submit(t.Context(), plan(`{}`), "k2")
	if err != nil {
		t.Fatal(err)
	}
	if plain.Digest != read.Digest {
		t.Error("the digest depends on the secret")
	}
	for name, answer := range map[string]any{"submission": submitted, "dry run": tried, "experiment": read} {
		if text, err := json.Marshal(answer); err != nil || bytes.Contains(text, []byte(canary)) {
			t.Errorf("the %s tells the secret (error %v): %s", name, err, text)
		}
	}
	quiet()
	end()
	err = filepath.WalkDir(f.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(canary)) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestExperimentsOfAKilledCommandAreCancelled(t *testing.T) {
	f := newFolders(t)
	s, end := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, quiet := serve(t, s, server.ListenOptions{})
	var ids []string
	for _, key := range []string{"attended", "posted"} {
		e, err := c.Submit(t.Context(), plan(`{}`), key)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	if err := s.MarkInteractive(ids[0]); err != nil {
		t.Fatal(err)
	}
	quiet()
	end() // as a kill does: without Leave

	s, _ = open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, _ = serve(t, s, server.ListenOptions{})
	for i, want := range []experiment.State{experiment.Ended, experiment.Queued} {
		e, err := c.Experiment(t.Context(), ids[i])
		if err != nil || e.State != want {
			t.Errorf("experiment %d = %s (%s), %v, want %s", i, e.State, e.Reason, err, want)
		}
	}
}

func TestEndedExperimentsGetTheirVerdictAndAreTold(t *testing.T) {
	told := make(chan string, 8)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct{ Type string }
		_ = json.NewDecoder(r.Body).Decode(&message) // an empty type fails the test
		told <- message.Type
	}))
	defer hook.Close()
	notifier, err := notify.New(notify.Options{URL: hook.URL, Secret: "whsec_" + strings.Repeat("QUFB", 10)})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, server.Options{Folders: newFolders(t), Targets: all.Targets(), Notifier: notifier})
	c, _ := serve(t, s, server.ListenOptions{})
	e, err := c.Submit(t.Context(), plan(`{}`), "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CancelExperiment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if kind := <-told; kind != notify.ExperimentEnded {
		t.Errorf("the webhook was told of %q, want %q", kind, notify.ExperimentEnded)
	}
	ended, err := c.Experiment(t.Context(), e.ID)
	if err != nil || ended.Verdict == nil || ended.Verdict.Decided || len(ended.Verdict.Sentences) == 0 {
		t.Errorf("verdict = %+v, %v, want one that decides nothing", ended.Verdict, err)
	}
}

func TestSlotsLastAsLongAsTheServerThatWasToldThem(t *testing.T) {
	f := newFolders(t)
	for _, tt := range []struct {
		slots map[string]int
		want  int
	}{{nil, 1}, {map[string]int{"local": 3}, 3}, {nil, 1}} {
		_, end := open(t, server.Options{Folders: f, Targets: all.Targets(), Slots: tt.slots})
		end()
		db, err := sql.Open("sqlite", f.DatabaseURL())
		if err != nil {
			t.Fatal(err)
		}
		var got int
		if err := errors.Join(db.QueryRow(`SELECT capacity FROM slots WHERE target = 'local'`).Scan(&got), db.Close()); err != nil || got != tt.want {
			t.Errorf("a server with slots %v: %d runs at once, %v, want %d", tt.slots, got, err, tt.want)
		}
	}
}

func TestRecoverSaysThatThereWasNothing(t *testing.T) {
	var told []string
	s, _ := open(t, server.Options{Folders: newFolders(t), Targets: all.Targets(), Notice: func(text string) { told = append(told, text) }})
	if err := s.Recover(t.Context()); err != nil || len(told) != 1 || told[0] != "Nothing was left behind." {
		t.Errorf("Recover() of an empty folder = %v, told %q, want that there was nothing", err, told)
	}
}

// TestCallsAreAnsweredUntilTheCommandHasRead ends the work of a server whose command
// holds it.
func TestCallsAreAnsweredUntilTheCommandHasRead(t *testing.T) {
	held := make(chan struct{})
	folders := newFolders(t)
	s, _ := open(t, server.Options{Folders: folders, Targets: all.Targets(), Hold: held})
	if err := s.Listen(server.ListenOptions{Address: "127.0.0.1:0", Announce: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, server.Execute) }()
	c, err := client.New(client.Options{URL: s.URL, Token: s.Token})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	file := filepath.Join(folders.Data, client.ServerFile)
	for _, err := os.Stat(file); err == nil; _, err = os.Stat(file) {
		runtime.Gosched() // the file goes when the work has ended
	}
	if _, err := c.Catalog(t.Context()); err != nil {
		t.Errorf("Catalog() of a server that is held = %v, want an answer", err)
	}
	close(held)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run() = %v, want %v", err, context.Canceled)
	}
}
