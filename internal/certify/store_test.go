package certify_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"dec.local/dec/internal/certify"
	"dec.local/dec/internal/measure"
)

func facts(build, machine string, selfCheck time.Duration) measure.AgentFacts {
	return measure.AgentFacts{
		Build: build, MachineID: machine, CPUModel: "Example CPU", CPUs: 8, MemoryBytes: 16 << 30, OS: "linux 6.18",
		SelfCheck: measure.Latency{P99NS: new(int64(selfCheck))},
	}
}

// TestCertificatesAreOfABuildAndAMachine keeps one certificate and looks for those of
// agents.
func TestCertificatesAreOfABuildAndAMachine(t *testing.T) {
	made := time.Now().UTC()
	certified := facts("b1", "m1", 100*time.Microsecond)
	other := func(change func(*measure.AgentFacts)) []measure.AgentFacts {
		a := facts("b1", "m2", 100*time.Microsecond)
		change(&a)
		return []measure.AgentFacts{certified, a}
	}
	tests := map[string]struct {
		agents []measure.AgentFacts
		after  time.Duration
		want   bool
	}{
		"the same build on the same machine":    {[]measure.AgentFacts{certified}, time.Hour, true},
		"almost a day later":                    {[]measure.AgentFacts{certified}, 24*time.Hour - time.Second, true},
		"a day later":                           {[]measure.AgentFacts{certified}, 24 * time.Hour, false},
		"before it was made":                    {[]measure.AgentFacts{certified}, -time.Second, false},
		"another build":                         {[]measure.AgentFacts{facts("b2", "m1", 0)}, 0, false},
		"an agent that does not know its build": {[]measure.AgentFacts{facts("", "m1", 0)}, 0, false},
		"the same machine while it is busy":     {[]measure.AgentFacts{facts("b1", "m1", time.Second)}, 0, true},
		"the same machine, with a part of its CPUs": {
			[]measure.AgentFacts{func() measure.AgentFacts { a := facts("b1", "m1", 0); a.CPUs = 1; return a }()}, 0, true},
		"another machine of the kind":                 {other(func(*measure.AgentFacts) {}), 0, true},
		"another one, with a self-check a bit worse":  {other(func(a *measure.AgentFacts) { *a.SelfCheck.P99NS = 390_000 }), 0, true},
		"another one, with a self-check much worse":   {other(func(a *measure.AgentFacts) { *a.SelfCheck.P99NS = 410_000 }), 0, false},
		"another one, without a self-check":           {other(func(a *measure.AgentFacts) { a.SelfCheck.P99NS = nil }), 0, false},
		"another kind of machine":                     {other(func(a *measure.AgentFacts) { a.CPUs = 4 }), 0, false},
		"one agent of two on a machine without any":   {other(func(a *measure.AgentFacts) { a.CPUModel = "Other CPU" }), 0, false},
		"a kind of machine with another kernel":       {other(func(a *measure.AgentFacts) { a.OS = "linux 6.19" }), 0, false},
		"no agents, of which nothing could be wrong ": {nil, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := certify.Store{Dir: filepath.Join(t.TempDir(), "certificates"), Now: func() time.Time { return made.Add(tt.after) }}
			r := certify.Report{Certificate: measure.Certificate{
				Build: "b1", MachineID: "m1", Machine: measure.NewMachine(certified), MadeAt: made, Line: "p50 error ±30 µs",
			}}
			if err := s.Save(r); err != nil {
				t.Fatalf("Save() = %v", err)
			}
			got, err := s.Find(tt.agents)
			if err != nil || (got != nil) != tt.want {
				t.Fatalf("Find() = %+v, %v, want one: %t", got, err, tt.want)
			}
			if got != nil && got.Line != r.Line {
				t.Errorf("Find() = %+v, want the line %q", got, r.Line)
			}
		})
	}
}

func TestTheWorstCertificateSpeaksForARun(t *testing.T) {
	s := certify.Store{Dir: t.TempDir()}
	one, two := facts("b1", "m1", 0), facts("b1", "m2", 0)
	two.CPUs = 4
	for _, a := range []measure.AgentFacts{one, two} {
		r := certify.Report{Certificate: measure.Certificate{Build: a.Build, MachineID: a.MachineID, Machine: measure.NewMachine(a), MadeAt: time.Now()}}
		if a.CPUs == 4 {
			r.Misses = []string{"the error of the p50 is 90 µs"}
		}
		if err := s.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, agents := range [][]measure.AgentFacts{{one, two}, {two, one}} {
		got, err := s.Find(agents)
		if err != nil || got == nil || len(got.Misses) != 1 {
			t.Errorf("Find() = %+v, %v, want the one that missed a bound", got, err)
		}
	}
}

func TestOfSeveralMachinesOfAKindTheWorstSpeaks(t *testing.T) {
	s := certify.Store{Dir: t.TempDir()}
	for _, id := range []string{"m1", "m2", "m3"} {
		a := facts("b1", id, 0)
		r := certify.Report{Certificate: measure.Certificate{Build: "b1", MachineID: id, Machine: measure.NewMachine(a), MadeAt: time.Now()}}
		if id == "m2" {
			r.Misses = []string{"the error of the p50 is 90 µs"}
		}
		if err := s.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	for id, misses := range map[string]int{"m3": 0, "m4": 1} {
		got, err := s.Find([]measure.AgentFacts{facts("b1", id, 0)})
		if err != nil || got == nil || len(got.Misses) != misses {
			t.Errorf("Find() for %s = %+v, %v, want a certificate with %d misses", id, got, err, misses)
		}
	}
}

func TestOldCertificatesAreForgotten(t *testing.T) {
	dir := t.TempDir()
	old, broken := filepath.Join(dir, "b0-m1.json"), filepath.Join(dir, "b2-m1.json")
	for _, file := range []string{old, broken} {
		if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	day := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, day, day); err != nil {
		t.Fatal(err)
	}
	s := certify.Store{Dir: dir}
	if got, err := s.Find([]measure.AgentFacts{facts("b2", "m1", 0)}); got != nil || err != nil {
		t.Errorf("Find() of a broken file = %+v, %v, want none", got, err)
	}
	if err := s.Save(certify.Report{Certificate: measure.Certificate{Build: "b1", MachineID: "m1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("a certificate of yesterday is still there")
	}
	if _, err := os.Stat(broken); err != nil {
		t.Errorf("a file of today is gone: %v", err)
	}
}
