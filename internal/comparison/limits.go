package comparison

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// keptUp is the share of the offered messages from which a variant counts as
// having taken them all: acknowledgements come in lumps.
const keptUp = 0.99

// notable is the wait, in nanoseconds, from which sentences speak of it.
const notable = float64(time.Millisecond)

// limits are sentences on a variant that did not take, or not at once, what was
// offered: it refused writes or reads because a limit was reached, or clients
// had no room in max_in_flight.
func (v *Variant) limits() []string {
	var said []string
	switch {
	case v.total(experiment.ThrottledWrites) > 0:
		said = append(said, v.refusedWrites())
	case v.unsent() > 0:
		said = append(said, v.fellBehind())
	}
	if v.total(experiment.ThrottledReads) > 0 {
		said = append(said, v.refusedReads())
	}
	return said
}

// tookAll reports whether a variant took all that was offered in each run that counts,
// so that its throughput is what was offered and not what it can do.
func (v *Variant) tookAll() bool {
	for _, run := range v.Counted() {
		c := run.Result.Course
		if c == nil || c.Behind != nil && c.Behind.Grew || run.Result.Delivered < keptUp || run.Result.Throughput < keptUp*c.Offered.Median {
			return false
		}
	}
	return len(v.Counted()) > 0
}

// unsent is how many messages a variant never took in the runs that count.
func (v *Variant) unsent() int64 {
	return v.sum(func(r measure.Result) int64 { return r.Counts.Unsent })
}

// Limited reports whether a variant did not take at once what was offered.
func (v *Variant) Limited() bool {
	held := v.unsent()
	for _, i := range experiment.Incidents() {
		if i.Limited() {
			held += v.total(i)
		}
	}
	return held > 0
}

// typical returns the run in the middle of those that count and have some of a
// number, with its course, and where to say that it was: "in the measure stage of
// a typical run".
func (v *Variant) typical(number func(measure.Result) int64) (r measure.Result, c course, where string) {
	counted := v.Counted()
	affected := slices.DeleteFunc(slices.Clone(counted), func(r *Run) bool { return number(*r.Result) == 0 })
	slices.SortStableFunc(affected, func(a, b *Run) int { return cmp.Compare(number(*a.Result), number(*b.Result)) })
	where = "in the measure stage of a typical run"
	switch {
	case len(counted) == 1:
		where = "in the measure stage of its run"
	case len(affected) < len(counted):
		where = fmt.Sprintf("in the measure stage of a typical run among the %d of %d affected", len(affected), len(counted))
	}
	r = *affected[(len(affected)-1)/2].Result
	return r, course{cmp.Or(r.Course, new(measure.Course))}, where
}

func (v *Variant) refusedWrites() string {
	r, c, where := v.typical(func(r measure.Result) int64 { return r.Incidents[experiment.ThrottledWrites] })
	took, behind := c.plateau()
	if !behind {
		took = "refused messages were sent again, and it " + took
	} else {
		took = "it " + took
	}
	return fmt.Sprintf("%s refused writes because a limit was reached: %s; %s%s.%s",
		v.Name(), c.refusals(r, experiment.ThrottledWrites, where), took, c.queue(), lagging(behind))
}

func (v *Variant) refusedReads() string {
	r, c, where := v.typical(func(r measure.Result) int64 { return r.Incidents[experiment.ThrottledReads] })
	grew := ""
	if t := c.Backlog; t != nil && grows(*t) {
		grew = "; the number of messages waiting to be read " + growth(*t)
	}
	return fmt.Sprintf("Reads from %s were refused because a limit was reached: %s%s.",
		v.Name(), c.refusals(r, experiment.ThrottledReads, where), grew)
}

// fellBehind tells of messages that were never sent although nothing was refused.
func (v *Variant) fellBehind() string {
	r, c, where := v.typical(func(r measure.Result) int64 { return r.Counts.Unsent })
	took, behind := c.plateau()
	left := fmt.Sprintf("%s of %s messages %s were never sent", format.Count(r.Counts.Unsent), format.Count(r.Counts.Offered), where)
	if !behind {
		return fmt.Sprintf("%s did not accept the full load: %s, because there was no room in max_in_flight.", v.Name(), left)
	}
	return fmt.Sprintf("%s did not keep up with the load: %s; it %s%s.%s", v.Name(), left, took, c.queue(), lagging(behind))
}

// course words how a run went.
type course struct{ *measure.Course }

// refusals counts an incident in the whole measure stage and in its seconds.
func (c course) refusals(r measure.Result, i experiment.Incident, where string) string {
	n, each := r.Incidents[i], c.Incidents[i]
	noun := "refusals"
	if n == 1 {
		noun = "refusal"
	}
	return fmt.Sprintf("%s %s %s (median %s per second, maximum %s)", format.Count(n), noun, where, amount(each.Median), amount(each.Max))
}

// plateau words how much was taken of what was offered each second, and reports
// whether that was less.
func (c course) plateau() (text string, behind bool) {
	offered, acked := c.Offered.Median, c.Acked.Median
	if acked >= keptUp*offered {
		return fmt.Sprintf("kept up with the %s messages offered per second", amount(offered)), false
	}
	return fmt.Sprintf("accepted %s of the %s messages offered per second", amount(acked), amount(offered)), true
}

// queue words how the messages that could not be sent queued up, as the end of
// a sentence; "" where they did not.
func (c course) queue() string {
	if wait := c.Wait; wait != nil && wait.Last >= notable {
		if grows(wait.Trend) {
			return fmt.Sprintf(", and the wait for room in max_in_flight grew from %s to %s (%s)", short(wait.First), short(wait.Last), wait.Quantile)
		}
		return fmt.Sprintf(", and the wait for room in max_in_flight was %s (%s)", short(wait.Last), wait.Quantile)
	}
	if t := c.InFlight; t != nil && grows(*t) {
		return ", and the number of messages in flight in its clients " + growth(*t)
	}
	return ""
}

// lagging says what latencies are worth that grew with the run.
func lagging(behind bool) string {
	if !behind {
		return ""
	}
	return " Its latencies grow with the length of the run: they show how far it fell behind, not how fast it responds."
}

// grows reports whether a number went up by more than noise.
func grows(t measure.Trend) bool { return t.Last > 1.5*t.First && t.Last-t.First >= 1 }

// growth words how a count went up.
func growth(t measure.Trend) string {
	return fmt.Sprintf("grew from %s to %s", format.Count(int64(t.First)), format.Count(int64(t.Last)))
}

// amount formats a median of counts, which may be a half.
func amount(n float64) string { return format.TrimZeros(strings.TrimSuffix(format.Rate(n), "/s")) }

// short formats a wait; what is not notable is not told exactly.
func short(ns float64) string {
	if ns < notable {
		return "less than 1 ms"
	}
	return format.Nanoseconds(ns)
}
