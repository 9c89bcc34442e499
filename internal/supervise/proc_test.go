package supervise_test

import (
	"strings"
	"testing"

	"dec.local/dec/internal/supervise"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " 2 17 17 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 %threads 0 5000 1000 12 18446744073709551615 1 1"
	line := func(name, state, threads string) string {
		return "42 (" + name + ") " + state + strings.Replace(rest, "%threads", threads, 1)
	}
	tests := map[string]struct {
		stat string
		gone bool
		fail bool
	}{
		"a process":                           {stat: line("java", "S", "9")},
		"a name with blanks and parentheses":  {stat: line(") R 1 (x) Z", "S", "1")},
		"a zombie":                            {stat: line("x", "Z", "1"), gone: true},
		"a first thread that ended by itself": {stat: line("x", "Z", "3")},
		"a cut line":                          {stat: "42 (x) S 2 17", fail: true},
		"nothing":                             {stat: "", fail: true},
		"no number":                           {stat: strings.Replace(line("x", "S", "1"), " 11 ", " eleven ", 1), fail: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pid, ppid, cpu, gone, err := supervise.ParseStat([]byte(tt.stat))
			if tt.fail != (err != nil) {
				t.Fatalf("ParseStat(%q) error = %v, want one = %t", tt.stat, err, tt.fail)
			}
			if !tt.fail && (pid != 42 || ppid != 2 || cpu != 110 || gone != tt.gone) {
				t.Errorf("ParseStat(%q) = pid %d, ppid %d, cpu %d, gone %t, want 42, 2, 110, %t", tt.stat, pid, ppid, cpu, gone, tt.gone)
			}
		})
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("1 (init) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1 1 1"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _, _, _ = supervise.ParseStat(data)
	})
}
