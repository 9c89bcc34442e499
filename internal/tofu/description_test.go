package tofu_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dec.local/dec/internal/tofu"
)

func TestStackDescribesWhereItRunsAndHowOftenItStores(t *testing.T) {
	tests := map[string]struct {
		description string
		runsOn      []string // of "local" and "cloud"
		copies      int
		fault       string
	}{
		"nothing said":                {`{}`, []string{"local", "cloud"}, 0, ""},
		"bound to a target":           {`{"targets": ["cloud"]}`, []string{"cloud"}, 0, ""},
		"an option counts copies":     {`{"copies": "n"}`, []string{"local", "cloud"}, 3, ""},
		"no such option":              {`{"copies": "none"}`, nil, 0, `the option "none"`},
		"an option that is no number": {`{"copies": "text"}`, nil, 0, `the option "text"`},
		"a variable that DEC gives":   {`{"copies": "topology"}`, nil, 0, `the option "topology"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fsys := stackOf("variable \"n\" { type = number }\nvariable \"text\" { type = string }\nvariable \"topology\" { type = number }\n")
			fsys["t/stacks/s/stack.json"].Data = []byte(tt.description)
			s, err := tofu.ReadStack(fsys, "t", "s")
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("ReadStack() = %v, want an error with %q", err, tt.fault)
				}
				return
			}
			if err != nil {
				t.Fatalf("ReadStack() = %v", err)
			}
			on := slices.DeleteFunc([]string{"local", "cloud"}, func(target string) bool { return !s.RunsOn(target) })
			if !slices.Equal(on, tt.runsOn) {
				t.Errorf("the stack runs on %v, want %v", on, tt.runsOn)
			}
			if got := s.Copies(map[string]json.RawMessage{"n": json.RawMessage("3")}); got != tt.copies {
				t.Errorf("Copies() = %d, want %d", got, tt.copies)
			}
			if got := s.Copies(nil); got != 0 {
				t.Errorf("Copies() of no options = %d, want 0", got)
			}
		})
	}
}
