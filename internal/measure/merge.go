package measure

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dec.local/dec/internal/experiment"
)

// Due returns the schedule of a producer: a function that gives the offset of its
// next message from the start of the load, from number 0 on, and false after the last.
type Due func(producer int) (next func() (offset time.Duration, ok bool), err error)

// Asked is what a run was to measure.
type Asked struct {
	Workload experiment.Workload
	Due      Due               // called only when something of what was offered did not come
	Metric   experiment.Metric // the primary one; [experiment.DefaultMetric] if empty
	OwnCPUs  bool              // the agents share their CPUs with no one
	// Remaining is what the system under test still held; nil if that is not known.
	Remaining *Remaining
}

// quantile is that of the primary metric; of the default one where it is no latency.
func (a Asked) quantile() (q float64, name string) {
	_, name = a.Metric.Quantile()
	if name == "" {
		_, name = experiment.DefaultMetric.Quantile()
	}
	for _, known := range quantiles {
		if known.name == name {
			q = known.q
		}
	}
	return q, name
}

// Merge joins the results of all agents of a run, with their snapshots, into
// the run's result. It is exact: the agents' shares don't matter. The caller
// adds what no agent knows: plan, guarantees, versions, the broker's CPU.
//
// It is an error when the account of a producer or of a whole group is missing,
// because then nothing could be said about loss.
func Merge(asked Asked, agents []AgentResult) (Merged, error) {
	w := asked.Workload
	m := merger{
		asked:     asked,
		producers: map[int]ProducerLog{}, groups: map[string]GroupLog{}, hist: map[Distribution]*Histogram{},
	}
	for _, a := range agents {
		if err := m.add(a); err != nil {
			return Merged{}, fmt.Errorf("merge the result of agent %s: %w", a.Facts.ID, err)
		}
	}
	if got, want := len(m.producers), max(1, w.Topology.Producers); got != want {
		return Merged{}, fmt.Errorf("merge results: accounts of %d producers, want %d", got, want)
	}
	if got, want := len(m.groups), max(1, w.Topology.ConsumerGroups); got != want {
		return Merged{}, fmt.Errorf("merge results: accounts of %d consumer groups, want %d", got, want)
	}
	r := &m.result
	r.Method = Method
	m.countAnswers()
	if err := m.countGroups(); err != nil {
		return Merged{}, fmt.Errorf("merge results: %w", err)
	}
	if err := m.publish(); err != nil {
		return Merged{}, fmt.Errorf("merge results: %w", err)
	}
	r.Lateness, r.Wait = m.summary(PacerLateness), m.summary(Backpressure)
	r.Raised = map[Distribution]map[string]int64{E2ELatency: m.raise(E2ELatency), PublishLatency: m.raise(PublishLatency)}
	r.ClockBound = clockBound(r.Agents)
	merged := Merged{}
	var err, err2 error
	merged.Histograms, err = encodeAll(m.hist)
	merged.Timeline, err2 = MergeSnapshots(m.snapshots...)
	if err := errors.Join(err, err2); err != nil {
		return Merged{}, fmt.Errorf("merge results: %w", err)
	}
	r.Course = NewCourse(merged.Timeline)
	if r.Course.Halves, err = inHalves(w.Stages.Measure.Std(), w.Stages.Warmup.Std(), m.snapshots); err != nil {
		return Merged{}, fmt.Errorf("merge results: %w", err)
	}
	for _, second := range merged.Timeline {
		if second.Stage == experiment.StageMeasure {
			r.Incidents = addTo(r.Incidents, second.Incidents)
		}
	}
	m.judge()
	r.limitDigits()
	merged.Result = m.result
	return merged, nil
}

// merger holds what Merge gathers.
type merger struct {
	asked     Asked
	result    Result
	missed    int64
	twice     int64 // acknowledgements of messages that had one already
	producers map[int]ProducerLog
	groups    map[string]GroupLog
	hist      map[Distribution]*Histogram
	snapshots [][]Snapshot
}

// add joins one agent's result.
func (m *merger) add(a AgentResult) error {
	r := &m.result
	r.Counts.Add(a.Counts)
	r.Agents = append(r.Agents, a.Facts)
	r.CPU.AgentSeconds += a.CPUSeconds
	m.missed += a.Missed
	m.snapshots = append(m.snapshots, a.Snapshots)
	for index, log := range a.Producers {
		if _, known := m.producers[index]; known {
			return fmt.Errorf("a second account of producer %d", index)
		}
		m.producers[index] = log
	}
	for name, log := range a.Groups {
		joined, err := m.groups[name].join(log)
		if err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
		m.groups[name] = joined
	}
	for text, n := range a.Errors {
		if r.Errors == nil {
			r.Errors = map[string]int64{}
		}
		r.Errors[text] += n
	}
	return decodeInto(m.hist, a.Latencies)
}

// countAnswers counts each answered message once, whatever the client did, and those
// that nothing was heard of.
func (m *merger) countAnswers() {
	var acked, failed, sent int64
	for _, p := range m.producers {
		acked += int64(p.Acked.CountIn(p.MeasureFrom, p.MeasureUntil))
		failed += int64(p.Failed.CountIn(p.MeasureFrom, p.MeasureUntil))
		sent += int64(min(max(p.Sent, p.MeasureFrom), p.MeasureUntil) - p.MeasureFrom)
	}
	c := &m.result.Counts
	m.twice = c.Acked - acked
	c.Acked, c.Failed, c.Unanswered = acked, failed, sent-acked-failed
}

// publish takes the publish latencies of all producers.
func (m *merger) publish() error {
	arrived := func(p int) *IntervalSet { return m.producers[p].Acked }
	latency, service, err := m.observe(m.hist[PublishLatency], m.hist[PublishService], arrived)
	if err != nil {
		return err
	}
	m.result.Publish, m.result.PublishSvc = latency.Summary(), service.Summary()
	m.hist[PublishLatency.Open()] = latency.open
	return nil
}

// countGroups judges each group and takes the worst one's end-to-end latency.
func (m *merger) countGroups() error {
	r := &m.result
	r.Groups = make(map[string]GroupView, len(m.groups))
	var worst map[Distribution]*Histogram
	slowest := int64(-1)
	r.Delivered = 1
	for _, name := range slices.Sorted(maps.Keys(m.groups)) {
		log := m.groups[name]
		hist := map[Distribution]*Histogram{}
		if err := decodeInto(hist, log.Latencies); err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
		latency, service, err := m.observe(hist[E2ELatency], hist[E2EService], func(p int) *IntervalSet { return log.Received[p] })
		if err != nil {
			return fmt.Errorf("group %s: %w", name, err)
		}
		hist[E2ELatency.Open()] = latency.open
		view := m.view(log)
		view.E2E, view.E2ESvc = latency.Summary(), service.Summary()
		r.Groups[name] = view
		r.Counts.Received += view.Received
		r.Counts.Lost += view.Lost
		r.Counts.Undelivered += view.Undelivered
		r.Counts.AgedOut += view.AgedOut
		r.Counts.Missing += view.Missing
		r.Counts.Duplicates += view.Duplicates
		r.Counts.Reordered += view.Reordered
		r.Counts.Corrupt += view.Corrupt
		r.Counts.Foreign += view.Foreign
		r.Counts.Unwatched += view.Unwatched
		r.CPU.Received += log.InWindow
		if slowest < 0 || log.InWindow < slowest {
			slowest = log.InWindow
		}
		r.Delivered = min(r.Delivered, view.Delivered)
		if worst == nil || slower(view.E2E, r.E2E) {
			worst, r.E2E, r.E2ESvc = hist, view.E2E, view.E2ESvc
		}
	}
	maps.Copy(m.hist, worst)
	if length := time.Duration(m.asked.Workload.Stages.Measure); length > 0 {
		r.Throughput = float64(slowest) / length.Seconds()
	}
	if len(r.Groups) == 1 {
		r.Groups = nil
	}
	return nil
}

// view counts what a group received, did not receive and received again.
func (m *merger) view(log GroupLog) GroupView {
	v := GroupView{Reordered: log.Reordered, Corrupt: log.Corrupt, Foreign: log.Foreign, Unwatched: log.Unwatched}
	var distinct int64
	for index, p := range m.producers {
		received := log.Received[index]
		v.Received += log.Receipts[index]
		distinct += int64(received.CountIn(p.MeasureFrom, p.MeasureUntil))
		m.sort(&v.Absent, index, p.Acked.Subtract(received))
	}
	v.Duplicates = v.Received - distinct
	if offered := m.result.Counts.Offered; offered > 0 {
		v.Delivered = float64(distinct) / float64(offered)
	}
	return v
}

// sort counts the messages of a producer that a group did not receive. What the system
// under test still held is undelivered. What it did not hold is gone: because of the
// retention if that may have deleted it, else it was lost.
func (m *merger) sort(a *Absent, producer int, absent *IntervalSet) {
	p := m.producers[producer]
	count := func(s *IntervalSet) int64 { return int64(s.CountIn(p.MeasureFrom, p.MeasureUntil)) }
	all := count(absent)
	if all == 0 {
		return
	}
	known := m.asked.Remaining
	if known == nil {
		a.Missing += all
		return
	}
	gone := absent.Subtract(known.Held[producer])
	a.Undelivered += all - count(gone)
	safe := known.safeFrom(producer, uint64(m.asked.Workload.Load.MaxInFlight))
	lost := int64(gone.CountIn(max(safe, p.MeasureFrom), max(safe, p.MeasureUntil)))
	a.Lost += lost
	a.AgedOut += count(gone) - lost
}

// slower orders latencies by p99, and by the largest value where the count
// supports no p99.
func slower(a, b Latency) bool {
	if x, y := a.Quantile("p99"), b.Quantile("p99"); x.NS != nil && y.NS != nil && *x.NS != *y.NS {
		return *x.NS > *y.NS
	}
	x, y := a.Max(), b.Max()
	return x.NS != nil && y.NS != nil && *x.NS > *y.NS
}

// summary is the zero Latency for a distribution without samples.
func (m *merger) summary(d Distribution) Latency { return summary(m.hist[d]) }

func summary(h *Histogram) Latency {
	if h == nil {
		return Latency{}
	}
	return h.Summary()
}

// SetBrokerCPU adds the processor time that the broker's processes used in the
// measure stage, and the largest sum of their memory in bytes.
func (r *Result) SetBrokerCPU(seconds float64, rss int64) {
	r.CPU.BrokerSeconds, r.CPU.BrokerRSS = &seconds, &rss
	if r.CPU.Received > 0 {
		per := seconds / float64(r.CPU.Received) * 1e6
		r.CPU.PerMillion = &per
	}
}
