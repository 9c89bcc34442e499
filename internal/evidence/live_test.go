package evidence_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/evidence"
	"dec.local/dec/internal/measure"
)

// numbers are those of seconds.
func numbers(seconds []measure.Second) []int {
	list := []int{}
	for _, s := range seconds {
		list = append(list, s.Second)
	}
	return list
}

func TestSecondsOfARunThatIsDrivenHere(t *testing.T) {
	live := evidence.NewLive()
	if got, here := live.After("r1", -1); here || len(got) > 0 {
		t.Errorf("After() of an unknown run = %v, %v, want none and not here", got, here)
	}
	for second := range 4 {
		live.Add("r1", measure.Second{Second: second})
	}
	live.Add("r2", measure.Second{Second: 0})
	for after, want := range map[int][]int{-1: {0, 1, 2, 3}, 0: {1, 2, 3}, 2: {3}, 3: {}, 99: {}} {
		got, here := live.After("r1", after)
		if diff := cmp.Diff(want, numbers(got)); diff != "" || !here {
			t.Errorf("After(%d): here %v (-want +got):\n%s", after, here, diff)
		}
	}
	live.Forget("r1")
	if got, here := live.After("r1", -1); here || len(got) > 0 {
		t.Errorf("After() of a forgotten run = %v, %v, want none and not here", got, here)
	}
	if got, here := live.After("r2", -1); !here || len(got) != 1 {
		t.Errorf("After() of another run = %v, %v, want its second", got, here)
	}
}

func TestSecondsComeOnceAlthoughAFollowerBeginsAnew(t *testing.T) {
	live := evidence.NewLive()
	for _, second := range []int{0, 1, 2, 0, 1, 2, 3} {
		live.Add("r1", measure.Second{Second: second})
	}
	got, _ := live.After("r1", -1)
	if diff := cmp.Diff([]int{0, 1, 2, 3}, numbers(got)); diff != "" {
		t.Errorf("After() (-want +got):\n%s", diff)
	}
}

func TestWhatWasReadDoesNotChange(t *testing.T) {
	live := evidence.NewLive()
	live.Add("r1", measure.Second{Second: 0})
	got, _ := live.After("r1", -1)
	got[0].Second = 77
	if again, _ := live.After("r1", -1); again[0].Second != 0 {
		t.Errorf("After() = %v, want what was added", again)
	}
}
