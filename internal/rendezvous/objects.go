// Package rendezvous is the protocol between the server and the agents of a
// run. They meet in a bucket: each object is written once and whole, agents
// need no inbound port, and the server may die and come back.
//
// Objects of a run, under runs/<run>/1/:
//
//	plan.json                      server: who does what
//	prepared.json                  leader: the destination exists; effective guarantees
//	agents/<id>/hello.json         agent: positioned; host facts, self-check
//	steps/<n>.json                 server: step 0 starts the load; a later one may stop it
//	agents/<id>/progress/<n>.json  agent: one snapshot a second
//	agents/<id>/failed.json        agent: it gave up, and why
//	agents/<id>/result.json        agent: histograms and exact accounts
//	histograms.json                server: distributions of the measure stage, all agents merged
//	timeline.json                  server: every second, all agents merged
//	result.json                    server: figures, counts and what they rest on; the last of the three
//	services/<name>/…              server, after the end: output and records of brokers and agents
//	tofu/<attempt>.jsonl           server, after the end: what OpenTofu said
//	dec/<when>.jsonl               server, after the end: its own log of the run
//
// During a run every object is found by its name, never by listing the folder: a
// list would show files that are only half written, and its cost grows with the
// run. What is kept of a run that has ended is listed.
package rendezvous

import (
	"encoding/json"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Names of objects in a [Folder].
const (
	PlanObject       = "plan.json"
	PreparedObject   = "prepared.json"
	HistogramsObject = "histograms.json" // map[measure.Distribution]string
	TimelineObject   = "timeline.json"   // []measure.Second
	ResultObject     = "result.json"     // a measure.Result, the same bytes as in the database
)

// HelloObject is the name of an agent's [Hello].
func HelloObject(agent string) string { return "agents/" + agent + "/hello.json" }

// FailedObject is the name of an agent's [Failed].
func FailedObject(agent string) string { return "agents/" + agent + "/failed.json" }

// AgentResultObject is the name of an agent's result.
func AgentResultObject(agent string) string { return "agents/" + agent + "/result.json" }

// RereadTime is how long the leader may take to read the destination again.
const RereadTime = 50 * time.Second

// RemainingObject is the name of the leader's [Leftover]. It is there only after a load
// that ended before everything had arrived.
const RemainingObject = "remaining.json"

// Leftover is what the leader found when it read the destination again.
type Leftover struct {
	Remaining *measure.Remaining `json:"remaining,omitempty"` // nil if that could not be told
	Reason    string             `json:"reason,omitempty"`    // why not
}

// ProgressObject is the name of an agent's [Progress] in second n, from 0.
func ProgressObject(agent string, n int) string {
	return fmt.Sprintf("agents/%s/progress/%06d.json", agent, n)
}

// StepObject is the name of [Step] n.
func StepObject(n int) string { return fmt.Sprintf("steps/%d.json", n) }

// Plan tells every agent of a run what to do.
type Plan struct {
	Run          string                     `json:"run"`
	Technology   string                     `json:"technology"`
	Destination  string                     `json:"destination"`
	Endpoints    json.RawMessage            `json:"endpoints"`
	ClientConfig map[string]json.RawMessage `json:"client_config,omitempty"`
	Workload     experiment.Workload        `json:"workload"` // with the seed of this run
	Compare      experiment.Metric          `json:"compare,omitempty"`
	OwnCPUs      bool                       `json:"own_cpus,omitempty"` // the agents share their CPUs with no one
	Agents       map[string]Share           `json:"agents"`
}

// Share is one agent's part of the workload.
type Share struct {
	Role      string          `json:"role"`                // measure.RoleProducer or measure.RoleConsumer
	Leader    bool            `json:"leader,omitempty"`    // agent 0: prepares the destination
	Producers []int           `json:"producers,omitempty"` // indices of its producers
	Consumers []ConsumerShare `json:"consumers,omitempty"`
}

// ConsumerShare is one consumer.
type ConsumerShare struct {
	Group string `json:"group"`
	Index int    `json:"index"`
}

// Prepared says that the destination exists, or why it is refused.
type Prepared struct {
	Effective json.RawMessage `json:"effective,omitempty"` // experiment.Effective
	Refused   string          `json:"refused,omitempty"`   // a guarantee below the workload's minimum
	At        time.Time       `json:"at,omitzero"`         // when the destination did not exist yet; wall clock
}

// Hello says that an agent is positioned and fit.
type Hello struct {
	Facts measure.AgentFacts `json:"facts"`
}

// Step starts or stops the load.
type Step struct {
	N       int       `json:"n"`
	Start   time.Time `json:"start,omitzero"`    // of the warm-up; wall clock
	Stop    bool      `json:"stop,omitempty"`    // end now: write the result
	Drained bool      `json:"drained,omitempty"` // with Stop: everything has arrived
	Aborted bool      `json:"aborted,omitempty"` // with Stop: before the load was over, so that what it measured is no result
	Reason  string    `json:"reason,omitempty"`
}

// Progress is what an agent did in one second of the load phase.
type Progress struct {
	measure.Snapshot
	Idle bool `json:"idle"` // its producers send no more and await no acknowledgement
}

// Failed says why an agent gave up.
type Failed struct {
	Reason string `json:"reason"`
}
