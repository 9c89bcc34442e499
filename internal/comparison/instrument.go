package comparison

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

const (
	tellingLateness = 0.1  // of a metric, from which the generator's own lateness is told beside it
	warmingUp       = 1.25 // factor between the halves of the measure stage from which they are not alike
)

// distributions are those of a result that metrics are quantiles of.
var distributions = map[experiment.Distribution]measure.Distribution{
	experiment.E2E: measure.E2ELatency, experiment.Publish: measure.PublishLatency,
}

// lateness returns by how much the load generator may have raised a latency: the same
// quantile of its own lateness.
func lateness(m experiment.Metric, r measure.Result) float64 {
	_, quantile := m.Quantile()
	if ns := r.Lateness.Quantile(quantile).NS; ns != nil {
		return float64(*ns)
	}
	return 0
}

// latenessFigure stands beside a latency: what of it may be the load generator's.
func latenessFigure(m experiment.Metric) figure {
	_, quantile := m.Quantile()
	_, title, _ := strings.Cut(m.Title(), " p")
	return figure{
		Figure{Name: "pacer_lateness_" + quantile, Title: "Pacer lateness p" + title, Unit: experiment.UnitNanoseconds},
		func(r measure.Result) (Reading, bool) { return bounded(r.Lateness.Quantile(quantile)) },
	}
}

// raised returns by how much at most the generator's lateness has raised a latency.
func raised(m experiment.Metric, r measure.Result) float64 {
	of, quantile := m.Quantile()
	if ns, known := r.Raised[distributions[of]][quantile]; known { // results of earlier versions have none
		return float64(ns)
	}
	return lateness(m, r)
}

// clockError returns by how much at most the clocks have made an end-to-end latency
// wrong, to either side: infinite where that is not known.
func clockError(m experiment.Metric, r measure.Result) float64 {
	switch of, _ := m.Quantile(); {
	case of != experiment.E2E:
		return 0
	case r.ClockBound == nil:
		return math.Inf(1)
	}
	return float64(*r.ClockBound)
}

// lateGenerator tells of runs in which the generator's lateness is a good part of the
// metric; "" where there are none.
func (v *Variant) lateGenerator(m experiment.Metric) string {
	if !m.Latency() {
		return ""
	}
	affected, worst := 0, 0.0
	for _, run := range v.Counted() {
		value, ok := Value(m, *run.Result)
		late := lateness(m, *run.Result)
		if !ok || late <= tellingLateness*value {
			continue
		}
		affected++
		worst = max(worst, late)
	}
	if affected == 0 {
		return ""
	}
	return fmt.Sprintf("The load generator was late by up to %s at the same quantile %s of %s: that is more than a tenth of its %s, and part of it.",
		format.Nanoseconds(worst), in(affected, len(v.Counted())), v.Name(), m.Title())
}

// backlog tells of runs that began the measure stage with much of the warm-up still to
// come; "" where there are none. It is no reason against them: a system that cannot
// take the load shows it there.
func (v *Variant) backlog() string {
	affected := 0
	var most int64
	for _, run := range v.Counted() {
		c := run.Result.Course
		if c == nil || c.Behind == nil || float64(c.Behind.Start) < max(1, c.Offered.Median) {
			continue
		}
		affected++
		most = max(most, c.Behind.Start)
	}
	if affected == 0 {
		return ""
	}
	return fmt.Sprintf("%s started with a backlog: %s up to %s messages of the warm-up had not come when the measure stage began.",
		v.Name(), in(affected, len(v.Counted())), format.Count(most))
}

// unsteady tells that the metric of most runs was not the same in the two halves of the
// measure stage; "" if it was.
func (v *Variant) unsteady(m experiment.Metric) string {
	of, quantile := m.Quantile()
	fell, rose := 0, 0
	var typical []float64
	for _, run := range v.Counted() {
		halves := cmp.Or(run.Result.Course, new(measure.Course)).Halves[distributions[of]]
		first, second := halves.First.Quantile(quantile), halves.Second.Quantile(quantile)
		if first.NS == nil || second.NS == nil || *first.NS <= 0 || *second.NS <= 0 {
			continue
		}
		switch ratio := float64(*first.NS) / float64(*second.NS); {
		case ratio > warmingUp:
			fell++
			typical = append(typical, ratio)
		case 1/ratio > warmingUp:
			rose++
		}
	}
	counted := len(v.Counted())
	switch {
	case 2*fell > counted:
		return fmt.Sprintf("%s was still warming up: %s its %s was lower in the second half of the measure stage, by a factor of up to %s. "+
			"Lengthen the warm-up.", v.Name(), in(fell, counted), m.Title(), format.Significant(slices.Max(typical)))
	case 2*rose > counted:
		return fmt.Sprintf("%s got slower: %s its %s was higher in the second half of the measure stage. Lengthen the stage to see where it ends.",
			v.Name(), in(rose, counted), m.Title())
	}
	return ""
}

// contradictions tells of pairs of which the latency from the intended time and the
// service time from the real send say the opposite: then the difference lies in how
// the clients were held up, and a sentence on one of them alone would mislead.
func (s *Set) contradictions(found stats.Comparison) []string {
	of, quantile := s.Metric().Quantile()
	if of == "" {
		return nil
	}
	var samples []stats.Sample
	for _, v := range s.Variants {
		sample := stats.Sample{Label: v.Label, Name: v.Name(), Unranked: v.unranked(s.Metric())}
		for _, run := range v.Counted() {
			service := run.Result.E2ESvc
			if of == experiment.Publish {
				service = run.Result.PublishSvc
			}
			if b := service.Quantile(quantile); b.NS != nil && b.Exact {
				sample.Values = append(sample.Values, float64(*b.NS))
			}
		}
		samples = append(samples, sample)
	}
	var said []string
	name := s.Experiment.Plan.NameOf
	service := stats.Compare(s.question(), samples)
	for i, p := range found.Pairs {
		q := service.Pairs[i]
		if p.Low == nil || q.Low == nil {
			continue
		}
		faster, other := p.A, p.B
		if *p.Low > 1 {
			faster, other = other, faster
		}
		if *p.High < 1 && *q.Low > 1 || *p.Low > 1 && *q.High < 1 {
			said = append(said, fmt.Sprintf("A contradiction: the %s of %s is lower than that of %s from the intended time on, "+
				"and higher from the real send on. See how long the clients were held up.", s.Metric().Title(), name(faster), name(other)))
		}
	}
	return said
}
