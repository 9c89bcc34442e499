package httpapi

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stream"
)

// totalsStore is what the metrics read.
type totalsStore interface {
	Totals(ctx context.Context) (experiment.Totals, error)
	Drain(ctx context.Context) (experiment.Drain, error)
	// Now is the time of the database.
	Now(ctx context.Context) (time.Time, error)
}

// totals are the metrics that are read from the database when Prometheus asks.
type totals struct {
	store   totalsStore
	hub     *stream.Hub
	version string
	log     *slog.Logger
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("dec_"+name, help, labels, nil)
}

var (
	upDesc       = describe("database_up", "1 if the database can be read.")
	infoDesc     = describe("info", "Always 1; the version is a label.", "version")
	runsDesc     = describe("runs", "Runs that have not ended, by phase.", "phase")
	outcomesDesc = describe("runs_ended_total", "Runs that have ended, by outcome.", "outcome")
	leakedDesc   = describe("runs_leaked", "Runs whose infrastructure may still exist after DEC gave up destroying it.")
	queueDesc    = describe("queue_age_seconds", "Waiting time of the oldest queued run; 0 if the queue is empty.")
	attemptsDesc = describe("attempts_total", "OpenTofu processes, by kind and outcome.", "kind", "outcome")
	drainDesc    = describe("draining", "1 while the server drains.")
	eventDesc    = describe("last_event_id", "ID of the newest stored event.")
	lagDesc      = describe("event_lag", "Stored events that this server has not yet sent to its streams.")
	clientsDesc  = describe("sse_clients", "Open event streams.")
)

// Describe names all metrics.
func (t *totals) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		upDesc, infoDesc, runsDesc, outcomesDesc, leakedDesc, queueDesc, attemptsDesc, drainDesc, eventDesc, lagDesc, clientsDesc,
	} {
		out <- d
	}
}

// Collect reads the database. What cannot be read is left out, rather than told
// as zero.
func (t *totals) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(infoDesc, 1, t.version)
	gauge(clientsDesc, float64(t.hub.Subscribers()))
	if err := t.stored(ctx, out, gauge); err != nil {
		t.log.WarnContext(ctx, "cannot read the totals", slog.Any("error", err))
		gauge(upDesc, 0)
		return
	}
	gauge(upDesc, 1)
}

// stored tells what the database holds.
func (t *totals) stored(ctx context.Context, out chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) error {
	told := t.hub.Last() // before the newest is read, or it could be below zero
	all, err := t.store.Totals(ctx)
	if err != nil {
		return err
	}
	drain, err := t.store.Drain(ctx)
	if err != nil {
		return err
	}
	now, err := t.store.Now(ctx)
	if err != nil {
		return err
	}
	for _, phase := range phases {
		gauge(runsDesc, float64(all.Runs[phase]), string(phase))
	}
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for _, outcome := range []experiment.Outcome{experiment.Succeeded, experiment.Failed, experiment.Cancelled} {
		count(outcomesDesc, all.Outcomes[outcome], string(outcome))
	}
	for name, n := range all.Attempts {
		kind, outcome, _ := strings.Cut(name, " ")
		count(attemptsDesc, n, kind, outcome)
	}
	age := 0.0
	if !all.OldestQueue.IsZero() {
		age = max(0, now.Sub(all.OldestQueue).Seconds())
	}
	gauge(queueDesc, age)
	gauge(leakedDesc, float64(all.Leaked))
	gauge(eventDesc, float64(all.LastEvent))
	gauge(lagDesc, float64(max(0, all.LastEvent-told)))
	draining := 0.0
	if drain.InForce() {
		draining = 1
	}
	gauge(drainDesc, draining)
	return nil
}

// phases are those of runs that have not ended.
var phases = []experiment.Phase{
	experiment.PhaseQueued, experiment.PhaseProvision, experiment.PhasePrepare, experiment.PhaseLoad,
	experiment.PhaseCollect, experiment.PhaseDestroy, experiment.PhaseVerify,
}
