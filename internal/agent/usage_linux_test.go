package agent

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStolen(t *testing.T) {
	steal, whole := stolen("cpu  100 200 300 400 0 0 0 50 7 8\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	if steal == nil || *steal != 0.5 || whole != 10.5 {
		t.Errorf("stolen() = %v, %v, want 0.5 s of 10.5 s: guest time is part of user time", steal, whole)
	}
	for name, text := range map[string]string{"empty": "", "an old kernel": "cpu 1 2 3 4\n", "nonsense": "cpu a b c d e f g h\n", "another line": "intr 1 2 3 4 5 6 7 8\n"} {
		if steal, _ := stolen(text); steal != nil {
			t.Errorf("stolen(%s) = %v, want that it is not known", name, *steal)
		}
	}
}

func TestThrottled(t *testing.T) {
	tests := map[string]struct {
		groups, file, stat string
		want               float64 // -1: not known
	}{
		"version 2":              {"0::/app\n", "app", "usage_usec 9\nnr_throttled 3\nthrottled_usec 2500000\n", 2.5},
		"version 2, beside 1":    {"1:cpu:/\n0::/\n", "unified", "throttled_usec 500000\n", 0.5},
		"version 1":              {"4:memory:/m\n3:cpu,cpuacct:/app\n", "cpu,cpuacct/app", "nr_periods 1\nthrottled_time 1500000000\n", 1.5},
		"version 1, by one name": {"3:cpu,cpuacct:/app\n", "cpu/app", "throttled_time 1000000000\n", 1},
		"no quota":               {"0::/\n", ".", "usage_usec 9\n", -1},
		"no control groups":      {"", ".", "", -1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.MkdirAll(filepath.Join(root, tt.file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, tt.file, "cpu.stat"), []byte(tt.stat), 0o600); err != nil {
				t.Fatal(err)
			}
			got := throttled(root, tt.groups)
			if got == nil && tt.want >= 0 || got != nil && *got != tt.want {
				t.Errorf("throttled() = %v, want %v", got, tt.want)
			}
		})
	}
}
