package certify

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

// trial is one run of agents against the reference broker.
type trial struct {
	name     string
	workload experiment.Workload
	script   reference.Script
	precise  bool                          // it has the machine for itself, and its errors are bounded
	spins    bool                          // its pacer passes the ends of its waits awake
	theory   func(q float64) time.Duration // the closed form of its stalls; nil without any
	ahead    time.Duration                 // of the consumers' clocks
	blocks   reference.Blocks              // of the client's Send
}

// The rates at which the instrument is certified.
const (
	slowRate = 1000
	fastRate = 20_000
)

// messageBytes is the payload of each message.
const messageBytes = 1024

// load is the workload of a trial.
func load(rate float64, warmup, length, drain time.Duration) experiment.Workload {
	return experiment.Workload{
		Topology: experiment.Topology{
			Partitions: 1, Replicas: 1, Producers: 1, ConsumerGroups: 1, ConsumersPerGroup: 1, ProducerNodes: 1, ConsumerNodes: 1,
		},
		Load:    experiment.Load{Rate: rate, Arrivals: experiment.ArrivalsUniform, MaxInFlight: 100_000},
		Message: experiment.Message{Size: experiment.Size{Min: messageBytes, Max: messageBytes}, Key: experiment.Key{Kind: experiment.KeyNone}},
		Stages: experiment.Stages{
			Warmup: experiment.Duration(warmup), Measure: experiment.Duration(length), Drain: experiment.Duration(drain),
		},
		Seed: 42,
	}
}

// lengths are how long the trials last.
type lengths struct {
	warmup  time.Duration
	precise time.Duration // measure stage of a trial of delays
	stall   time.Duration // measure stage of a trial of stalls
	faults  time.Duration // measure stage of all others
	drain   time.Duration // of what does not all arrive
}

var (
	wholeLengths = lengths{warmup: time.Second, precise: 4 * time.Second, stall: 10 * time.Second, faults: 4 * time.Second, drain: 2 * time.Second}
	// shortLengths are for tests of everything but the figures.
	shortLengths = lengths{warmup: time.Second, precise: time.Second, stall: 2 * time.Second, faults: 2 * time.Second, drain: time.Second}
)

// plan are the trials in the order in which they are run; those of one stage run at the
// same time.
func plan(short bool) [][]trial {
	l := wholeLengths
	if short {
		l = shortLengths
	}
	var stages [][]trial
	for _, rate := range []float64{slowRate, fastRate} {
		for _, d := range []reference.Delay{
			{Median: 200 * time.Microsecond}, {Median: time.Millisecond}, {Median: 10 * time.Millisecond}, {Median: 100 * time.Millisecond},
			{Median: 2 * time.Millisecond, Sigma: 0.8},
		} {
			stages = append(stages, []trial{delays(rate, d, l)})
		}
		stages = append(stages, []trial{spinning(rate, l)})
	}
	if short {
		stages = [][]trial{stages[1], stages[5]}
	} else {
		stages = append(stages, []trial{many(l)}, []trial{blocking(l)}, []trial{burst(l)})
	}
	// Few at a time: pacers that wait for each other's CPUs would make their runs invalid.
	stages = slices.AppendSeq(stages, slices.Chunk(stalls(l), 3))
	return append(stages, []trial{faults(l), stops(l)}, []trial{skewed(l, skew), skewed(l, -skew)})
}

// delays is a trial of the errors of latencies.
func delays(rate float64, d reference.Delay, l lengths) trial {
	name := fmt.Sprintf("constant delay %s", short(d.Median))
	if d.Sigma > 0 {
		name = fmt.Sprintf("lognormal delay, median %s", short(d.Median))
	}
	return trial{name: name, precise: true, workload: load(rate, l.warmup, l.precise, 5*time.Second), script: reference.Script{Delay: d}}
}

// spinning is a trial of what sleeping costs: its pacer spins, which agents do that have
// CPUs of their own. Here they have not, so nothing but its lateness counts.
func spinning(rate float64, l lengths) trial {
	return trial{
		name: "pacer spins", spins: true, workload: load(rate, l.warmup, l.precise, 5*time.Second),
		script: reference.Script{Delay: reference.Delay{Median: base}},
	}
}

// many is a trial of so many producers that they share pacers, and of many consumers.
func many(l lengths) trial {
	w := load(slowRate, l.warmup, l.precise, 5*time.Second)
	w.Topology.Producers, w.Topology.ConsumersPerGroup, w.Topology.Partitions = 40, 8, 8
	w.Load.MaxInFlight = 10_000
	w.Message.Key = experiment.Key{Kind: experiment.KeyRoundRobin, Cardinality: 8}
	return trial{
		name: "40 producers, 8 consumers, constant delay 10 ms", precise: true, workload: w,
		script: reference.Script{Delay: reference.Delay{Median: 10 * time.Millisecond}},
	}
}

// blocking is a trial of a client that holds up its pacer in Send.
func blocking(l lengths) trial {
	b := reference.Blocks{Every: 100, For: 5 * time.Millisecond}
	return trial{
		name: fmt.Sprintf("Send blocks for %s, 1 in %d", short(b.For), b.Every), precise: true, blocks: b,
		workload: load(slowRate, l.warmup, l.precise, 5*time.Second), script: reference.Script{Delay: reference.Delay{Median: base}},
	}
}

// base is the delay beside stalls and faults.
const base = time.Millisecond

// stalled is a trial with stalls, counted from the start of the measure stage.
func stalled(name string, w experiment.Workload, theory func(q float64) time.Duration, stalls ...reference.Stall) trial {
	for i := range stalls {
		stalls[i].From += w.Stages.Warmup.Std()
	}
	return trial{name: name, workload: w, script: reference.Script{Delay: reference.Delay{Median: base}, Stalls: stalls}, theory: theory}
}

// closed is the closed form of a stall that is released at once.
func closed(stall, run time.Duration) func(q float64) time.Duration {
	return func(q float64) time.Duration { return measure.StallQuantile(q, stall, run, 1, math.Inf(1)) }
}

// stalls are trials of stalls of altogether three tenths of the measure stage.
func stalls(l lengths) []trial {
	long := l.stall * 3 / 10
	half := long / 2
	w := func(warmup, drain time.Duration) experiment.Workload { return load(slowRate, warmup, l.stall, drain) }
	ordinary := w(l.warmup, 5*time.Second)
	blocked := w(l.warmup, 5*time.Second)
	blocked.Load.MaxInFlight = 200
	middle := reference.Stall{From: l.stall / 3, For: long}
	return []trial{
		stalled(fmt.Sprintf("stall of %s in the middle", short(long)), ordinary, closed(long, l.stall), middle),
		stalled(fmt.Sprintf("stall of %s, 200 in flight", short(long)), blocked, closed(long, l.stall), middle),
		// Of a stall over an end, the stage sees the part that has the largest or the
		// smallest latencies of it.
		stalled(fmt.Sprintf("stall of %s over the start", short(long)), w(l.warmup+half, 5*time.Second), closed(half, l.stall),
			reference.Stall{From: -half, For: long}),
		stalled(fmt.Sprintf("stall of %s over the end", short(long)), w(l.warmup, half+5*time.Second), closed(long, l.stall),
			reference.Stall{From: l.stall - half, For: long}),
		stalled(fmt.Sprintf("two stalls of %s", short(half)), ordinary, closed(half, l.stall/2),
			reference.Stall{From: l.stall / 10, For: half}, reference.Stall{From: l.stall * 6 / 10, For: half}),
	}
}

// burst is a stall at a high rate: the broker lets all go at once.
func burst(l lengths) trial {
	length := l.stall * 8 / 10
	stall := length / 4
	return stalled(fmt.Sprintf("stall of %s in the middle", short(stall)), load(fastRate, l.warmup, length, 5*time.Second), closed(stall, length),
		reference.Stall{From: length / 3, For: stall})
}

// injected are the faults of a trial: numbers that nothing else explains.
var injected = map[reference.Kind]int{
	reference.Lose: 37, reference.Duplicate: 23, reference.Overtake: 19, reference.Corrupt: 11, reference.Refuse: 13, reference.Mute: 7,
}

// faults is a trial of all faults, with two agents of each kind.
func faults(l lengths) trial {
	w := load(slowRate, l.warmup, l.faults, l.drain)
	w.Topology = experiment.Topology{
		Partitions: 2, Replicas: 1, Producers: 2, ConsumerGroups: 1, ConsumersPerGroup: 2, ProducerNodes: 2, ConsumerNodes: 2,
	}
	w.Message.Key = experiment.Key{Kind: experiment.KeyRoundRobin, Cardinality: 2}
	return trial{
		name: "faults", workload: w,
		script: reference.Script{Delay: reference.Delay{Median: base}, Faults: spread(w, injected)},
	}
}

// spread gives faults to messages all over the measure stage, by turns of the producers.
func spread(w experiment.Workload, kinds map[reference.Kind]int) []reference.Fault {
	var list []reference.Fault
	for kind, n := range kinds {
		for range n {
			list = append(list, reference.Fault{Kind: kind})
		}
	}
	slices.SortFunc(list, func(a, b reference.Fault) int { return cmp.Compare(a.Kind, b.Kind) })
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	producers := w.Topology.Producers
	for k := range producers {
		s, err := pacing.New(w, k)
		if err != nil {
			panic(fmt.Sprintf("certify: the schedule of its own plan: %v", err))
		}
		from, until := s.Bounds()
		for i := k; i < len(list); i += producers {
			at := from + (until-from)*uint64(i+1)/uint64(len(list)+2)
			list[i].Message = reference.Message{Producer: uint32(k), Seq: at}
		}
	}
	return list
}

// stops is a trial whose consumers get nothing more from the middle of the stage on.
func stops(l lengths) trial {
	return trial{
		name: "consumer stops", workload: load(slowRate, l.warmup, l.faults, l.drain),
		script: reference.Script{Delay: reference.Delay{Median: base}, Stops: l.warmup + l.faults/2},
	}
}

// skew is how far clocks are put apart.
const skew = time.Second

// skewed is a trial in which the consumer's clock is ahead of the producer's, or behind.
func skewed(l lengths, ahead time.Duration) trial {
	name := fmt.Sprintf("consumer's clock %s ahead", short(ahead))
	if ahead < 0 {
		name = fmt.Sprintf("consumer's clock %s behind", short(-ahead))
	}
	return trial{
		name: name, workload: load(slowRate, l.warmup, l.faults, 5*time.Second),
		script: reference.Script{Delay: reference.Delay{Median: base}}, ahead: ahead,
	}
}

// short is a duration in a name: "3 s".
func short(d time.Duration) string {
	number, unit, _ := strings.Cut(nanoseconds(d), " ")
	return format.TrimZeros(number) + " " + unit
}
