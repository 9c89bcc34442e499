package comparison_test

import (
	"slices"
	"strings"
	"testing"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/measure"
)

func TestForeignAndUnwatchedMessagesAreTold(t *testing.T) {
	told := func(c comparison.Comparison, figure string) *float64 {
		for _, f := range c.Figures {
			if f.Name == figure {
				return f.Values[0].Value
			}
		}
		return nil
	}
	found := comparisontest.Compare(t, comparisontest.Limited(t, func(n int, variant string, r *measure.Merged) {
		if variant == "kafka" && n < 5 { // the runs 0 and 2
			r.Counts.Foreign, r.Counts.Unwatched = 1, 2000
		}
	}))
	for _, want := range []string{
		"kafka received 2 messages that its run had not sent: something else wrote to its destination.",
		"The order of 4,000 of 225,000 messages that kafka delivered was not checked, because there are too many keys: there may be more reordered ones.",
	} {
		if !slices.Contains(found.Caveats, want) {
			t.Errorf("caveats = %q, want %q", found.Caveats, want)
		}
	}
	if n, m := told(found, "foreign"), told(found, "unwatched"); n == nil || *n != 2 || m == nil || *m != 4000 {
		t.Errorf("figures: foreign %v, unwatched %v, want 2 and 4000", n, m)
	}

	found = comparisontest.Compare(t, comparisontest.Limited(t, nil))
	if n := told(found, "foreign"); n != nil || strings.Contains(strings.Join(found.Caveats, " "), "order of") {
		t.Errorf("without such messages, foreign = %v and the caveats are %q, want none of them", n, found.Caveats)
	}
}
