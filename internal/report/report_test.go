package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// write renders one form of a report.
func write(t *testing.T, d report.Document, form func(io.Writer, report.Document) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := form(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func table(color bool) func(io.Writer, report.Document) error {
	return func(w io.Writer, d report.Document) error { return report.Table(w, d.Comparison, color) }
}

// documentOf compares the runs of a set.
func documentOf(t *testing.T, s *comparison.Set) report.Document {
	t.Helper()
	return report.Document{
		Comparison: comparisontest.Compare(t, s), Set: s, Traces: report.ReadTraces(t.Context(), s, comparisontest.Carried{}),
		Version: "1.0.0", MadeAt: comparisontest.Start.Add(time.Hour),
	}
}

func synthetic(t *testing.T) report.Document { return documentOf(t, comparisontest.Synthetic(t)) }

func limited(t *testing.T) report.Document { return documentOf(t, comparisontest.Limited(t, nil)) }

func TestGolden(t *testing.T) {
	for name, golden := range map[string]struct {
		of   report.Document
		form func(io.Writer, report.Document) error
	}{
		"table.txt":   {synthetic(t), table(false)},
		"report.csv":  {synthetic(t), report.CSV},
		"report.html": {synthetic(t), report.HTML},
		"limited.txt": {limited(t), table(false)},
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
	p := comparisontest.Plan(t)
	all := comparisontest.Runs(t, p)
	p.Name = "=" + evil + "\x1b[2J"
	p.Variants[0].Options = map[string]json.RawMessage{"x": json.RawMessage(`"</style><script>alert(2)</script>"`)}
	all[0].Outcome, all[0].Reason = experiment.Failed, evil+"\x1b]0;x\x07"
	all[1].Receipt.Statement = evil
	all[2].ID = "=HYPERLINK(1)"
	r := documentOf(t, comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, all))
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
	d := synthetic(t)
	e := report.Export{Experiment: d.Set.Experiment, Comparison: d.Comparison, Version: d.Version, MadeAt: d.MadeAt}
	var out bytes.Buffer
	err := report.JSON(&out, e, func(yield func(experiment.Run, error) bool) {
		for _, run := range d.Set.Runs {
			if !yield(run.Run, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		report.Export
		Runs []struct {
			experiment.Run
			Metrics map[experiment.Metric]*float64 `json:"metrics"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, back.Export, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(comparison.Comparison{}, "Experiment")); diff != "" {
		t.Errorf("JSON() (-want +got):\n%s", diff)
	}
	if len(back.Runs) != 11 || len(back.Runs[0].Result) == 0 || back.Runs[0].Receipt == nil {
		t.Errorf("JSON() holds %d runs, want all 11 with receipts and results", len(back.Runs))
	}
	if m := back.Runs[0].Metrics; len(m) != len(experiment.Metrics()) || m["e2e_p99"] == nil || m["e2e_p9999"] != nil {
		t.Errorf("JSON() has the metrics %v of a run, want all by name, null where there is no value", m)
	}
	broken := errors.New("the server has gone")
	if err := report.JSON(io.Discard, e, func(yield func(experiment.Run, error) bool) { yield(experiment.Run{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("JSON() of runs that cannot be read = %v, want %v", err, broken)
	}
}

// away is evidence in a bucket that does not answer for some runs.
type away struct{ comparisontest.Carried }

func (a away) KeptHistograms(ctx context.Context, r experiment.Run) (map[measure.Distribution]string, error) {
	if r.Order < 2 {
		return nil, errors.New("the bucket does not answer")
	}
	return a.Carried.KeptHistograms(ctx, r)
}

func TestWhatCannotBeDrawnIsSaid(t *testing.T) {
	set := comparisontest.Synthetic(t)
	d := documentOf(t, set)
	whole := write(t, d, report.HTML)
	d.Traces = report.ReadTraces(t.Context(), set, away{})
	page := write(t, d, report.HTML)
	const want = "The timelines and distributions of kafka #1, nats #1 cannot be read now: the bucket does not answer."
	if !strings.Contains(page, want) || strings.Contains(whole, "Not drawn") {
		t.Errorf("HTML() lacks %s", want)
	}
	if lines := strings.Count(whole, `class="run s`) - strings.Count(page, `class="run s`); lines != 8 {
		t.Errorf("%d lines fewer are drawn, want 2 series and 2 distributions of 2 runs", lines)
	}
}

func TestReportOfNothing(t *testing.T) {
	d := documentOf(t, comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: comparisontest.Plan(t)}, nil))
	for _, form := range []func(io.Writer, report.Document) error{table(false), report.HTML, report.CSV} {
		if text := write(t, d, form); text == "" {
			t.Error("a form is empty")
		}
	}
}

func TestIncidentsAreShownWhereThereAreSome(t *testing.T) {
	with, without := limited(t), synthetic(t)
	for form, want := range map[string][]string{
		"table": {"Throttled writes", "Retried sends"},
		"html":  {"Throttled writes", "Throttled writes per second: kinesis (emulator)", "Back-pressure wait, p99 of each second: kinesis (emulator)"},
	} {
		write := map[string]func(report.Document) string{
			"table": func(r report.Document) string { return write(t, r, table(false)) },
			"html":  func(r report.Document) string { return write(t, r, report.HTML) },
		}[form]
		for _, text := range want {
			if !strings.Contains(write(with), text) {
				t.Errorf("%s lacks %q", form, text)
			}
			if strings.Contains(write(without), text) {
				t.Errorf("%s of runs without any has %q", form, text)
			}
		}
	}
	page := write(t, with, report.HTML)
	for _, absent := range []string{"Throttled reads", "Throttled reads per second", "Throttled writes per second: kafka"} {
		if strings.Contains(page, absent) {
			t.Errorf("html has %q, of which there is none", absent)
		}
	}
}

func TestCSVHasIncidentsAndEmulators(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(write(t, limited(t), report.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cell := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for _, row := range rows[1:] {
		want := map[string]string{"emulator": "", "throttled_writes": "", "delayed_writes": "0", "retried_sends": "0", "reconnects": ""}
		if cell(row, "variant") != "kafka" {
			want = map[string]string{"emulator": "kinesalite 3.3.3", "throttled_writes": "16340", "delayed_writes": "", "retried_sends": "16340"}
		}
		for name, value := range want {
			if got := cell(row, name); got != value {
				t.Errorf("%s of a run of %s = %q, want %q", name, cell(row, "variant"), got, value)
			}
		}
	}
}

// relabelled is the experiment with an emulator, whose variant on it is another
// one: what its label and its plan say of the emulator is given.
func relabelled(t *testing.T, label, emulator string) report.Document {
	t.Helper()
	from := comparisontest.Limited(t, nil)
	e := from.Experiment
	e.Plan.Variants = slices.Clone(e.Plan.Variants)
	e.Plan.Variants[1].Label, e.Plan.Variants[1].Emulator = label, emulator
	var runs []experiment.Run
	for _, run := range from.Runs {
		if run.Variant == "kinesis" {
			run.Run.Variant = label
		}
		runs = append(runs, run.Run)
	}
	return documentOf(t, comparisontest.Set(t, e, runs))
}

// TestEmulatorIsNamedBesideEveryNumber looks at each place in each form where a
// variant's label stands.
func TestEmulatorIsNamedBesideEveryNumber(t *testing.T) {
	const label = "shardy"
	d := relabelled(t, label, "kinesalite or kinesis-local")
	page := write(t, d, report.HTML)
	plan := page[strings.Index(page, "<details>"):strings.Index(page, "</details>")]
	sentences := slices.Concat(d.Verdict().Sentences, d.Caveats, d.Fairness.Differences, d.Attention)
	for form, text := range map[string]string{
		"table": write(t, d, table(false)), "page": strings.Replace(page, plan, "", 1), "sentences": strings.Join(sentences, "\n"),
	} {
		parts := strings.Split(text, label)
		if len(parts) < 4 {
			t.Errorf("%s: %s stands in %d places, want more", form, label, len(parts)-1)
		}
		for i, after := range parts[1:] {
			if !strings.HasPrefix(after, " (emulator)") && !strings.HasPrefix(after, ` <span class="emulator">emulator</span>`) {
				t.Errorf("%s: nothing says that it is an emulator: %.60q%s%.60q", form, parts[i][max(0, len(parts[i])-60):], label, after)
			}
		}
	}
	for _, want := range []string{"</span>emulator</li>", "For reference: Amazon Kinesis keeps", "shardy (emulator) ran on kinesalite 3.3.3, which stands in for Amazon Kinesis"} {
		if !strings.Contains(page, want) {
			t.Errorf("HTML() lacks %s", want)
		}
	}
	if diff := cmp.Diff(map[string]string{label: "kinesalite 3.3.3"}, d.Fairness.Emulators); diff != "" {
		t.Errorf("emulators (-want +got):\n%s", diff)
	}
}

// Results of the previous build have the mark in the label, and nothing in the
// plan.
func TestEmulatorsOfThePreviousBuildAreShown(t *testing.T) {
	d := relabelled(t, "kinesis-emulator", "")
	page := write(t, d, report.HTML)
	for _, want := range []string{`kinesis-emulator <span class="emulator">emulator</span>`, "</span>emulator</li>"} {
		if !strings.Contains(page, want) {
			t.Errorf("HTML() lacks %s", want)
		}
	}
	if text := page + write(t, d, table(false)); strings.Contains(text, "(emulator)") {
		t.Error("what the label says is said again")
	}
	if want := "kinesis-emulator ran on kinesalite 3.3.3"; !strings.HasPrefix(d.Caveats[0], want) {
		t.Errorf("first caveat = %q, want %q", d.Caveats[0], want)
	}
}

func TestLongLabelsKeepThatTheyAreEmulators(t *testing.T) {
	p := comparisontest.LimitedPlan(t)
	p.Variants[0].Label, p.Variants[1].Label = "kafka-with-three-brokers-and-two-copies", "kinesis-with-a-single-shard-on-this-pc"
	var all []experiment.Run
	for n, variant := range experiment.Order(p) {
		result := comparisontest.Shape{Median: time.Millisecond, Spread: 0.4, Samples: 2000, Rate: 2000}.Result(t, uint64(400+n), comparisontest.ClusterEffective)
		all = append(all, comparisontest.Finished(t, n, variant, result))
	}
	r := documentOf(t, comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, all))
	page := write(t, r, report.HTML)
	if want := ">kinesis-with-a-single-shard-on…(emulator)</text>"; !strings.Contains(page, want) {
		t.Errorf("HTML() lacks %s", want)
	}
}
