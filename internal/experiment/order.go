package experiment

import "math/rand/v2"

// orderStream keeps the order apart from the other random streams of a seed.
const orderStream = 0x6f72646572 // "order"

// Order returns the label of the variant of each planned run. It is a sequence
// of rounds; each is a random permutation of all variants, so that variants are
// interleaved and drift of the machine favours none. The same seed gives the
// same order.
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
