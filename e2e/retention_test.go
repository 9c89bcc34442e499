package e2e

import "testing"

// slowReader offers more than one consumer reads that gets one message at a time, to a
// stream that holds the last few thousand.
const slowReader = `
name: slow reader
workload:
  load: {rate: 30000}
  message: {size: 1KiB}
  stages: {warmup: 1s, measure: 3s, drain: 10s}
  retention_bytes: 4MiB
repeat: 1
variants:
  - {label: nats, technology: nats, stack: jetstream, client_config: {prefetch: 1, max_ack_pending: 1}}
`

// TestWhatTheRetentionDeletesBehindASlowReaderIsNotLost runs it on a real server.
func TestWhatTheRetentionDeletesBehindASlowReaderIsNotLost(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	out := w.dec("run", w.file(slowReader+once), "--json")
	r := out.report(t)
	c := r.Runs[0].Result.Counts
	if c.AgedOut == 0 || c.Lost+c.Missing+c.Undelivered != 0 || c.Acked != c.Received+c.AgedOut {
		t.Errorf("Counts = %+v, want those aged out that were acknowledged and not received", c)
	}
	if p99 := r.Runs[0].Result.E2E; p99.P99NS != nil || p99.P99AtLeastNS == nil {
		t.Errorf("E2E = %+v, want a lower bound: some messages never came", p99)
	}
}
