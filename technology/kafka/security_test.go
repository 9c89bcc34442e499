package kafka_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/identity"
	"dec.local/dec/technology"
	"dec.local/dec/technology/kafka"
	"dec.local/dec/technology/technologytest"
)

// password has every symbol that the option takes.
const password = "=!#$%&'()*+-./09:;<=>?@AZ^_`az{|}~${x}"

// secrets are those of a driver.
func secrets(t *testing.T, password any) map[string]json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(password)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]json.RawMessage{"password": raw}
}

func TestSecurity(t *testing.T) {
	tests := map[string]map[string]any{
		"PLAINTEXT":      {},
		"SSL":            {"encryption": true},
		"SASL_PLAINTEXT": {"password": password},
		// Each of the three makes a hash of the password with a salt of its own.
		"SASL_SSL": {"password": password, "encryption": true, "brokers": 3},
	}
	for security, options := range tests {
		t.Run(security, func(t *testing.T) {
			cluster := run(t, options)
			given := map[string]json.RawMessage(nil)
			if strings.HasPrefix(security, "SASL") {
				given = secrets(t, password)
			}
			d := openWith(t, cluster.Endpoints, technology.Settings{Secrets: given})
			effective, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: 1}, 0)
			if err != nil || effective.Details["security"] != security {
				t.Fatalf("Prepare() = %+v, %v, want the security %s", effective, err, security)
			}
			if controllers := strings.TrimPrefix(security, "SASL_"); effective.Details["security.controllers"] != controllers {
				t.Errorf("security.controllers = %s, want %s", effective.Details["security.controllers"], controllers)
			}
			passOn(t, d, 300)
			refuseUnauthenticated(t, cluster, given)
			for i := range max(1, len(options)-1) {
				tellsNoSecret(t, cluster, fmt.Sprintf("broker-%d", i))
			}
		})
	}
}

// passOn sends n messages and wants them all to come back.
func passOn(t *testing.T, d technology.Driver, n int) {
	t.Helper()
	came := make(chan struct{}, n)
	c, err := d.Consumer(t.Context(), "group", 0, func(technology.Message) { came <- struct{}{} })
	if err != nil {
		t.Fatalf("Consumer() = %v, want no error", err)
	}
	defer c.Close()
	sendSome(t, d, n)
	for i := range n {
		select {
		case <-came:
		case <-time.After(time.Minute):
			t.Fatalf("%d messages came, want %d", i, n)
		}
	}
}

// refuseUnauthenticated wants brokers with a password to refuse another one, and a
// client with another authority to refuse brokers.
func refuseUnauthenticated(t *testing.T, cluster *technologytest.Cluster, given map[string]json.RawMessage) {
	t.Helper()
	if given != nil {
		_, err := kafka.Technology.Open(t.Context(), cluster.Endpoints, technology.Settings{Destination: "orders", Secrets: secrets(t, "Canary-12345")})
		if err == nil || !strings.Contains(err.Error(), "the brokers refuse the stack's option password") || strings.Contains(err.Error(), "Canary") {
			t.Errorf("Open() with a wrong password = %v, want it to say so and not to tell it", err)
		}
	}
	var endpoints map[string]any
	if err := json.Unmarshal(cluster.Endpoints, &endpoints); err != nil {
		t.Fatal(err)
	}
	if endpoints["tls"] == nil {
		return
	}
	other, _, err := identity.New("test.dec.internal", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	mine := endpoints["tls"].(map[string]any)
	for name, change := range map[string]map[string]any{"authority": {"ca": other.Certificate}, "name": {"server_name": "other.dec.internal"}} {
		changed := maps.Clone(mine)
		maps.Copy(changed, change)
		endpoints["tls"] = changed
		raw, err := json.Marshal(endpoints)
		if err != nil {
			t.Fatal(err)
		}
		_, err = kafka.Technology.Open(t.Context(), raw, technology.Settings{Destination: "orders", Secrets: given})
		if err == nil || !strings.Contains(err.Error(), "a broker's certificate is not that of the run") {
			t.Errorf("Open() with another %s = %v, want it to refuse the brokers' certificate", name, err)
		}
	}
}

// tellsNoSecret wants neither the password, nor a hash of it, nor the key of the
// certificate in what a service printed and on the command lines of its processes.
func tellsNoSecret(t *testing.T, cluster *technologytest.Cluster, service string) {
	t.Helper()
	public := map[string]string{"output": cluster.Output(t, service)}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range commands {
		if text, err := os.ReadFile(path); err == nil { // of a process that has not ended meanwhile
			public[path] = string(text)
		}
	}
	for where, text := range public {
		for _, secret := range []string{password, "storedKey", "PRIVATE KEY"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s of %s has %q", where, service, secret)
			}
		}
	}
}

func TestOpenRefusesAPasswordThatIsNoText(t *testing.T) {
	_, err := kafka.Technology.Open(t.Context(), json.RawMessage(`{"bootstrap": ["127.0.0.1:1"]}`), technology.Settings{Destination: "orders", Secrets: secrets(t, 12345678)})
	if err == nil || strings.Contains(err.Error(), "12345678") {
		t.Errorf("Open() with a number as password = %v, want an error that does not tell it", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = kafka.Technology.Open(ctx, json.RawMessage(`{"bootstrap": ["127.0.0.1:1"], "tls": {"ca": "none"}}`), technology.Settings{Destination: "orders"})
	if err == nil || !strings.Contains(err.Error(), "tls.ca contains no PEM certificate") {
		t.Errorf("Open() with an authority that is none = %v, want it to say so", err)
	}
}

func TestStackKeepsSecretsApart(t *testing.T) {
	options := map[string]any{"brokers": 2, "password": password, "encryption": true}
	with, err := technologytest.Evaluate(t, "kafka", "kraft", options, addresses(2))
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal([]any{with.Services, with.Endpoints})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"ScramLoginModule", "add-scram", "PRIVATE KEY"} {
		if strings.Contains(string(public), secret) {
			t.Errorf("services and endpoints have %q: %s", secret, public)
		}
	}
	for _, broker := range []string{"broker-0", "broker-1"} {
		files := with.Secrets[broker]
		if got, want := slices.Sorted(maps.Keys(files)), []string{"broker.pem", "format.args", "server.properties"}; !slices.Equal(got, want) {
			t.Errorf("%s has the secret files %q, want %q", broker, got, want)
		}
		for path := range files {
			if _, ok := with.Services[broker].Files[path]; !ok {
				t.Errorf("%s has no harmless file %s for the secret one to replace", broker, path)
			}
		}
		harmless, real := properties(with.Services[broker].Files["server.properties"]), properties(files["server.properties"])
		for key, value := range harmless {
			if key != "listener.security.protocol.map" && real[key] != value {
				t.Errorf("with a password %s has %s = %q, want %q as without", broker, key, real[key], value)
			}
		}
		if got := real["listener.security.protocol.map"]; got != "CLIENT:SASL_SSL,CONTROLLER:SSL" {
			t.Errorf("listener.security.protocol.map = %s, want CLIENT:SASL_SSL,CONTROLLER:SSL", got)
		}
	}
	// A destroy is given no secrets.
	destroyed, err := technologytest.Evaluate(t, "kafka", "kraft", map[string]any{"encryption": true, "tls": map[string]any{}}, addresses(1))
	if err != nil || destroyed.Secrets["broker-0"]["broker.pem"] != "" {
		t.Errorf("Evaluate() without secrets = %v, %v, want an empty broker.pem", destroyed.Secrets, err)
	}
	without, err := technologytest.Evaluate(t, "kafka", "kraft", nil, addresses(2))
	if err != nil || len(without.Secrets) != 0 {
		t.Errorf("Evaluate() without password and encryption has the secrets %v, %v, want none", without.Secrets, err)
	}
}
