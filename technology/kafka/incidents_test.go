package kafka_test

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// counted gathers the incidents that clients report.
type counted struct {
	mu sync.Mutex // protects the following
	n  map[experiment.Incident]int
}

func (c *counted) add(i experiment.Incident, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[experiment.Incident]int{}
	}
	c.n[i] += n
}

func (c *counted) of(i experiment.Incident) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[i]
}

// TestMessagesThatAreSentAgainAreCounted has a broker that denies twice that it leads.
func TestMessagesThatAreSentAgainAreCounted(t *testing.T) {
	tests := map[string]struct {
		config string
		told   bool
	}{
		"an idempotent producer numbers its messages": {`{}`, true},
		"no other one does":                           {`{"acks": "leader"}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(cluster.Close)
			endpoints, err := json.Marshal(map[string][]string{"bootstrap": cluster.ListenAddrs()})
			if err != nil {
				t.Fatal(err)
			}
			var denied atomic.Int64 // messages
			for range 2 {
				cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
					answer, n, err := deny(r.(*kmsg.ProduceRequest))
					denied.Add(n)
					return answer, err, true
				})
			}
			var found counted
			var config map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.config), &config); err != nil {
				t.Fatal(err)
			}
			d := openWith(t, endpoints, technology.Settings{ClientConfig: config, OnIncident: found.add})
			have, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 3, Replicas: 1}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if told := slices.Contains(have.Incidents, experiment.RetriedSends); told != tt.told {
				t.Errorf("the clients tell %v, want retried sends among them: %t", have.Incidents, tt.told)
			}
			sendSome(t, d, 300)
			want := 0
			if tt.told {
				want = int(denied.Load())
			}
			if n := found.of(experiment.RetriedSends); n != want || denied.Load() == 0 {
				t.Errorf("%d messages were sent again after %d were denied, want %d", n, denied.Load(), want)
			}
		})
	}
}

// deny answers that another broker leads, and returns how many messages it was asked to
// store.
func deny(request *kmsg.ProduceRequest) (answer *kmsg.ProduceResponse, messages int64, err error) {
	answer = request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			var batch kmsg.RecordBatch
			if err := batch.ReadFrom(partition.Records); err != nil {
				return nil, 0, err
			}
			messages += int64(batch.NumRecords)
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = partition.Partition, kerr.NotLeaderForPartition.Code
			t.Partitions = append(t.Partitions, p)
		}
		answer.Topics = append(answer.Topics, t)
	}
	return answer, messages, nil
}
