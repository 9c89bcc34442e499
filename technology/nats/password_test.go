package nats_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	natsgo "github.com/nats-io/nats.go"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/nats"
	"dec.local/dec/technology/technologytest"
)

// password has every symbol that the option takes.
const password = "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"

// secrets are those of a driver.
func secrets(t *testing.T, password any) map[string]json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(password)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]json.RawMessage{"password": raw}
}

func TestConformanceWithPassword(t *testing.T) {
	endpoints := technologytest.Start(t, "nats", "jetstream", map[string]any{"servers": 3, "password": password})
	technologytest.Suite{Technology: nats.Technology, Endpoints: endpoints, Secrets: secrets(t, password), Replicas: 3, Alone: true}.Run(t)
}

func TestPasswordIsAskedFor(t *testing.T) {
	endpoints := technologytest.Start(t, "nats", "jetstream", map[string]any{"password": password})
	for name, given := range map[string]map[string]json.RawMessage{"no": nil, "a wrong": secrets(t, "Canary-12345")} {
		_, err := nats.Technology.Open(t.Context(), endpoints, technology.Settings{Destination: "orders", Secrets: given})
		if !errors.Is(err, natsgo.ErrAuthorization) {
			t.Errorf("Open() with %s password = %v, want %v", name, err, natsgo.ErrAuthorization)
		} else if strings.Contains(err.Error(), "Canary") || strings.Contains(err.Error(), password) {
			t.Errorf("Open() with %s password tells it: %v", name, err)
		}
	}
	_, err := nats.Technology.Open(t.Context(), endpoints, technology.Settings{Destination: "orders", Secrets: secrets(t, 12345678)})
	if err == nil || strings.Contains(err.Error(), "12345678") {
		t.Errorf("Open() with a number as password = %v, want an error that does not tell it", err)
	}
}

func TestPasswordIsAmongTheGuarantees(t *testing.T) {
	for text, options := range map[string]map[string]any{"false": nil, "true": {"password": password}} {
		endpoints := technologytest.Start(t, "nats", "jetstream", options)
		d := open(t, endpoints, technology.Settings{Secrets: secrets(t, password)})
		have, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 1, Replicas: 1}, 1<<20)
		if err != nil || have.Details["password"] != text {
			t.Errorf("Prepare() = %+v, %v, want the detail password to be %s", have, err, text)
		}
	}
}

func TestStackPassword(t *testing.T) {
	stack, err := technologytest.Evaluate(t, "nats", "jetstream", map[string]any{"password": password}, addresses(1))
	if err != nil {
		t.Fatal(err)
	}
	want := "authorization { user: \"dec\", password: \"" + password + "\" }\n"
	if got := stack.Secrets["server-0"]["password.conf"]; got != want {
		t.Errorf("password.conf = %q, want %q", got, want)
	}
	if services, err := json.Marshal(stack.Services); err != nil || strings.Contains(string(services), "authorization") {
		t.Errorf("services = %s, %v, want nothing of the password", services, err)
	}
}
