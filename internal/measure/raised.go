package measure

// raised returns by how much at most the pacer's lateness has raised the quantile q of
// a latency; false where the quantile is not known. The two are one message's, but
// nobody kept them together, so the bound holds whatever their dependence: if a share a
// of the messages was later than y, then P(latency − lateness > x) is at least
// P(latency > x + y) − a, and so the quantile q without lateness at least the quantile
// q − a of the latency minus y (Fréchet; Makarov, Theory of Probability and its
// Applications 26, 1981). The a that promises most is taken.
func raised(latency *Observation, late *Histogram, q float64) (ns int64, ok bool) {
	whole, known := latency.Quantile(q), late != nil && late.Count() > 0
	if whole.NS == nil || !known {
		return 0, false
	}
	longest, _ := late.atRank(late.Count())
	without := *whole.NS - longest // a = 0
	for share := (1 - q) / 64; share < q; share *= 2 {
		of, ok1 := latency.whole().atRank(nearestRank(q-share, latency.Count()))
		late, ok2 := late.atRank(nearestRank(1-share, late.Count()))
		if ok1 && ok2 {
			without = max(without, of-late)
		}
	}
	return *whole.NS - max(0, without), true
}

// raise notes for each quantile by how much lateness may have raised it.
func (m *merger) raise(d Distribution) map[string]int64 {
	found := map[string]int64{}
	o := Observation{values: orEmpty(m.hist[d]), open: orEmpty(m.hist[d.Open()])}
	for _, quantile := range quantiles {
		if ns, ok := raised(&o, m.hist[PacerLateness], quantile.q); ok {
			found[quantile.name] = ns
		}
	}
	return found
}
