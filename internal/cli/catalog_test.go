package cli

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCatalogShowsValuesInTheirOrder looks at what is printed of one stack.
func TestCatalogShowsValuesInTheirOrder(t *testing.T) {
	code, out, errs := call(t, map[string]string{}, append(tools(t), "catalog")...)
	if code != exitOK {
		t.Fatalf("dec catalog = exit %d, %s", code, errs)
	}
	want := regexp.MustCompile(`(?m)^nats/jetstream +JetStream$
(  not available: .*
)?  option servers +1, 3, 5 +default 1 +Number .*
  option storage +"file", "memory" +default "file" .*
  option sync_interval +string +default "2m" .*
  option max_buffered_msgs +integer, ≥ 1, ≤ 100000000 +default 100000 .*
  option password +string, secret +no default .*
  client consumer_ack +"explicit", "periodic", "none" +default "explicit" .*
  client ack_interval_ms .*
  client prefetch +integer, ≥ 1, ≤ 100000 +default 5000 .*
  client max_ack_pending .*
  client ack_wait_ms .*
target local `)
	if !want.MatchString(out) {
		t.Errorf("dec catalog printed\n%s\nwant a match of\n%s", out, want)
	}
}

func TestSettings(t *testing.T) {
	schema := `{"x-order": ["z", "gone", "b"], "properties": {
		"a": {"type": "boolean", "default": false},
		"b": {"type": ["string", "null"], "enum": ["x", null], "default": null, "description": "B."},
		"z": {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}
	}}`
	got, err := Settings(json.RawMessage(schema))
	want := []Setting{
		{Name: "z", Kind: "number, > 0, ≤ 0.5"},
		{Name: "b", Choices: []string{`"x"`}, Kind: "string", Default: "null", Meaning: "B."},
		{Name: "a", Kind: "boolean", Default: "false"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Settings() = %v (-want +got):\n%s", err, diff)
	}
	if _, err := Settings(json.RawMessage("[]")); err == nil {
		t.Error("Settings() of a list has no error")
	}
}
