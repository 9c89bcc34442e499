package experiment

import "time"

// ExperimentQuery picks experiments, the newest first. Zero fields do not
// filter.
type ExperimentQuery struct {
	Text       string // part of the name, the id, a label or a technology, whatever the case
	State      State
	Technology string // of one of the variants
	Target     string
	Digest     string
	By         string
	Oldest     bool   // the oldest first
	Cursor     string // of the page before; "" begins
	Limit      int    // 50 if zero, at most 200
}

// RunQuery picks runs, the newest first; those of one experiment in their
// order. Zero fields do not filter.
type RunQuery struct {
	Experiment string
	Phase      Phase
	Outcome    Outcome
	Teardown   Teardown
	Technology string
	Target     string
	Cursor     string
	Limit      int // 50 if zero, at most 200
}

// Summary is an experiment as lists show it.
type Summary struct {
	Experiment
	Runs      RunCounts
	StartedAt time.Time // of its first run
	EndedAt   time.Time // of its last run
	Verdict   *Verdict  // nil until it was concluded
}

// RunCounts says how many runs of an experiment are where.
type RunCounts struct {
	Planned   int `json:"planned" doc:"Number of all runs, including repeats of failed or invalid runs."`
	Queued    int `json:"queued"`
	Active    int `json:"active"`
	Ended     int `json:"ended"`
	Succeeded int `json:"succeeded"`
	Valid     int `json:"valid" doc:"Number of succeeded runs that are counted in the statistics."`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	Leaked    int `json:"leaked"`
}

// Verdict is the answer of an experiment that has ended, kept so that lists need
// not compute it.
type Verdict struct {
	Decided   bool     `json:"decided" doc:"One variant was found to be better than another."`
	Sentences []string `json:"sentences" doc:"The answer, followed by one sentence per pair if there are more than two variants."`
	Caveats   []string `json:"caveats" doc:"Sentences to show next to the verdict."`
	Fairness  string   `json:"fairness" doc:"Summary, such as 'same guarantees'."`
}

// Submission says who submits an experiment, and how to know the same request
// when it comes again.
type Submission struct {
	By     string // who
	Key    string // idempotency key; "" for none
	Digest string // of the request that carries the key
}

// AuditEntry is one write that somebody did.
type AuditEntry struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Action string    `json:"action" doc:"Operation, such as 'experiment.create'."`
	Object string    `json:"object,omitempty" doc:"ID of the object."`
	Status int       `json:"status" doc:"HTTP status of the response."`
	Remote string    `json:"remote,omitempty" doc:"Network address of the caller."`
}

// Drain is the latch that keeps further runs from starting, on all servers of a
// database, until the process may be replaced.
type Drain struct {
	By        string
	Since     time.Time // zero: no drain is in force
	LapsesAt  time.Time // unless somebody asks again
	GrantedAt time.Time // zero until no run was active
	Active    []Run     // what it waits for
	Queued    int       // runs that wait for the next server
}

// InForce reports whether no further run starts.
func (d Drain) InForce() bool { return !d.Since.IsZero() }

// Totals are what an operator wants to watch of a store.
type Totals struct {
	Runs        map[Phase]int // that have not ended, by phase
	Outcomes    map[Outcome]int64
	Leaked      int              // runs whose infrastructure may still exist
	OldestQueue time.Time        // since when the oldest queued run waits; zero if none
	Attempts    map[string]int64 // OpenTofu attempts by "<kind> <outcome>"
	LastEvent   int64
}

// EventQuery picks stored events by ascending id. Zero fields do not filter.
type EventQuery struct {
	Run        string
	Experiment string
	After      int64 // only events with greater ids
	Limit      int   // 1000 if zero
}

// LogQuery picks lines of a run's log; empty fields do not filter.
type LogQuery struct {
	Run    string
	Text   string // part of a line, whatever the case
	Source string
	Level  string // minimum level: debug, info, warn or error
	Before string // cursor of an earlier answer
	Limit  int    // maximum number of lines; 1000 if zero
}
