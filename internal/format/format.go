// Package format writes numbers for people: three significant digits, the unit,
// a dash for what is not known. Tables, sentences and progress lines all use it,
// so that one number looks the same everywhere.
package format

import (
	"math"
	"strconv"
	"strings"

	"dec.local/dec/internal/experiment"
)

// Missing stands where a number is not known; never a zero.
const Missing = "–"

// Value formats x, which counts u.
func Value(u experiment.Unit, x float64) string {
	switch u {
	case experiment.UnitNanoseconds:
		return Nanoseconds(x)
	case experiment.UnitPerSecond:
		return Rate(x)
	case experiment.UnitSecondsPerMillion:
		return Seconds(x)
	case experiment.UnitBytes:
		return Bytes(int64(x))
	case experiment.UnitShare:
		return Share(x)
	}
	return Count(int64(x))
}

// Latency formats nanoseconds with a unit, or "–" for nil.
func Latency(ns *int64) string {
	if ns == nil {
		return Missing
	}
	return Nanoseconds(float64(*ns))
}

// Bound formats a latency that is known, exactly or as a lower bound: "≥ 5.80 s".
func Bound(ns *int64, exact bool) string {
	text := Latency(ns)
	if ns == nil || exact {
		return text
	}
	return AtLeast(text)
}

// AtLeast says that a number is a lower bound.
func AtLeast(text string) string { return "≥ " + text }

// Nanoseconds formats a latency with three significant digits: "6.21 ms".
func Nanoseconds(ns float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		// 999.6 µs rounds to 1.00 ms, not to 1000 µs.
		if math.Abs(ns) >= 0.9995*unit.size {
			return Significant(ns/unit.size) + " " + unit.name
		}
	}
	return Significant(ns) + " ns"
}

// Seconds formats an amount of processor time: "12.3 s".
func Seconds(s float64) string { return Significant(s) + " s" }

// Rate formats messages per second: "19,998/s", "1.25/s".
func Rate(perSecond float64) string {
	if math.Abs(perSecond) < 100 {
		return Significant(perSecond) + "/s"
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
	return Significant(x) + " " + units[i]
}

// Significant formats x with three significant digits, or all those before the
// point, and a real minus.
func Significant(x float64) string {
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

// Short formats x like [Significant], without useless zeros: "1.5", not "1.50".
func Short(x float64) string { return TrimZeros(Significant(x)) }

// TrimZeros takes the zeros off the end of a decimal number.
func TrimZeros(number string) string {
	if strings.Contains(number, ".") {
		return strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number
}

// Share formats a share of one: "99.2 %". Only the whole is 100 %, only nothing is 0 %.
func Share(x float64) string {
	text := TrimZeros(strconv.FormatFloat(100*x, 'f', 3, 64))
	switch {
	case x < 1 && text == "100":
		text = "99.999"
	case x > 0 && text == "0":
		text = "0.001"
	}
	return text + " %"
}

// Span joins the ends of a range and names a common unit once: "5.90–6.61 ms".
func Span(low, high string) string {
	value, unit, ok := strings.Cut(low, " ")
	if ok && strings.HasSuffix(high, " "+unit) {
		return value + "–" + high
	}
	if value, ok := strings.CutSuffix(low, "/s"); ok {
		return value + "–" + high
	}
	return low + "–" + high
}

// Words makes an identifier readable: "fsync_before_ack" → "fsync before ack".
func Words(identifier string) string {
	if identifier == "" {
		return Missing
	}
	return strings.ReplaceAll(identifier, "_", " ")
}

// LowerFirst makes a title the beginning of a part of a sentence.
func LowerFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// UpperFirst makes words a title.
func UpperFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Counted is a number with its noun: "1 run", "1,200 runs".
func Counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(int64(n)) + " " + noun + "s"
}
