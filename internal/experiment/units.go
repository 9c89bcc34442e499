package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time that people read and write as text with units:
// "5ms", "1h30m". Convert it with [Duration.Std].
type Duration time.Duration

// Std returns d as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String formats d without the zeros that [time.Duration.String] adds: "2m",
// not "2m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes d as [ParseDuration] reads it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is [ParseDuration].
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// What [ParseDuration] and [ParseBytes] read, as regular expressions. Some of it is
// refused all the same, such as fractions of a byte.
const (
	DurationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`
	BytesPattern    = `^[0-9]+(\.[0-9]+)? ?(B|kB|KiB|MB|MiB|GB|GiB|TB|TiB)?$`
)

var (
	durationGrammar = regexp.MustCompile(DurationPattern)
	bytesGrammar    = regexp.MustCompile(BytesPattern)
)

// ParseDuration reads a duration with its units: ns, us, ms, s, m or h.
func ParseDuration(text string) (Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || !durationGrammar.MatchString(text) {
		return 0, fmt.Errorf("%q is not a duration: use a number with ms, s, m or h, such as \"90s\"", text)
	}
	return Duration(d), nil
}

// Bytes is an amount of data. People write it as text with a unit, where MB is
// 10⁶ bytes and MiB 2²⁰, or as a plain number of bytes.
type Bytes int64

// byteUnits are the units of [Bytes]; of two that divide an amount, the earlier
// one is written.
var byteUnits = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

// String formats b exactly, in the largest unit that divides it: "2GiB",
// "5MB", "1500B".
func (b Bytes) String() string {
	if b == 0 {
		return "0B"
	}
	for _, unit := range byteUnits {
		if int64(b)%unit.size == 0 {
			return strconv.FormatInt(int64(b)/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B" // not reached: 1 divides everything
}

// MarshalJSON writes b as text with a unit.
func (b Bytes) MarshalJSON() ([]byte, error) { return json.Marshal(b.String()) }

// UnmarshalJSON reads text with a unit or a plain number of bytes.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(data, &text); err != nil {
			return fmt.Errorf("read a size: %w", err)
		}
	}
	parsed, err := ParseBytes(text)
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}

var errNotWholeBytes = errors.New("is not a whole number of bytes")

// ParseBytes reads an amount of data such as "1KiB", "1.5MB" or "4096".
func ParseBytes(text string) (Bytes, error) {
	number := strings.TrimRight(text, "BKMGTik ")
	name := strings.TrimSpace(text[len(number):])
	size := int64(1)
	for _, unit := range byteUnits {
		if unit.name == name {
			size = unit.size
		}
	}
	// A number of any length would take all memory.
	amount, ok := new(big.Rat), len(number) <= 32 && bytesGrammar.MatchString(text)
	if ok {
		_, ok = amount.SetString(number)
	}
	if !ok {
		return 0, fmt.Errorf("%q is not a size: use a number with B, kB, KiB, MB, MiB, GB or GiB, such as \"1KiB\"", text)
	}
	amount.Mul(amount, new(big.Rat).SetInt64(size))
	switch {
	case !amount.IsInt():
		return 0, fmt.Errorf("%q %w", text, errNotWholeBytes)
	case !amount.Num().IsInt64():
		return 0, fmt.Errorf("%q is too large", text)
	}
	return Bytes(amount.Num().Int64()), nil
}
