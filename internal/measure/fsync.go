package measure

import (
	"time"

	"dec.local/dec/internal/experiment"
)

// framing is more than what brokers store beside the payload of a message.
const framing = 256

// SetFsync notes whether the settings of the brokers let any fsync of messages fall into
// the measure stage, or before it: with nothing written to disk the two are the same to
// who reads the latencies. lived is the age of the destination at the end of the stage,
// 0 if it is not known.
func (m *Merged) SetFsync(f *experiment.Fsync, lived time.Duration, w experiment.Workload) {
	if f == nil || lived <= 0 {
		return
	}
	var written int64
	for _, s := range m.Timeline {
		if s.Stage != experiment.StageDrain {
			written += s.Counts.Bytes + framing*s.Counts.Sent
		}
	}
	// Only here each partition gets the same; otherwise one may get all.
	if partitions := int64(max(1, w.Topology.Partitions)); w.Message.Key.Kind == experiment.KeyRoundRobin {
		written = (written + partitions - 1) / partitions
	}
	byTime := f.AfterNS > 0 && int64(lived) >= f.AfterNS
	bySize := f.AfterBytes > 0 && written >= int64(f.AfterBytes)
	m.NoFsync = !byTime && !bySize
}
