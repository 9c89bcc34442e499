package pacing

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"sort"
	"strconv"
	"time"

	"dec.local/dec/internal/experiment"
)

// profile is the offered rate of all producers as a function of time since the
// start of the load: straight pieces, constant or ramps, without gaps.
type profile struct {
	pieces []piece
	total  position      // the integral of the rate over all pieces
	end    time.Duration // of the last piece
}

// piece is a stretch of a profile whose rate runs in a straight line.
type piece struct {
	from     time.Duration
	length   time.Duration
	first    position // the integral of the rate before this piece
	rate, to float64  // messages per second at its start and end
}

// position is a point on the axis of messages, split so that a long run keeps
// its fraction: a float64 alone would lose nanoseconds after some 10^9 messages.
type position struct {
	whole int64
	frac  float64 // in [0, 1)
}

// less reports whether p comes before q.
func (p position) less(q position) bool {
	return p.whole < q.whole || p.whole == q.whole && p.frac < q.frac
}

// newProfile builds the profile of a workload: the warm-up at the first rate,
// then the schedule, cut at the end of the measure stage or, where it is
// shorter, held at its last rate.
func newProfile(w experiment.Workload) (*profile, error) {
	first, segments, err := segmentsOf(w)
	if err != nil {
		return nil, err
	}
	p := &profile{end: time.Duration(w.Stages.Warmup + w.Stages.Measure)}
	sum := new(big.Rat)
	at := time.Duration(0)
	add := func(length time.Duration, from, to float64) error {
		if length = min(length, p.end-at); length <= 0 {
			return nil
		}
		if err := p.append(at, length, from, to, sum); err != nil {
			return err
		}
		at += length
		return nil
	}
	rate := first
	err = add(time.Duration(w.Stages.Warmup), rate, rate)
	for _, s := range segments {
		to := rate
		switch {
		case s.Rate != nil:
			rate, to = *s.Rate, *s.Rate
		case s.RampTo != nil:
			to = *s.RampTo
			if left := p.end - at; left < time.Duration(s.For) { // cut a ramp on its line
				to = rate + (to-rate)*float64(left)/float64(s.For)
			}
		}
		err = errors.Join(err, add(time.Duration(s.For), rate, to))
		rate = to
	}
	err = errors.Join(err, add(p.end-at, rate, rate))
	p.total = split(sum)
	return p, err
}

// segmentsOf returns the schedule of a load and its first rate.
func segmentsOf(w experiment.Workload) (first float64, _ []experiment.Segment, err error) {
	if len(w.Load.Schedule) == 0 {
		return w.Load.Rate, nil, nil
	}
	if w.Load.Schedule[0].Rate == nil {
		return 0, nil, errors.New("the first segment of a schedule must give a rate: a ramp needs a rate to start from")
	}
	return *w.Load.Schedule[0].Rate, w.Load.Schedule, nil
}

// append adds a piece and its messages to sum. Neighbours of one rate become
// one piece, so a plain constant rate is a plain i/rate throughout.
func (p *profile) append(at, length time.Duration, from, to float64, sum *big.Rat) error {
	a, b, err := decimals(from, to)
	if err != nil {
		return err
	}
	if n := len(p.pieces); n > 0 && from == to && p.pieces[n-1].rate == from && p.pieces[n-1].to == from {
		p.pieces[n-1].length += length
	} else {
		p.pieces = append(p.pieces, piece{from: at, length: length, first: split(sum), rate: from, to: to})
	}
	area := a.Add(a, b)
	area.Mul(area, big.NewRat(int64(length), 2*int64(time.Second)))
	sum.Add(sum, area)
	return nil
}

// decimals reads two rates as the decimals that a person wrote: 0.1 is 1/10 and
// not the nearest binary fraction, so counts come out as expected.
func decimals(from, to float64) (a, b *big.Rat, err error) {
	for _, r := range []float64{from, to} {
		if !(r >= 0) || math.IsInf(r, 0) {
			return nil, nil, fmt.Errorf("rate %v: a rate must be a finite number that is not negative", r)
		}
	}
	a, _ = new(big.Rat).SetString(strconv.FormatFloat(from, 'g', -1, 64))
	b, _ = new(big.Rat).SetString(strconv.FormatFloat(to, 'g', -1, 64))
	return a, b, nil
}

// split turns an exact sum into a position.
func split(sum *big.Rat) position {
	whole, rest := new(big.Int).QuoRem(sum.Num(), sum.Denom(), new(big.Int))
	frac, _ := new(big.Rat).SetFrac(rest, sum.Denom()).Float64()
	return position{whole: whole.Int64(), frac: min(frac, math.Nextafter(1, 0))}
}

// at inverts the integral of the rate: the time at which the load reaches p,
// rounded to the nanosecond. It is false at the end of the load and beyond.
func (p *profile) at(pos position) (time.Duration, bool) {
	if !pos.less(p.total) {
		return 0, false
	}
	// The last piece that starts at or before pos; a piece without messages
	// starts where the next one does, so it is never chosen.
	k := sort.Search(len(p.pieces), func(i int) bool { return pos.less(p.pieces[i].first) }) - 1
	s := &p.pieces[k]
	m := float64(pos.whole-s.first.whole) + (pos.frac - s.first.frac)
	offset := s.from + min(time.Duration(math.Round(s.invert(m))), s.length)
	return offset, offset < p.end
}

// invert returns the nanoseconds from the piece's start until it has offered m
// messages.
func (s *piece) invert(m float64) float64 {
	const second = float64(time.Second)
	if m <= 0 {
		return 0
	}
	if s.rate == s.to {
		// m·10⁹ is exact below 2³² messages, so this is one rounding in all.
		return m * second / s.rate
	}
	// m = a·t + (b−a)·t²/(2·L) solved for t in the form that neither a small
	// slope nor a start at zero makes inexact.
	slope := (s.to - s.rate) * second / float64(s.length)
	root := math.Sqrt(max(0, s.rate*s.rate+2*slope*m))
	return 2 * m / (s.rate + root) * second
}
