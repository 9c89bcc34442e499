package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// stickyBytes is what goes to one partition before the next is chosen, for
// messages without a key: Kafka's own default batch size.
const stickyBytes = 64 << 10

// partitioner honours an explicit partition. Without one it does as Kafka's own
// producer: murmur2 of the key, or, without a key, one partition for a while
// and then another, those with the least waiting first (KIP-794).
type partitioner struct{ kgo.Partitioner }

func newPartitioner() kgo.Partitioner {
	return partitioner{kgo.UniformBytesPartitioner(stickyBytes, true, true, nil)}
}

// ForTopic implements [kgo.Partitioner].
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{p.Partitioner.ForTopic(topic).(kgo.TopicBackupPartitioner)}
}

type topicPartitioner struct{ kgo.TopicBackupPartitioner }

// RequiresConsistency implements [kgo.TopicPartitioner].
func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.TopicBackupPartitioner.RequiresConsistency(r)
}

// PartitionByBackup implements [kgo.TopicBackupPartitioner].
func (p topicPartitioner) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.TopicBackupPartitioner.PartitionByBackup(r, n, backup)
}
