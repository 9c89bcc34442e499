package evidence_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/evidence"
)

// said are the messages in the log of a run that is written to, with their
// attributes.
func said(t *testing.T, h datadir.Home, run string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.Staged(run), "dec.jsonl"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	list := []map[string]any{}
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		delete(fields, "time")
		list = append(list, fields)
	}
	return list
}

func TestWhatIsSaidOfARunGoesToItsLog(t *testing.T) {
	const other = "r000000000"
	h := datadir.Home(t.TempDir())
	log := slog.New(evidence.NewRunLogs(h))
	log.Info("in the record", "run", run, "n", 1)
	log.With("run", run).With("k", "v").Warn("in the logger")
	log.With("run", other).Info("the record counts more", "run", run)
	log.Info("of another", "run", other)
	log.Debug("too much", "run", run)
	log.Info("of none")
	log.Info("of what is no run", "run", "../"+run)
	log.Info("of what is no run", "run", 7)
	log.WithGroup("g").Info("of a group's", "run", run)
	log.With("run", run).WithGroup("g").Error("below a group", "run", other)
	want := []map[string]any{
		{"level": "INFO", "msg": "in the record", "run": run, "n": 1.0},
		{"level": "WARN", "msg": "in the logger", "run": run, "k": "v"},
		{"level": "INFO", "msg": "the record counts more", "run": run},
		{"level": "ERROR", "msg": "below a group", "run": run, "g": map[string]any{"run": other}},
	}
	if diff := cmp.Diff(want, said(t, h, run)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if got := said(t, h, other); len(got) != 1 || got[0]["msg"] != "of another" {
		t.Errorf("log of another run = %v, want what was said of it", got)
	}
	entries, err := os.ReadDir(h.Staging())
	if err != nil || len(entries) != 2 {
		t.Errorf("%d runs have a log, %v, want 2", len(entries), err)
	}
	if info, err := os.Stat(filepath.Join(h.Staged(run), "dec.jsonl")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the log has mode %v, %v, want one for its owner only", info.Mode(), err)
	}
}

func TestRunLogsAreAHandlerLikeAnyOther(t *testing.T) {
	var h datadir.Home
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		h = datadir.Home(t.TempDir())
		return evidence.NewRunLogs(h).WithAttrs([]slog.Attr{slog.String("run", run)})
	}, func(t *testing.T) map[string]any {
		text, err := os.ReadFile(filepath.Join(h.Staged(run), "dec.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return fields
	})
}

func TestManyWriteIntoOneLog(t *testing.T) {
	h := datadir.Home(t.TempDir())
	log := slog.New(evidence.NewRunLogs(h))
	const writers, lines = 8, 20
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range lines {
				log.With("run", run).Info(strings.Repeat("x", 5000))
			}
		})
	}
	all.Wait()
	if got := said(t, h, run); len(got) != writers*lines {
		t.Errorf("the log has %d lines, want %d", len(got), writers*lines)
	}
}

func TestALogThatCannotBeWrittenIsAnError(t *testing.T) {
	h := datadir.Home(t.TempDir())
	if err := os.WriteFile(h.Staging(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	record := slog.Record{Level: slog.LevelInfo}
	record.Add("run", run)
	if err := evidence.NewRunLogs(h).Handle(t.Context(), record); err == nil || !strings.Contains(err.Error(), run) {
		t.Errorf("Handle() = %v, want an error that names the run", err)
	}
}
