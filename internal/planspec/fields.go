package planspec

import (
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

const (
	maxRate        = 10e6 // messages per second
	maxVariants    = 16
	maxSegments    = 1000
	maxSafeInteger = 1<<53 - 1 // larger ones lose digits in browsers
)

// field describes one field of a plan. It is the one place for what decoding,
// defaults, ranges and the JSON Schema have to agree on.
type field struct {
	doc      string
	required bool
	def      string   // JSON of the default; "" for none
	example  string   // JSON for messages and the schema; def if empty
	min, max float64  // inclusive, of numbers, of durations in ns, of data in bytes, of lists in items; max 0 is unlimited
	enum     []string // the only texts allowed
	slug     bool     // text must be a slug
	readOnly bool     // set by admission; who gives a plan leaves it out
}

func (f field) sample() string {
	if f.example != "" {
		return f.example
	}
	return f.def
}

// fields holds every field of a plan by its path, with [] for any list item.
var fields = map[string]field{
	"name":    {doc: "Display name of the experiment. Default: the labels of its variants.", example: `"Kafka vs NATS"`},
	"target":  {doc: "Target on which the runs take place.", def: `"local"`, slug: true},
	"compare": {doc: "Primary metric, the only one that gets a verdict.", def: `"e2e_p99"`, enum: metricNames()},
	"matters": {doc: "Smallest difference in the primary metric that matters; variants that differ by less are called alike. Default: none.",
		example: `"5%"`, min: 100, max: 1e6},
	"workload": {doc: "Load offered to every variant.", required: true},
	"variants": {doc: "Variants to compare.", required: true, min: 1, max: maxVariants},
	"repeat":   {doc: "Number of runs per variant, each on fresh infrastructure.", def: `5`, min: 1, max: 100},
	"limits":   {doc: "Time limits of the experiment and its runs."},

	"limits.ttl": {doc: "Maximum lifetime of a run's infrastructure, enforced by the target itself.",
		def: `"1h"`, min: ns(time.Minute), max: ns(7 * 24 * time.Hour)},
	"limits.max_wall": {doc: "Time after which no further run starts. Default: unlimited.", example: `"2h"`, max: ns(90 * 24 * time.Hour)},

	"variants[].label": {doc: "Name of the variant in charts and sentences, unique within the plan.",
		required: true, example: `"kafka"`, slug: true},
	"variants[].technology":    {doc: "Technology, such as kafka.", required: true, example: `"kafka"`, slug: true},
	"variants[].stack":         {doc: "Stack of the technology, such as kraft.", required: true, example: `"kraft"`, slug: true},
	"variants[].emulator":      {doc: "Emulator that stands in for the technology. Set by DEC from the stack; leave it out.", readOnly: true},
	"variants[].options":       {doc: "Options of the stack.", example: `{"brokers": 3}`},
	"variants[].client_config": {doc: "Client settings that only this technology has.", example: `{}`},

	"workload.require": {doc: "Minimum guarantees that every variant must give. Default: none."},
	"workload.require.producer_ack": {doc: "Which replicas must have a message before it is acknowledged.",
		enum: experiment.ProducerAck.Scale(), example: `"all"`},
	"workload.require.durability": {doc: "Where a message must be stored before it is acknowledged.",
		enum: experiment.Durability.Scale(), example: `"page_cache"`},
	"workload.require.replicas": {doc: "Minimum number of copies of each message.", min: 1, max: 9, example: `3`},

	"workload.topology":                     {doc: "Partitions, replicas, producers and consumers."},
	"workload.topology.partitions":          {doc: "Number of partitions.", def: `1`, example: `12`, min: 1, max: 1000},
	"workload.topology.replicas":            {doc: "Number of copies of each partition.", def: `1`, min: 1, max: 9},
	"workload.topology.producers":           {doc: "Number of producers; they share the rate.", def: `1`, min: 1, max: 1000},
	"workload.topology.consumer_groups":     {doc: "Number of consumer groups; each group receives every message.", def: `1`, min: 1, max: 100},
	"workload.topology.consumers_per_group": {doc: "Number of consumers in each group; they share its messages.", def: `1`, min: 1, max: 1000},
	"workload.topology.producer_nodes":      {doc: "Number of agents that run the producers.", def: `1`, min: 1, max: 64},
	"workload.topology.consumer_nodes":      {doc: "Number of agents that run the consumers.", def: `1`, min: 1, max: 64},

	"workload.load":      {doc: "Offered load of all producers together: a rate or a schedule."},
	"workload.load.rate": {doc: "Constant rate, in messages per second.", example: `20000`, min: 0.01, max: maxRate},
	"workload.load.schedule": {doc: "Load that changes over time. It starts with the measure stage; the warmup stage runs at its first rate.",
		example: `[{"for": "2m", "rate": 5000}, {"for": "5m", "ramp_to": 20000}]`, min: 1, max: maxSegments},
	"workload.load.schedule[].for": {doc: "Length of the segment.",
		required: true, example: `"2m"`, min: ns(100 * time.Millisecond), max: ns(24 * time.Hour)},
	"workload.load.schedule[].rate": {doc: "Constant rate, in messages per second.", example: `5000`, max: maxRate},
	"workload.load.schedule[].ramp_to": {doc: "Rate at the end of the segment, reached linearly, in messages per second.",
		example: `20000`, max: maxRate},
	"workload.load.arrivals": {doc: "Spacing of the intended send times: even, or random as in a Poisson process.",
		def: `"uniform"`, enum: []string{string(experiment.ArrivalsUniform), string(experiment.ArrivalsPoisson)}},
	"workload.load.max_in_flight": {
		doc: "Maximum number of unacknowledged messages per producer. At the limit, sends wait; the wait counts as latency.",
		def: `10000`, min: 1, max: 1e6},

	"workload.message": {doc: "Size and key of the messages."},
	"workload.message.size": {doc: "Payload size: fixed, or distributed uniformly over a range.",
		def: `"1KiB"`, min: float64(experiment.MinMessageBytes), max: float64(experiment.MaxMessageBytes)},
	"workload.message.key": {doc: "Message key: none, partitions in turn, or drawn at random from a set of keys.", def: `"none"`, min: 1, max: 1e6},

	"workload.client": {doc: "Settings of clients that all technologies have in common. Default: each technology's own."},
	"workload.client.batch_max_delay": {doc: "Maximum time that a message waits for others to be sent with it; 0s sends each at once.",
		example: `"0s"`, max: ns(time.Minute)},
	"workload.client.batch_max_bytes": {doc: "Maximum size of a batch, before compression.", example: `"128KiB"`, min: 1024, max: 64 << 20},
	"workload.client.compression":     {doc: "Compression codec of messages.", example: `"none"`, enum: experiment.Compressions()},
	"workload.client.consumer_ack": {doc: "How consumers acknowledge: not at all, their position every few seconds, or each message.",
		example: `"none"`, enum: experiment.ConsumerAcks()},

	"workload.stages":        {doc: "Stages of the load phase."},
	"workload.stages.warmup": {doc: "Duration of the load before the measurement.", def: `"20s"`, max: ns(time.Hour)},
	"workload.stages.measure": {doc: "Duration of the measurement that the results describe. Default: the length of the schedule.",
		example: `"2m"`, min: float64(experiment.MinMeasure), max: float64(experiment.MaxMeasure)},
	"workload.stages.drain": {
		doc: "Maximum time for sending what was due and not sent in time, and for messages to arrive; observation ends with it.",
		def: `"30s"`, min: ns(time.Second), max: ns(time.Hour)},

	"workload.retention_bytes": {doc: "Amount of data beyond which the broker may delete old messages.", def: `"2GiB"`, min: 1 << 20, max: 1 << 50},
	"workload.seed":            {doc: "Seed of all random sequences.", def: `42`, min: -maxSafeInteger, max: maxSafeInteger},
}

// defaults are the values of the fields that have one, by path.
var defaults = func() map[string]*yamltext.Node {
	values := map[string]*yamltext.Node{}
	for path, f := range fields {
		if f.def == "" {
			continue
		}
		value, err := yamltext.ParseJSON([]byte(f.def))
		if err != nil {
			panic("planspec: the default of " + path + " is " + err.Error()) // a fault in this file
		}
		values[path] = value
	}
	return values
}()

// ns is d as the number that ranges are checked with.
func ns(d time.Duration) float64 { return float64(d) }

func metricNames() []string {
	var names []string
	for _, m := range experiment.Metrics() {
		names = append(names, string(m))
	}
	return names
}

// unsupported holds what the full vocabulary has and this version does not act
// on, with what to do instead. Such a field is refused: a load that is not the
// one that was asked for would answer another question. None of them is in the
// schema.
var unsupported = map[string]string{
	"limits.max_cost":                 "limit the time with limits.max_wall",
	"workload.backlog":                "remove it",
	"workload.consumer":               "remove it",
	"workload.load.arrivals.burst":    "use a schedule",
	"workload.load.search":            "use a rate, or a schedule with a ramp",
	"workload.message.compress_ratio": "remove it; content is random and does not compress",
	"workload.message.content":        "remove it; content is random",
	"workload.message.key.zipf":       `use {"uniform": {"cardinality": 10000}}`,
	"workload.message.size.lognormal": `use {"uniform": [100, 4000]}`,
	"workload.require.delivery":       "remove it; every run counts lost and duplicate messages",
	"workload.require.ordering":       "remove it; every run counts reordered messages",
	"workload.topology.destinations":  "remove it; there is one destination",
	"workload.verify":                 "remove it; every message is always accounted for",
}
