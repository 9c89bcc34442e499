package kafka

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// fields are the settings of client_config. The defaults are those of Kafka's
// own producer, but for the batch size: 16 KiB there, of which no fast producer
// is content.
var fields = []technology.ConfigField{
	{Name: "acks", Default: "all", Enum: []string{"all", "leader", "none"},
		Doc: "Who must have a message before it is acknowledged: all in-sync replicas, the partition leader, or nobody."},
	{Name: "idempotence", Default: true, Doc: "Retries neither duplicate nor reorder messages. Requires acks: all, and is off with other acks."},
	{Name: "linger_ms", Default: 5, Max: 60_000, Doc: "Maximum time that a batch waits for more messages."},
	{Name: "batch_max_bytes", Default: 131_072, Min: 1024, Max: maxBatchBytes, Doc: "Maximum batch size per partition, before compression."},
	{Name: "compression", Default: "none", Enum: experiment.Compressions(), Doc: "Compression codec of batches."},
	{Name: "delivery_timeout_ms", Default: 120_000, Min: 1000, Max: 3_600_000,
		Doc: "Time after which an unacknowledged message fails, including retries."},
	{Name: "fetch_min_bytes", Default: 1, Min: 1, Max: 64 << 20,
		Doc: "Amount of data at which the broker answers a fetch before fetch_max_wait_ms has passed."},
	{Name: "fetch_max_wait_ms", Default: 500, Min: 1, Max: 60_000, Doc: "Maximum time before the broker answers a fetch."},
	{Name: "fetch_max_bytes", Default: 50 << 20, Min: 1024, Max: 1 << 30, Doc: "Maximum size of a fetch response."},
	{Name: "fetch_max_partition_bytes", Default: 1 << 20, Min: 1024, Max: 1 << 30, Doc: "Maximum size of one partition's part of a fetch response."},
	{Name: "commit_interval_ms", Default: 5000, Max: 3_600_000, Doc: "Interval at which a consumer commits its offsets; 0 means never."},
}

// config is a client_config with its defaults. The names are those of fields.
type config struct {
	Acks                   string `json:"acks"`
	Idempotence            bool   `json:"idempotence"`
	LingerMS               int    `json:"linger_ms"`
	BatchMaxBytes          int    `json:"batch_max_bytes"`
	Compression            string `json:"compression"`
	DeliveryTimeoutMS      int    `json:"delivery_timeout_ms"`
	FetchMinBytes          int    `json:"fetch_min_bytes"`
	FetchMaxWaitMS         int    `json:"fetch_max_wait_ms"`
	FetchMaxBytes          int    `json:"fetch_max_bytes"`
	FetchMaxPartitionBytes int    `json:"fetch_max_partition_bytes"`
	CommitIntervalMS       int    `json:"commit_interval_ms"`
}

// patience is how long the client lets a broker work on a request, and how much
// longer it waits for the answer: franz-go's own defaults.
const patience = 10 * time.Second

// maxBatchBytes is the largest batch that can be asked for.
const maxBatchBytes = 64 << 20

// batchOverhead is more than what a batch of one message takes beside the
// message: 61 bytes of batch header, and varints and lengths of the record.
const batchOverhead = 256

// ackStrength orders the guarantees of a producer, weakest first.
var ackStrength = map[string]int{"": 0, "none": 0, "leader": 1, "all": 2}

// checkConfig is the technology's CheckConfig.
func checkConfig(clientConfig map[string]json.RawMessage, w experiment.Workload) error {
	_, err := decode(clientConfig, w)
	return err
}

// decode reads a client_config and checks it against the workload.
func decode(clientConfig map[string]json.RawMessage, w experiment.Workload) (config, error) {
	var c config
	if err := technology.DecodeConfig(fields, clientConfig, &c); err != nil {
		return config{}, err
	}
	problems := new(experiment.Problems)
	common := technology.Common{Client: w.Client, Config: clientConfig, Problems: problems}
	c.LingerMS = int(common.Delay("linger_ms", milliseconds(c.LingerMS), time.Millisecond).Milliseconds())
	c.BatchMaxBytes = common.Bytes("batch_max_bytes", c.BatchMaxBytes, maxBatchBytes)
	c.Compression = common.Compression("compression", c.Compression)
	if common.ConsumerAck("commit_interval_ms", "Kafka", experiment.AckNone, experiment.AckPeriodic) == experiment.AckNone {
		c.CommitIntervalMS = 0
	}
	if c.Acks != "all" {
		if _, asked := clientConfig["idempotence"]; asked && c.Idempotence {
			problems.Add("client_config.idempotence", "requires acks: all: set that, or remove idempotence")
		}
		c.Idempotence = false
	}
	if ackStrength[c.Acks] < ackStrength[w.Require.ProducerAck] {
		problems.Add("client_config.acks", "is %s, but the workload requires at least %s: set acks: %s, or lower workload.require.producer_ack",
			c.Acks, w.Require.ProducerAck, w.Require.ProducerAck)
	}
	if c.Acks == "none" && w.Require.Durability != "" && w.Require.Durability != "memory" {
		problems.Add("client_config.acks", "is none, which guarantees no durability, but the workload requires %s: set acks: all",
			w.Require.Durability)
	}
	if need := int(w.Message.Size.Max) + batchOverhead; c.BatchMaxBytes < need {
		problems.Add("client_config.batch_max_bytes", "is %d, but a batch must hold the workload's largest message: use at least %d",
			c.BatchMaxBytes, need)
	}
	return c, problems.Err()
}

// producerOptions are the client's options for producing.
func (c config) producerOptions(maxInFlight int) []kgo.Opt {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	acks := map[string]kgo.Acks{"all": kgo.AllISRAcks(), "leader": kgo.LeaderAck(), "none": kgo.NoAck()}
	delivery := milliseconds(c.DeliveryTimeoutMS)
	options := []kgo.Opt{
		// A broker that is silent must not hold a message much longer than
		// delivery_timeout_ms: the client gives an answer the sum of the two.
		kgo.ProduceRequestTimeout(min(delivery, patience)),
		kgo.RequestTimeoutOverhead(min(delivery, patience)),
		kgo.RequiredAcks(acks[c.Acks]),
		kgo.ProducerLinger(milliseconds(c.LingerMS)),
		kgo.ProducerBatchMaxBytes(int32(c.BatchMaxBytes)),
		kgo.ProducerBatchCompression(codecs[c.Compression]),
		kgo.RecordDeliveryTimeout(delivery),
		kgo.MaxBufferedRecords(maxInFlight),
		kgo.RecordPartitioner(newPartitioner()),
	}
	if c.Idempotence {
		// Without this a message whose answer was lost with its broker is tried
		// for ever, whatever delivery_timeout_ms says. The driver sends nothing
		// again that has failed, so nothing is doubled by it.
		options = append(options, kgo.AllowIdempotentProduceCancellation())
	} else {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	return options
}

// consumerOptions are the client's options for consuming.
func (c config) consumerOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.FetchMinBytes(int32(c.FetchMinBytes)),
		kgo.FetchMaxWait(milliseconds(c.FetchMaxWaitMS)),
		kgo.FetchMaxBytes(int32(c.FetchMaxBytes)),
		kgo.FetchMaxPartitionBytes(int32(c.FetchMaxPartitionBytes)),
	}
}

// clients are the settings that decide about latencies.
func (c config) clients(encrypted bool, maxInFlight int) map[experiment.ClientSetting]string {
	encryption, commits := "none", "none"
	if encrypted {
		encryption = "TLS"
	}
	if c.CommitIntervalMS > 0 {
		commits = "position every " + experiment.Duration(milliseconds(c.CommitIntervalMS)).String()
	}
	return map[experiment.ClientSetting]string{
		experiment.BatchDelay:  experiment.Duration(milliseconds(c.LingerMS)).String(),
		experiment.BatchBytes:  experiment.Bytes(c.BatchMaxBytes).String(),
		experiment.Compression: c.Compression,
		experiment.Encryption:  encryption,
		experiment.ConsumerAck: commits,
		experiment.Prefetch:    experiment.Bytes(c.FetchMaxBytes).String() + " per fetch",
		experiment.InFlight:    fmt.Sprintf("%d messages", maxInFlight),
	}
}

// incidents are those that the clients can tell. What is sent again is known by the
// sequence numbers of idempotent producers.
func (c config) incidents() []experiment.Incident {
	told := []experiment.Incident{experiment.DelayedWrites, experiment.DelayedReads, experiment.Reconnects}
	if c.Idempotence {
		told = append(told, experiment.RetriedSends)
	}
	return told
}

// details are the settings that a reader of a result needs to judge it.
func (c config) details() map[string]string {
	return map[string]string{
		"acks":            c.Acks,
		"idempotence":     fmt.Sprint(c.Idempotence),
		"linger_ms":       fmt.Sprint(c.LingerMS),
		"batch_max_bytes": fmt.Sprint(c.BatchMaxBytes),
		"compression":     c.Compression,
		"client":          "franz-go",
	}
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
