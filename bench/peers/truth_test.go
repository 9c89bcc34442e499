package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"dec.local/dec/bench/peers/outputs"
)

func caseOf(t *testing.T, name string) truthCase {
	t.Helper()
	for _, c := range truthCases {
		if c.load.name == name {
			return c
		}
	}
	t.Fatalf("there is no case %s", name)
	return truthCase{}
}

func TestWhatIsTrueBehindTheProxy(t *testing.T) {
	tests := map[string]struct {
		load, system, what string
		q                  float64
		o                  outcome
		want               float64 // ms; 0 where nothing is known
	}{
		"an acknowledgement travels both ways":                   {"delay", kafkaSystem, "publish", 0.99, outcome{}, 20},
		"NATS sends a message on at once":                        {"delay", natsSystem, "end to end", 0.99, outcome{}, 20},
		"Kafka's consumer has one fetch under way":               {"delay", kafkaSystem, "end to end", 0.5, outcome{}, 30},
		"nothing is known of messages that met no stall":         {"stall", natsSystem, "publish", 0.5, outcome{Measured: 30 * time.Second}, 0},
		"a tenth of the messages met the stall":                  {"stall", natsSystem, "publish", 0.99, outcome{Measured: 30 * time.Second}, 2700},
		"with OMB's minute it was a twentieth":                   {"stall", kafkaSystem, "publish", 0.99, outcome{Measured: time.Minute}, 2400},
		"what is worked off in as long meets more of them late":  {"stall", natsSystem, "publish", 0.95, outcome{Measured: 30 * time.Second, CaughtUp: 3 * time.Second}, 2250},
		"a proxy that was late itself knows nothing of the tail": {"delay", natsSystem, "publish", 0.99, outcome{Held: []time.Duration{10e6, 12e6}}, 0},
		"but of the middle":                                      {"delay", natsSystem, "publish", 0.5, outcome{Held: []time.Duration{10e6, 12e6}}, 20},
		"the delay of OMB's sends is no latency":                 {"delay", kafkaSystem, sendDelay, 0.5, outcome{}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, known := caseOf(t, tt.load).truth(tt.system, tt.what, tt.q, tt.o)
			if math.Abs(got-tt.want) > 0.01 || known != (tt.want > 0) {
				t.Errorf("truth(%s, %s, %v) = %v, %t; want %v", tt.system, tt.what, tt.q, got, known, tt.want)
			}
		})
	}
}

func TestTheTableSaysWhoIsWrong(t *testing.T) {
	o := options{only: []string{"dec", "nats-bench", "nats-bench-sync"}, loads: []string{"stall"}}
	all := cells(o)
	results := map[string]outcome{}
	told := func(p99 float64) []reported {
		return []reported{{What: "publish", Quantiles: outputs.Quantiles{"p50": 1, "p99": p99}}}
	}
	for _, c := range all {
		switch c.id() {
		case "stall.1.nats.dec":
			results[c.id()] = outcome{Sent: 1000, Measured: 30 * time.Second, Reported: told(2710)}
		case "stall.1.nats.nats-bench":
			results[c.id()] = outcome{Sent: 1000, Measured: 30 * time.Second, Reported: told(3)}
		case "stall.1.nats.nats-bench-sync":
			results[c.id()] = outcome{GaveUp: "ended in the stall: exit status 1", Reported: []reported{{What: "publish"}}}
		}
	}
	var out bytes.Buffer
	truthTable(&out, all, results)
	for _, want := range []string{
		"DEC's agents: publish | 1,000/s | 1.00 | 1,500 → – | 2,700 → 2,710 | 2,970 → – | yes |",
		"nats bench: publish | 1,000/s | 1.00 | 1,500 → – | 2,700 → 3.00 | 2,970 → – | **no**: p99 -100 % |",
		"synchronous: publish | – | – | – | – | – | **no**: ended in the stall: exit status 1 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not have %q:\n%s", want, &out)
		}
	}
}
