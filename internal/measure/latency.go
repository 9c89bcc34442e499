package measure

// Latency summarises one distribution in nanoseconds, over everything that was
// offered. Quantiles are by nearest rank, ceil(q·n) of n = [Latency.Offered].
//
// Of what had not come when observation ended only a lower bound is known: the time
// for which it was waited. What failed never comes, so its bound is the longest wait
// there can be. A quantile, the largest value and the mean are exact where they are
// the same whatever became of all those; otherwise they are nil, and the one beside
// them says that they are at least that large. Both are nil for a quantile that the
// count does not support: fewer than 10 samples beyond it.
type Latency struct {
	Count    int64 `json:"count"`          // samples whose value is known, those counted apart included
	Open     int64 `json:"open,omitempty"` // of which only a lower bound is known
	Zero     int64 `json:"zero,omitempty"`
	Negative int64 `json:"negative,omitempty"` // the clocks disagree
	Overflow int64 `json:"overflow,omitempty"` // above one hour

	MinNS   int64    `json:"min_ns"` // of the known values
	P50NS   *int64   `json:"p50_ns"`
	P90NS   *int64   `json:"p90_ns"`
	P95NS   *int64   `json:"p95_ns"`
	P99NS   *int64   `json:"p99_ns"`
	P999NS  *int64   `json:"p999_ns"`
	P9999NS *int64   `json:"p9999_ns"`
	MaxNS   *int64   `json:"max_ns"`
	MeanNS  *float64 `json:"mean_ns"`

	P50AtLeastNS   *int64   `json:"p50_at_least_ns,omitempty"`
	P90AtLeastNS   *int64   `json:"p90_at_least_ns,omitempty"`
	P95AtLeastNS   *int64   `json:"p95_at_least_ns,omitempty"`
	P99AtLeastNS   *int64   `json:"p99_at_least_ns,omitempty"`
	P999AtLeastNS  *int64   `json:"p999_at_least_ns,omitempty"`
	P9999AtLeastNS *int64   `json:"p9999_at_least_ns,omitempty"`
	MaxAtLeastNS   *int64   `json:"max_at_least_ns,omitempty"`
	MeanAtLeastNS  *float64 `json:"mean_at_least_ns,omitempty"`
}

// Offered is how many samples there would be if everything had come.
func (l Latency) Offered() int64 { return l.Count + l.Open }

// quantiles are all that a [Latency] has.
var quantiles = []struct {
	name    string
	q       float64
	exact   func(*Latency) **int64
	atLeast func(*Latency) **int64
}{
	{"p50", 0.50, func(l *Latency) **int64 { return &l.P50NS }, func(l *Latency) **int64 { return &l.P50AtLeastNS }},
	{"p90", 0.90, func(l *Latency) **int64 { return &l.P90NS }, func(l *Latency) **int64 { return &l.P90AtLeastNS }},
	{"p95", 0.95, func(l *Latency) **int64 { return &l.P95NS }, func(l *Latency) **int64 { return &l.P95AtLeastNS }},
	{"p99", 0.99, func(l *Latency) **int64 { return &l.P99NS }, func(l *Latency) **int64 { return &l.P99AtLeastNS }},
	{"p999", 0.999, func(l *Latency) **int64 { return &l.P999NS }, func(l *Latency) **int64 { return &l.P999AtLeastNS }},
	{"p9999", 0.9999, func(l *Latency) **int64 { return &l.P9999NS }, func(l *Latency) **int64 { return &l.P9999AtLeastNS }},
}

// Bound is what is known of a quantile.
type Bound struct {
	NS    *int64 // nil where the count does not support the quantile
	Exact bool   // otherwise it is at least so large
}

// Quantile returns the quantile with this name, "p50" to "p9999".
func (l Latency) Quantile(name string) Bound {
	for _, quantile := range quantiles {
		if quantile.name == name {
			return bound(*quantile.exact(&l), *quantile.atLeast(&l))
		}
	}
	return Bound{}
}

// Max returns the largest value.
func (l Latency) Max() Bound { return bound(l.MaxNS, l.MaxAtLeastNS) }

// split returns an exact value and a lower bound; one of them at most is not nil.
func (b Bound) split() (exact, atLeast *int64) {
	if b.Exact {
		return b.NS, nil
	}
	return nil, b.NS
}

func bound(exact, atLeast *int64) Bound {
	if exact != nil {
		return Bound{exact, true}
	}
	return Bound{NS: atLeast}
}
