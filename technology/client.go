package technology

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// Common applies what a workload asks of all clients ([experiment.Client]) to the
// settings of one technology, and says what that cannot do.
type Common struct {
	Client   experiment.Client
	Config   map[string]json.RawMessage // the variant's client_config
	Problems *experiment.Problems
}

// Delay returns the batching delay, which the setting with that name holds by itself;
// own is its value. What is asked must be a whole number of steps.
func (c Common) Delay(name string, own, step time.Duration) time.Duration {
	asked := c.Client.BatchMaxDelay
	if asked == nil {
		return own
	}
	c.once(name, "batch_max_delay")
	if asked.Std()%step != 0 {
		c.Problems.Add("", "workload.client.batch_max_delay is %s, but %s counts in steps of %s: round it", asked, name, step)
	}
	return asked.Std()
}

// Bytes returns the size of batches, which the setting with that name holds by itself;
// own is its value and most the largest that the technology takes.
func (c Common) Bytes(name string, own, most int) int {
	asked := int(c.Client.BatchMaxBytes)
	if asked == 0 {
		return own
	}
	c.once(name, "batch_max_bytes")
	if asked > most {
		c.Problems.Add("", "workload.client.batch_max_bytes is %s, but at most %s are possible here: lower it",
			c.Client.BatchMaxBytes, experiment.Bytes(most))
	}
	return asked
}

// Compression returns the codec, which the setting with that name holds by itself; own
// is its value.
func (c Common) Compression(name, own string) string {
	if c.Client.Compression == "" {
		return own
	}
	c.once(name, "compression")
	return c.Client.Compression
}

// ConsumerAck returns how consumers acknowledge, which the setting with that name holds
// by itself; "" leaves it to that. can are the ways that the technology has.
func (c Common) ConsumerAck(name, title string, can ...string) string {
	asked := c.Client.ConsumerAck
	if asked == "" {
		return ""
	}
	if name != "" {
		c.once(name, "consumer_ack")
	}
	if !slices.Contains(can, asked) {
		c.Problems.Add("", "consumers of %s cannot acknowledge in this way, so workload.client.consumer_ack must be %s, not %s",
			title, strings.Join(can, " or "), asked)
	}
	return asked
}

// once refuses a setting that is given twice: nobody could tell which one holds.
func (c Common) once(name, asked string) {
	if _, both := c.Config[name]; both {
		c.Problems.Add("client_config."+name, "is given twice, here and as workload.client.%s: remove one of them", asked)
	}
}

// NoBatches refuses what a client cannot do that sends each message by itself, at once.
func (c Common) NoBatches(title string) {
	if d := c.Client.BatchMaxDelay; d != nil && *d > 0 {
		c.Problems.Add("", "%s sends each message at once, so workload.client.batch_max_delay must be 0s, not %s", title, d)
	}
	if c.Client.BatchMaxBytes > 0 {
		c.Problems.Add("", "%s sends each message by itself: remove workload.client.batch_max_bytes", title)
	}
}

// NoCompression refuses a codec.
func (c Common) NoCompression(title string) {
	if codec := c.Client.Compression; codec != "" && codec != "none" {
		c.Problems.Add("", "%s does not compress messages, so workload.client.compression must be none, not %s", title, codec)
	}
}
