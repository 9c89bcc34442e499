package server

import (
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target/local"
)

// What must remain when a run is at its largest. Below that other programs of
// the machine would be in danger, not only the numbers.
const (
	reserveDisk   = 512 << 20
	reserveMemory = 256 << 20
)

// Admit says what of this machine speaks against the plan now: an error when it
// must not be admitted, sentences when it may.
func (p *Planner) Admit(ctx context.Context, plan experiment.Plan) ([]string, error) {
	if plan.Target != LocalTarget {
		return nil, nil
	}
	m, err := p.Folders.Look()
	if err != nil {
		return nil, err
	}
	need, err := footprint(plan)
	if err != nil {
		return nil, err
	}
	if uint64(need)+reserveDisk > m.DiskFree {
		return nil, fmt.Errorf("a run writes up to %.1f GiB, and only %.1f GiB are free below %s: lower workload.retention_bytes or the load, or free some space",
			GiB(need), GiB(m.DiskFree), m.DiskPath)
	}
	if m.MemoryFree < reserveMemory {
		return nil, fmt.Errorf("only %.2f of %.1f GiB of memory are available: end other programs", GiB(m.MemoryFree), GiB(m.Memory))
	}
	warnings, err := emulatorWarnings(plan)
	if err != nil {
		return nil, err
	}
	if m.DiskFree < EnoughDisk {
		warnings = append(warnings, fmt.Sprintf("only %.1f GiB of disk are free below %s", GiB(m.DiskFree), m.DiskPath))
	}
	if p.busy(ctx) {
		return warnings, nil // what is used now is used by the active run
	}
	if m.MemoryFree < EnoughMemory {
		warnings = append(warnings, fmt.Sprintf("only %.1f of %.1f GiB of memory are available", GiB(m.MemoryFree), GiB(m.Memory)))
	}
	if m.Load >= float64(m.CPUs) {
		warnings = append(warnings, fmt.Sprintf("the machine is at work: load %.1f on %d CPUs; that shows in the numbers", m.Load, m.CPUs))
	}
	return warnings, nil
}

// busy reports whether a run uses this machine now.
func (p *Planner) busy(ctx context.Context) bool {
	ledger, err := local.Open(p.Folders.Ledger)
	if err != nil {
		return false
	}
	objects, err := ledger.List(ctx, "")
	return err == nil && len(objects) > 0
}

// footprint is what one run writes on this machine at most, in bytes: all that
// is sent, as often as it is replicated, up to the retention.
func footprint(plan experiment.Plan) (int64, error) {
	w := plan.Workload
	seconds := (w.Stages.Warmup.Std() + w.Stages.Measure.Std()).Seconds()
	rate := w.Load.Rate
	for _, segment := range w.Load.Schedule {
		for _, r := range []*float64{segment.Rate, segment.RampTo} {
			if r != nil {
				rate = max(rate, *r)
			}
		}
	}
	sent := rate * seconds * float64(w.Message.Size.Max)
	copies, err := copies(plan)
	return int64(min(sent, float64(w.Retention))) * int64(copies), err
}

// copies is how often the messages of a run are stored at most.
func copies(plan experiment.Plan) (int, error) {
	list, err := offers()
	if err != nil {
		return 0, err
	}
	most := max(1, plan.Workload.Topology.Replicas)
	for _, v := range plan.Variants {
		if _, stack := stackOf(list, v); stack != nil {
			most = max(most, stack.Copies(v.Options))
		}
	}
	return most, nil
}
