package evidence_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

// measured is what the run of these tests measured.
var measured = measure.Merged{
	Result: measure.Result{
		Counts: measure.Counts{Offered: 3, Received: 3}, Validity: experiment.Validity{OK: true}, Agents: []measure.AgentFacts{},
		Guarantees: json.RawMessage(`{"replicas":1,"emulator":"kinesalite 3.3.3"}`), Variant: "kinesis",
	},
	Timeline:   []measure.Second{{Second: 0, Stage: experiment.StageMeasure, Latencies: map[measure.Distribution]measure.Latency{}}},
	Histograms: map[measure.Distribution]string{measure.E2ELatency: "encoded"},
}

// collected gives the run a result, as this version stores it, or an earlier one.
func (f *fixture) collected(earlier bool) experiment.Run {
	f.t.Helper()
	var stored any = measured
	if !earlier {
		stored = measured.Result
		folder := rendezvous.NewFolder(f.bucket, run)
		for name, v := range map[string]any{
			rendezvous.TimelineObject: measured.Timeline, rendezvous.HistogramsObject: measured.Histograms, rendezvous.ResultObject: stored,
		} {
			if err := folder.Put(f.t.Context(), name, v); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	data, err := json.Marshal(stored)
	if err != nil {
		f.t.Fatal(err)
	}
	r := f.records.runs[run]
	r.Experiment, r.Variant, r.Result, r.Outcome = "e123456789", "kinesis", data, experiment.Succeeded
	r.Receipt = &experiment.Receipt{Statement: "Nothing is left."}
	f.records.runs[run] = r
	return r
}

// unpack makes the archive of the run: its files by their names.
func (f *fixture) unpack() map[string]string {
	f.t.Helper()
	name, write, err := f.Pack(f.t.Context(), run)
	if err != nil {
		f.t.Fatal(err)
	}
	var data bytes.Buffer
	if err := write(f.t.Context(), &data); err != nil {
		f.t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data.Bytes()), int64(data.Len()))
	if err != nil {
		f.t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range archive.File {
		within, ok := strings.CutPrefix(entry.Name, name+"/")
		if !ok {
			f.t.Errorf("%s is not in the folder %s", entry.Name, name)
		}
		from, err := entry.Open()
		if err != nil {
			f.t.Fatal(err)
		}
		content, err := io.ReadAll(from)
		if err != nil {
			f.t.Fatal(err)
		}
		files[within] = string(content)
	}
	return files
}

// TestArchiveHasAllOfARun unpacks the archive of a run, as this version stores it and
// as an earlier one did, before and after its logs went into the bucket.
func TestArchiveHasAllOfARun(t *testing.T) {
	for name, bucket := range map[string]*rendezvous.Bucket{"in the data folder": nil, "on S3": buckettest.NewServer(t).Open(t, "team")} {
		for version, earlier := range map[string]bool{"this version": false, "an earlier one": true} {
			t.Run(name+", "+version, func(t *testing.T) {
				f := newFixture(t, options{bucket: bucket, phase: experiment.PhaseEnded})
				r := f.collected(earlier)
				f.stage("services/server-0/stdout.log", "listening\n")
				before := f.unpack()
				f.archiver.Last(t.Context())
				if left := f.left(); len(left) > 0 {
					t.Errorf("%q are still staged", left)
				}
				files := f.unpack()
				if diff := cmp.Diff(before, files); diff != "" {
					t.Errorf("the archive changed when logs were put into the bucket (-before +after):\n%s", diff)
				}
				want := []string{"README.md", "events.jsonl", "guarantees.json", "histograms.json", "logs/services/server-0/stdout.log",
					"plan.json", "receipt.json", "result.json", "run.json", "timeline.json"}
				if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
				assertContents(t, r, files, earlier)
			})
		}
	}
}

func assertContents(t *testing.T, r experiment.Run, files map[string]string, earlier bool) {
	t.Helper()
	result := string(r.Result) // the same bytes
	if earlier {
		alone := measured.Result
		alone.Course = measure.NewCourse(measured.Timeline)
		data, err := json.Marshal(alone)
		if err != nil {
			t.Fatal(err)
		}
		result = string(data)
	}
	if files["result.json"] != result {
		t.Errorf("result.json = %s, want %s", files["result.json"], result)
	}
	for file, want := range map[string]any{"timeline.json": measured.Timeline, "histograms.json": measured.Histograms} {
		if data, err := json.Marshal(want); err != nil || string(data) != files[file] {
			t.Errorf("%s = %s, want %s", file, files[file], data)
		}
	}
	if want := "Emulator: kinesalite 3.3.3 stands in for the technology"; !strings.Contains(files["README.md"], want) {
		t.Errorf("README.md lacks %q:\n%s", want, files["README.md"])
	}
	for file, want := range map[string]string{
		"README.md": "# kinesis (emulator) #1", "plan.json": `"technology": "kinesis"`, "receipt.json": "Nothing is left.",
		"run.json": `"outcome": "succeeded"`, "events.jsonl": run, "guarantees.json": `"replicas": 1`, "logs/services/server-0/stdout.log": "listening",
	} {
		if !strings.Contains(files[file], want) {
			t.Errorf("%s lacks %q:\n%s", file, want, files[file])
		}
	}
}

// TestUnavailableEvidenceIsNamed asks for what lies beside a result in a bucket that does not
// answer, in one that has lost it, and in one of another machine.
func TestUnavailableEvidenceIsNamed(t *testing.T) {
	s3 := buckettest.NewServer(t)
	tests := map[string]struct {
		f    *fixture
		lose func(f *fixture)
		want string
	}{
		"a bucket that refuses access": {
			newFixture(t, options{bucket: s3.Open(t, ""), phase: experiment.PhaseEnded}),
			func(*fixture) { s3.Set(buckettest.Faults{Status: 403, Code: "AccessDenied"}) }, "denies access",
		},
		"objects that are gone": {
			newFixture(t, options{phase: experiment.PhaseEnded}),
			func(f *fixture) {
				if err := f.bucket.Remove(t.Context(), run); err != nil {
					t.Fatal(err)
				}
			}, "does not have it",
		},
		"another machine's data folder": {
			newFixture(t, options{phase: experiment.PhaseEnded}),
			func(f *fixture) { f.records.hosts[run] = experiment.Host{ID: "another", Home: "/another/data"} }, "not on this machine",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := tt.f.collected(false)
			tt.lose(tt.f)
			_, timeline := tt.f.KeptTimeline(t.Context(), r)
			_, histograms := tt.f.KeptHistograms(t.Context(), r)
			_, _, pack := tt.f.Pack(t.Context(), run)
			for what, err := range map[string]error{"KeptTimeline": timeline, "KeptHistograms": histograms, "Pack": pack} {
				if !errors.Is(err, experiment.ErrUnavailable) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s() = %v, want %v with %q", what, err, experiment.ErrUnavailable, tt.want)
				}
			}
			if seconds, err := tt.f.KeptTimeline(t.Context(), tt.f.collected(true)); err != nil || len(seconds) != 1 {
				t.Errorf("KeptTimeline() of an earlier version = %v, %v, want what the result carries", seconds, err)
			}
		})
	}
}

func TestArchiveOfARunWithoutAResult(t *testing.T) {
	f := newFixture(t, options{})
	if _, _, err := f.Pack(t.Context(), run); !errors.Is(err, experiment.ErrNotEnded) {
		t.Errorf("Pack() of a run in its load = %v, want %v", err, experiment.ErrNotEnded)
	}
	f.end(experiment.TeardownNone)
	r := f.records.runs[run]
	r.Outcome, r.Reason = experiment.Cancelled, "cancelled by admin"
	f.records.runs[run] = r
	files := f.unpack()
	if diff := cmp.Diff([]string{"README.md", "events.jsonl", "plan.json", "run.json"}, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if !strings.Contains(files["README.md"], "cancelled by admin") || strings.Contains(files["README.md"], "result.json") {
		t.Errorf("README.md does not tell how the run ended, or of a result:\n%s", files["README.md"])
	}
}
