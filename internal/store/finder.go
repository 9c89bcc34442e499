package store

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"

	"dec.local/dec/internal/experiment"
)

// finder holds in memory what never changes of all experiments and is asked for:
// about 150 bytes of each. Neither database finds part of a word, or nothing, in
// 100,000 rows within a few milliseconds; memory does. Before each use it reads
// what was added and removed since the last. The zero value is empty.
type finder struct {
	mu       sync.RWMutex // protects the following
	last     int64        // seq of the newest experiment
	removal  int64        // number of the newest removal
	removed  int
	count    int
	blocks   []*block // by seq
	interned map[string]uint32
}

// perBlock is how many experiments share a text: few enough that a page of hits
// among the newest needs no look at the others.
const perBlock = 256

// block is some experiments whose texts are searched at once.
type block struct {
	text []byte // of all, in lower case, each ended by a 0
	docs []doc
}

// doc is one experiment.
type doc struct {
	seq          int64
	end          int // of its text
	digest       uint32
	by           uint32
	target       uint32
	technologies uint32 // all of them, each between spaces
	removed      bool
}

// refresh reads what was added and removed since the last call. Both become
// visible in the order of their numbers.
func (f *finder) refresh(ctx context.Context, q querier) error {
	f.mu.RLock()
	last, removal := f.last, f.removal
	f.mu.RUnlock()
	var newest, gone int64
	if err := q.QueryRowContext(ctx, `SELECT COALESCE((SELECT MAX(seq) FROM experiments), 0),
		COALESCE((SELECT MAX(n) FROM removals), 0)`).Scan(&newest, &gone); err != nil {
		return err
	}
	if newest <= last && gone <= removal {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	rows, err := q.QueryContext(ctx, `SELECT seq, search, technologies, target, submitted_by, digest FROM experiments
		WHERE seq > $1 ORDER BY seq`, f.last)
	if _, err := collect(rows, err, f.add); err != nil {
		return fmt.Errorf("read what to search: %w", err)
	}
	rows, err = q.QueryContext(ctx, `SELECT n, seq FROM removals WHERE n > $1 ORDER BY n`, f.removal)
	if _, err := collect(rows, err, f.remove); err != nil {
		return fmt.Errorf("read what was removed: %w", err)
	}
	if f.removed > f.count/2 {
		// Most of it is of no use: the next call reads the rest anew.
		f.last, f.removed, f.count, f.blocks, f.interned = 0, 0, 0, nil, nil
		rows, err := q.QueryContext(ctx, `SELECT seq, search, technologies, target, submitted_by, digest FROM experiments ORDER BY seq`)
		_, err = collect(rows, err, f.add)
		return err
	}
	return nil
}

// add adds the experiment of a row.
func (f *finder) add(r row) (none struct{}, err error) {
	var d doc
	var search, technologies, target, by, digest string
	if err := r.Scan(&d.seq, &search, &technologies, &target, &by, &digest); err != nil {
		return none, err
	}
	if len(f.blocks) == 0 || len(f.blocks[len(f.blocks)-1].docs) == perBlock {
		f.blocks = append(f.blocks, &block{})
	}
	b := f.blocks[len(f.blocks)-1]
	b.text = append(append(b.text, strings.ToLower(search)...), 0)
	d.end = len(b.text)
	d.technologies, d.target, d.by, d.digest = f.intern(technologies), f.intern(target), f.intern(by), f.intern(digest)
	b.docs = append(b.docs, d)
	f.last, f.count = d.seq, f.count+1
	return none, nil
}

// intern returns a number for a text.
func (f *finder) intern(text string) uint32 {
	n, ok := f.interned[text]
	if !ok {
		if f.interned == nil {
			f.interned = map[string]uint32{}
		}
		n = uint32(len(f.interned))
		f.interned[text] = n
	}
	return n
}

// remove marks the experiment of a row as removed.
func (f *finder) remove(r row) (none struct{}, err error) {
	var n, seq int64
	if err := r.Scan(&n, &seq); err != nil {
		return none, err
	}
	f.removal = n
	i := sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].docs[len(f.blocks[i].docs)-1].seq >= seq })
	if i == len(f.blocks) {
		return none, nil
	}
	docs := f.blocks[i].docs
	if j := sort.Search(len(docs), func(j int) bool { return docs[j].seq >= seq }); docs[j].seq == seq && !docs[j].removed {
		docs[j].removed = true
		f.removed++
	}
	return none, nil
}

// find returns the seqs of up to limit experiments that the query picks, in its
// order, after the one with the given seq; 0 begins. in says which are in its
// state, nil for every one.
func (f *finder) find(q experiment.ExperimentQuery, after int64, limit int, in func(seq int64) bool) []int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	text := []byte(strings.ToLower(q.Text))
	fits, ok := f.filter(q)
	if !ok || bytes.IndexByte(text, 0) >= 0 {
		return nil
	}
	var found []int64
	hits := make([]int, 0, perBlock)
	for b := range inOrder(f.blocks, q.Oldest) {
		first, last := b.docs[0].seq, b.docs[len(b.docs)-1].seq
		if after > 0 && (q.Oldest && last <= after || !q.Oldest && first >= after) {
			continue
		}
		hits = b.search(text, fits, hits[:0])
		if !q.Oldest {
			slices.Reverse(hits)
		}
		for _, i := range hits {
			seq := b.docs[i].seq
			past := after > 0 && (q.Oldest && seq <= after || !q.Oldest && seq >= after)
			if past || in != nil && !in(seq) {
				continue
			}
			if found = append(found, seq); len(found) == limit {
				return found
			}
		}
	}
	return found
}

// inOrder returns the blocks, the newest first unless oldest.
func inOrder(blocks []*block, oldest bool) iter.Seq[*block] {
	return func(yield func(*block) bool) {
		for i := range blocks {
			if !oldest {
				i = len(blocks) - 1 - i
			}
			if !yield(blocks[i]) {
				return
			}
		}
	}
}

// filter returns what reports whether an experiment is there and passes the
// filters of a query; ok is false when none can.
func (f *finder) filter(q experiment.ExperimentQuery) (fits func(*doc) bool, ok bool) {
	digest, ok1 := f.interned[q.Digest]
	by, ok2 := f.interned[q.By]
	target, ok3 := f.interned[q.Target]
	if !ok1 && q.Digest != "" || !ok2 && q.By != "" || !ok3 && q.Target != "" {
		return nil, false
	}
	technologies := map[uint32]bool{}
	if q.Technology != "" {
		for text, n := range f.interned {
			if strings.HasPrefix(text, " ") && strings.Contains(text, " "+q.Technology+" ") {
				technologies[n] = true
			}
		}
		if len(technologies) == 0 {
			return nil, false
		}
	}
	return func(d *doc) bool {
		return !d.removed && (q.Digest == "" || d.digest == digest) && (q.By == "" || d.by == by) && (q.Target == "" || d.target == target) &&
			(q.Technology == "" || technologies[d.technologies])
	}, true
}

// search adds to hits the indexes of the experiments that fit and whose text
// contains text.
func (b *block) search(text []byte, fits func(*doc) bool, hits []int) []int {
	if len(text) == 0 {
		for i := range b.docs {
			if fits(&b.docs[i]) {
				hits = append(hits, i)
			}
		}
		return hits
	}
	for from := 0; from < len(b.text); {
		at := bytes.Index(b.text[from:], text)
		if at < 0 {
			break
		}
		i, _ := slices.BinarySearchFunc(b.docs, from+at+1, func(d doc, end int) int { return d.end - end })
		if fits(&b.docs[i]) {
			hits = append(hits, i)
		}
		from = b.docs[i].end
	}
	return hits
}
