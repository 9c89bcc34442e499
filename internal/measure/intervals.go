package measure

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"
)

const (
	chunkBits = 14 // numbers in a chunk: 16,384, a bitmap of 2 KiB
	chunkSize = 1 << chunkBits
	chunkMask = chunkSize - 1
)

// MaxSequence is the first number that an [IntervalSet] does not hold.
const MaxSequence = uint64(1) << 62

// IntervalSet is a set of sequence numbers below [MaxSequence]. Adding a number
// takes constant time in any order, and memory is bounded by one bit for each
// number between the smallest and the largest; long runs take none, however
// many numbers they have. The zero value is the empty set, and reading methods
// treat a nil set as empty. It is not safe for use by several goroutines.
type IntervalSet struct {
	full  []span   // chunks of which every number is in the set; sorted, apart
	part  []*chunk // the other chunks that are not empty; sorted
	count uint64

	last  *chunk // the chunk of the latest Add, or nil
	spare *chunk // empty, for the next chunk
}

// span is the chunks [from, until).
type span struct{ from, until uint64 }

// chunk is a bitmap with the number of its bits. It is as long as its largest number
// needs: a set of one of a thousand producers has few.
type chunk struct {
	key   uint64 // its number
	n     int
	words []uint64
}

// word returns the word of a number.
func (c *chunk) word(seq uint64) *uint64 {
	i := int(seq & chunkMask / 64)
	if i >= len(c.words) {
		longer := make([]uint64, min(max(2*len(c.words), i+1, 4), chunkSize/64))
		copy(longer, c.words)
		c.words = longer
	}
	return &c.words[i]
}

// Add puts a number into the set and reports whether it is fresh: not in there
// before, and below [MaxSequence].
func (s *IntervalSet) Add(seq uint64) (fresh bool) {
	key := seq >> chunkBits
	c := s.last
	if c == nil || key != c.key {
		if c = s.chunk(key); c == nil {
			return false
		}
	}
	word, bit := c.word(seq), uint64(1)<<(seq%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	c.n++
	s.count++
	if c.n == chunkSize {
		s.promote(key)
	}
	return true
}

// chunk makes the chunk with this number the latest one and returns it; nil if
// all its numbers are in the set, or none can be.
func (s *IntervalSet) chunk(key uint64) *chunk {
	i, found := s.place(key)
	if !found {
		if key >= MaxSequence>>chunkBits || s.isFull(key) {
			return nil
		}
		c := s.spare
		if s.spare = nil; c == nil {
			c = new(chunk)
		}
		c.key = key
		s.part = slices.Insert(s.part, i, c)
	}
	s.last = s.part[i]
	return s.last
}

// place is where the chunk with this number is among the parts, or belongs.
func (s *IntervalSet) place(key uint64) (i int, found bool) {
	if n := len(s.part); n > 0 && s.part[n-1].key < key {
		return n, false // in order: nothing to search
	}
	return slices.BinarySearchFunc(s.part, key, func(c *chunk, key uint64) int { return cmp.Compare(c.key, key) })
}

// partly returns a chunk that is neither full nor empty, or nil.
func (s *IntervalSet) partly(key uint64) *chunk {
	if i, found := s.place(key); found {
		return s.part[i]
	}
	return nil
}

// promote moves a chunk that has all its numbers to the full ones.
func (s *IntervalSet) promote(key uint64) {
	i, _ := s.place(key)
	c := s.part[i]
	clear(c.words)
	c.n = 0
	s.spare, s.last = c, nil
	s.part = slices.Delete(s.part, i, i+1)
	s.addFull(key, key+1)
}

// isFull reports whether all numbers of a chunk are in the set.
func (s *IntervalSet) isFull(key uint64) bool {
	i := s.fullFrom(key)
	return i < len(s.full) && s.full[i].from <= key
}

// fullFrom is the index of the first full span that ends after the key.
func (s *IntervalSet) fullFrom(key uint64) int {
	if n := len(s.full); n > 0 && s.full[n-1].until <= key {
		return n // in order: nothing to search
	}
	i, _ := slices.BinarySearchFunc(s.full, key, func(f span, key uint64) int {
		if f.until <= key {
			return -1
		}
		return 1
	})
	return i
}

// addFull marks the chunks [from, until) as full and returns how many of them
// were not. Their bitmaps must have been removed.
func (s *IntervalSet) addFull(from, until uint64) (added uint64) {
	added = until - from
	i := s.fullFrom(from)
	if i > 0 && s.full[i-1].until == from {
		i--
	}
	j := i
	merged := span{from, until}
	for ; j < len(s.full) && s.full[j].from <= until; j++ {
		f := s.full[j]
		if both := min(f.until, until) - max(f.from, from); f.until > from && f.from < until {
			added -= both
		}
		merged = span{min(merged.from, f.from), max(merged.until, f.until)}
	}
	s.full = slices.Replace(s.full, i, j, merged)
	return added
}

// AddRange puts the numbers [from, until) into the set; numbers from
// [MaxSequence] on are left out.
func (s *IntervalSet) AddRange(from, until uint64) {
	until = min(until, MaxSequence)
	for from < until && (from&chunkMask != 0 || until-from < chunkSize) { // the head, or all of a short range
		end := min(until, (from|chunkMask)+1)
		s.addWithin(from, end)
		from = end
	}
	if from >= until {
		return
	}
	if tail := until &^ chunkMask; tail < until {
		s.addWithin(tail, until)
		until = tail
	}
	first, end := from>>chunkBits, until>>chunkBits
	s.last = nil
	s.part = slices.DeleteFunc(s.part, func(c *chunk) bool {
		if c.key < first || c.key >= end {
			return false
		}
		s.count -= uint64(c.n)
		return true
	})
	s.count += s.addFull(first, end) * chunkSize
}

// addWithin adds a range that lies in one chunk.
func (s *IntervalSet) addWithin(from, until uint64) {
	key := from >> chunkBits
	c := s.chunk(key)
	if c == nil {
		return
	}
	before := c.n
	for from < until {
		end := min(until, (from|63)+1)
		mask := ^uint64(0) >> (64 - (end - from)) << (from % 64)
		word := c.word(from)
		c.n += bits.OnesCount64(mask &^ *word)
		*word |= mask
		from = end
	}
	s.count += uint64(c.n - before)
	if c.n == chunkSize {
		s.promote(key)
	}
}

// Count is how many numbers are in the set.
func (s *IntervalSet) Count() uint64 {
	if s == nil {
		return 0
	}
	return s.count
}

// Contains reports whether a number is in the set.
func (s *IntervalSet) Contains(seq uint64) bool {
	if s == nil {
		return false
	}
	if c := s.partly(seq >> chunkBits); c != nil {
		i := int(seq & chunkMask / 64)
		return i < len(c.words) && c.words[i]>>(seq%64)&1 == 1
	}
	return s.isFull(seq >> chunkBits)
}

// Runs yields the longest runs [from, until) of the set in ascending order.
func (s *IntervalSet) Runs() iter.Seq2[uint64, uint64] {
	return func(yield func(from, until uint64) bool) {
		var from, until uint64 // not yet yielded, as it may go on
		for a, b := range s.pieces() {
			if a == until {
				until = b
				continue
			}
			if from < until && !yield(from, until) {
				return
			}
			from, until = a, b
		}
		if from < until {
			yield(from, until)
		}
	}
}

// pieces yields the runs within each chunk or full span, in ascending order.
func (s *IntervalSet) pieces() iter.Seq2[uint64, uint64] {
	return func(yield func(from, until uint64) bool) {
		for first, end := range s.chunks() {
			if c := s.partly(first); c == nil {
				if !yield(first<<chunkBits, end<<chunkBits) {
					return
				}
			} else if !c.runs(first<<chunkBits, yield) {
				return
			}
		}
	}
}

// chunks yields the numbers of the chunks in ascending order: full spans, and
// partly filled ones each on its own.
func (s *IntervalSet) chunks() iter.Seq2[uint64, uint64] {
	return func(yield func(first, end uint64) bool) {
		if s == nil {
			return
		}
		rest := s.part
		for _, f := range s.full {
			for len(rest) > 0 && rest[0].key < f.from {
				if !yield(rest[0].key, rest[0].key+1) {
					return
				}
				rest = rest[1:]
			}
			if !yield(f.from, f.until) {
				return
			}
		}
		for _, c := range rest {
			if !yield(c.key, c.key+1) {
				return
			}
		}
	}
}

// runs yields the runs of a bitmap whose first bit stands for base, cut at the
// ends of its words, and reports whether the caller wants more.
func (c *chunk) runs(base uint64, yield func(from, until uint64) bool) bool {
	for i, word := range c.words {
		at := base + uint64(i)*64
		for word != 0 {
			skip := bits.TrailingZeros64(word)
			ones := bits.TrailingZeros64(^(word >> skip))
			if !yield(at+uint64(skip), at+uint64(skip+ones)) {
				return false
			}
			word &^= ^uint64(0) >> (64 - ones) << skip
		}
	}
	return true
}
