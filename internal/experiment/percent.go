package experiment

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Percent is a share that people read and write as text: "5%". It counts thousandths
// of a percent, so that it is exact.
type Percent int64

// onePercent is 1%.
const onePercent Percent = 1000

// PercentPattern is what [ParsePercent] reads, as a regular expression.
const PercentPattern = `^[0-9]{1,6}(\.[0-9]{1,3})? ?%$`

var percentGrammar = regexp.MustCompile(PercentPattern)

// ParsePercent reads a number with a percent sign.
func ParsePercent(text string) (Percent, error) {
	if !percentGrammar.MatchString(text) {
		return 0, fmt.Errorf("%q is not a percentage: use a number with at most three decimals and %%, such as \"5%%\"", text)
	}
	whole, decimals, _ := strings.Cut(strings.TrimRight(text, "% "), ".")
	n, err := strconv.ParseInt(whole+(decimals + "000")[:3], 10, 64)
	return Percent(n), err
}

// Share returns p as a share of one: 0.05 for 5%.
func (p Percent) Share() float64 { return float64(p) / float64(100*onePercent) }

// String formats p as [ParsePercent] reads it.
func (p Percent) String() string {
	text := fmt.Sprintf("%d.%03d", p/onePercent, p%onePercent)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// MarshalText is [Percent.String].
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is [ParsePercent].
func (p *Percent) UnmarshalText(text []byte) error {
	parsed, err := ParsePercent(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
