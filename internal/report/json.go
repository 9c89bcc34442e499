package report

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Export is an experiment with what was found, for [JSON].
type Export struct {
	Experiment experiment.Experiment `json:"experiment"` // in place of its id
	comparison.Comparison
	Version string    `json:"version"` // of the program
	MadeAt  time.Time `json:"made_at"`
}

// JSON writes an experiment with all its runs, each with everything that it
// measured. One run is held at a time; an error of runs ends it.
func JSON(w io.Writer, e Export, runs iter.Seq2[experiment.Run, error]) error {
	head, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report as JSON: %w", err)
	}
	write := func(data ...byte) {
		if err == nil {
			_, err = w.Write(data)
		}
	}
	write(head[:len(head)-len("\n}")]...)
	write([]byte(",\n  \"runs\": [")...)
	between := "\n    "
	for run, fault := range runs {
		if fault != nil {
			return fault
		}
		data, fault := exported(run)
		if fault != nil {
			return fmt.Errorf("write run %s as JSON: %w", run.ID, fault)
		}
		write([]byte(between)...)
		write(data...)
		between = ",\n    "
	}
	write([]byte("\n  ]\n}\n")...)
	if err != nil {
		return fmt.Errorf("write the report as JSON: %w", err)
	}
	return nil
}

// exported is a run with its metrics by name, as JSON.
func exported(run experiment.Run) ([]byte, error) {
	whole := struct {
		experiment.Run
		Metrics map[experiment.Metric]*float64 `json:"metrics,omitempty"`
		Bounds  map[experiment.Metric]float64  `json:"metrics_at_least,omitempty"`
	}{Run: run}
	if len(run.Result) > 0 {
		result, err := measure.ReadResult(run.Result)
		if err != nil {
			return nil, err
		}
		whole.Metrics, whole.Bounds = comparison.Values(result), comparison.Bounds(result)
	}
	return json.MarshalIndent(whole, "    ", "  ")
}
