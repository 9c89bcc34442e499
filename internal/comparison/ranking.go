package comparison

import (
	"fmt"
	"math"
	"strconv"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// unranked says why a variant must not be ranked by a metric, as a sentence; "" if it
// may be. A latency ranks only where it is that of a system that delivered what was
// offered and kept up with it: otherwise it tells of the messages that came, or of
// the length of the run. What a message costs ranks only among systems that kept up,
// because it depends on the load.
func (v *Variant) unranked(m experiment.Metric) string {
	if text := v.died(); text != "" {
		return text
	}
	lost := v.sum(func(r measure.Result) int64 { return r.Counts.Lost })
	acked := v.sum(func(r measure.Result) int64 { return r.Counts.Acked * int64(max(1, len(r.Groups))) }) // each group is owed all
	if lost > 0 {
		return fmt.Sprintf("%s lost %s of %s acknowledged messages, so its numbers are shown but not ranked.",
			v.Name(), format.Count(lost), format.Count(acked))
	}
	if missing := v.sum(func(r measure.Result) int64 { return r.Counts.Missing }); missing > 0 {
		return fmt.Sprintf("%s is not ranked: %s of %s acknowledged messages were lost or undelivered, and nobody could tell which.",
			v.Name(), format.Count(missing), format.Count(acked))
	}
	if program := v.Program(); program != "" {
		return fmt.Sprintf("%s is not ranked: %s is an emulator.", v.Name(), program)
	}
	if m == experiment.Throughput { // of one that fell behind it tells how much it took
		return ""
	}
	if m.Latency() {
		if text := v.incomplete(m); text != "" {
			return text
		}
	}
	return v.keptFalling(m)
}

// died tells of runs in which the system under test ended under the load; "" where
// there are none. Such a run is an answer, and a bad one: without it the others would
// flatter.
func (v *Variant) died() string {
	affected, ended := 0, 0
	for _, run := range v.Runs {
		if run.Phase == experiment.PhaseEnded && run.Outcome != experiment.Cancelled {
			ended++
		}
		if run.SystemDied {
			affected++
		}
	}
	if affected == 0 {
		return ""
	}
	return fmt.Sprintf("%s is not ranked: %s it did not deliver, because it ended under the load.", v.Name(), in(affected, ended))
}

// incomplete tells of runs in which so much of what was offered never came that the
// metric says nothing; "" where there are none.
func (v *Variant) incomplete(m experiment.Metric) string {
	affected := 0
	var worst *Run
	share := func(r *Run) float64 {
		l := latencyOf(m, *r.Result)
		return float64(l.Open) / float64(max(1, l.Offered()))
	}
	for _, run := range v.Counted() {
		reading, ok := Read(m, *run.Result)
		if limit := tolerated(m); share(run) <= limit && !(ok && reading.AtLeast) {
			continue
		}
		affected++
		if worst == nil || share(run) > share(worst) {
			worst = run
		}
	}
	if affected == 0 {
		return ""
	}
	c := worst.Result.Counts
	what := fmt.Sprintf("%s of the offered messages had not come when observation ended", format.Share(share(worst)))
	switch {
	case 2*c.Unsent > latencyOf(m, *worst.Result).Open:
		what = fmt.Sprintf("%s of the offered messages could not be sent", format.Share(float64(c.Unsent)/float64(c.Offered)))
	case 2*c.Failed > latencyOf(m, *worst.Result).Open:
		what = fmt.Sprintf("%s of the offered messages failed", format.Share(float64(c.Failed)/float64(c.Offered)))
	}
	known := ""
	if reading, ok := Read(m, *worst.Result); ok && reading.AtLeast {
		known = fmt.Sprintf(", and its %s is at least %s", m.Title(), format.Value(m.Unit(), reading.Value))
	}
	return fmt.Sprintf("%s is not ranked: %s %s%s.", v.Name(), in(affected, len(v.Counted())), what, known)
}

// keptFalling tells of runs in which a variant fell further behind all the time; ""
// where there are none.
func (v *Variant) keptFalling(m experiment.Metric) string {
	affected := 0
	var worst *measure.Course
	for _, run := range v.Counted() {
		c := run.Result.Course
		if c == nil || c.Behind == nil || !c.Behind.Grew {
			continue
		}
		affected++
		if worst == nil || c.Behind.End > worst.Behind.End {
			worst = c
		}
	}
	if affected == 0 {
		return ""
	}
	shows := "shows the length of the run"
	if !m.Latency() {
		shows = "is that of a smaller load"
	}
	return fmt.Sprintf("%s is not ranked: %s it did not keep up, and was %s messages behind at the end, so that its %s %s.",
		v.Name(), in(affected, len(v.Counted())), format.Count(worst.Behind.End), m.Title(), shows)
}

// in words the runs that a sentence is about.
func in(affected, counted int) string {
	if counted == 1 {
		return "in its run"
	}
	return fmt.Sprintf("in %d of %d runs", affected, counted)
}

// tolerated is the share of the offered messages that may be missing where a quantile
// is ranked: a tenth of what lies beyond it.
func tolerated(m experiment.Metric) float64 {
	_, name := m.Quantile()
	q, err := strconv.ParseFloat("0."+name[1:], 64)
	if err != nil {
		return 0
	}
	return math.Round((1-q)*1e9) / 1e10
}

// latencyOf returns the distribution that a metric is a quantile of.
func latencyOf(m experiment.Metric, r measure.Result) measure.Latency {
	if of, _ := m.Quantile(); of == experiment.Publish {
		return r.Publish
	}
	return r.E2E
}
