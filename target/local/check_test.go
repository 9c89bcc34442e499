package local

import "testing"

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
