package kinesis

import (
	"encoding/json"
	"strconv"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Limits of Kinesis that no setting raises here.
const (
	maxBatchRecords = 500
	maxBatchBytes   = 5 << 20 // data and partition keys of one PutRecords request
	maxRecordBytes  = 1 << 20 // data and partition key; streams may be set to more since October 2025, this driver does not
	maxReplicas     = 3
	maxFanOuts      = 20 // consumers that one stream registers
	maxReadRecords  = 10_000
	readsPerSecond  = 5 // of one shard, by all polling consumers together
)

// fields are the settings of client_config.
var fields = []technology.ConfigField{
	{Name: "linger_ms", Default: 5, Max: 60_000, Doc: "Maximum time that a shard's batch waits for more records."},
	{Name: "batch_max_records", Default: maxBatchRecords, Min: 1, Max: maxBatchRecords, Doc: "Maximum number of records per PutRecords request."},
	{Name: "batch_max_bytes", Default: maxBatchBytes, Min: 1024, Max: maxBatchBytes,
		Doc: "Maximum size of a PutRecords request: data and partition keys."},
	{Name: "requests_per_shard", Default: 1, Min: 1, Max: 64, Doc: "Maximum number of concurrent PutRecords requests of one producer to one shard. " +
		"With more than 1, the order of a key is kept only with strict_order, and that of messages without a key is not kept."},
	{Name: "strict_order", Default: true, Doc: "Send one record per key at a time. " +
		"Without it, a key's records can be reordered when Kinesis refuses some records of a request. " +
		"With few keys it limits the rate to the number of keys divided by the time of a request."},
	{Name: "request_timeout_ms", Default: 10_000, Min: 100, Max: 600_000, Doc: "Time after which a PutRecords or GetRecords request is sent again. " +
		"If a PutRecords request had arrived after all, its records are duplicated."},
	{Name: "delivery_timeout_ms", Default: 120_000, Min: 100, Max: 3_600_000,
		Doc: "Time after which an unacknowledged message fails, including retries."},
	{Name: "retry_backoff_ms", Default: 50, Min: 1, Max: 60_000, Doc: "Maximum pause of a shard after a refused request or record. " +
		"It doubles with each request that is refused entirely; the actual pause is random, at least half of it."},
	{Name: "retry_backoff_max_ms", Default: 1000, Min: 1, Max: 60_000, Doc: "Limit up to which retry_backoff_ms doubles."},
	{Name: "poll_interval_ms", Default: 0, Max: 60_000, Doc: "Interval between a group's GetRecords requests to a shard. " +
		"0 means 200 ms times the number of groups, the shortest that Kinesis allows: 5 reads per second and shard, shared by all groups."},
	{Name: "poll_max_records", Default: maxReadRecords, Min: 1, Max: maxReadRecords, Doc: "Maximum number of records per GetRecords response."},
}

// config is a client_config with its defaults. The names are those of fields.
type config struct {
	LingerMS          int  `json:"linger_ms"`
	BatchMaxRecords   int  `json:"batch_max_records"`
	BatchMaxBytes     int  `json:"batch_max_bytes"`
	RequestsPerShard  int  `json:"requests_per_shard"`
	StrictOrder       bool `json:"strict_order"`
	RequestTimeoutMS  int  `json:"request_timeout_ms"`
	DeliveryTimeoutMS int  `json:"delivery_timeout_ms"`
	RetryBackoffMS    int  `json:"retry_backoff_ms"`
	RetryBackoffMaxMS int  `json:"retry_backoff_max_ms"`
	PollIntervalMS    int  `json:"poll_interval_ms"`
	PollMaxRecords    int  `json:"poll_max_records"`
}

// checkConfig is the technology's CheckConfig.
func checkConfig(clientConfig map[string]json.RawMessage, w experiment.Workload) error {
	_, err := decode(clientConfig, w)
	return err
}

// keyBytes is more than a partition key of the agent takes.
const keyBytes = 32

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
	common.NoCompression("Kinesis")
	common.ConsumerAck("", "Kinesis", experiment.AckNone)
	largest := int(w.Message.Size.Max) + keyBytes
	switch {
	case largest > maxRecordBytes:
		problems.Add("", "a Kinesis record has at most 1 MiB with its key, but the workload's largest message has %s: "+
			"lower workload.message.size to at most %d",
			w.Message.Size.Max, maxRecordBytes-keyBytes)
	case c.BatchMaxBytes < largest:
		problems.Add("client_config.batch_max_bytes", "is %d, but a request must hold the workload's largest message: use at least %d",
			c.BatchMaxBytes, largest)
	}
	if c.RetryBackoffMaxMS < c.RetryBackoffMS {
		if _, asked := clientConfig["retry_backoff_max_ms"]; asked {
			problems.Add("client_config.retry_backoff_max_ms", "is %d, but must be at least retry_backoff_ms, %d",
				c.RetryBackoffMaxMS, c.RetryBackoffMS)
		}
		c.RetryBackoffMaxMS = c.RetryBackoffMS
	}
	if replicas := max(w.Topology.Replicas, w.Require.Replicas); replicas > maxReplicas {
		problems.Add("", "Kinesis keeps 3 copies, one in each of 3 zones, but the workload asks for %d: "+
			"lower workload.topology.replicas and workload.require.replicas", replicas)
	}
	return c, problems.Err()
}

// pollInterval is the time between two reads of a shard by one group.
func (c config) pollInterval(groups int) time.Duration {
	if c.PollIntervalMS > 0 {
		return milliseconds(c.PollIntervalMS)
	}
	return time.Duration(max(groups, 1)) * time.Second / readsPerSecond
}

// clients are the settings that decide about latencies.
func (c config) clients(encrypted, pushed bool) map[experiment.ClientSetting]string {
	encryption, prefetch := "none", strconv.Itoa(c.PollMaxRecords)+" records per read"
	if encrypted {
		encryption = "TLS"
	}
	if pushed {
		prefetch = "pushed by enhanced fan-out"
	}
	return map[experiment.ClientSetting]string{
		experiment.BatchDelay:  experiment.Duration(milliseconds(c.LingerMS)).String(),
		experiment.BatchBytes:  experiment.Bytes(c.BatchMaxBytes).String(),
		experiment.Compression: "none",
		experiment.Encryption:  encryption,
		experiment.ConsumerAck: "none",
		experiment.Prefetch:    prefetch,
		experiment.InFlight:    strconv.Itoa(c.RequestsPerShard) + " per shard",
	}
}

// details are the settings that a reader of a result needs to judge it.
func (c config) details() map[string]string {
	return map[string]string{
		"linger_ms":           strconv.Itoa(c.LingerMS),
		"batch_max_records":   strconv.Itoa(c.BatchMaxRecords),
		"batch_max_bytes":     strconv.Itoa(c.BatchMaxBytes),
		"requests_per_shard":  strconv.Itoa(c.RequestsPerShard),
		"strict_order":        strconv.FormatBool(c.StrictOrder),
		"delivery_timeout_ms": strconv.Itoa(c.DeliveryTimeoutMS),
	}
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
