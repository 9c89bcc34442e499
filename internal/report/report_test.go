package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/report"
	"dec.local/dec/internal/stats"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// write renders one form of a report.
func write(t *testing.T, r report.Report, form func(io.Writer, report.Report) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := form(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func table(color bool) func(io.Writer, report.Report) error {
	return func(w io.Writer, r report.Report) error { return report.Table(w, r, color) }
}

func TestGolden(t *testing.T) {
	for name, golden := range map[string]struct {
		of   report.Report
		form func(io.Writer, report.Report) error
	}{
		"table.txt":   {synthetic(t), table(false)},
		"report.csv":  {synthetic(t), report.CSV},
		"report.html": {synthetic(t), report.HTML},
		"limited.txt": {limited(t, nil), table(false)},
	} {
		t.Run(name, func(t *testing.T) {
			got, path := write(t, golden.of, golden.form), filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s changed; look at it and run with -update (-want +got):\n%s", name, diff)
			}
		})
	}
}

func TestColorOnlyWhenAsked(t *testing.T) {
	r := synthetic(t)
	if plain := write(t, r, table(false)); strings.Contains(plain, "\x1b") {
		t.Errorf("Table(color: false) holds escape sequences:\n%q", plain)
	}
	if colored := write(t, r, table(true)); !strings.Contains(colored, "\x1b[") {
		t.Error("Table(color: true) holds no escape sequence")
	}
}

func TestHTMLStandsAlone(t *testing.T) {
	page := write(t, synthetic(t), report.HTML)
	for _, outside := range []string{"<script", "http:", "https:", "url(", "@import", "<link", "<img", "<iframe", " onclick", "ZgotmplZ"} {
		if strings.Contains(page, outside) {
			t.Errorf("HTML() holds %s", outside)
		}
	}
	for _, want := range []string{"<svg", "<desc", "prefers-color-scheme", "nats is faster than kafka", "Brokers and agents shared one machine", `lang="en"`} {
		if !strings.Contains(page, want) {
			t.Errorf("HTML() lacks %s", want)
		}
	}
}

// TestTextOfUsersStaysText puts markup, a formula and escape sequences wherever
// users and brokers write text.
func TestTextOfUsersStaysText(t *testing.T) {
	const evil = `</title><script>alert(1)</script><svg onload=x> "'=cmd|' \x1b[2J`
	p := plan(t)
	all := runs(t, p)
	p.Name = "=" + evil + "\x1b[2J"
	p.Variants[0].Options = map[string]json.RawMessage{"x": json.RawMessage(`"</style><script>alert(2)</script>"`)}
	all[0].Outcome, all[0].Reason = experiment.Failed, evil+"\x1b]0;x\x07"
	all[1].Receipt.Statement = evil
	all[2].ID = "=HYPERLINK(1)"
	r, err := report.New(experiment.Experiment{ID: "e1", Plan: p}, all, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	page := write(t, r, report.HTML)
	for _, live := range []string{"<script", "<svg onload", "</title><script", "</style><script"} {
		if strings.Contains(page, live) {
			t.Errorf("HTML() lets %s through", live)
		}
	}
	if text := write(t, r, table(false)); strings.ContainsAny(text, "\x1b\x07") {
		t.Errorf("Table() lets escape sequences through: %q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(write(t, r, report.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") {
				t.Errorf("CSV() has the cell %q, which a spreadsheet takes for a formula", cell)
			}
		}
	}
}

func TestJSONStandsAlone(t *testing.T) {
	r := synthetic(t)
	var back report.Report
	if err := json.Unmarshal([]byte(write(t, r, report.JSON)), &back); err != nil {
		t.Fatal(err)
	}
	if back.Comparison.Sentence != r.Comparison.Sentence || len(back.Runs) != 11 || len(back.Runs[0].Result) == 0 {
		t.Errorf("JSON() holds %q and %d runs, want the verdict and all 11 with results", back.Comparison.Sentence, len(back.Runs))
	}
}

// lose takes messages away from the results of some runs.
func lose(runs []experiment.Run, n int, from func(n int, variant string) bool) []experiment.Run {
	for i := range runs {
		if from(i, runs[i].Variant) {
			runs[i].Result = bytes.Replace(runs[i].Result, []byte(`"lost":0`), fmt.Appendf(nil, `"lost":%d`, n), 1)
		}
	}
	return runs
}

func TestWhatCounts(t *testing.T) {
	tests := map[string]struct {
		change   func([]experiment.Run) []experiment.Run
		verdict  stats.Kind
		sentence string
	}{
		"an invalid run that was repeated": {
			func(runs []experiment.Run) []experiment.Run { return runs },
			stats.Different, "nats is faster than kafka at end-to-end p99 by a factor of 2.70 (95 % CI 2.56–2.90; 5 against 5 runs).",
		},
		"an extra run that is still going on": {
			func(runs []experiment.Run) []experiment.Run {
				runs[10].Phase, runs[10].Outcome, runs[10].Result = experiment.PhaseLoad, "", nil
				return runs
			},
			stats.NoVerdict, "No verdict yet: 10 of 11 runs have ended.",
		},
		"runs that have not been made": {
			func(runs []experiment.Run) []experiment.Run { return runs[:6] },
			stats.NoVerdict, "No verdict yet: 6 of 10 runs have ended.",
		},
		"a variant that never ran": {
			func(runs []experiment.Run) []experiment.Run {
				for i := range runs {
					if runs[i].Variant == "nats" {
						runs[i].Outcome, runs[i].Reason = experiment.Failed, "port 4222 is in use"
					}
				}
				return runs
			},
			stats.NoVerdict, "No verdict on kafka and nats: nats could not be measured: none of its 6 runs counts (failed: port 4222 is in use).",
		},
		"messages lost by one run of one variant": {
			func(runs []experiment.Run) []experiment.Run {
				return lose(runs, 214, func(n int, _ string) bool { return n == 0 })
			},
			stats.NoVerdict, "No verdict on kafka and nats: kafka lost 214 of 300,000 acknowledged messages, so its numbers are shown and not ranked.",
		},
		"messages lost by every run of one variant": {
			func(runs []experiment.Run) []experiment.Run {
				return lose(runs, 7, func(_ int, variant string) bool { return variant == "nats" })
			},
			stats.NoVerdict, "No verdict on kafka and nats: nats lost 35 of 300,000 acknowledged messages, so its numbers are shown and not ranked.",
		},
		"messages lost by every run of all variants": {
			func(runs []experiment.Run) []experiment.Run {
				return lose(runs, 7, func(int, string) bool { return true })
			},
			stats.NoVerdict, "No verdict on kafka and nats: kafka lost 35 of 300,000 acknowledged messages, so its numbers are shown and not ranked. " +
				"nats lost 35 of 300,000 acknowledged messages, so its numbers are shown and not ranked.",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := plan(t)
			r, err := report.New(experiment.Experiment{ID: "e1", Plan: p}, tt.change(runs(t, p)), report.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Comparison; got.Verdict != tt.verdict || got.Sentence != tt.sentence {
				t.Errorf("New() = %s: %s\nwant %s: %s", got.Verdict, got.Sentence, tt.verdict, tt.sentence)
			}
			for _, form := range []func(io.Writer, report.Report) error{table(false), report.HTML, report.CSV, report.JSON} {
				write(t, r, form)
			}
		})
	}
}

// What a variant has measured is told when its last run has ended.
func TestVariantIsNotGivenUpWhileItRuns(t *testing.T) {
	p := plan(t)
	for name, phase := range map[string]experiment.Phase{"queued": experiment.PhaseQueued, "active": experiment.PhaseLoad} {
		all := runs(t, p)
		last := -1
		for i := range all {
			if all[i].Variant == "nats" {
				all[i].Outcome, all[i].Reason, last = experiment.Failed, "port 4222 is in use", i
			}
		}
		all[last].Phase, all[last].Outcome, all[last].Reason, all[last].Result = phase, "", "", nil
		for sentence, compare := range map[string]func(experiment.Experiment, []experiment.Run, report.Options) (report.Report, error){
			"No verdict yet: 10 of 11 runs have ended.":                          report.New,
			"Numbers and intervals only: these runs were not shuffled together.": report.Separate,
		} {
			r, err := compare(experiment.Experiment{ID: "e1", Plan: p}, all, report.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := r.Comparison.Pairs[0].Reason, "5 of 6 nats runs have ended."; got != want || r.Comparison.Sentence != sentence {
				t.Errorf("%s: the pair says %q and the comparison %q, want %q and %q", name, got, r.Comparison.Sentence, want, sentence)
			}
			for _, form := range []func(io.Writer, report.Report) error{table(false), report.HTML, report.CSV, report.JSON} {
				if text := write(t, r, form); strings.Contains(text, "could not be measured") {
					t.Errorf("%s: a variant is given up:\n%s", name, text)
				}
			}
		}
	}
}

func TestUnequalGuaranteesAreSaid(t *testing.T) {
	p := plan(t)
	all := runs(t, p)
	for i := range all {
		if all[i].Variant == "kafka" {
			all[i].Result = bytes.ReplaceAll(all[i].Result, []byte("page_cache"), []byte("fsync_before_ack"))
		}
	}
	r, err := report.New(experiment.Experiment{ID: "e1", Plan: p}, all, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "Not like for like: durable before the acknowledgement: kafka fsync before ack, nats page cache."
	if r.Caveats[0] != want || r.Fairness.Label() != "guarantees differ" {
		t.Errorf("first caveat = %q, label %q, want %q", r.Caveats[0], r.Fairness.Label(), want)
	}
}

func TestReportOfNothing(t *testing.T) {
	r, err := report.New(experiment.Experiment{ID: "e1", Plan: plan(t)}, nil, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []func(io.Writer, report.Report) error{table(false), report.HTML, report.CSV, report.JSON} {
		write(t, r, form)
	}
	if got, want := r.Comparison.Sentence, "No verdict yet: 0 of 10 runs have ended."; got != want {
		t.Errorf("Sentence = %q, want %q", got, want)
	}
}

func TestFormats(t *testing.T) {
	for ns, want := range map[float64]string{0: "0 ns", 900: "900 ns", 999_600: "1.00 ms", 6_214_000: "6.21 ms", 61_400_000: "61.4 ms", 3e9: "3.00 s", -2e6: "−2.00 ms"} {
		if got := report.Nanoseconds(ns); got != want {
			t.Errorf("Nanoseconds(%v) = %q, want %q", ns, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "−1,234,567"} {
		if got := report.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{512: "512 B", 1023 << 10: "1023 KiB", 1 << 30: "1.00 GiB"} {
		if got := report.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if got := report.LatencyText(nil); got != "–" {
		t.Errorf("LatencyText(nil) = %q, want –", got)
	}
}
