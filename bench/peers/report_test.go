package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// measured makes outcomes of all rounds of a load; the figures of a tool grow by a
// tenth from round to round.
func measured(load, system string, figures map[string]outcome) map[string]outcome {
	results := map[string]outcome{}
	for round := 1; round <= 3; round++ {
		grown := 1 + float64(round-1)/10
		for tool, o := range figures {
			o.PerMillion, o.Sent, o.Received, o.Memory.Peak = o.PerMillion*grown, o.Sent*grown, o.Received*grown, o.Memory.Peak*grown
			results[fmt.Sprintf("%s.%d.%s.%s", load, round, system, tool)] = o
		}
	}
	return results
}

func figures(cost, rate, megabytes float64) outcome {
	return outcome{PerMillion: cost, Sent: rate, Received: rate, Memory: memory{Peak: megabytes * 1e6}}
}

func TestGoals(t *testing.T) {
	tests := map[string]struct {
		load   string
		others map[string]outcome
		says   string
		missed bool
	}{
		"a third of OMB's cost is met": {"1KiB-10000", map[string]outcome{"dec": figures(19, 1e4, 100), "omb": figures(60, 1e4, 3000)},
			"to that of the OpenMessaging Benchmark | 0.32 (0.32–0.32) | ≤ 0.33 | met |", false},
		"more than a third is missed": {"1KiB-10000", map[string]outcome{"dec": figures(30, 1e4, 100), "omb": figures(60, 1e4, 3000)},
			"| 0.50 (0.50–0.50) | ≤ 0.33 | **missed** |", true},
		"a lower rate than OMB's is missed": {"1KiB-flat", map[string]outcome{"dec": figures(2, 1e5, 100), "omb": figures(4, 2e5, 3000)},
			"rate flat out, to that of the OpenMessaging Benchmark | 0.50 (0.50–0.50) | > 1.00 | **missed** |", true},
		"dearer than the bare loop": {"1KiB-flat", map[string]outcome{"dec": figures(2, 2e5, 100), "bare": figures(1, 2e5, 80)},
			"the bare loop, Kafka | 2.00 (2.00–2.00) | ≤ 1.25 | **missed** |", true},
		"memory is of both agents": {"1KiB-1000", map[string]outcome{"dec": figures(2, 1e3, 140)},
			"Kafka 1KiB-1000 | 154 (140–168) | ≤ 150 | **missed** |", true},
		"what was not measured is not missed": {"1KiB-1000", map[string]outcome{"dec": figures(2, 1e3, 50)},
			"CPU per message at 10,000/s, to that of the OpenMessaging Benchmark | not measured", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			missed := goals(&out, measured(tt.load, kafkaSystem, tt.others))
			if missed != tt.missed || !strings.Contains(out.String(), tt.says) {
				t.Errorf("goals() = %t, want %t, and to say %q:\n%s", missed, tt.missed, tt.says, &out)
			}
		})
	}
}

func TestALoadIsATableOfMedians(t *testing.T) {
	o := options{only: []string{"dec", "bare"}, loads: []string{"1KiB-flat"}}
	results := measured("1KiB-flat", kafkaSystem, map[string]outcome{"dec": figures(5, 100_000, 100), "bare": figures(4, 110_000, 80)})
	first := results["1KiB-flat.1.kafka.dec"]
	first.Reported = []reported{{What: "publish", Quantiles: map[string]float64{"p50": 12, "p99": 4000}, AtLeast: map[string]bool{"p99": true}}}
	first.Invalid = []string{"The agent was busy."}
	results["1KiB-flat.1.kafka.dec"] = first
	var out bytes.Buffer
	report(&out, cells(o), results)
	for _, want := range []string{
		"| Kafka, 1 KiB, flat out | rounds | sent/s |",
		"| DEC's agents | 3 | 110,000 (100,000–120,000) | 110,000 (100,000–120,000) | 5.50 (5.00–6.00) | 110 (100–120) | 12.0 / ≥ 4,000 | – |",
		"- DEC's agents: not valid in 1 of 3 rounds, such as: The agent was busy.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not have %q:\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "NATS JetStream, 1 KiB") {
		t.Errorf("there is a table of what was not measured:\n%s", &out)
	}
}

func TestToolsTakeTurns(t *testing.T) {
	o, err := parse([]string{"-only", "dec,bare", "-loads", "100B-flat"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range cells(o) {
		ids = append(ids, c.id())
	}
	want := "100B-flat.1.kafka.dec 100B-flat.1.nats.dec 100B-flat.1.kafka.bare 100B-flat.1.nats.bare " +
		"100B-flat.2.nats.dec 100B-flat.2.kafka.bare 100B-flat.2.nats.bare 100B-flat.2.kafka.dec " +
		"100B-flat.3.kafka.bare 100B-flat.3.nats.bare 100B-flat.3.kafka.dec 100B-flat.3.nats.dec"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("cells = %s\nwant %s", got, want)
	}
}

func TestAllFitsIntoItsTime(t *testing.T) {
	o := options{omb: "somewhere"}
	var total float64
	for _, c := range cells(o) {
		total += c.estimate(0).Minutes()
	}
	if total > 100 {
		t.Errorf("all cells are estimated at %.0f minutes, want at most 100", total)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for args, want := range map[string]string{
		"-only dec,wrk": `there is no "wrk"`,
		"-loads 1GiB":   `there is no "1GiB"`,
		"-only omb":     "build-omb",
		"something":     "unexpected argument",
	} {
		if _, err := parse(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%s) = %v, want an error that says %q", args, err, want)
		}
	}
}
