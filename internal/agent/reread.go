package agent

import (
	"context"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology"
)

// reread tells what the destination still holds: the load has ended before everything
// had arrived, and what is still there is not lost.
func (a *agent) reread(ctx context.Context, driver technology.Rereader) error {
	limited, cancel := context.WithTimeout(ctx, rendezvous.RereadTime)
	defer cancel()
	run := measure.RunHash(a.plan.Run)
	left := measure.Remaining{}
	var err error
	left.Expired, err = driver.Remaining(limited, func(m technology.Message) { left.Hold(m.Partition, m.Payload, run) })
	left.Close(a.plan.Workload.Topology.Partitions)
	answer := rendezvous.Leftover{Remaining: &left}
	if err != nil {
		a.Logger.Warn("cannot tell what the destination still holds", "error", err)
		answer = rendezvous.Leftover{Reason: err.Error()}
	}
	return a.folder.Put(ctx, rendezvous.RemainingObject, answer)
}
