// Package reference is a broker whose behaviour is known to the microsecond: it holds
// each message for a scripted time, stands still, loses, doubles, overtakes, damages and
// refuses what the script names, and records when it let each message go. What agents
// measure against it can be compared with the truth ([Record]).
//
// It is a real server on TCP in a process of its own, and its driver implements
// [technology.Technology], so that the agents' whole path is under test. It is no
// technology of the product: only the hidden commands of dec-agent know it.
package reference

import (
	"math"
	"math/rand/v2"
	"time"
)

// Script says what the broker does with the messages of one run.
type Script struct {
	Delay  Delay   `json:"delay"`
	Stalls []Stall `json:"stalls,omitempty"`
	Faults []Fault `json:"faults,omitempty"`
	// Stops is when, from the start of the load, the consumers get nothing more:
	// what is acknowledged from then on is held. Zero is never.
	Stops time.Duration `json:"stops,omitempty"`
}

// Delay is how long a message is held: lognormal, and the same for all without a spread.
type Delay struct {
	Median time.Duration `json:"median"`
	Sigma  float64       `json:"sigma,omitempty"` // standard deviation of the logarithm
}

// longest bounds what a lognormal delay may be.
const longest = time.Second

// of returns the delay of a message, always the same one.
func (d Delay) of(m Message) time.Duration {
	if d.Sigma == 0 {
		return d.Median
	}
	random := rand.New(rand.NewPCG(uint64(m.Producer), m.Seq))
	return min(longest, time.Duration(float64(d.Median)*math.Exp(d.Sigma*random.NormFloat64())))
}

// Stall is a time in which nothing leaves the broker, from the start of the load. What
// is due in it leaves at its end.
type Stall struct {
	From time.Duration `json:"from"`
	For  time.Duration `json:"for"`
}

// Message names a message: the producer and its sequence number.
type Message struct {
	Producer uint32 `json:"producer"`
	Seq      uint64 `json:"seq"`
}

// Fault is what goes wrong with one message.
type Fault struct {
	Message
	Kind Kind `json:"kind"`
}

// Kind is a way in which something goes wrong with a message.
type Kind string

// The kinds of faults.
const (
	Lose      Kind = "lose"      // acknowledged, and gone
	Duplicate Kind = "duplicate" // delivered twice
	Overtake  Kind = "overtake"  // held for so long that later ones come first
	Corrupt   Kind = "corrupt"   // delivered with one byte changed, and gone
	Refuse    Kind = "refuse"    // answered with an error
	Mute      Kind = "mute"      // neither answered nor delivered
)

// overtaken is how much longer a message is held that is to be overtaken. Messages come
// more often than that.
const overtaken = 20 * time.Millisecond

// Record is what the broker did with the messages of a run: the truth. Moments are wall
// nanoseconds, by a clock that was anchored when the run was opened.
type Record struct {
	Arrived   []Message // in the order in which they came
	Answers   []Release
	Delivered []Release // in the order in which they left; those of a partition came in this order
	Held      []Message // acknowledged, not delivered, and still there
}

// Release says that a message left the broker.
type Release struct {
	Message
	Partition int32
	At        int64 // wall ns, just before it was written to the connection
	Failed    bool  // an answer: refused; a delivery: damaged
}
