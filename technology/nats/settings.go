package nats

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// fields are the settings of client_config.
var fields = []technology.ConfigField{
	{Name: "consumer_ack", Default: "explicit", Enum: []string{"explicit", "periodic", "none"},
		Doc: "Whether consumers acknowledge each message, or every ack_interval_ms all so far (ack policy all), or none. " +
			"With none, the server does not redeliver what a consumer did not receive."},
	{Name: "ack_interval_ms", Default: 5000, Min: 10, Max: 3_600_000, Doc: "Interval at which a consumer acknowledges with consumer_ack: periodic."},
	{Name: "prefetch", Default: 5000, Min: 1, Max: 100_000, Doc: "Number of messages that a consumer requests in advance. " +
		"It sends the next pull request when half of them have arrived."},
	{Name: "max_ack_pending", Default: 20_000, Min: 1, Max: 1_000_000, Doc: "Maximum number of unacknowledged messages per consumer. " +
		"At the limit, the server stops sending. It must be at least prefetch. " +
		"With consumer_ack: periodic there is no limit unless it is set."},
	{Name: "ack_wait_ms", Default: 0, Max: 86_400_000, Doc: "Time after which the server redelivers an unacknowledged message. " +
		"0 means a third of the drain stage, but at least 5 s: what was lost with a connection still arrives in time."},
}

// config is a client_config with its defaults. The names are those of fields.
type config struct {
	ConsumerAck   string `json:"consumer_ack"`
	AckIntervalMS int    `json:"ack_interval_ms"`
	Prefetch      int    `json:"prefetch"`
	MaxAckPending int    `json:"max_ack_pending"`
	AckWaitMS     int    `json:"ack_wait_ms"`
}

// leastAckWait is long enough that no consumer which just lags gets a message twice.
const leastAckWait = 5 * time.Second

func (c config) ackWait() time.Duration { return time.Duration(c.AckWaitMS) * time.Millisecond }

func (c config) ackInterval() time.Duration { return time.Duration(c.AckIntervalMS) * time.Millisecond }

// The values of consumer_ack.
const (
	ackExplicit = "explicit"
	ackPeriodic = "periodic"
	ackNone     = "none"
)

// acks are the values of consumer_ack by those of the workload's clients.
var acks = map[string]string{
	experiment.AckEach: ackExplicit, experiment.AckPeriodic: ackPeriodic, experiment.AckNone: ackNone,
}

// clients are the settings that decide about latencies.
func (c config) clients(maxInFlight int) map[experiment.ClientSetting]string {
	ack := map[string]string{
		ackExplicit: "each message", ackPeriodic: "position every " + experiment.Duration(c.ackInterval()).String(), ackNone: "none",
	}[c.ConsumerAck]
	return map[experiment.ClientSetting]string{
		experiment.BatchDelay:  experiment.Duration(0).String(),
		experiment.BatchBytes:  "1 message",
		experiment.Compression: "none",
		experiment.Encryption:  "none",
		experiment.ConsumerAck: ack,
		experiment.Prefetch:    fmt.Sprintf("%d messages", c.Prefetch),
		experiment.InFlight:    fmt.Sprintf("%d messages", maxInFlight),
	}
}

// user is the name that goes with the password.
const user = "dec"

// readPassword returns the stack's secret option password, "" if none was given.
func readPassword(secrets map[string]json.RawMessage) (string, error) {
	raw, given := secrets["password"]
	if !given {
		return "", nil
	}
	var password string
	if json.Unmarshal(raw, &password) != nil { // the error itself may repeat it
		return "", errors.New("the secret option password is not text")
	}
	return password, nil
}

// maxReplicas is the most copies that a JetStream stream can have.
const maxReplicas = 5

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
	common.NoBatches("NATS")
	common.NoCompression("NATS")
	if asked := common.ConsumerAck("consumer_ack", "NATS", experiment.ConsumerAcks()...); asked != "" {
		c.ConsumerAck = acks[asked]
	}
	least := leastAckWait
	if c.ConsumerAck == ackPeriodic {
		least = max(least, 2*c.ackInterval())
		if _, given := clientConfig["max_ack_pending"]; !given {
			c.MaxAckPending = -1
		}
	}
	switch {
	case c.AckWaitMS == 0:
		c.AckWaitMS = int(max(least, w.Stages.Drain.Std()/3).Milliseconds())
	case c.ConsumerAck == ackPeriodic && c.ackWait() <= c.ackInterval():
		problems.Add("client_config.ack_wait_ms", "is %d, but must be more than ack_interval_ms, %d, or messages come twice",
			c.AckWaitMS, c.AckIntervalMS)
	}
	if c.ConsumerAck != ackNone && c.MaxAckPending > 0 && c.MaxAckPending < c.Prefetch {
		problems.Add("client_config.max_ack_pending", "is %d, but must be at least prefetch, %d", c.MaxAckPending, c.Prefetch)
	}
	if replicas := max(w.Topology.Replicas, w.Require.Replicas); replicas > maxReplicas {
		problems.Add("", "JetStream keeps at most %d copies of a stream, but the workload asks for %d: "+
			"lower workload.topology.replicas and workload.require.replicas", maxReplicas, replicas)
	}
	return c, problems.Err()
}
