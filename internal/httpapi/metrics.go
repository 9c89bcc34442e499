package httpapi

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dec.local/dec/internal/experiment"
)

// Metrics counts what Prometheus asks for. Make one with [NewMetrics].
type Metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	callTime *prometheus.HistogramVec
	phases   *prometheus.HistogramVec

	mu      sync.Mutex // protects entered
	entered map[string]experiment.Event
}

// NewMetrics returns metrics that count from now.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dec_http_requests_total", Help: "API calls, by operation and status.",
		}, []string{"operation", "status"}),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dec_http_request_seconds", Help: "Duration of API calls; event streams and long polls take long.",
			Buckets: []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30},
		}, []string{"operation"}),
		phases: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dec_run_phase_seconds", Help: "Duration of the phases of this server's runs.",
			Buckets: []float64{0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600},
		}, []string{"phase"}),
		entered: map[string]experiment.Event{},
	}
	m.registry.MustRegister(m.calls, m.callTime, m.phases, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Event takes an event of a run that this server drives, for the durations of
// phases.
func (m *Metrics) Event(e experiment.Event) {
	if e.Kind != experiment.EventPhase && e.Kind != experiment.EventOutcome {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, ok := m.entered[e.Run]; ok && e.At.After(before.At) {
		m.phases.WithLabelValues(string(before.Phase)).Observe(e.At.Sub(before.At).Seconds())
	}
	delete(m.entered, e.Run)
	if e.Kind == experiment.EventPhase && e.Phase != experiment.PhaseEnded {
		m.entered[e.Run] = e
	}
}

// begin counts a call; done takes the status of its answer.
func (m *Metrics) begin(operation string) (done func(status int)) {
	start := time.Now()
	return func(status int) {
		m.calls.WithLabelValues(operation, strconv.Itoa(status)).Inc()
		m.callTime.WithLabelValues(operation).Observe(time.Since(start).Seconds())
	}
}

// handler serves the metrics together with those that are read when asked for.
func (m *Metrics) handler(read *totals) http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(read)
	return promhttp.HandlerFor(prometheus.Gatherers{m.registry, own}, promhttp.HandlerOpts{})
}
