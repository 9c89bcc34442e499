package experiment_test

import (
	"strings"
	"testing"

	"dec.local/dec/internal/experiment"
)

func TestNearest(t *testing.T) {
	known := []string{"brokers", "min_insync_replicas", "flush_messages", "tls"}
	for name, want := range map[string]string{
		"broker": "brokers", "borkers": "brokers", "minInsyncReplicas": "min_insync_replicas", "flush-message": "flush_messages",
		"TLS": "tls", "tsl": "", "tl": "tls", "zookeeper": "", "": "", strings.Repeat("brokers", 100): "",
	} {
		if got := experiment.Nearest(name, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := experiment.Nearest("x", nil); got != "" {
		t.Errorf("Nearest() of nothing = %q, want none", got)
	}
}
