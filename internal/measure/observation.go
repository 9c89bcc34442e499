package measure

// Observation is a distribution of which some samples are not known when observation
// ends. They are censored on the right: see Klein and Moeschberger, Survival
// Analysis, chapter 3. Nothing is assumed of how they would have gone on; a figure is
// exact only where it does not depend on that.
type Observation struct {
	values *Histogram // of what came
	open   *Histogram // of what did not: a lower bound of each
	all    *Histogram // both; made when it is asked for first
}

// ReadObservation decodes one distribution of those that a run keeps.
func ReadObservation(encoded map[Distribution]string, d Distribution) (Observation, error) {
	values, err := DecodeHistogram(encoded[d])
	if err != nil {
		return Observation{}, err
	}
	open, err := DecodeHistogram(encoded[d.Open()])
	return Observation{values: values, open: open}, err
}

// Count is how many samples there would be if everything had come.
func (o *Observation) Count() int64 { return o.values.Count() + o.open.Count() }

// Quantile returns what is known of the quantile q, in (0, 1).
func (o *Observation) Quantile(q float64) Bound {
	n := o.Count()
	rank := nearestRank(q, n)
	if n-rank < support {
		return Bound{}
	}
	return o.atRank(rank)
}

// Summary returns the usual figures of a distribution of which everything came.
func (h *Histogram) Summary() Latency {
	return (&Observation{values: h, open: nothing}).Summary()
}

// nothing is an empty histogram, which nobody records to.
var nothing = NewHistogram()

// Summary returns the usual figures.
func (o *Observation) Summary() Latency {
	l := Latency{Count: o.values.Count(), Open: o.open.Count(), Negative: o.values.negative, Overflow: o.values.overflow}
	n := o.Count()
	if n == 0 {
		return l
	}
	l.Zero = o.values.zeros()
	l.MinNS = o.values.lowestValue()
	for _, quantile := range quantiles {
		*quantile.exact(&l), *quantile.atLeast(&l) = o.Quantile(quantile.q).split()
	}
	l.MaxNS, l.MaxAtLeastNS = o.atRank(n).split()
	if mean := o.whole().mean(); l.Open > 0 || l.Overflow > 0 {
		l.MeanAtLeastNS = &mean
	} else {
		l.MeanNS = &mean
	}
	return l
}

// atRank returns what is known of the sample of a rank among all: its value if that is
// the same whether what is open came at its bound or never, else the smallest value it
// can have.
func (o *Observation) atRank(rank int64) Bound {
	low, ok := o.whole().atRank(rank)
	if !ok {
		return Bound{NS: new(maxLatency)}
	}
	if rank <= o.values.Count() {
		if high, ok := o.values.atRank(rank); ok && high == low {
			return Bound{&low, true}
		}
	}
	return Bound{NS: &low}
}

// whole has the values and the bounds.
func (o *Observation) whole() *Histogram {
	if o.open.Count() == 0 {
		return o.values
	}
	if o.all == nil {
		o.all = NewHistogram()
		o.all.Merge(o.values)
		o.all.Merge(o.open)
	}
	return o.all
}
