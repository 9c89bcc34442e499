// Package planspectest has plans that [planspec.Decode] refuses, for tests of
// whoever passes plans on to it.
package planspectest

import "strings"

// Minimal is the shortest plan, in JSON.
const Minimal = `{
	"workload": {"load": {"rate": 20000}, "stages": {"measure": "30s"}},
	"variants": [
		{"label": "kafka", "technology": "kafka", "stack": "kraft"},
		{"label": "nats", "technology": "nats", "stack": "jetstream"}
	]
}`

// Refused is a plan with one fault.
type Refused struct {
	Old, New string // what of [Minimal] is replaced, and by what
	Want     string // the problem
}

// Plan returns the plan, in JSON.
func (r Refused) Plan() string { return strings.Replace(Minimal, r.Old, r.New, 1) }

const load, topology, variants = `{"rate": 20000}`, `"load":`, `"variants": [`

// All are refused plans, by what is wrong.
var All = map[string]Refused{
	"a misspelt field, with the nearest name": {
		topology, `"topology": {"partitons": 12}, "load":`,
		`workload.topology.partitons: unknown field; did you mean "partitions"?`,
	},
	"another style of a name": {
		load, `{"rate": 1, "maxInFlight": 5}`,
		`workload.load.maxInFlight: unknown field; did you mean "max_in_flight"?`,
	},
	"a field in the wrong place": {
		`"workload"`, `"max_in_flight": 3, "workload"`,
		`max_in_flight: unknown field; did you mean workload.load.max_in_flight?`,
	},
	"a field that nothing resembles": {`"workload"`, `"zzz": 3, "workload"`, `zzz: unknown field`},
	"text for a number, with an example": {
		topology, `"topology": {"partitions": "many"}, "load":`,
		`workload.topology.partitions: must be a whole number, such as 12, not text "many"`,
	},
	"a fraction for a whole number": {
		topology, `"topology": {"partitions": 1.5}, "load":`,
		`workload.topology.partitions: must be a whole number, such as 12, not 1.5`,
	},
	"an explicit zero instead of a default": {
		topology, `"topology": {"partitions": 0}, "load":`,
		`workload.topology.partitions: is 0; it must be between 1 and 1000`,
	},
	"null":                    {load, `null`, `workload.load: is empty (null): remove the field, or set it to an object`},
	"a duration without unit": {`"30s"`, `30`, `workload.stages.measure: must be a duration with a unit, such as "2m", not 30`},
	"a duration that is none": {
		`"30s"`, `"soon"`,
		`workload.stages.measure: "soon" is not a duration: use a number with ms, s, m or h, such as "90s"`,
	},
	"no measure beside a constant rate": {
		`{"measure": "30s"}`, `{}`,
		`workload.stages.measure: is required with a constant rate: set it to a duration with a unit, such as "2m"`,
	},
	"a rate of zero":            {load, `{"rate": 0}`, `workload.load.rate: is 0; it must be between 0.01 and 10000000`},
	"neither rate nor schedule": {load, `{}`, `workload.load: needs a rate or a schedule, such as {"rate": 20000}`},
	"rate and schedule": {
		load, `{"rate": 1, "schedule": [{"for": "30s", "rate": 5}]}`,
		`workload.load: has both a rate and a schedule: keep one of them`,
	},
	"an empty schedule": {load, `{"schedule": []}`, `workload.load.schedule: has 0 items; it must have 1 to 1000`},
	"a ramp from nowhere": {
		load, `{"schedule": [{"for": "30s", "ramp_to": 5}]}`,
		`workload.load.schedule[0]: must have a rate above zero, for the warmup stage and as the start of a ramp, ` +
			`such as {"for": "10s", "rate": 1000}`,
	},
	"a segment with rate and ramp": {
		load, `{"schedule": [{"for": "30s", "rate": 1, "ramp_to": 5}]}`,
		`workload.load.schedule[0]: must have either rate or ramp_to`,
	},
	"a measure that is not the schedule's": {
		load, `{"schedule": [{"for": "20s", "rate": 5}]}`,
		`workload.stages.measure: is 30s, but the schedule takes 20s: remove this field`,
	},
	"a message smaller than the header": {
		topology, `"message": {"size": "63B"}, "load":`,
		`workload.message.size: is 63B; it must be between 64B and 1MiB`,
	},
	"a size range that is backwards": {
		topology, `"message": {"size": {"uniform": [200, 100]}}, "load":`,
		`workload.message.size.uniform: the range is reversed; put the smaller size first`,
	},
	"a key that is unknown": {
		topology, `"message": {"key": "random"}, "load":`,
		`workload.message.key: must be "none", "round_robin" or {"uniform": {"cardinality": 10000}}, not text "random"`,
	},
	"idle consumers": {
		topology, `"topology": {"consumers_per_group": 4}, "load":`,
		`workload.topology.consumers_per_group: is 4, but workload.topology.partitions is 1: the other consumers would be idle; ` +
			`use at most 1, or more partitions`,
	},
	"agents without producers": {
		topology, `"topology": {"producer_nodes": 2}, "load":`,
		`workload.topology.producer_nodes: is 2, but workload.topology.producers is 1: use at most 1`,
	},
	"agents without consumers": {
		topology, `"topology": {"consumer_nodes": 2}, "load":`,
		`workload.topology.consumer_nodes: is 2, but the consumer groups have 1 consumers in all: use at most 1`,
	},
	"more required replicas than asked for": {
		topology, `"require": {"replicas": 3}, "load":`,
		`workload.require.replicas: is 3, but workload.topology.replicas is 1: raise that to at least 3`,
	},
	"an unknown metric": {
		`"workload"`, `"compare": "e2e_p98", "workload"`,
		`compare: "e2e_p98" is unknown; did you mean "e2e_p90"?`,
	},
	"an unknown acknowledgement": {
		topology, `"require": {"producer_ack": "some"}, "load":`,
		`workload.require.producer_ack: must be "none", "leader" or "all", not "some"`,
	},
	"a life shorter than the load": {
		`"workload"`, `"limits": {"ttl": "1m"}, "workload"`,
		`limits.ttl: is 1m, but the stages alone take 1m20s: raise it, and leave time to provision`,
	},
	"a label that is no slug": {
		`"label": "nats"`, `"label": "NATS 1"`,
		`variants[1].label: "NATS 1" is not a valid name: use up to 40 lower-case letters, digits and hyphens, ` +
			`starting with a letter and not ending with a hyphen, such as "kafka"`,
	},
	"a label that is taken": {
		`"label": "nats"`, `"label": "kafka"`,
		`variants[1].label: "kafka" is already the label of variants[0]: choose another one`,
	},
	"no variant":      {variants, `"variants": [], "x": [`, `variants: has 0 items; it must have 1 to 16`},
	"a missing label": {`"label": "nats", `, ``, `variants[1].label: is required: set it to text, such as "kafka"`},
	"a control character in the name": {
		`"workload"`, `"name": "a\u001b[2J", "workload"`,
		`name: contains a control character; it must be one line of text`,
	},
	"a field that is given twice": {`"workload"`, `"repeat": 5, "repeat": 6, "workload"`, `repeat: is given twice: keep one of them`},
	"an option that is given twice": {
		`"stack": "kraft"`, `"stack": "kraft", "options": {"a": {"b": 1, "b": 2}}`,
		`variants[0].options.a.b: is given twice: keep one of them`,
	},
	"more digits than a number holds": {load, `{"rate": 1e999}`, `workload.load.rate: must be a number, such as 20000, not 1e999`},
	"search, by name": {
		load, `{"rate": 1, "search": {}}`,
		`workload.load.search: is not supported by this version: use a rate, or a schedule with a ramp`,
	},
	"burst arrivals, by name": {
		load, `{"rate": 1, "arrivals": {"burst": {"on": "5s"}}}`,
		`workload.load.arrivals.burst: is not supported by this version: use a schedule`,
	},
	"zipf keys, by name": {
		topology, `"message": {"key": {"zipf": {}}}, "load":`,
		`workload.message.key.zipf: is not supported by this version: use {"uniform": {"cardinality": 10000}}`,
	},
	"lognormal sizes, by name": {
		topology, `"message": {"size": {"lognormal": {}}}, "load":`,
		`workload.message.size.lognormal: is not supported by this version: use {"uniform": [100, 4000]}`,
	},
	"a backlog, by name": {
		topology, `"backlog": {"build": "60s"}, "load":`,
		`workload.backlog: is not supported by this version: remove it`,
	},
	"a cap on cost, by name": {
		`"workload"`, `"limits": {"max_cost": "5 USD"}, "workload"`,
		`limits.max_cost: is not supported by this version: limit the time with limits.max_wall`,
	},
	"a seed that browsers would round": {
		topology, `"seed": 9007199254740993, "load":`,
		`workload.seed: is 9007199254740992; it must be between -9007199254740991 and 9007199254740991`,
	},
	"a list where an object belongs": {load, `[1]`, `workload.load: must be an object, not a list`},
	"more nesting than anyone means": {
		`"stack": "kraft"`, `"stack": "kraft", "options": {"a": ` + strings.Repeat("[", 61) + strings.Repeat("]", 61) + `}`,
		`line 4: nested 65 levels deep; at most 64 are allowed`,
	},
}
