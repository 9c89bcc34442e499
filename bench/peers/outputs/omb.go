package outputs

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var ombInterval = regexp.MustCompile(`Pub rate\s+([\d.]+) msg/s .* Cons rate\s+([\d.]+) msg/s`)

// OMBBegins reports whether the worker of the OpenMessaging Benchmark says that its
// measured part begins.
func OMBBegins(line string) bool { return strings.Contains(line, "Starting benchmark traffic") }

// OMBInterval returns the rates that the worker tells every ten seconds, in messages
// per second. It is false for other lines.
func OMBInterval(line string) (sent, received float64, ok bool) {
	m := ombInterval.FindStringSubmatch(line)
	if m == nil {
		return 0, 0, false
	}
	return number(m[1]), number(m[2]), true
}

// OMBResult is the result file of the OpenMessaging Benchmark.
type OMBResult struct {
	Publish, PublishDelay, E2E Quantiles
}

// ReadOMB reads a result file.
func ReadOMB(data []byte) (OMBResult, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return OMBResult{}, fmt.Errorf("read the result of the OpenMessaging Benchmark: %w", err)
	}
	var r OMBResult
	var err error
	read := func(name string, per float64) Quantiles {
		q := Quantiles{}
		for quantile, suffix := range map[string]string{"p50": "50pct", "p95": "95pct", "p99": "99pct", "p99.9": "999pct"} {
			var value *float64
			field := "aggregated" + name + suffix
			if json.Unmarshal(all[field], &value) != nil || value == nil {
				err = errors.Join(err, fmt.Errorf("the result of the OpenMessaging Benchmark has no %s", field))
				continue
			}
			q[quantile] = *value / per
		}
		return q
	}
	r.Publish = read("PublishLatency", 1)
	r.PublishDelay = read("PublishDelayLatency", 1000) // in microseconds
	r.E2E = read("EndToEndLatency", 1)
	return r, err
}
