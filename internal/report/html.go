package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

//go:embed page.gohtml sections.gohtml style.css
var files embed.FS

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"markup": func() (template.CSS, error) {
		css, err := files.ReadFile("style.css")
		return template.CSS(css), err // our own file, not a user's text
	},
	"symbol": func(slot int) string { return symbol(slot, 16, 7, 5) },
	"round":  round,
	"tight":  tight,
	"upper":  format.UpperFirst,
	"add":    func(a, b float64) float64 { return a + b },
	"middle": func(a, b float64) float64 { return (a + b) / 2 },
}).ParseFS(files, "*.gohtml"))

// HTML writes the report as one file that needs nothing else: no script, no
// font, no image from elsewhere.
func HTML(w io.Writer, d Document) error {
	v, err := newView(d)
	if err != nil {
		return err
	}
	if err := page.ExecuteTemplate(w, "page.gohtml", v); err != nil {
		return fmt.Errorf("write the report as HTML: %w", err)
	}
	return nil
}

// view is what the template shows.
type view struct {
	Document
	Decided     bool
	Badges      []badge
	Legend      []legend
	Rows        []figureRow // of the table of figures
	Difference  *chart
	Dots        *chart
	Percentiles []*chart
	Time        []*chart
	Limits      []*chart
	NotDrawn    string // why some runs are not
	BoundNote   string // explains the sign ≥
	RunRows     []runRow
	GroupRows   []groupRow
	Workload    []pair
	Variants    []variantColumn // in place of those of the comparison
	Options     []settingRow
	Guarantees  []settingRow
	Hosts       []hostRow
	Versions    []pair
	Method      []string
	Plan        string
	Digest      string
	Made        string
}

// badge is a fact in a few words beside the title; Good and Warn set its tone.
type badge struct {
	Text string
	Tone string // "good", "warn" or ""
}

type legend struct {
	Slot     int
	Label    string
	Emulated bool
}

type variantColumn struct {
	legend
	Technology, Stack string
	Counted, Runs     int
}

type figureRow struct {
	Title   string
	Primary bool
	Cells   []cell
}

// cell is a figure of one variant.
type cell struct{ Value, Range string }

// settingRow is a setting with its value in each variant.
type settingRow struct {
	Name   string
	Values []string
	Differ bool
}

func newView(d Document) (*view, error) {
	plan := d.Set.Experiment.Plan
	data, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the plan of experiment %s: %w", d.Experiment, err)
	}
	v := &view{
		Document: d, Decided: d.Stats.Verdict == stats.Different,
		Badges: d.badges(), Difference: d.differenceChart(), Dots: d.dotChart(), Time: timeCharts(d.variants(), timeSeries),
		Limits: d.limitCharts(), NotDrawn: d.Traces.note(), BoundNote: boundNote(d.Figures),
		RunRows: d.runRows(), GroupRows: d.groupRows(), Workload: workloadRows(plan.Workload), Options: d.optionRows(), Guarantees: d.guaranteeRows(),
		Hosts: d.hosts(), Versions: d.versions(), Method: method(plan.Workload),
		Plan: string(data), Digest: d.Set.Experiment.Digest, Made: stamp(d.MadeAt),
	}
	for _, variant := range d.variants() {
		name := legend{variant.slot, variant.Label, variant.Program() != ""}
		v.Legend = append(v.Legend, name)
		v.Variants = append(v.Variants, variantColumn{name, variant.Technology, variant.Stack, len(variant.Counted()), len(variant.Runs)})
	}
	for _, f := range d.Figures {
		row := figureRow{Title: f.Title, Primary: f.Name == string(d.Stats.Metric)}
		for _, value := range f.Values {
			text, span := valueText(f.Unit, value)
			row.Cells = append(row.Cells, cell{text, span})
		}
		v.Rows = append(v.Rows, row)
	}
	for _, shown := range []struct {
		distribution measure.Distribution
		title        string
	}{{measure.E2ELatency, "End-to-end latency by percentile"}, {measure.PublishLatency, "Publish latency by percentile"}} {
		if c := percentileChart(d.variants(), shown.distribution, shown.title); c != nil {
			v.Percentiles = append(v.Percentiles, c)
		}
	}
	return v, nil
}

// badges are the facts that must never be away from the verdict.
func (d *Document) badges() []badge {
	counted, ended := 0, 0
	for _, v := range d.Set.Variants {
		counted += len(v.Counted())
	}
	runs := d.Set.Runs
	for _, run := range runs {
		if !run.EndedAt.IsZero() || run.Outcome != "" {
			ended++
		}
	}
	tone := func(good bool) string {
		if good {
			return "good"
		}
		return "warn"
	}
	badges := []badge{
		{fmt.Sprintf("%d of %d runs ended", ended, len(runs)), ""},
		{fmt.Sprintf("%d of %d runs counted", counted, len(runs)), tone(counted == len(runs))},
		{d.Fairness.Label, tone(d.Fairness.Equal())},
	}
	if slices.ContainsFunc(d.Set.Variants, func(v *comparison.Variant) bool { return v.Program() != "" }) {
		badges = append(badges, badge{emulator, "warn"})
	}
	if d.SharedMachine {
		return append(badges, badge{"one machine", "warn"})
	}
	return append(badges, badge{"target " + d.Target, ""})
}

// settingTable is a table of settings with its columns.
type settingTable struct {
	Columns []variantColumn
	Rows    []settingRow
}

// OptionTable is what the variants were asked to be.
func (v *view) OptionTable() settingTable { return settingTable{v.Variants, v.Options} }

// GuaranteeTable is what the brokers gave.
func (v *view) GuaranteeTable() settingTable { return settingTable{v.Variants, v.Guarantees} }
