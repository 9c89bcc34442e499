package stats

import (
	"math"
	"strconv"
	"strings"

	"dec.local/dec/internal/experiment"
)

// words are how a metric is spoken of.
type words struct {
	better    string // after the label of the better one: "is faster"
	best      string // after the label of the best one: "is fastest"
	direction string // where its values are: "lower"
}

func wordsFor(m experiment.Metric) words {
	switch {
	case m.Latency():
		return words{better: "is faster", best: "is fastest", direction: "lower"}
	case m.MoreIsBetter():
		return words{better: "is better", best: "is best", direction: "higher"}
	}
	return words{better: "is better", best: "is best", direction: "lower"}
}

// size words how far one is ahead, and the interval of that. A lead of 2 and
// more is told as a factor. A smaller one is told in percent of the other's
// value, because that is the value to save from or to add to.
func size(point, low, high float64, m experiment.Metric) (text, interval string) {
	if point >= factorFrom {
		digits := digitsFor(high - low)
		return "a factor of " + decimal(point, digits), decimal(low, digits) + "–" + decimal(high, digits)
	}
	share := func(lead float64) float64 {
		if m.MoreIsBetter() {
			return 100 * (lead - 1)
		}
		return 100 * (1 - 1/lead)
	}
	digits := digitsFor(share(high) - share(low))
	for digits < 2 && share(low) < 0.5*math.Pow10(-digits) {
		digits++ // an interval that excludes no difference must not begin with 0 %
	}
	return decimal(share(point), digits) + " %", decimal(share(low), digits) + "–" + decimal(share(high), digits) + " %"
}

// digitsFor returns the decimals that are worth showing where the interval is
// that wide.
func digitsFor(width float64) int {
	switch {
	case width >= 5:
		return 0
	case width >= 0.5 || width == 0:
		return 1
	}
	return 2
}

// decimal formats x with that many decimals.
func decimal(x float64, digits int) string { return strconv.FormatFloat(x, 'f', digits, 64) }

// percent formats a share, without a useless .0.
func percent(share float64, digits int) string {
	text := decimal(100*share, digits)
	return strings.TrimSuffix(text, ".0") + " %"
}

// list joins labels for a sentence: "a, b and c".
func list(labels []string) string {
	if len(labels) < 2 {
		return strings.Join(labels, "")
	}
	return strings.Join(labels[:len(labels)-1], ", ") + " and " + labels[len(labels)-1]
}

// sentences puts those together that say something.
func sentences(texts ...string) string {
	var said []string
	for _, text := range texts {
		if text != "" {
			said = append(said, text)
		}
	}
	return strings.Join(said, " ")
}

// lowerFirst makes a sentence the end of another one, unless it begins with a
// label, which is lower-case already.
func lowerFirst(sentence string) string {
	if sentence == "" {
		return sentence
	}
	return strings.ToLower(sentence[:1]) + sentence[1:]
}
