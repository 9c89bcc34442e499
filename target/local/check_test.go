package local

import (
	"strings"
	"testing"

	"dec.local/dec/target"
)

func TestAgentsThatNeedMoreThanThereIsAreTold(t *testing.T) {
	tests := map[string]struct {
		need float64
		cpus int
		want string
	}{
		"little":                 {0.9, 2, "2 CPUs"},
		"most of what there is":  {1.2, 2, "the agents alone need about 1.2 CPUs if all of the load is taken, and this machine has 2 for them and the brokers; agents alone on this many machines like it would carry the load: 1"},
		"more than there is":     {3.7, 2, "the agents alone need about 3.7 CPUs if all of the load is taken, and this machine has 2 for them and the brokers; agents alone on this many machines like it would carry the load: 3"},
		"nobody has measured it": {0, 2, "2 CPUs"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := checkCPUs(tt.need, tt.cpus)
			if got.Detail != tt.want || got.Level != target.OK != strings.HasPrefix(got.Detail, "the agents") {
				t.Errorf("checkCPUs(%v, %d) = %+v, want %q", tt.need, tt.cpus, got, tt.want)
			}
		})
	}
}

func TestRefusalForLackOfDiskSpaceTellsTheReserve(t *testing.T) {
	tests := map[string]struct {
		need, free uint64
		want       string
	}{
		"a small run": {
			3 << 20, 100 << 20, "a run writes up to 3 MiB and 512 MiB must stay free, but only 100 MiB are free in /d"},
		"a large one": {
			3 << 31, 5 << 30, "a run writes up to 6.0 GiB and 512 MiB must stay free, but only 5.0 GiB are free in /d"},
		"nothing is known of the run": {
			0, 1<<30 - 1, "a run writes up to 0 MiB and 512 MiB must stay free, but only 1023 MiB are free in /d"},
	}
	for name, tt := range tests {
		if got := tooLittle(tt.need, tt.free, "/d"); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
