package experiment

import "math/rand/v2"

// The random streams of a seed, kept apart from each other.
const (
	orderStream = 0x6f72646572 // "order"
	roundStream = 0x726f756e64 // "round"
)

// Order returns the label of the variant of each planned run. It is a sequence
// of rounds; each is a random permutation of all variants, so that variants are
// interleaved and drift of the machine favours none. The same seed gives the
// same order. Run i is of round i / number of variants.
func Order(p Plan) []string {
	random := rand.New(rand.NewPCG(uint64(p.Workload.Seed), orderStream))
	order := make([]string, 0, p.Repeat*len(p.Variants))
	for range p.Repeat {
		for _, i := range random.Perm(len(p.Variants)) {
			order = append(order, p.Variants[i].Label)
		}
	}
	return order
}

// RoundSeed returns the seed of a round's load, a whole number that every JSON reader
// keeps. The variants of a round share it, so that each gets the same arrivals and the
// same keys; the rounds differ, so that a verdict does not rest on one lucky sequence.
// That of round 0 is the plan's own.
func RoundSeed(seed int64, round int) int64 {
	if round == 0 {
		return seed
	}
	return rand.New(rand.NewPCG(uint64(seed), roundStream^uint64(round)<<40)).Int64N(1 << 53)
}
