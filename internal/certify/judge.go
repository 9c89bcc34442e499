package certify

import (
	"fmt"
	"math"
	"time"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// The bounds of the instrument's errors, on an idle machine.
const (
	p50Slow  = 50 * time.Microsecond  // at up to slowRate
	p50Fast  = 100 * time.Microsecond // above that
	p99      = 300 * time.Microsecond
	relative = 0.03 // of what stalls and skewed clocks show
)

// resolution is how far apart the values of a histogram with three digits are, at most.
func resolution(ns int64) time.Duration { return time.Duration(ns / 1024) }

// percentiles are those that are compared, in ten-thousandths.
var percentiles = []struct {
	name  string
	share int
}{{"p50", 5000}, {"p95", 9500}, {"p99", 9900}, {"p999", 9990}}

// judge compares what agents told of a trial with the truth.
func judge(t trial, told measure.Result, is truth) Outcome {
	o := Outcome{
		Name: t.name, Rate: t.workload.Load.Rate, Precise: t.precise, Spins: t.spins,
		Lateness: Lateness{Timer: timer(told.Agents), P50NS: told.Lateness.P50NS, P99NS: told.Lateness.P99NS}, AgentCPU: told.CPU.AgentSeconds,
	}
	o.E2E, o.Publish = figures(told.E2E, is.e2e, t.theory), figures(told.Publish, is.publish, t.theory)
	o.count(told.Counts, is.counts)
	switch {
	case t.spins:
		return o
	case t.ahead < 0:
		o.behind(t.ahead, told, is)
	case t.ahead > 0:
		o.ahead(t.ahead)
		o.valid(told)
	default:
		o.exactness("end-to-end", told.E2E, is.e2e)
		o.exactness("publish", told.Publish, is.publish)
		o.valid(told)
	}
	if t.blocks.Every > 0 {
		o.blocked(t.blocks, told)
	}
	if t.precise {
		o.precision("end-to-end", o.E2E)
		o.precision("publish", o.Publish)
	}
	if t.theory != nil {
		o.shape("end-to-end", o.E2E)
		o.shape("publish", o.Publish)
	}
	return o
}

// timer is how the producers waited.
func timer(agents []measure.AgentFacts) string {
	for _, a := range agents {
		if a.Role == measure.RoleProducer {
			return a.Timer
		}
	}
	return ""
}

// miss notes a bound that was missed, of a kind, and how badly in comparison with others
// of its kind.
func (o *Outcome) miss(kind string, badly float64, text string, args ...any) {
	o.Misses = append(o.Misses, Miss{Kind: kind, Text: fmt.Sprintf(text, args...), badly: badly})
}

// figures are the percentiles of a latency.
func figures(told measure.Latency, is sample, theory func(float64) time.Duration) []Figure {
	var list []Figure
	for _, p := range percentiles {
		b := told.Quantile(p.name)
		f := Figure{Quantile: p.name, Reported: b.NS, AtLeast: b.NS != nil && !b.Exact}
		if ns, _, ok := is.quantile(p.share); ok {
			f.True = &ns
		}
		if theory != nil && f.True != nil && p.share > 5000 {
			f.Expected = new(int64(theory(float64(p.share) / 10_000)))
		}
		list = append(list, f)
	}
	return list
}

// precision checks the errors of a trial against the bounds.
func (o *Outcome) precision(of string, figures []Figure) {
	for _, f := range figures {
		bound := p99
		switch {
		case f.Quantile == "p50" && o.Rate > slowRate:
			bound = p50Fast
		case f.Quantile == "p50":
			bound = p50Slow
		case f.Quantile != "p99":
			continue
		}
		off, ok := f.Error()
		if !ok {
			o.miss("exactness", 0, "the %s %s cannot be compared", of, f.Quantile)
		} else if limit := bound + resolution(*f.True); off.Abs() > limit {
			o.miss("error of "+f.Quantile, float64(off.Abs())/float64(limit),
				"the error of the %s %s is %s; the limit is ±%s", of, f.Quantile, signed(off), nanoseconds(limit))
		}
	}
}

// shape checks what is seen of a stall against the broker's record and the closed form.
func (o *Outcome) shape(of string, figures []Figure) {
	for _, f := range figures {
		if f.Expected == nil || f.Reported == nil {
			continue
		}
		for _, against := range []struct {
			what string
			ns   int64
		}{{"was", *f.True}, {"should be, by the closed form,", *f.Expected}} {
			if off := float64(*f.Reported)/float64(against.ns) - 1; math.Abs(off) > relative {
				o.miss("stalls", math.Abs(off), "the %s %s was told as %s and %s %s: %+.1f %%; the limit is ±%g %%", of, f.Quantile,
					ns(*f.Reported), against.what, ns(against.ns), 100*off, 100*relative)
			}
		}
	}
}

// exactness checks that quantiles are exact where they are known, and bounds where not.
func (o *Outcome) exactness(of string, told measure.Latency, is sample) {
	for _, p := range percentiles {
		b := told.Quantile(p.name)
		least, exact, ok := is.quantile(p.share)
		switch {
		case ok != (b.NS != nil):
			o.miss("exactness", 0, "the %s %s is told: %t; the count supports it: %t", of, p.name, b.NS != nil, ok)
		case ok && exact != b.Exact:
			o.miss("exactness", 0, "the %s %s is told as exact: %t; it is: %t", of, p.name, b.Exact, exact)
		case ok && !exact:
			if off := time.Duration(*b.NS - least); off.Abs() > p99+resolution(least) {
				o.miss("exactness", 0, "the %s %s was told as at least %s and is at least %s", of, p.name,
					ns(*b.NS), ns(least))
			}
		}
	}
}

// count compares the accounts.
func (o *Outcome) count(told, is measure.Counts) {
	for _, c := range []struct {
		what      string
		done, got int64
		fault     bool // told also when it is right
	}{
		{"offered", is.Offered, told.Offered, false},
		{"sent", is.Sent, told.Sent, false},
		{"unsent", is.Unsent, told.Unsent, true},
		{"acknowledged", is.Acked, told.Acked, false},
		{"refused", is.Failed, told.Failed, true},
		{"unanswered", is.Unanswered, told.Unanswered, true},
		{"received", is.Received, told.Received, false},
		{"lost", is.Lost, told.Lost, true},
		{"undelivered", is.Undelivered, told.Undelivered, true},
		{"aged out", is.AgedOut, told.AgedOut, true},
		{"lost or undelivered", is.Missing, told.Missing, true},
		{"duplicates", is.Duplicates, told.Duplicates, true},
		{"reordered", is.Reordered, told.Reordered, true},
		{"corrupt", is.Corrupt, told.Corrupt, true},
	} {
		if c.fault && (c.done > 0 || c.got > 0) {
			o.Findings = append(o.Findings, Finding{What: c.what, Done: c.done, Found: c.got})
		}
		if c.done != c.got {
			o.miss("accounts", math.Abs(float64(c.done-c.got)),
				"%s: the broker had %s, the agents told %s", c.what, format.Count(c.done), format.Count(c.got))
		}
	}
}

// valid checks that the run would have counted.
func (o *Outcome) valid(told measure.Result) {
	for _, reason := range told.Validity.Reasons {
		o.miss("validity", float64(latest(told)), "the run would not have counted. %s", reason)
	}
}

// latest is the p99 of lateness.
func latest(told measure.Result) int64 {
	if ns := told.Lateness.P99NS; ns != nil {
		return *ns
	}
	return 0
}

// ahead checks that the skew of the consumer's clock is seen as what it is.
func (o *Outcome) ahead(skew time.Duration) {
	off, ok := o.E2E[0].Error()
	if !ok || float64((off-skew).Abs()) > relative*float64(skew) {
		o.miss("clocks", 0, "a clock that was %s ahead was seen as %s", nanoseconds(skew), signed(off))
	}
}

// behind checks that messages which came before they were sent are counted, and that
// the run does not count.
func (o *Outcome) behind(skew time.Duration, told measure.Result, is truth) {
	early := int64(0)
	for _, ns := range is.e2e.values {
		if ns+int64(skew) < 0 {
			early++
		}
	}
	o.Findings = append(o.Findings, Finding{What: "negative latencies", Done: early, Found: told.E2E.Negative})
	if early != told.E2E.Negative {
		o.miss("clocks", 0, "negative latencies: there were %s, the agents told %s", format.Count(early), format.Count(told.E2E.Negative))
	}
	if told.Validity.OK {
		o.miss("clocks", 0, "the run would have counted although the clocks disagree by %s", nanoseconds(skew.Abs()))
	}
}

// blocked checks that what a client held up is told as back-pressure, and not as lateness
// of the pacer. The last message but one that it held up in each round has the p99.
func (o *Outcome) blocked(b reference.Blocks, told measure.Result) {
	between := time.Duration(float64(time.Second) / o.Rate)
	least := b.For - 2*between
	if wait := told.Wait.P99NS; wait == nil || time.Duration(*wait) < least*9/10 {
		o.miss("back-pressure", 0, "a client that blocked for %s was told as a back-pressure of less than %s at p99",
			nanoseconds(b.For), nanoseconds(least))
	}
	if late := latest(told); time.Duration(late) > p99+between/2 {
		o.miss("back-pressure", float64(late), "a client that blocked for %s was told as a lateness of %s at p99", nanoseconds(b.For), ns(late))
	}
}

func nanoseconds(d time.Duration) string { return format.Nanoseconds(float64(d)) }

func ns(n int64) string { return format.Nanoseconds(float64(n)) }

// signed is a difference with its sign.
func signed(d time.Duration) string {
	if d < 0 {
		return "−" + nanoseconds(-d)
	}
	return "+" + nanoseconds(d)
}
