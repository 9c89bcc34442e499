package server_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/server"
	"dec.local/dec/target/all"
)

// texts are the lines of a log as "source level text".
func texts(log api.Log) []string {
	var list []string
	for _, line := range log.Lines {
		list = append(list, line.Source+" "+line.Level+" "+line.Text)
	}
	return list
}

func TestLogPutsAllSourcesInOrder(t *testing.T) {
	f := newFolders(t)
	s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, _ := serve(t, s, server.ListenOptions{})
	e, err := c.Submit(t.Context(), plan(`{}`), "k")
	if err != nil {
		t.Fatal(err)
	}
	run := e.RunList[0].ID
	at := func(seconds int) time.Time { return e.CreatedAt.Add(time.Duration(seconds) * time.Second) }
	attempts, staged := filepath.Join(f.Data, "runs", run, "attempts"), filepath.Join(f.Data, "staging", run)
	s.Logger.With("run", run).Info("phase begins", "phase", "provision")
	s.Logger.Info("of another run", "run", "r000000000")
	write(t, filepath.Join(attempts, "0002-plan", "stdout.log"),
		`{"@level":"error","@message":"Error: no","@timestamp":"`+at(20).Format(time.RFC3339Nano)+`","diagnostic":{"detail":"because"}}`+"\n")
	write(t, filepath.Join(attempts, "0003-show", "stdout.log"), `{"values": "the whole plan"}`+"\n")
	write(t, filepath.Join(f.Getenv("DEC_LOCAL_LEDGER"), "processes", run+"-broker-0", "stdout.log"),
		"a banner\n["+at(30).Local().Format("2006-01-02 15:04:05,000")+"] WARN low on disk (kafka)\n\tat a stack trace\n")
	write(t, filepath.Join(staged, "services", "agent-0", "stderr.log"), "time="+at(40).Format(time.RFC3339Nano)+" level=INFO msg=ready\n")
	write(t, filepath.Join(staged, "services", "agent-0", "samples.jsonl"), "{}\n")

	want := []string{
		"events info phase queued",
		"dec info phase begins phase=provision",
		"tofu 2 plan error Error: no: because",
		"broker-0  a banner",
		"broker-0 warn [" + at(30).Local().Format("2006-01-02 15:04:05,000") + "] WARN low on disk (kafka)",
		"broker-0  \tat a stack trace",
		"agent-0 info time=" + at(40).Format(time.RFC3339Nano) + " level=INFO msg=ready",
	}
	read := func(q experiment.LogQuery) api.Log {
		t.Helper()
		q.Run = run
		log, err := c.Log(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	whole := read(experiment.LogQuery{})
	if diff := cmp.Diff(want, texts(whole)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"agent-0", "broker-0", "dec", "events", "tofu 2 plan"}, whole.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct {
		q    experiment.LogQuery
		want []string
	}{
		"of a source":           {experiment.LogQuery{Source: "tofu 2 plan"}, want[2:3]},
		"of a level and worse":  {experiment.LogQuery{Level: "warn"}, []string{want[2], want[4]}},
		"with a text":           {experiment.LogQuery{Text: "LOW ON"}, want[4:5]},
		"the last two":          {experiment.LogQuery{Limit: 2}, want[5:]},
		"with a text of nobody": {experiment.LogQuery{Text: "whole plan"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(read(tt.q))); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
	var pages []string
	for q := (experiment.LogQuery{Limit: 3}); ; {
		page := read(q)
		pages = append(texts(page), pages...)
		if q.Before = page.Before; q.Before == "" {
			break
		}
	}
	if diff := cmp.Diff(want, pages); diff != "" {
		t.Errorf("log in pages (-want +got):\n%s", diff)
	}
}

func TestDeletedExperimentLeavesNoFiles(t *testing.T) {
	f := newFolders(t)
	s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, _ := serve(t, s, server.ListenOptions{})
	e, err := c.Submit(t.Context(), plan(`{}`), "k")
	if err != nil {
		t.Fatal(err)
	}
	run := e.RunList[0].ID
	kept := filepath.Join(f.Data, "bucket", "runs", run, "1", "services", "agent-0", "stderr.log")
	write(t, kept, "x\n")
	if err := c.CancelExperiment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteExperiment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(f.Data, "bucket", "runs", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in the bucket: %v, %v", left, err)
	}
}
