package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// missing stands where a number is not known; never a zero.
const missing = "–"

// LatencyText formats nanoseconds with a unit, or "–" for nil.
func LatencyText(ns *int64) string {
	if ns == nil {
		return missing
	}
	return Nanoseconds(float64(*ns))
}

// Nanoseconds formats a latency with three significant digits: "6.21 ms".
func Nanoseconds(ns float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		// 999.6 µs rounds to 1.00 ms, not to 1000 µs.
		if math.Abs(ns) >= 0.9995*unit.size {
			return significant(ns/unit.size) + " " + unit.name
		}
	}
	return significant(ns) + " ns"
}

// Seconds formats an amount of processor time: "12.3 s".
func Seconds(s float64) string { return significant(s) + " s" }

// Rate formats messages per second: "19,998/s", "1.25/s".
func Rate(perSecond float64) string {
	if math.Abs(perSecond) < 100 {
		return significant(perSecond) + "/s"
	}
	return Count(int64(math.Round(perSecond))) + "/s"
}

// Count formats a whole number with separators: "600,000".
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "−", rest
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Bytes formats an amount of memory in binary units: "1.25 GiB".
func Bytes(n int64) string {
	x, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; math.Abs(x) >= 1023.5 && i < len(units)-1; i++ {
		x /= 1024
	}
	return significant(x) + " " + units[i]
}

// significant formats x with three significant digits, or all those before the
// point, and a real minus.
func significant(x float64) string {
	if x == 0 {
		return "0"
	}
	if math.Abs(x) >= 999.5 {
		return strings.Replace(strconv.FormatFloat(x, 'f', 0, 64), "-", "−", 1)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 2, 64), 64)
	if err != nil {
		return strconv.FormatFloat(x, 'g', -1, 64) // infinities and NaN
	}
	decimals := max(0, 2-int(math.Floor(math.Log10(math.Abs(rounded)))))
	return strings.Replace(strconv.FormatFloat(rounded, 'f', min(decimals, 9), 64), "-", "−", 1)
}

// span joins the ends of a range and names a common unit once: "5.90–6.61 ms".
func span(low, high string) string {
	value, unit, ok := strings.Cut(low, " ")
	if ok && strings.HasSuffix(high, " "+unit) {
		return value + "–" + high
	}
	if value, ok := strings.CutSuffix(low, "/s"); ok {
		return value + "–" + high
	}
	return low + "–" + high
}

// length formats how long something took: "1m 12s", "0.8 s".
func length(d time.Duration) string {
	if d < 10*time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	d = d.Round(time.Second)
	if d < time.Minute {
		return strconv.Itoa(int(d.Seconds())) + " s"
	}
	if d < time.Hour {
		return strconv.Itoa(int(d.Minutes())) + " min " + strconv.Itoa(int(d.Seconds())%60) + " s"
	}
	return strconv.Itoa(int(d.Hours())) + " h " + strconv.Itoa(int(d.Minutes())%60) + " min"
}

// stamp formats a moment, or "–".
func stamp(t time.Time) string {
	if t.IsZero() {
		return missing
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// clock formats the time of day, or "–".
func clock(t time.Time) string {
	if t.IsZero() {
		return missing
	}
	return t.UTC().Format("15:04:05")
}

// words makes an identifier readable: "fsync_before_ack" → "fsync before ack".
func words(identifier string) string {
	if identifier == "" {
		return missing
	}
	return strings.ReplaceAll(identifier, "_", " ")
}

func lowerFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

func upperFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// tight keeps numbers and their units on one line of a page.
func tight(sentence string) string {
	return strings.NewReplacer(" % CI ", "\u00a0%\u00a0CI\u00a0", " %", "\u00a0%").Replace(sentence)
}

func withReason(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + ": " + reason
}

func joinReasons(reasons []string) string { return strings.Join(reasons, "; ") }

// oneLine makes stored text safe for a terminal: control characters, which
// could move the cursor, become spaces.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
