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
// offered, and on what held it back.
func (v *Variant) limits() []string {
	var said []string
	for _, sentence := range []string{v.writes(), v.reads()} {
		if sentence != "" {
			said = append(said, sentence)
		}
	}
	return said
}

// writes tells of what was not taken at once. A limit is named as the cause only where it
// held back enough to be one.
func (v *Variant) writes() string {
	var idle []string // limits that were reached, and do not explain it
	for _, i := range []experiment.Incident{experiment.ThrottledWrites, experiment.DelayedWrites} {
		if v.total(i) == 0 {
			continue
		}
		r, c, where := v.typical(func(r measure.Result) int64 { return r.Incidents[i] })
		missing := shortfall(r)
		if missing == 0 || explains(r.Incidents[i], missing, r.Counts.Acked) {
			return v.limitedWrites(i, r, c, where)
		}
		idle = append(idle, heldBack(i, r.Incidents[i]))
	}
	if v.sum(shortfall) == 0 {
		return ""
	}
	return v.fellBehind(idle)
}

// heldBack words what a limit did to n messages: "4 messages were delayed by a quota".
func heldBack(i experiment.Incident, n int64) string {
	was := "were"
	if n == 1 {
		was = "was"
	}
	what := was + " delayed by a quota"
	switch i {
	case experiment.ThrottledWrites:
		what = was + " refused because a limit was reached"
	case experiment.ThrottledReads:
		what = "came after refused reads"
	}
	return format.Counted(int(n), "message") + " " + what
}

// explains reports whether a limit that held back n messages can be why others were
// missing: it held back at least half as many, or half of all that were taken, if those
// were fewer. A system that refuses four messages is not slow because of that.
func explains(n, missing, taken int64) bool { return n > 0 && 2*n >= min(missing, taken) }

// shortfall is how many messages a run did not take when they were due: those that were
// never sent, or more than a second's load that was still to be done when the measure
// stage ended, and that the drain stage made up for.
func shortfall(r measure.Result) int64 {
	n, c := r.Counts.Unsent, course{cmp.Or(r.Course, new(measure.Course))}
	if c.Owed == nil {
		return n
	}
	second := int64(max(1, c.Offered.Median))
	if c.Owed.Unsent > second {
		n = max(n, c.Owed.Unsent)
	}
	if _, behind := c.plateau(); behind && c.Owed.Unstored > second {
		n = max(n, c.Owed.Unstored)
	}
	return n
}

// tookAll reports whether a variant took all that was offered in each run that counts,
// so that its throughput is what was offered and not what it can do.
func (v *Variant) tookAll() bool {
	for _, run := range v.Counted() {
		c := run.Result.Course
		if c == nil || c.Behind != nil && c.Behind.Grew || run.Result.Delivered < keptUp {
			return false
		}
		if run.Result.Throughput < keptUp*offeredRate(v.Plan, *run.Result) {
			return false
		}
	}
	return len(v.Counted()) > 0
}

// offeredRate is how many messages a second the measure stage offered on average.
func offeredRate(plan experiment.Plan, r measure.Result) float64 {
	return float64(r.Counts.Offered) / max(plan.Workload.Stages.Measure.Std().Seconds(), 1e-9)
}

// Limited reports whether a variant did not take at once what was offered.
func (v *Variant) Limited() bool {
	held := v.sum(shortfall)
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

// limitedWrites tells of writes that a limit refused or delayed.
func (v *Variant) limitedWrites(i experiment.Incident, r measure.Result, c course, where string) string {
	took, behind := c.plateau()
	took = "it " + took
	if i == experiment.DelayedWrites {
		return fmt.Sprintf("A quota delayed writes to %s: %s; %s%s.%s", v.Name(), c.counted(r, i, "message", where), took, c.queue(), lagging(behind))
	}
	if !behind {
		took = "refused messages were sent again, and " + took
	}
	return fmt.Sprintf("%s refused writes because a limit was reached: %s; %s%s.%s",
		v.Name(), c.counted(r, i, "refusal", where), took, c.queue(), lagging(behind))
}

// reads tells of reads that a limit refused or delayed, and whether that explains that
// messages waited to be read.
func (v *Variant) reads() string {
	for _, i := range []experiment.Incident{experiment.ThrottledReads, experiment.DelayedReads} {
		if v.total(i) == 0 {
			continue
		}
		r, c, where := v.typical(func(r measure.Result) int64 { return r.Incidents[i] })
		how := "Reads from %s were refused because a limit was reached: %s%s."
		if i == experiment.DelayedReads {
			how = "A quota delayed reads from %s: %s%s."
		}
		grew, n := "", r.Incidents[i]
		if t := c.Backlog; t != nil && grows(*t) {
			grew = "; the number of messages waiting to be read " + growth(*t)
			if !explains(n, int64(t.Last-t.First), r.Counts.Received) {
				return fmt.Sprintf("The number of messages waiting to be read from %s %s. Only %s: that does not explain it.",
					v.Name(), growth(*t), heldBack(i, n))
			}
		}
		return fmt.Sprintf(how, v.Name(), c.counted(r, i, "late message", where), grew)
	}
	return ""
}

// fellBehind tells of messages that were not taken when they were due although no limit
// explains it; idle are those that were reached.
func (v *Variant) fellBehind(idle []string) string {
	r, c, where := v.typical(shortfall)
	took, behind := c.plateau()
	left, when := fmt.Sprintf("%s of %s messages %s were never sent", format.Count(r.Counts.Unsent), format.Count(r.Counts.Offered), where), ""
	if r.Counts.Unsent == 0 {
		when = " at once"
		end := strings.Replace(where, "in the", "at the end of the", 1)
		left = fmt.Sprintf("%s messages were due and unsent %s, and sent in the drain stage", format.Count(c.Owed.Unsent), end)
		if float64(c.Owed.Unsent) <= max(1, c.Offered.Median) {
			left = fmt.Sprintf("%s messages had not been acknowledged %s", format.Count(c.Owed.Unstored), end)
		}
	}
	said := fmt.Sprintf("%s did not accept the full load%s: %s, because there was no room in max_in_flight or the client held up the sender.",
		v.Name(), when, left)
	if behind {
		said = fmt.Sprintf("%s did not keep up with the load: %s; it %s%s.%s", v.Name(), left, took, c.queue(), lagging(behind))
	}
	if len(idle) > 0 {
		said += fmt.Sprintf(" Only %s: that does not explain it.", enumerate(idle))
	}
	return said
}

// course words how a run went.
type course struct{ *measure.Course }

// counted counts an incident in the whole measure stage and in its seconds.
func (c course) counted(r measure.Result, i experiment.Incident, noun, where string) string {
	each := c.Incidents[i]
	return fmt.Sprintf("%s %s (median %s per second, maximum %s)",
		format.Counted(int(r.Incidents[i]), noun), where, amount(each.Median), amount(each.Max))
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
