package outputs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/bench/peers/outputs"
)

// recorded returns the lines that a tool has printed.
func recorded(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(data), "\n")
}

func TestSummaries(t *testing.T) {
	tests := map[string]struct {
		file string
		read func([]string) (outputs.Summary, error)
		want outputs.Summary
	}{
		"the steady state of the producer's test": {"producer-perf.txt", outputs.PerfSummary, outputs.Summary{
			Rate: 46772.684752, Quantiles: outputs.Quantiles{"p50": 570, "p95": 893, "p99": 929, "p99.9": 940}}},
		"nats bench while publishing": {"nats-bench.txt", outputs.NATSBench, outputs.Summary{
			Rate: 78914, Quantiles: outputs.Quantiles{"p50": 5.58365, "p90": 9.77601, "p99": 14.93234, "p99.9": 22.08028}}},
		"nats bench while consuming": {"nats-consume.txt", outputs.NATSBench, outputs.Summary{Rate: 104307, Quantiles: outputs.Quantiles{}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tt.read(recorded(t, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("summary of %s (-want +got):\n%s", tt.file, diff)
			}
		})
	}
}

func TestWithoutWarmUpTheSummaryIsOfAll(t *testing.T) {
	var lines []string
	for _, line := range recorded(t, "producer-perf.txt") {
		if !strings.Contains(line, "steady state") {
			lines = append(lines, line)
		}
	}
	got, err := outputs.PerfSummary(lines)
	want := outputs.Summary{Rate: 36003.60036, Quantiles: outputs.Quantiles{"p50": 770, "p95": 1456, "p99": 1565, "p99.9": 1594}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("PerfSummary() = %v (-want +got):\n%s", err, diff)
	}
}

func TestAToolThatDiedIsQuoted(t *testing.T) {
	lines := []string{"Exception in thread main", "no such topic"}
	for name, read := range map[string]func([]string) (outputs.Summary, error){"producer": outputs.PerfSummary, "nats bench": outputs.NATSBench} {
		if _, err := read(lines); err == nil || !strings.Contains(err.Error(), "no such topic") {
			t.Errorf("%s: the error is %v; want what the tool said", name, err)
		}
	}
}

func TestIntervals(t *testing.T) {
	tests := map[string]struct {
		file string
		read func(string) (float64, bool)
		want []float64
	}{
		"each interval of the producer's test, neither of its summaries": {"producer-perf.txt", outputs.PerfInterval,
			[]float64{3781, 24318, 25452, 21294, 22932, 36288, 3365, 52668, 63882, 68922}},
		"each total of the consumer's test, not its head": {"consumer-perf.txt", outputs.ConsumerTotal,
			[]float64{1, 32249, 81011, 123355, 183457, 225793, 282115, 340705}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []float64
			for _, line := range recorded(t, tt.file) {
				if n, ok := tt.read(line); ok {
					got = append(got, n)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("intervals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheWorkersLines(t *testing.T) {
	var begins int
	var sent, received []float64
	for _, line := range recorded(t, "omb.txt") {
		if outputs.OMBBegins(line) {
			begins++
		}
		if s, r, ok := outputs.OMBInterval(line); ok {
			sent, received = append(sent, s), append(received, r)
		}
	}
	want := [][]float64{{1003.3, 999.7, 999.9}, {1003.2, 999.7, 999.9}}
	if diff := cmp.Diff(want, [][]float64{sent, received}); begins != 1 || diff != "" {
		t.Errorf("the measured part begins %d times, want once; rates (-want +got):\n%s", begins, diff)
	}
}

func TestTheWorkersResult(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "omb-result.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := outputs.ReadOMB(data)
	want := outputs.OMBResult{
		Publish:      outputs.Quantiles{"p50": 1.376, "p95": 32.619, "p99": 156.756, "p99.9": 311.931},
		PublishDelay: outputs.Quantiles{"p50": 0.063, "p95": 2.014, "p99": 15.337, "p99.9": 68.409},
		E2E:          outputs.Quantiles{"p50": 2, "p95": 45, "p99": 179, "p99.9": 303.001},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ReadOMB() = %v (-want +got):\n%s", err, diff)
	}
	if _, err := outputs.ReadOMB([]byte(`{"aggregatedPublishLatency50pct": 1}`)); err == nil || !strings.Contains(err.Error(), "aggregatedEndToEndLatency99pct") {
		t.Errorf("ReadOMB of a result without quantiles = %v; want what is missing", err)
	}
}
