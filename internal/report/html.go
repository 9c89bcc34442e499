package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"

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
	"upper":  upperFirst,
	"add":    func(a, b float64) float64 { return a + b },
	"middle": func(a, b float64) float64 { return (a + b) / 2 },
}).ParseFS(files, "*.gohtml"))

// HTML writes the report as one file that needs nothing else: no script, no
// font, no image from elsewhere. It fails when a stored histogram can't be read.
func HTML(w io.Writer, r Report) error {
	v, err := newView(r)
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
	Report
	Title       string
	Decided     bool
	Badges      []badge
	Legend      []legend
	Figures     []figureRow
	Difference  *chart
	Dots        *chart
	Percentiles []*chart
	Time        []*chart
	Limits      []*chart
	RunRows     []runRow
	Workload    []pair
	Variants    []variantColumn
	Options     []settingRow
	Guarantees  []settingRow
	Hosts       []hostRow
	Versions    []pair
	Method      []string
	Plan        string
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
	Name    string
	Primary bool
	Cells   []cell
}

// settingRow is a setting with its value in each variant.
type settingRow struct {
	Name   string
	Values []string
	Differ bool
}

func newView(r Report) (*view, error) {
	plan := r.Experiment.Plan
	data, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the plan of experiment %s: %w", r.Experiment.ID, err)
	}
	v := &view{
		Report: r, Title: plan.Name, Decided: r.Comparison.Verdict == stats.Different,
		Badges: r.badges(), Difference: r.differenceChart(), Dots: r.dotChart(), Time: timeCharts(r.variants, timeSeries), Limits: r.limitCharts(),
		RunRows: r.runRows(), Workload: workloadRows(plan.Workload), Options: r.optionRows(), Guarantees: r.guaranteeRows(),
		Hosts: r.hosts(), Versions: r.versions(), Method: method(r), Plan: string(data), Made: stamp(r.MadeAt),
	}
	for _, variant := range r.variants {
		name := legend{variant.slot, variant.Label, variant.emulated()}
		v.Legend = append(v.Legend, name)
		v.Variants = append(v.Variants, variantColumn{name, variant.Technology, variant.Stack, len(variant.counted()), len(variant.runs)})
	}
	for _, f := range r.figures() {
		row := figureRow{Name: f.name, Primary: lowerFirst(f.name) == r.Comparison.Metric.Title()}
		for _, variant := range r.variants {
			row.Cells = append(row.Cells, f.of(variant))
		}
		v.Figures = append(v.Figures, row)
	}
	for _, d := range []struct {
		distribution measure.Distribution
		title        string
	}{{measure.E2ELatency, "End-to-end latency by percentile"}, {measure.PublishLatency, "Publish latency by percentile"}} {
		c, err := percentileChart(r.variants, d.distribution, d.title)
		if err != nil {
			return nil, err
		}
		if c != nil {
			v.Percentiles = append(v.Percentiles, c)
		}
	}
	return v, nil
}

// badges are the facts that must never be away from the verdict.
func (r *Report) badges() []badge {
	counted, ended := 0, 0
	for _, v := range r.variants {
		counted += len(v.counted())
	}
	for _, run := range r.Runs {
		if !run.EndedAt.IsZero() || run.Outcome != "" {
			ended++
		}
	}
	badges := []badge{{fmt.Sprintf("%d of %d runs ended", ended, len(r.Runs)), ""}}
	tone := "good"
	if counted < len(r.Runs) {
		tone = "warn"
	}
	badges = append(badges, badge{fmt.Sprintf("%d of %d runs count", counted, len(r.Runs)), tone})
	tone = "good"
	if r.Fairness.Label() != (Fairness{Known: true}).Label() {
		tone = "warn"
	}
	badges = append(badges, badge{r.Fairness.Label(), tone})
	if slices.ContainsFunc(r.variants, variant.emulated) {
		badges = append(badges, badge{emulatorMark, "warn"})
	}
	if r.Experiment.Plan.Target == local {
		badges = append(badges, badge{"one machine", "warn"})
	} else {
		badges = append(badges, badge{"target " + r.Experiment.Plan.Target, ""})
	}
	return badges
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
