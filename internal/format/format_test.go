package format_test

import (
	"testing"

	"dec.local/dec/internal/format"
)

func TestFormats(t *testing.T) {
	for ns, want := range map[float64]string{0: "0 ns", 900: "900 ns", 999_600: "1.00 ms", 6_214_000: "6.21 ms", 61_400_000: "61.4 ms", 3e9: "3.00 s", -2e6: "−2.00 ms"} {
		if got := format.Nanoseconds(ns); got != want {
			t.Errorf("Nanoseconds(%v) = %q, want %q", ns, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "−1,234,567"} {
		if got := format.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{512: "512 B", 1023 << 10: "1023 KiB", 1 << 30: "1.00 GiB"} {
		if got := format.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	if got := format.Latency(nil); got != "–" {
		t.Errorf("Latency(nil) = %q, want –", got)
	}
}
