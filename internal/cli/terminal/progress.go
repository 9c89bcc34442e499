// Package terminal is how things look on a terminal: the progress of an experiment,
// tables, and lengths of time.
package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"
	"golang.org/x/term"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// Progress tells a person what one experiment after another is doing. On a terminal
// the run in progress is a few lines that are drawn anew; elsewhere each step is a line
// of its own, and the load's figures come every few seconds. Any goroutine may call its
// methods.
type Progress struct {
	out    io.Writer
	live   bool
	result func(run string) (measure.Result, error)
	clock  func() time.Time

	mu    sync.Mutex // protects the following
	plan  experiment.Plan
	total int
	run   liveRun
	drawn int // lines of the live part now on the terminal
}

// liveRun is what is known of the run in progress.
type liveRun struct {
	id, name string // name of its variant
	phase    experiment.Phase
	started  time.Time
	number   int
	up       []string // resources that are up, in the order they came
	last     *measure.Second
}

// plainEvery is how many seconds of load pass between two plain lines of one
// stage.
const plainEvery = 5

// NewProgress writes to out, as to a terminal if live.
func NewProgress(out io.Writer, live bool) *Progress {
	none := func(string) (measure.Result, error) { return measure.Result{}, experiment.ErrNotFound }
	return &Progress{out: out, live: live, result: none, clock: time.Now}
}

// ReadResults makes ended runs shown with what read returns for them.
func (p *Progress) ReadResults(ctx context.Context, read func(ctx context.Context, run string) (measure.Result, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result = func(run string) (measure.Result, error) { return read(ctx, run) }
}

// Introduce tells what was submitted and how long it will take.
func (p *Progress) Introduce(d api.ExperimentDetail) {
	p.Begin(d.ID, d.Plan, len(d.RunList))
	for _, warning := range d.Warnings {
		p.Notice("Warning: %s", warning)
	}
	if d.QueuedBefore > 0 {
		p.Notice("waiting for %s of other experiments", format.Counted(d.QueuedBefore, "run"))
	}
	p.Notice("estimated time: %s, if no run has to be repeated", Roughly(d.RemainingS))
}

// Begin says what is about to run.
func (p *Progress) Begin(id string, plan experiment.Plan, runs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.total = plan, runs
	p.say("%s", p.bold(plan.Name))
	p.say("experiment %s on target %s: %s, %s", id, plan.Target, format.Counted(len(plan.Variants), "variant"), format.Counted(runs, "run"))
}

// Notice prints one line that stays.
func (p *Progress) Notice(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.say(format, args...)
	p.draw()
}

// Event takes one stored event.
func (p *Progress) Event(e experiment.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	defer p.draw()
	switch e.Kind {
	case experiment.EventPhase:
		p.enter(e)
	case experiment.EventResource:
		p.resource(e)
	case experiment.EventOutcome:
		p.finish(e)
	case experiment.EventNotice:
		p.say("%s", e.Message)
	}
}

func (p *Progress) enter(e experiment.Event) {
	if e.Phase == experiment.PhaseQueued || e.Phase == experiment.PhaseEnded {
		if e.Phase == experiment.PhaseQueued && e.Message != "" {
			p.say("  %s", e.Message)
			p.total++
		}
		return
	}
	if e.Run != p.run.id {
		p.run = liveRun{id: e.Run, name: p.plan.NameOf(e.Variant), started: p.clock(), number: p.run.number + 1}
		if !p.live {
			p.say("run %d of %d: %s (%s)", p.run.number, p.total, p.run.name, e.Run)
		}
	}
	p.run.phase = e.Phase
	if !p.live {
		p.say("  %5.1fs %s", p.clock().Sub(p.run.started).Seconds(), phaseText(e))
	}
}

func phaseText(e experiment.Event) string {
	if e.Message == "" {
		return string(e.Phase)
	}
	return string(e.Phase) + ": " + e.Message
}

func (p *Progress) resource(e experiment.Event) {
	if e.Resource == nil || e.Run != p.run.id {
		return
	}
	name := resourceName(e.Resource.Address)
	switch {
	case e.Resource.State == "errored":
		p.say("  failed to %s %s", e.Resource.Action, name)
	case e.Resource.State == "complete" && e.Resource.Action == "create":
		p.run.up = append(p.run.up, name)
		if !p.live {
			p.say("         ready: %s (%.1f s)", name, e.Resource.Seconds)
		}
	case e.Resource.State == "complete" && e.Resource.Action == "delete":
		p.run.up = without(p.run.up, name)
	}
}

// Second takes one second of the load.
func (p *Progress) Second(run string, s measure.Second) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if run != p.run.id {
		return
	}
	begins := p.run.last == nil || p.run.last.Stage != s.Stage
	p.run.last = &s
	if p.live {
		p.erase()
		p.draw()
	} else if begins || s.Second%plainEvery == plainEvery-1 {
		p.say("         %s", secondText(s))
	}
}

func (p *Progress) finish(e experiment.Event) {
	seconds := p.clock().Sub(p.run.started).Seconds()
	number := p.run.number
	if e.Run != p.run.id { // ended without ever starting
		p.say("  %s: %s", p.plan.NameOf(e.Variant), e.Message)
		return
	}
	line := e.Message
	if result, err := p.result(e.Run); err == nil { // else there is none, which the message tells
		line = Result(result)
		if !result.Validity.OK {
			line += "  INVALID: " + result.Validity.Text()
		}
	}
	p.say("  %2d  %-*s %s  (%.0f s)", number, p.nameWidth(), p.run.name, line, seconds)
	p.run = liveRun{number: number}
}

// nameWidth is that of the longest name, so that lines stand below each other.
func (p *Progress) nameWidth() int {
	width := 12
	for _, v := range p.plan.Variants {
		width = max(width, len(v.Name()))
	}
	return width
}

// Result is what one run measured, in a line.
func Result(r measure.Result) string {
	p50, p99 := r.E2E.Quantile("p50"), r.E2E.Quantile("p99")
	text := fmt.Sprintf("end-to-end p50 %s, p99 %s; %s received, %s lost",
		format.Bound(p50.NS, p50.Exact), format.Bound(p99.NS, p99.Exact), format.Count(r.Counts.Received), format.Count(r.Counts.Lost))
	for _, absent := range []struct {
		n    int64
		what string
	}{{r.Counts.Undelivered, "undelivered"}, {r.Counts.AgedOut, "aged out"}, {r.Counts.Missing, "lost or undelivered"},
		{r.Counts.Foreign, "not of this run"}, {r.Counts.Unwatched, "of unchecked order"}} {
		if absent.n > 0 {
			text += fmt.Sprintf(", %s %s", format.Count(absent.n), absent.what)
		}
	}
	if r.Counts.Duplicates > 0 {
		text += fmt.Sprintf(", %d duplicates", r.Counts.Duplicates)
	}
	return text + incidentText(r.Incidents)
}

// secondText is one second of load in a line.
func secondText(s measure.Second) string {
	return fmt.Sprintf("%s %d s: sent %d/s, received %d/s, end-to-end p99 %s, backlog %d",
		s.Stage, s.Second+1, s.Counts.Sent, s.Counts.Received, format.Latency(s.Latencies[measure.E2ELatency].P99NS), s.Backlog) +
		incidentText(s.Incidents)
}

// draw puts the live part on the terminal.
func (p *Progress) draw() {
	if !p.live || p.run.id == "" {
		return
	}
	width := 80
	if file, ok := p.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 20 {
			width = w
		}
	}
	lines := []string{fmt.Sprintf("▸ %2d of %d  %s  %s  %.0f s",
		p.run.number, p.total, p.run.name, p.run.phase, p.clock().Sub(p.run.started).Seconds())}
	if len(p.run.up) > 0 {
		lines = append(lines, "     up: "+strings.Join(p.run.up, " "))
	}
	if p.run.last != nil && p.run.phase == experiment.PhaseLoad {
		lines = append(lines, "     "+secondText(*p.run.last))
	}
	for _, line := range lines {
		if runes := []rune(line); len(runes) >= width {
			line = string(runes[:width-1])
		}
		fmt.Fprintln(p.out, line)
	}
	p.drawn = len(lines)
}

// erase takes the live part off the terminal.
func (p *Progress) erase() {
	for range p.drawn {
		fmt.Fprint(p.out, "\x1b[1A\x1b[2K")
	}
	p.drawn = 0
}

// End removes the live part for good.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.run = liveRun{}
}

func (p *Progress) say(format string, args ...any) {
	fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *Progress) bold(text string) string {
	if !p.live {
		return text
	}
	return lipgloss.NewStyle().Bold(true).Render(text)
}

// resourceName is the last part of an OpenTofu address:
// module.nodes.dec_process.service["broker-0"] → broker-0.
func resourceName(address string) string {
	if _, after, ok := strings.Cut(address, `["`); ok {
		return strings.TrimSuffix(after, `"]`)
	}
	return address[strings.LastIndex(address, ".")+1:]
}

func without(names []string, name string) []string {
	kept := names[:0]
	for _, n := range names {
		if n != name {
			kept = append(kept, n)
		}
	}
	return kept
}
