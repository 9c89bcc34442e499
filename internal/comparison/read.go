package comparison

import (
	"context"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// Stored has the runs of experiments.
type Stored interface {
	Runs(ctx context.Context, experimentID string) ([]experiment.Run, error)
	Run(ctx context.Context, id string) (experiment.Run, error) // with its receipt and result
}

// Archive has experiments, those with calibrations among them.
type Archive interface {
	Stored
	ListExperiments(ctx context.Context, q experiment.ExperimentQuery) ([]experiment.Summary, string, error)
}

// OfExperiment reads the runs of an experiment, compares them, and holds against the
// verdict what a calibration of its plan showed.
func OfExperiment(ctx context.Context, from Archive, e experiment.Experiment, o Options) (*Set, Comparison, error) {
	set, err := ReadSet(ctx, from, e)
	if err != nil {
		return nil, Comparison{}, err
	}
	if e.State == experiment.Ended { // before that there is no verdict
		if set.Calibrated, err = calibrationOf(ctx, from, set, o); err != nil {
			return nil, Comparison{}, err
		}
	}
	found, err := New(set, o)
	return set, found, err
}

// ReadSet reads the runs of an experiment with all their results.
func ReadSet(ctx context.Context, from Stored, e experiment.Experiment) (*Set, error) {
	runs, err := from.Runs(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		if runs[i], err = from.Run(ctx, runs[i].ID); err != nil {
			return nil, err
		}
	}
	return NewSet(e, runs)
}

// Sample returns the values of a metric in the runs that count.
func (v *Variant) Sample(m experiment.Metric) stats.Sample {
	sample := stats.Sample{Label: v.Label, Name: v.Name()}
	for _, run := range v.Counted() {
		if value, ok := Value(m, *run.Result); ok {
			sample.Values = append(sample.Values, value)
			sample.Slack, sample.Error = append(sample.Slack, raised(m, *run.Result)), append(sample.Error, clockError(m, *run.Result))
		}
	}
	return sample
}
