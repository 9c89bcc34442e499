package agent

import (
	"context"
	"runtime"
	"time"

	"dec.local/dec/internal/measure"
)

// usage is the processor time that this process used in the measure stage, and what
// others took from it.
type usage struct {
	seconds float64
	length  time.Duration // of the stage; zero if it was not seen to its end
	taken   takings
}

// takings is what was taken of the processor time so far. What the platform does not
// tell is nil.
type takings struct {
	stolen    *float64 // seconds that the hypervisor took of the machine's CPUs
	whole     float64  // seconds of all CPUs of the machine, used or not
	throttled *float64 // seconds in which the CPU quota stopped this process
	waits     waits    // of goroutines
	assist    float64  // seconds in which goroutines had to help with garbage collection
}

// watch follows the stage; it notes nothing when ctx ends before that.
func (u *usage) watch(ctx context.Context, now func() int64, w measure.Window) {
	from := w.Start + int64(w.Warmup)
	if wait(ctx, time.Duration(from-now())) != nil {
		return
	}
	seconds, taken := cpuSeconds(), readAll()
	if wait(ctx, time.Duration(from+int64(w.Measure)-now())) != nil {
		return
	}
	u.length, u.seconds, u.taken = w.Measure, cpuSeconds()-seconds, readAll().since(taken)
}

// readAll reads the counters of the kernel and of Go's runtime.
func readAll() takings {
	t := readTakings()
	t.waits, t.assist = readRuntime()
	return t
}

// since returns what was taken after an earlier reading.
func (t takings) since(before takings) takings {
	return takings{
		stolen: difference(t.stolen, before.stolen), whole: t.whole - before.whole, throttled: difference(t.throttled, before.throttled),
		waits: t.waits.since(before.waits), assist: t.assist - before.assist,
	}
}

func difference(now, before *float64) *float64 {
	if now == nil || before == nil {
		return nil
	}
	return new(*now - *before)
}

// note adds the shares to the facts of the agent.
func (u *usage) note(facts *measure.AgentFacts) {
	if u.length <= 0 {
		return
	}
	facts.CPUShare = share(&u.seconds, u.length.Seconds()*float64(runtime.NumCPU()))
	facts.Stolen = share(u.taken.stolen, u.taken.whole)
	facts.Throttled = share(u.taken.throttled, u.length.Seconds())
	facts.SchedLatency, facts.GCAssist = u.taken.waits.latency(), &u.taken.assist
}

func share(part *float64, whole float64) *float64 {
	if part == nil || whole <= 0 {
		return nil
	}
	return new(*part / whole)
}
