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
	"name":     {doc: "What people call the experiment; the labels of its variants if unset.", example: `"Kafka vs NATS"`},
	"target":   {doc: "Where the runs take place.", def: `"local"`, slug: true},
	"compare":  {doc: "Primary metric, the only one that gets a verdict.", def: `"e2e_p99"`, enum: metricNames()},
	"workload": {doc: "The offered load.", required: true},
	"variants": {doc: "The candidates.", required: true, min: 1, max: maxVariants},
	"repeat":   {doc: "Runs per variant, each on fresh infrastructure.", def: `5`, min: 1, max: 100},
	"limits":   {doc: "What the experiment may use."},

	"limits.ttl":      {doc: "Life of a run's infrastructure, enforced by the target itself.", def: `"1h"`, min: ns(time.Minute), max: ns(7 * 24 * time.Hour)},
	"limits.max_wall": {doc: "No further run starts after this time; unlimited if unset.", example: `"2h"`, max: ns(90 * 24 * time.Hour)},

	"variants[].label":         {doc: "Name of the variant in charts and sentences, unique within the plan.", required: true, example: `"kafka"`, slug: true},
	"variants[].technology":    {doc: "Technology, such as kafka.", required: true, example: `"kafka"`, slug: true},
	"variants[].stack":         {doc: "Arrangement of the technology.", required: true, example: `"kraft"`, slug: true},
	"variants[].emulator":      {doc: "Program that stands for the technology. Admission sets it, from the stack: leave it out.", readOnly: true},
	"variants[].options":       {doc: "Options of the stack.", example: `{"brokers": 3}`},
	"variants[].client_config": {doc: "Settings of the driver that have no neutral name.", example: `{}`},

	"workload.require":              {doc: "Guarantees that every variant must give at least; unset means none."},
	"workload.require.producer_ack": {doc: "Who must have a message before it counts as acknowledged.", enum: experiment.ProducerAck.Scale(), example: `"all"`},
	"workload.require.durability":   {doc: "Where a message must be before it is acknowledged.", enum: experiment.Durability.Scale(), example: `"page_cache"`},
	"workload.require.replicas":     {doc: "Copies of each message.", min: 1, max: 9, example: `3`},

	"workload.topology":                     {doc: "How the destination is partitioned and who uses it."},
	"workload.topology.partitions":          {doc: "Partitions of the destination.", def: `1`, example: `12`, min: 1, max: 1000},
	"workload.topology.replicas":            {doc: "Copies of each partition.", def: `1`, min: 1, max: 9},
	"workload.topology.producers":           {doc: "Producers that share the rate.", def: `1`, min: 1, max: 1000},
	"workload.topology.consumer_groups":     {doc: "Groups of consumers; each group receives every message.", def: `1`, min: 1, max: 100},
	"workload.topology.consumers_per_group": {doc: "Consumers that share the messages of a group.", def: `1`, min: 1, max: 1000},
	"workload.topology.producer_nodes":      {doc: "Agents that share the producers.", def: `1`, min: 1, max: 64},
	"workload.topology.consumer_nodes":      {doc: "Agents that share the consumers.", def: `1`, min: 1, max: 64},

	"workload.load":                    {doc: "Offered load over all producers: a rate or a schedule."},
	"workload.load.rate":               {doc: "Messages per second.", example: `20000`, min: 0.01, max: maxRate},
	"workload.load.schedule":           {doc: "Load that changes; it starts with the measure stage, and the warm-up runs at its first rate.", example: `[{"for": "2m", "rate": 5000}, {"for": "5m", "ramp_to": 20000}]`, min: 1, max: maxSegments},
	"workload.load.schedule[].for":     {doc: "Length of the segment.", required: true, example: `"2m"`, min: ns(100 * time.Millisecond), max: ns(24 * time.Hour)},
	"workload.load.schedule[].rate":    {doc: "Constant rate, in messages per second.", example: `5000`, max: maxRate},
	"workload.load.schedule[].ramp_to": {doc: "Rate reached linearly at the segment's end, in messages per second.", example: `20000`, max: maxRate},
	"workload.load.arrivals":           {doc: "Spacing of the intended send times.", def: `"uniform"`, enum: []string{string(experiment.ArrivalsUniform), string(experiment.ArrivalsPoisson)}},
	"workload.load.max_in_flight":      {doc: "Unacknowledged messages per producer; when full the send waits, and the wait counts as latency.", def: `10000`, min: 1, max: 1e6},

	"workload.message":      {doc: "What is sent."},
	"workload.message.size": {doc: "Payload: fixed, or uniform over a range.", def: `"1KiB"`, min: float64(experiment.MinMessageBytes), max: float64(experiment.MaxMessageBytes)},
	"workload.message.key":  {doc: "How messages are keyed.", def: `"none"`, min: 1, max: 1e6},

	"workload.stages":         {doc: "Parts of the load phase."},
	"workload.stages.warmup":  {doc: "Sent but not measured.", def: `"20s"`, max: ns(time.Hour)},
	"workload.stages.measure": {doc: "What the results describe; the length of the schedule if unset.", example: `"2m"`, min: float64(experiment.MinMeasure), max: float64(experiment.MaxMeasure)},
	"workload.stages.drain":   {doc: "At most this long for what is under way to arrive; later messages count as lost.", def: `"30s"`, min: ns(time.Second), max: ns(time.Hour)},

	"workload.retention_bytes": {doc: "The broker may drop older messages past this size.", def: `"2GiB"`, min: 1 << 20, max: 1 << 50},
	"workload.seed":            {doc: "Every random stream derives from it.", def: `42`, min: -maxSafeInteger, max: maxSafeInteger},
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

// notHonoured holds what the full vocabulary has and this version does not act
// on, with what to do instead. Such a field is refused: a load that is not the
// one that was asked for would answer another question. None of them is in the
// schema.
var notHonoured = map[string]string{
	"limits.max_cost":                 "limit the time with limits.max_wall",
	"workload.backlog":                "leave it out",
	"workload.client":                 "write client_config of the variant",
	"workload.consumer":               "leave it out",
	"workload.load.arrivals.burst":    "write a schedule",
	"workload.load.search":            "write a rate, or a schedule with a ramp",
	"workload.message.compress_ratio": "leave it out: content is random and does not compress",
	"workload.message.content":        "leave it out: content is random",
	"workload.message.key.zipf":       `write {"uniform": {"cardinality": 10000}}`,
	"workload.message.size.lognormal": `write {"uniform": [100, 4000]}`,
	"workload.require.delivery":       "leave it out: loss and duplicates are counted in every run",
	"workload.require.ordering":       "leave it out: reordering is counted in every run",
	"workload.topology.destinations":  "leave it out: there is one destination",
	"workload.verify":                 "leave it out: every message is accounted for",
}
