package experiment

import (
	"fmt"
	"strings"
)

// Check adds the problems between fields to those of single fields, which are known
// by then. A rule is left out when a field that it reads has a problem of its own.
func (p *Plan) Check(problems *Problems) {
	c := checker{problems: problems, before: len(*problems)}
	c.topology(p.Workload)
	c.load(p.Workload.Load, p.Workload.Stages)
	c.variants(p.Variants)
	stages := p.Workload.Stages
	if c.sound("limits.ttl", "workload.stages", "workload.load") && p.Limits.TTL.Std() <= stages.Total() {
		problems.Add("limits.ttl", "is %s, but the stages alone take %s: raise it, and leave time to provision",
			p.Limits.TTL, Duration(stages.Total()))
	}
}

// checker finds problems between fields.
type checker struct {
	problems *Problems
	before   int // problems of single fields
}

// sound reports whether no field at or under the paths has a problem of its own.
func (c *checker) sound(paths ...string) bool {
	for _, problem := range (*c.problems)[:c.before] {
		for _, path := range paths {
			if strings.HasPrefix(problem.Path, path) || strings.HasPrefix(path, problem.Path) {
				return false
			}
		}
	}
	return true
}

func (c *checker) topology(w Workload) {
	const at = "workload.topology."
	if !c.sound("workload.topology", "workload.require") {
		return
	}
	t := w.Topology
	if t.ConsumersPerGroup > t.Partitions {
		c.problems.Add(at+"consumers_per_group",
			"is %d, but %spartitions is %d: the other consumers would be idle; use at most %d, or more partitions",
			t.ConsumersPerGroup, at, t.Partitions, t.Partitions)
	}
	if t.ProducerNodes > t.Producers {
		c.problems.Add(at+"producer_nodes", "is %d, but %sproducers is %d: use at most %d", t.ProducerNodes, at, t.Producers, t.Producers)
	}
	if consumers := t.ConsumerGroups * t.ConsumersPerGroup; t.ConsumerNodes > consumers {
		c.problems.Add(at+"consumer_nodes", "is %d, but the consumer groups have %d consumers in all: use at most %d",
			t.ConsumerNodes, consumers, consumers)
	}
	if w.Require.Replicas > t.Replicas {
		c.problems.Add("workload.require.replicas", "is %d, but %sreplicas is %d: raise that to at least %d",
			w.Require.Replicas, at, t.Replicas, w.Require.Replicas)
	}
}

func (c *checker) load(l Load, stages Stages) {
	const at = "workload.load"
	if !c.sound(at) {
		return
	}
	switch {
	case l.Rate == 0 && l.Schedule == nil:
		c.problems.Add(at, `needs a rate or a schedule, such as {"rate": 20000}`)
		return
	case l.Rate != 0 && l.Schedule != nil:
		c.problems.Add(at, "has both a rate and a schedule: keep one of them")
		return
	case l.Schedule == nil:
		if c.sound("workload.stages.measure") && stages.Measure == 0 {
			c.problems.Add("workload.stages.measure", `is required with a constant rate: set it to a duration with a unit, such as "2m"`)
		}
		return
	}
	for i, s := range l.Schedule {
		if (s.Rate == nil) == (s.RampTo == nil) {
			c.problems.Add(fmt.Sprintf("%s.schedule[%d]", at, i), "must have either rate or ramp_to")
			return
		}
	}
	if first := l.Schedule[0]; first.Rate == nil || *first.Rate == 0 {
		c.problems.Add(at+".schedule[0]",
			`must have a rate above zero, for the warmup stage and as the start of a ramp, such as {"for": "10s", "rate": 1000}`)
	}
	if length := l.length(); c.sound("workload.stages.measure") && stages.Measure != length {
		c.problems.Add("workload.stages.measure", "is %s, but the schedule takes %s: remove this field", stages.Measure, length)
	} else if c.sound("workload.stages.measure") && (length < MinMeasure || length > MaxMeasure) {
		c.problems.Add(at+".schedule", "takes %s; it must take between %s and %s", length, MinMeasure, MaxMeasure)
	}
}

func (c *checker) variants(variants []Variant) {
	first := map[string]int{}
	for i, v := range variants {
		path := fmt.Sprintf("variants[%d].label", i)
		if !c.sound(path) {
			continue
		}
		if other, taken := first[v.Label]; taken {
			c.problems.Add(path, "%q is already the label of variants[%d]: choose another one", v.Label, other)
			continue
		}
		first[v.Label] = i
	}
}
