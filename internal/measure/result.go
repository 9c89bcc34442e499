// Package measure counts what happens to every message and how long it takes,
// and merges that over agents without loss: histograms are added, never their
// percentiles, and messages are accounted for by sets of sequence numbers.
//
// Latencies count from the intended send time. On the sending side a
// [ProducerRecorder], on the receiving side a [ConsumerRecorder] records; each
// second an [Interval] is drained from them into a [Snapshot]; at the end an
// [AgentResult] holds the exact account, and [Merge] makes the run's [Result].
package measure

import (
	"encoding/json"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// Counts are exact numbers of messages. In a result they cover the measure
// stage alone; a message belongs to a stage by its intended time.
type Counts struct {
	Offered    int64 `json:"offered"` // what the schedule asks for
	Sent       int64 `json:"sent"`    // handed to the client
	Unsent     int64 `json:"unsent"`  // offered, but there was no room in max_in_flight until the drain ended
	Acked      int64 `json:"acked"`
	Failed     int64 `json:"failed"`     // the client reported an error instead of an acknowledgement
	Unanswered int64 `json:"unanswered"` // sent, and neither acknowledged nor failed when the drain ended
	Received   int64 `json:"received"`   // by all groups, duplicates included
	// What was acknowledged and had not been received when the drain ended is one of the
	// next four; each is over all groups.
	Lost        int64 `json:"lost"`        // truly gone
	Undelivered int64 `json:"undelivered"` // still held by the system under test, or under way
	AgedOut     int64 `json:"aged_out"`    // deleted because of the retention
	Missing     int64 `json:"missing"`     // lost or undelivered: nobody could tell
	Duplicates  int64 `json:"duplicates"`  // received again by the same group
	Reordered   int64 `json:"reordered"`   // received after a later one of the same key or partition and producer
	Corrupt     int64 `json:"corrupt"`     // of this run, but the checksum or the header is wrong
	Foreign     int64 `json:"foreign"`     // received, and not of this run; of any stage
	Unwatched   int64 `json:"unwatched"`   // received, but their order was not checked: too many keys
	Bytes       int64 `json:"bytes"`       // payload bytes sent
}

// Add adds other numbers.
func (c *Counts) Add(o Counts) {
	c.Offered += o.Offered
	c.Sent += o.Sent
	c.Unsent += o.Unsent
	c.Acked += o.Acked
	c.Failed += o.Failed
	c.Unanswered += o.Unanswered
	c.Received += o.Received
	c.Lost += o.Lost
	c.Undelivered += o.Undelivered
	c.AgedOut += o.AgedOut
	c.Missing += o.Missing
	c.Duplicates += o.Duplicates
	c.Reordered += o.Reordered
	c.Corrupt += o.Corrupt
	c.Foreign += o.Foreign
	c.Unwatched += o.Unwatched
	c.Bytes += o.Bytes
}

// Distribution names one of the measured distributions.
type Distribution string

// The measured distributions. Latencies count from the intended send time,
// service times from the real send.
const (
	PublishLatency Distribution = "publish_latency" // intended send → acknowledged
	PublishService Distribution = "publish_service" // real send → acknowledged
	E2ELatency     Distribution = "e2e_latency"     // intended send → received
	E2EService     Distribution = "e2e_service"     // real send → received
	PacerLateness  Distribution = "pacer_lateness"  // the pacer reached the message late although there was room in max_in_flight
	Backpressure   Distribution = "backpressure"    // wait for room in max_in_flight or a blocking client
)

// Open names the distribution of the lower bounds that belong to d, those of what had
// not come when observation ended.
func (d Distribution) Open() Distribution { return d + "_open" }

// Snapshot is what happened in one second of one agent, or merged over agents.
type Snapshot struct {
	Second     int                           `json:"second"` // from the start of the load phase, 0 is the first
	Stage      experiment.Stage              `json:"stage"`
	Counts     Counts                        `json:"counts"`
	InFlight   int64                         `json:"in_flight"`
	Backlog    int64                         `json:"backlog"`          // acknowledged minus received by the slowest group, so far; only when merged
	CPUSeconds float64                       `json:"cpu_s"`            // used by the agents in this second
	Groups     map[string]int64              `json:"groups,omitempty"` // newly received by consumer group, without duplicates
	Incidents  map[experiment.Incident]int64 `json:"incidents,omitempty"`
	Latencies  map[Distribution]string       `json:"hist"` // V2-encoded HDR histograms, see [Histogram.Encode]
}

// Second is one row of a run's timeline: a merged snapshot with its quantiles.
type Second struct {
	Second     int                           `json:"second"`
	Stage      experiment.Stage              `json:"stage"`
	Counts     Counts                        `json:"counts"`
	InFlight   int64                         `json:"in_flight"`
	Backlog    int64                         `json:"backlog"`
	Behind     int64                         `json:"behind"` // offered minus received by the slowest group, so far
	CPUSeconds float64                       `json:"cpu_s"`
	Incidents  map[experiment.Incident]int64 `json:"incidents,omitempty"` // of the clients, by kind: throttles, retries
	Latencies  map[Distribution]Latency      `json:"latencies"`
}

// Method is the version of how results are measured. Figures of different methods mean
// different things, so they are never compared.
//
//	1  percentiles of the messages that came; what was due was given up at the end of
//	   the measure stage
//	2  percentiles of what was offered; what is due is sent until the drain stage ends
const Method = 2

// Result is what a run measured: its figures, and all that is needed to know what
// they mean and to measure them again. The series and distributions that it was
// made of lie beside it; see [Merged].
type Result struct {
	Method     int     `json:"method,omitempty"` // see [Method]; absent for 1
	Counts     Counts  `json:"counts"`
	Publish    Latency `json:"publish_latency"`
	PublishSvc Latency `json:"publish_service"`
	E2E        Latency `json:"e2e_latency"` // of the worst group where there are several
	E2ESvc     Latency `json:"e2e_service"`
	Lateness   Latency `json:"pacer_lateness"`
	Wait       Latency `json:"backpressure"`
	// Raised is by how much at most the pacer's lateness has raised a quantile, by its
	// name, of the publish and the end-to-end latency, in nanoseconds.
	Raised map[Distribution]map[string]int64 `json:"raised_ns,omitempty"`
	Groups map[string]GroupView              `json:"groups,omitempty"` // per consumer group where there are several
	// Throughput is messages of the measure stage that the slowest group received while
	// it lasted, per second, without duplicates.
	Throughput float64         `json:"throughput_per_s"`
	Delivered  float64         `json:"delivered_share"` // of the offered messages, those that the slowest group received at least once
	CPU        CPU             `json:"cpu"`
	Course     *Course         `json:"course,omitempty"`     // of the measure stage
	Guarantees json.RawMessage `json:"guarantees,omitempty"` // an experiment.Effective
	// NoFsync says that brokers called fsync for no message before the measure stage was
	// over, by their settings; false where they did, or where that is not known.
	NoFsync bool `json:"no_fsync,omitempty"`
	// ClockBound bounds the error of a time from a producer to a consumer, in
	// nanoseconds: 0 on one clock, nil where nobody knows. End-to-end latencies have no
	// digits below it.
	ClockBound *int64              `json:"clock_bound_ns"`
	Validity   experiment.Validity `json:"validity"`
	Agents     []AgentFacts        `json:"agents"`
	// Certificate is how wrong these agents are; absent where that is not known.
	Certificate *Certificate                  `json:"certificate,omitempty"`
	Versions    map[string]string             `json:"versions,omitempty"`
	Errors      map[string]int64              `json:"errors,omitempty"`    // texts of failed sends and how often
	Incidents   map[experiment.Incident]int64 `json:"incidents,omitempty"` // in the seconds of the measure stage; absent where clients cannot tell
	Run         string                        `json:"run,omitempty"`       // id
	Variant     string                        `json:"variant,omitempty"`   // label of the variant that the run is of
	Seed        int64                         `json:"seed,omitempty"`      // of this run's load; see [experiment.RoundSeed]
	Plan        json.RawMessage               `json:"plan,omitempty"`      // the whole experiment.Plan, with its variants and the first round's seed
}

// Merged is what [Merge] makes of a run: the result with the series and the
// distributions that its figures come from. Earlier versions stored it whole.
type Merged struct {
	Result
	Timeline   []Second                `json:"timeline"`
	Histograms map[Distribution]string `json:"histograms"` // of the measure stage, V2-encoded
}

// ReadResult reads a stored result, also one of earlier versions.
func ReadResult(data []byte) (Result, error) {
	m, err := ReadMerged(data)
	return m.Result, err
}

// ReadMerged reads a stored result with what it carries inside: the timeline and
// the histograms if an earlier version stored it, else neither.
func ReadMerged(data []byte) (Merged, error) {
	var m Merged
	if err := json.Unmarshal(data, &m); err != nil {
		return Merged{}, fmt.Errorf("read a result: %w", err)
	}
	if m.Course == nil && len(m.Timeline) > 0 {
		m.Course = NewCourse(m.Timeline)
	}
	return m, nil
}

// Absent is what became of the messages that were acknowledged and that a group had not
// received when the drain ended.
type Absent struct {
	Lost        int64 `json:"lost"`
	Undelivered int64 `json:"undelivered"`
	AgedOut     int64 `json:"aged_out"`
	Missing     int64 `json:"missing"`
}

// GroupView is what one consumer group saw.
type GroupView struct {
	Received   int64   `json:"received"`
	Delivered  float64 `json:"delivered_share"` // of the offered messages, those received at least once
	Absent             // of what was acknowledged
	Duplicates int64   `json:"duplicates"`
	Reordered  int64   `json:"reordered"`
	Corrupt    int64   `json:"corrupt"`
	Foreign    int64   `json:"foreign,omitempty"`   // of other runs
	Unwatched  int64   `json:"unwatched,omitempty"` // their order was not checked: too many keys
	E2E        Latency `json:"e2e_latency"`
	E2ESvc     Latency `json:"e2e_service"`
}

// CPU is processor time in the measure stage.
type CPU struct {
	AgentSeconds  float64  `json:"agent_s"`
	BrokerSeconds *float64 `json:"broker_s,omitempty"`             // of the services' process trees; nil where unknown
	Received      int64    `json:"received,omitempty"`             // messages, in that time, by all groups, without duplicates
	PerMillion    *float64 `json:"broker_s_per_million,omitempty"` // broker seconds per million of those
	BrokerRSS     *int64   `json:"broker_rss_bytes,omitempty"`     // largest sum over the services
}

// The roles of agents.
const (
	RoleProducer = "producer"
	RoleConsumer = "consumer"
)

// AgentFacts are an agent's host and what it found out about itself.
type AgentFacts struct {
	ID           string  `json:"id"`
	Role         string  `json:"role"` // RoleProducer or RoleConsumer
	Host         string  `json:"host"`
	OS           string  `json:"os"` // with the kernel's version
	CPUModel     string  `json:"cpu_model"`
	CPUs         int     `json:"cpus"`
	MemoryBytes  int64   `json:"memory_bytes"`
	Timer        string  `json:"timer"`                   // "clock_nanosleep" or "portable", and whether it spins
	ClockBound   *int64  `json:"clock_bound_ns"`          // bound on the error of the wall clock over the load; nil if unknown
	ClockStepNS  int64   `json:"clock_step_ns,omitempty"` // by which the wall clock was set forward during the run; it moved none of the times
	MachineID    string  `json:"machine_id"`              // hashed
	SelfCheck    Latency `json:"self_check"`              // pacer lateness in a short check before the load
	DelayErrorNS int64   `json:"delay_error_ns"`          // median error of an injected delay of 1 ms
	Version      string  `json:"version"`
	Build        string  `json:"build,omitempty"` // the agent's program itself: the first 12 hexadecimal digits of its SHA-256
	GCPauseNS    int64   `json:"gc_pause_ns"`     // garbage collection pauses in total

	// Of the measure stage; nil where the platform does not tell.
	CPUShare  *float64 `json:"cpu_share,omitempty"`           // used of the CPU time that it may use
	Stolen    *float64 `json:"cpu_stolen_share,omitempty"`    // of the machine's CPU time, taken by its hypervisor
	Throttled *float64 `json:"cpu_throttled_share,omitempty"` // of the time, stopped by its CPU quota
	// SchedLatency is how long goroutines that were ready waited for a thread.
	SchedLatency *Latency `json:"sched_latency,omitempty"`
	GCAssist     *float64 `json:"gc_assist_s,omitempty"` // processor seconds in which they had to help collect garbage
}

// AgentResult is all that one agent knows when it is done.
type AgentResult struct {
	Facts      AgentFacts              `json:"facts"`
	Snapshots  []Snapshot              `json:"-"`      // they are objects of their own
	Counts     Counts                  `json:"counts"` // of the measure stage
	Latencies  map[Distribution]string `json:"hist"`   // of the measure stage; a consumer's are per group below
	CPUSeconds float64                 `json:"cpu_s"`  // in the measure stage
	Missed     int64                   `json:"missed"` // offered messages that the pacer itself, with room in max_in_flight, did not reach in time
	Producers  map[int]ProducerLog     `json:"producers,omitempty"`
	Groups     map[string]GroupLog     `json:"groups,omitempty"`
	EndedAt    time.Time               `json:"ended_at"`
	Rereading  bool                    `json:"rereading,omitempty"` // it goes on to look for what did not arrive
	Errors     map[string]int64        `json:"errors,omitempty"`    // texts of failed sends and how often
}

// ProducerLog is the exact account of one producer: sequence numbers from 0
// over the whole load phase, so stage boundaries are sequence numbers too.
type ProducerLog struct {
	Acked        *IntervalSet `json:"acked"`
	Failed       *IntervalSet `json:"failed"`
	MeasureFrom  uint64       `json:"measure_from"`  // first sequence number of the measure stage
	MeasureUntil uint64       `json:"measure_until"` // first one after it
	Sent         uint64       `json:"sent"`          // sequence numbers handed out in the whole load phase
}

// GroupLog is the exact account of what one agent's consumers of one group saw.
type GroupLog struct {
	Received   map[int]*IntervalSet    `json:"received"`   // by producer
	Receipts   map[int]int64           `json:"receipts"`   // measured messages by producer, duplicates included
	Duplicates int64                   `json:"duplicates"` // measured ones, each within one agent
	Reordered  int64                   `json:"reordered"`
	Corrupt    int64                   `json:"corrupt"`             // of any stage: a damaged header doesn't say which
	Foreign    int64                   `json:"foreign,omitempty"`   // of other runs
	Unwatched  int64                   `json:"unwatched,omitempty"` // measured, but their order was not checked: too many keys
	InWindow   int64                   `json:"in_window"`           // measured ones that arrived while the measure stage lasted; without duplicates
	Latencies  map[Distribution]string `json:"hist"`                // e2e_latency and e2e_service of the measure stage
}
