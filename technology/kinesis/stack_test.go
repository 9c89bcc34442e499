package kinesis_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/tofu"
	"dec.local/dec/technology"
	"dec.local/dec/technology/technologytest"
)

// addresses are those of an emulator and of the limits in front of it.
func addresses() map[string][]technologytest.Address {
	return map[string][]technologytest.Address{
		"emulator": {{Host: "127.0.0.1", Ports: map[string]int{"http": 20001}}},
		"limits":   {{Host: "127.0.0.1", Ports: map[string]int{"http": 20002}}},
	}
}

func TestEmulatorStack(t *testing.T) {
	tests := map[string]struct {
		options   map[string]any
		endpoints string
		groups    []string
		artifacts []string // of the emulator
	}{
		"by default the fast emulator, polled": {
			endpoints: `{"capacity":"provisioned","consumers":"polling","emulator":"kinesalite 3.3.3","endpoint":"http://127.0.0.1:20001","limits":false,"region":"us-east-1","stream":""}`,
			groups:    []string{"emulator"},
			artifacts: []string{"kinesalite@3.3.3", "node@20"},
		},
		"enhanced fan-out with the emulator that has it": {
			options:   map[string]any{"engine": "kinesis-local", "consumers": "enhanced_fan_out"},
			endpoints: `{"capacity":"provisioned","consumers":"enhanced_fan_out","emulator":"kinesis-local 0.6.2","endpoint":"http://127.0.0.1:20001","limits":false,"region":"us-east-1","stream":""}`,
			groups:    []string{"emulator"},
			artifacts: []string{"kinesis-local@0.6.2", "node@20"},
		},
		"with limits, clients go through them": {
			options:   map[string]any{"shard_limits": true},
			endpoints: `{"capacity":"provisioned","consumers":"polling","emulator":"kinesalite 3.3.3","endpoint":"http://127.0.0.1:20002","limits":true,"region":"us-east-1","stream":""}`,
			groups:    []string{"emulator", "limits"},
			artifacts: []string{"kinesalite@3.3.3", "node@20"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stack, err := technologytest.Evaluate(t, "kinesis", "emulator", tt.options, addresses())
			if err != nil {
				t.Fatalf("Evaluate() = %v, want no error", err)
			}
			if got := string(stack.Endpoints); got != tt.endpoints {
				t.Errorf("endpoints = %s, want %s", got, tt.endpoints)
			}
			if diff := cmp.Diff(tt.groups, slices.Sorted(maps.Keys(stack.Groups))); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.groups, slices.Sorted(maps.Keys(stack.Services))); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			emulator := stack.Services["emulator"]
			if diff := cmp.Diff(tt.artifacts, slices.Sorted(maps.Values(emulator.Artifacts))); diff != "" {
				t.Errorf("artifacts (-want +got):\n%s", diff)
			}
			if emulator.Environment["PORT"] != "20001" {
				t.Errorf("the emulator's environment is %v, want its port 20001", emulator.Environment)
			}
		})
	}
}

func TestEmulatorStackPutsLimitsInFront(t *testing.T) {
	stack, err := technologytest.Evaluate(t, "kinesis", "emulator", map[string]any{"shard_limits": true}, addresses())
	if err != nil {
		t.Fatalf("Evaluate() = %v, want no error", err)
	}
	limits := stack.Services["limits"]
	want := `{"listen":"127.0.0.1:20002","upstream":"http://127.0.0.1:20001"}`
	if got := limits.Files["kinesis-limits.json"]; got != want {
		t.Errorf("kinesis-limits.json = %s, want %s", got, want)
	}
	if diff := cmp.Diff(map[string]string{"dec-agent": technologytest.AgentArtifact}, limits.Artifacts); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
}

func TestEmulatorStackRefuses(t *testing.T) {
	tests := map[string]struct {
		options map[string]any
		want    string
	}{
		"an unknown emulator":             {map[string]any{"engine": "moto"}, "engine must be kinesalite or kinesis-local"},
		"unknown consumers":               {map[string]any{"consumers": "push"}, "consumers must be polling or enhanced_fan_out"},
		"fan-out that kinesalite has not": {map[string]any{"consumers": "enhanced_fan_out"}, "set engine: kinesis-local"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := technologytest.Evaluate(t, "kinesis", "emulator", tt.options, addresses())
			// OpenTofu breaks lines where it likes.
			if err == nil || !strings.Contains(strings.Join(strings.Fields(err.Error()), " "), tt.want) {
				t.Errorf("Evaluate(%v) = %v, want %q", tt.options, err, tt.want)
			}
		})
	}
}

// TestStreamStackReads checks what can be without AWS's provider: make validate
// does the rest.
func TestStreamStackReads(t *testing.T) {
	stack, err := tofu.ReadStack(technology.Stacks, "kinesis", "stream")
	if err != nil {
		t.Fatalf("ReadStack() = %v, want no error", err)
	}
	if !slices.Equal(stack.Targets, []string{"aws"}) || stack.Emulator != "" || len(stack.Artifacts) != 0 {
		t.Errorf("targets %v, emulator %q, artifacts %v: want aws, none and none", stack.Targets, stack.Emulator, stack.Artifacts)
	}
	tests := map[string]struct{ options, want string }{
		"nothing at all":                  {`{}`, ""},
		"everything":                      {`{"capacity": "on_demand", "consumers": "enhanced_fan_out", "retention_hours": 8760, "encryption": "kms"}`, ""},
		"an unknown capacity":             {`{"capacity": "serverless"}`, "capacity must be provisioned or on_demand"},
		"unknown consumers":               {`{"consumers": "push"}`, "consumers must be polling or enhanced_fan_out"},
		"less retention than Kinesis has": {`{"retention_hours": 1}`, "retention_hours must be a whole number from 24"},
		"more retention than Kinesis has": {`{"retention_hours": 8761}`, "retention_hours must be a whole number from 24"},
		"a part of an hour":               {`{"retention_hours": 24.5}`, "retention_hours must be a whole number from 24"},
		"a key of one's own":              {`{"encryption": "alias/mine"}`, "encryption must be none or kms"},
		"what DEC gives":                  {`{"run": {"id": "r"}}`, "run"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var options map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.options), &options); err != nil {
				t.Fatal(err)
			}
			_, err := stack.Check(options)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check(%s) = %v, want %q", tt.options, err, tt.want)
			}
		})
	}
}

// endpoints is what the emulator's stack tells the driver.
type endpoints struct {
	Endpoint string `json:"endpoint"`
}

// endpoint starts the stack and returns where its clients connect.
func endpoint(t *testing.T, options map[string]any) string {
	t.Helper()
	var e endpoints
	if err := json.Unmarshal(technologytest.Start(t, "kinesis", "emulator", options), &e); err != nil {
		t.Fatal(err)
	}
	return e.Endpoint
}
