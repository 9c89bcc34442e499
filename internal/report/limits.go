package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// keptUp is the share of the offered messages from which a variant counts as
// having taken them all: acknowledgements come in lumps.
const keptUp = 0.99

// notable is the wait, in nanoseconds, from which sentences speak of it.
const notable = float64(time.Millisecond)

// limits are sentences on a variant that did not take, or not at once, what was
// offered: it refused writes or reads because a limit was reached, or clients
// had no slot to send.
func (v variant) limits() []string {
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

// typical returns the run in the middle of those that count and have some of a
// number, and where to say that it was: "in the measure stage of a typical run".
func (v variant) typical(number func(measure.Result) int64) (measure.Result, string) {
	counted := v.counted()
	affected := slices.DeleteFunc(slices.Clone(counted), func(r run) bool { return number(*r.result) == 0 })
	slices.SortStableFunc(affected, func(a, b run) int { return cmp.Compare(number(*a.result), number(*b.result)) })
	where := "in the measure stage of a typical run"
	switch {
	case len(counted) == 1:
		where = "in the measure stage of its run"
	case len(affected) < len(counted):
		where = fmt.Sprintf("in the measure stage of a typical one of the %d of %d runs in which it happened", len(affected), len(counted))
	}
	return *affected[(len(affected)-1)/2].result, where
}

func (v variant) refusedWrites() string {
	r, where := v.typical(func(r measure.Result) int64 { return r.Incidents[experiment.ThrottledWrites] })
	c := measured(r.Timeline)
	took, behind := c.plateau()
	if !behind {
		took = "what it refused was sent again, and it " + took
	} else {
		took = "it " + took
	}
	return fmt.Sprintf("%s refused writes because a limit was reached: %s; %s%s.%s",
		v.Label, c.refusals(r, experiment.ThrottledWrites, where), took, c.queue(), lagging(behind))
}

func (v variant) refusedReads() string {
	r, where := v.typical(func(r measure.Result) int64 { return r.Incidents[experiment.ThrottledReads] })
	c := measured(r.Timeline)
	grew := ""
	if first, last, ok := c.ends(func(s measure.Second) (float64, bool) { return float64(s.Backlog), true }); ok && grows(first, last) {
		grew = fmt.Sprintf("; the messages that waited to be read grew from %s to %s", Count(int64(first)), Count(int64(last)))
	}
	return fmt.Sprintf("Reads from %s were refused because a limit was reached: %s%s.", v.Label, c.refusals(r, experiment.ThrottledReads, where), grew)
}

// fellBehind tells of messages that were never sent although nothing was refused.
func (v variant) fellBehind() string {
	r, where := v.typical(func(r measure.Result) int64 { return r.Counts.Unsent })
	c := measured(r.Timeline)
	took, behind := c.plateau()
	left := fmt.Sprintf("%s of %s messages %s were never sent", Count(r.Counts.Unsent), Count(r.Counts.Offered), where)
	if !behind {
		return fmt.Sprintf("%s did not take all that was offered: %s, for want of a free slot.", v.Label, left)
	}
	return fmt.Sprintf("%s did not keep up with the load: %s; it %s%s.%s", v.Label, left, took, c.queue(), lagging(behind))
}

// refusals counts an incident in the whole measure stage and in its seconds.
func (c course) refusals(r measure.Result, i experiment.Incident, where string) string {
	middle, most := c.each(func(s measure.Second) int64 { return s.Incidents[i] })
	n := r.Incidents[i]
	noun := "refusals"
	if n == 1 {
		noun = "refusal"
	}
	return fmt.Sprintf("%s %s %s (%s each second at the median, %s at most)", Count(n), noun, where, amount(middle), amount(most))
}

// plateau words how much was taken of what was offered each second, and reports
// whether that was less.
func (c course) plateau() (text string, behind bool) {
	offered, _ := c.each(func(s measure.Second) int64 { return s.Counts.Offered })
	acked, _ := c.each(func(s measure.Second) int64 { return s.Counts.Acked })
	if acked >= keptUp*offered {
		return fmt.Sprintf("kept up with the %s messages offered each second", amount(offered)), false
	}
	return fmt.Sprintf("took %s of the %s messages offered each second", amount(acked), amount(offered)), true
}

// queue words how the messages that could not be sent queued up, as the end of
// a sentence; "" where they did not.
func (c course) queue() string {
	if wait, ok := tailOf(c, measure.Backpressure); ok {
		first, last, ok := c.ends(wait.of)
		switch {
		case ok && last >= notable && grows(first, last):
			return fmt.Sprintf(", and the wait for a free slot grew from %s to %s (%s)", short(first), short(last), wait.name)
		case ok && last >= notable:
			return fmt.Sprintf(", and the wait for a free slot was %s (%s)", short(last), wait.name)
		}
	}
	first, last, ok := c.ends(func(s measure.Second) (float64, bool) { return float64(s.InFlight), true })
	if !ok || !grows(first, last) {
		return ""
	}
	return fmt.Sprintf(", and the messages under way in its clients grew from %s to %s", Count(int64(first)), Count(int64(last)))
}

// lagging says what latencies are worth that grew with the run.
func lagging(behind bool) string {
	if !behind {
		return ""
	}
	return " Its latencies grow with the length of the run: they tell how far it fell behind, not how fast it answers."
}

// grows reports whether a number went up by more than noise.
func grows(first, last float64) bool { return last > 1.5*first && last-first >= 1 }

// amount formats a median of counts, which may be a half.
func amount(n float64) string { return trimZeros(strings.TrimSuffix(Rate(n), "/s")) }

// short formats a wait; what is not notable is not told exactly.
func short(ns float64) string {
	if ns < notable {
		return "less than 1 ms"
	}
	return Nanoseconds(ns)
}
