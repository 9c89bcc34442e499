package evidence_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

// stamped is a time as JSON logs write it.
func stamped(seconds int) string { return at(seconds).Format(time.RFC3339Nano) }

func TestLogPutsAllSourcesInOrder(t *testing.T) {
	f := newFixture(t, options{})
	attempts := f.folders.Home().Attempts(run)
	f.stage("dec.jsonl", `{"time":"`+stamped(10)+`","level":"INFO","msg":"phase begins","run":"`+run+`","phase":"provision"}`+"\n")
	f.write(filepath.Join(attempts, "0002-plan", "stdout.log"),
		`{"@level":"error","@message":"Error: no","@timestamp":"`+stamped(20)+`","diagnostic":{"detail":"because"}}`+"\n")
	f.write(filepath.Join(attempts, "0003-show", "stdout.log"), `{"values": "the whole plan"}`+"\n")
	local := at(30).Local().Format("2006-01-02 15:04:05,000")
	f.write(filepath.Join(f.services, "broker-0", "stdout.log"), "a banner\n["+local+"] WARN low on disk (kafka)\n\tat a stack trace\n")
	f.stage("services/agent-0/stderr.log", "time="+stamped(40)+" level=INFO msg=ready\n")
	f.stage("services/agent-0/samples.jsonl", "{}\n")
	want := []string{
		"events info phase queued",
		"dec info phase begins phase=provision",
		"tofu 2 plan error Error: no: because",
		"broker-0  a banner",
		"broker-0 warn [" + local + "] WARN low on disk (kafka)",
		"broker-0  \tat a stack trace",
		"agent-0 info time=" + stamped(40) + " level=INFO msg=ready",
	}
	if diff := cmp.Diff(want, f.texts(experiment.LogQuery{})); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"agent-0", "broker-0", "dec", "events", "tofu 2 plan"}, f.log(experiment.LogQuery{}).Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct {
		q    experiment.LogQuery
		want []string
	}{
		"of a source":           {experiment.LogQuery{Source: "tofu 2 plan"}, want[2:3]},
		"of a level and worse":  {experiment.LogQuery{Level: "warn"}, []string{want[2], want[4]}},
		"all but the details":   {experiment.LogQuery{Level: "info"}, want},
		"with a text":           {experiment.LogQuery{Text: "LOW ON"}, want[4:5]},
		"the last two":          {experiment.LogQuery{Limit: 2}, want[5:]},
		"with a text of nobody": {experiment.LogQuery{Text: "whole plan"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, f.texts(tt.q)); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLogInPages(t *testing.T) {
	f := newFixture(t, options{})
	var text strings.Builder
	for n := range 1010 {
		fmt.Fprintf(&text, "line %04d\n", n)
	}
	f.stage("services/agent-0/stdout.log", text.String())
	whole := f.log(experiment.LogQuery{Source: "agent-0"})
	if len(whole.Lines) != 1000 || whole.Matches != 1010 || whole.Lines[0].Text != "line 0010" || whole.Run != run {
		t.Errorf("log = %d of %d lines from %q, want the last 1000 of 1010", len(whole.Lines), whole.Matches, whole.Lines[0].Text)
	}
	var pages []string
	for q := (experiment.LogQuery{Source: "agent-0", Text: "line 00", Limit: 30}); ; {
		page := f.log(q)
		if page.Matches != 100 {
			t.Errorf("a page tells of %d lines, want 100", page.Matches)
		}
		pages = slices.Insert(pages, 0, texts(page)...)
		if q.Before = page.Before; q.Before == "" {
			break
		}
	}
	if len(pages) != 100 || !slices.IsSorted(pages) || pages[0] != "line 0000" {
		t.Errorf("the pages have %d lines: %q", len(pages), pages)
	}
	if _, err := f.Log(t.Context(), experiment.LogQuery{Run: run, Before: "x"}); !errors.Is(err, experiment.ErrCursor) {
		t.Errorf("Log() with a cursor of its own = %v, want %v", err, experiment.ErrCursor)
	}
}

func texts(log api.Log) []string {
	var list []string
	for _, line := range log.Lines {
		list = append(list, line.Text)
	}
	return list
}

func TestEventsAreLinesOfTheLog(t *testing.T) {
	f := newFixture(t, options{})
	f.records.events = []experiment.Event{
		{ID: 3, At: at(1), Run: run, Kind: experiment.EventPhase, Phase: experiment.PhaseProvision},
		{ID: 4, At: at(2), Run: run, Kind: experiment.EventResource, Resource: &experiment.Resource{Address: "a.b", Action: "create", State: "started"}},
		{ID: 5, At: at(4), Run: run, Kind: experiment.EventResource, Resource: &experiment.Resource{Address: "a.b", Action: "create", State: "complete", Seconds: 2}},
		{ID: 8, At: at(5), Run: run, Kind: experiment.EventNotice, Message: "look"},
		{ID: 9, At: at(6), Run: run, Kind: experiment.EventPhase, Phase: experiment.PhaseDestroy, Message: "cancelled by ann"},
	}
	want := []api.LogLine{
		{N: 1, At: at(1), Text: "phase provision"}, {N: 2, At: at(2), Text: "create a.b: started"}, {N: 3, At: at(4), Text: "create a.b: complete (2.00 s)"},
		{N: 4, At: at(5), Text: "notice: look"}, {N: 5, At: at(6), Text: "phase destroy: cancelled by ann"},
	}
	for i := range want {
		want[i].Source, want[i].Level = "events", "info"
	}
	if diff := cmp.Diff(want, f.log(experiment.LogQuery{}).Lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	f.records.err = errors.New("the database is away")
	if _, err := f.Log(t.Context(), experiment.LogQuery{Run: run}); !errors.Is(err, f.records.err) {
		t.Errorf("Log() = %v, want %v", err, f.records.err)
	}
}

// TestLinesOfServices reads what brokers and agents write, whatever it is.
func TestLinesOfServices(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	local := time.Date(2026, 3, 1, 13, 14, 15, 0, time.Local).UTC()
	utc := time.Date(2026, 3, 1, 13, 14, 15, 0, time.UTC)
	tests := map[string]struct {
		line string
		want api.LogLine // text is the line itself if empty
	}{
		"no time, no level":             {"a banner", api.LogLine{}},
		"Java":                          {"[2026-03-01 13:14:15,678] ERROR Oops (kafka)", api.LogLine{At: local.Add(678 * time.Millisecond), Level: "error"}},
		"Go":                            {"2026/03/01 13:14:15 listening", api.LogLine{At: local}},
		"nats-server":                   {"[77] 2026/03/01 13:14:15.000001 [INF] ready", api.LogLine{At: local.Add(time.Microsecond), Level: "info"}},
		"a time in UTC":                 {"2026-03-01T13:14:15Z debug", api.LogLine{At: utc}},
		"a time with an offset":         {"2026-03-01T13:14:15.5+02:00 WRN x", api.LogLine{At: time.Date(2026, 3, 1, 13, 14, 15, 5e8, zone).UTC(), Level: "warn"}},
		"an offset without a colon":     {"2026-03-01T13:14:15+0200 x", api.LogLine{At: time.Date(2026, 3, 1, 13, 14, 15, 0, zone).UTC()}},
		"a time too far in the line":    {strings.Repeat("x", 25) + "2026-03-01 13:14:15", api.LogLine{}},
		"a day that there is not":       {"2026-02-31 13:14:15 x", api.LogLine{}},
		"a level within a word":         {"ERRORS and WARNINGS", api.LogLine{}},
		"a level too far in the line":   {strings.Repeat("x", 80) + " ERROR", api.LogLine{}},
		"every level: TRACE":            {"TRACE x", api.LogLine{Level: "debug"}},
		"every level: DBG":              {"DBG x", api.LogLine{Level: "debug"}},
		"every level: WARNING":          {"WARNING: x", api.LogLine{Level: "warn"}},
		"every level: FATAL":            {"FATAL x", api.LogLine{Level: "error"}},
		"every level: PANIC":            {"PANIC x", api.LogLine{Level: "error"}},
		"slog":                          {`{"time":"2026-03-01T13:14:15Z","level":"WARN","msg":"m","b":1,"a":"x","run":"r"}`, api.LogLine{At: utc, Level: "warn", Text: "m a=x b=1"}},
		"slog without a time":           {`{"level":"INFO","msg":"m"}`, api.LogLine{Level: "info", Text: "m"}},
		"slog with a time that is none": {`{"time":"yesterday","level":"INFO","msg":"m"}`, api.LogLine{Level: "info", Text: "m"}},
		"JSON of another kind":          {`{"message":"m"}`, api.LogLine{}},
		"JSON that was cut":             {`{"msg":"m`, api.LogLine{}},
		"no text at all":                {"a\xff\xfeb ERROR", api.LogLine{Level: "error", Text: "a\uFFFDb ERROR"}},
		"a time that no calendar has":   {"9999-12-31T23:59:59-05:00 x", api.LogLine{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{})
			f.stage("services/broker-0/stdout.log", tt.line+"\r\n\n")
			if tt.want.Text == "" {
				tt.want.Text = tt.line
			}
			tt.want.Source = "broker-0"
			got := f.log(experiment.LogQuery{Source: "broker-0"}).Lines
			for i := range got {
				got[i].N = 0
			}
			if diff := cmp.Diff([]api.LogLine{tt.want}, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLinesOfOpenTofu(t *testing.T) {
	f := newFixture(t, options{})
	f.stage("tofu/0012-apply.jsonl", `{"@level":"info","@message":"a: Creating...","@timestamp":"`+stamped(3)+`"}`+"\nnot JSON\n{}\n"+
		`{"@level":"warn","@message":"Deprecated","@timestamp":"yesterday","diagnostic":{"detail":"use b"}}`+"\n")
	f.stage("tofu/0012-apply.stderr", "no journal\n")
	f.stage("tofu/0013-show.jsonl", "the whole plan\n")
	f.stage("tofu/notes.jsonl", "no journal\n")
	want := []string{
		"events info phase queued", "tofu 12 apply info a: Creating...", "tofu 12 apply  not JSON", "tofu 12 apply  {}", "tofu 12 apply warn Deprecated: use b"}
	if diff := cmp.Diff(want, f.texts(experiment.LogQuery{})); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestLinesWithoutATimeStayWithTheirNeighbours mixes two sources.
func TestLinesWithoutATimeStayWithTheirNeighbours(t *testing.T) {
	f := newFixture(t, options{})
	f.records.events = nil
	f.stage("services/a/stdout.log", "first\n"+stamped(2)+" a\nafter\n"+stamped(1)+" back\n"+stamped(4)+" late\n")
	f.stage("services/b/stdout.log", stamped(1)+" early\n"+stamped(3)+" b\n")
	f.stage("services/c/stdout.log", "never\n")
	want := []string{
		"c  never", "b  " + stamped(1) + " early", "a  first", "a  " + stamped(2) + " a", "a  after", "a  " + stamped(1) + " back",
		"b  " + stamped(3) + " b", "a  " + stamped(4) + " late",
	}
	if diff := cmp.Diff(want, f.texts(experiment.LogQuery{})); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestLinesOfOneTimeKeepTheirOrder(t *testing.T) {
	f := newFixture(t, options{})
	const more = 40 // lines that follow one with a time
	for source, times := range map[string][]int{"a": {1, 3}, "b": {2, 4}} {
		var text strings.Builder
		for _, seconds := range times {
			fmt.Fprintf(&text, "%s\n", stamped(seconds))
			for n := range more {
				fmt.Fprintf(&text, "%d.%02d\n", seconds, n)
			}
		}
		f.stage("services/"+source+"/stdout.log", text.String())
	}
	var want []string
	for seconds := range 5 {
		for n := range more {
			want = append(want, fmt.Sprintf("%d.%02d", seconds, n))
		}
	}
	got := texts(f.log(experiment.LogQuery{Text: "."}))
	if diff := cmp.Diff(want[more:], got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestRunsOfOtherMachinesAreSeenThroughASharedBucket reads what the server of
// another machine has put there.
func TestRunsOfOtherMachinesAreSeenThroughASharedBucket(t *testing.T) {
	f := newFixture(t, options{bucket: buckettest.NewServer(t).Open(t, "")})
	f.records.hosts[run] = experiment.Host{ID: "that", Home: "/other"}
	f.stage("services/agent-0/stdout.log", "of a folder that is not its\n")
	file := filepath.Join(t.TempDir(), "stderr.log")
	f.write(file, "seen from afar\n")
	if err := rendezvous.NewFolder(f.bucket, run).Save(t.Context(), "services/agent-0/stderr.log", file); err != nil {
		t.Fatal(err)
	}
	if got := f.texts(experiment.LogQuery{Source: "agent-0"}); len(got) > 0 {
		t.Errorf("log while the run is active there = %q, want nothing", got)
	}
	f.end(experiment.TeardownClean)
	if diff := cmp.Diff([]string{"agent-0  seen from afar"}, f.texts(experiment.LogQuery{Source: "agent-0"})); diff != "" {
		t.Errorf("log of the ended run (-want +got):\n%s", diff)
	}
}

// FuzzLog gives any bytes to the readers of all kinds of lines: no line is lost,
// none moves within its source, and the answer can be sent.
func FuzzLog(f *testing.F) {
	for _, seed := range []string{
		"", "\n\n", "a\r\nb", "null", "[]", "{", `{"time":3,"level":null}`, `{"@message":"m","@level":3}`, "\xff\xfe", "2026-03-01 13:14:15,678 WARN x",
		`{"time":"9999-12-31T23:59:59-05:00","level":"INFO","msg":"m"}`, `{"@message":"m","@timestamp":"0000-01-01T00:00:00+05:00"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x := newFixture(t, options{})
		names := map[string]string{"dec": "dec.jsonl", "tofu 1 plan": "tofu/0001-plan.jsonl", "broker-0": "services/broker-0/stdout.log"}
		for _, name := range names {
			x.stage(name, string(data))
		}
		var raw []string
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				raw = append(raw, line)
			}
		}
		log, err := x.Log(t.Context(), experiment.LogQuery{Run: run, Limit: 4*len(raw) + 4})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(log); err != nil {
			t.Errorf("the answer can't be sent: %v", err)
		}
		counts := map[string]int{}
		for i, line := range log.Lines {
			if line.N != i+1 || !utf8.ValidString(line.Text) || !slices.Contains([]string{"", "debug", "info", "warn", "error"}, line.Level) {
				t.Errorf("line %d = %+v, want its number, text and a level", i+1, line)
			}
			if n := counts[line.Source]; line.Source == "broker-0" && !strings.HasPrefix(raw[n], "{") && line.Text != strings.ToValidUTF8(raw[n], "\uFFFD") {
				t.Errorf("line %d of %s = %q, want %q", n, line.Source, line.Text, raw[n])
			}
			counts[line.Source]++
		}
		for source := range names {
			if counts[source] != len(raw) {
				t.Errorf("%s has %d lines, want %d", source, counts[source], len(raw))
			}
		}
	})
}
