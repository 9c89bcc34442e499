package measure

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
)

// Union adds all numbers of another set.
func (s *IntervalSet) Union(other *IntervalSet) {
	for from, until := range other.Runs() {
		s.AddRange(from, until)
	}
}

// Subtract returns the numbers of s that are not in the other set, as a set of
// its own.
func (s *IntervalSet) Subtract(other *IntervalSet) *IntervalSet {
	next, stop := iter.Pull2(other.Runs())
	defer stop()
	left := &IntervalSet{}
	a, b, more := next()
	for from, until := range s.Runs() {
		for from < until {
			for more && b <= from {
				a, b, more = next()
			}
			if !more || a >= until {
				left.AddRange(from, until)
				break
			}
			if from < a {
				left.AddRange(from, a)
			}
			from = b
		}
	}
	return left
}

// CountIn is how many numbers of [from, until) are in the set.
func (s *IntervalSet) CountIn(from, until uint64) uint64 {
	var n uint64
	for a, b := range s.Runs() {
		if a >= until {
			break
		}
		if a, b = max(a, from), min(b, until); a < b {
			n += b - a
		}
	}
	return n
}

// Missing returns the numbers of [from, until) that are not in the set.
func (s *IntervalSet) Missing(from, until uint64) *IntervalSet {
	whole := &IntervalSet{}
	whole.AddRange(from, until)
	return whole.Subtract(s)
}

// bitmapRuns is the number of runs in one chunk above which its bitmap is the
// shorter text.
const bitmapRuns = 160

// MarshalJSON writes the set as [[from, until], …], ascending, until not
// included. Where it is shorter, as for a consumer that sees every third
// message, 16,384 numbers stand as [first, "bitmap"]: base64 of the bits, least
// significant bit first.
func (s *IntervalSet) MarshalJSON() ([]byte, error) {
	w := intervalWriter{out: []byte{'['}}
	for first, end := range s.chunks() {
		c := s.partly(first)
		switch {
		case c == nil:
			w.run(first<<chunkBits, end<<chunkBits)
		case c.runCount() > bitmapRuns:
			w.flush()
			w.open(first << chunkBits)
			w.out = append(w.out, '"')
			w.out = base64.StdEncoding.AppendEncode(w.out, c.bytes())
			w.out = append(w.out, `"]`...)
		default:
			c.runs(first<<chunkBits, w.run)
		}
	}
	w.flush()
	return append(w.out, ']'), nil
}

// intervalWriter joins runs that touch and writes them.
type intervalWriter struct {
	out         []byte
	from, until uint64 // not yet written, as it may go on
}

func (w *intervalWriter) run(from, until uint64) bool {
	if from != w.until {
		w.flush()
		w.from = from
	}
	w.until = until
	return true
}

func (w *intervalWriter) flush() {
	if w.from < w.until {
		w.open(w.from)
		w.out = append(strconv.AppendUint(w.out, w.until, 10), ']')
	}
	w.from, w.until = 0, 0
}

func (w *intervalWriter) open(from uint64) {
	if len(w.out) > 1 {
		w.out = append(w.out, ',')
	}
	w.out = append(strconv.AppendUint(append(w.out, '['), from, 10), ',')
}

func (c *chunk) runCount() (n int) {
	c.runs(0, func(_, _ uint64) bool { n++; return true })
	return n
}

func (c *chunk) bytes() []byte {
	out := make([]byte, chunkSize/8)
	for i, word := range c.words {
		binary.LittleEndian.PutUint64(out[i*8:], word)
	}
	return out
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *IntervalSet) UnmarshalJSON(data []byte) error {
	var entries [][2]json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return fmt.Errorf("read intervals: %w", err)
	}
	*s = IntervalSet{}
	for _, e := range entries {
		from, err := strconv.ParseUint(string(e[0]), 10, 64)
		if err != nil {
			return fmt.Errorf("read intervals: %w", err)
		}
		if len(e[1]) > 0 && e[1][0] == '"' {
			err = s.addBitmap(from, e[1])
		} else {
			err = s.addText(from, string(e[1]))
		}
		if err != nil {
			return fmt.Errorf("read intervals from %d: %w", from, err)
		}
	}
	return nil
}

func (s *IntervalSet) addText(from uint64, text string) error {
	until, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return err
	}
	if from >= until || until > MaxSequence {
		return fmt.Errorf("up to %d is not an interval", until)
	}
	s.AddRange(from, until)
	return nil
}

func (s *IntervalSet) addBitmap(from uint64, text json.RawMessage) error {
	var data []byte
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	if len(data) != chunkSize/8 || from&chunkMask != 0 || from >= MaxSequence {
		return fmt.Errorf("a bitmap of %d bytes cannot start here", len(data))
	}
	c := chunk{words: make([]uint64, chunkSize/64)}
	for i := range c.words {
		c.words[i] = binary.LittleEndian.Uint64(data[i*8:])
	}
	c.runs(from, func(a, b uint64) bool { s.AddRange(a, b); return true })
	return nil
}
