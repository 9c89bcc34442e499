package limiter

import (
	"encoding/json"
	"hash/maphash"
	"net/http"
	"sync"
	"time"
)

// iteratorLife is how long an iterator can be used.
const iteratorLife = 5 * time.Minute

// iterators remembers which shard an iterator reads: only the emulator can read
// that from the iterator itself. Of each it keeps a hash, in two generations.
type iterators struct {
	mu            sync.Mutex // protects the following
	seed          maphash.Seed
	young, old    map[uint64]*shard
	youngestSince time.Time
}

func (i *iterators) add(iterator string, s *shard, now time.Time) {
	if iterator == "" {
		return // the shard has come to its end
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.young == nil {
		i.seed, i.young, i.youngestSince = maphash.MakeSeed(), map[uint64]*shard{}, now
	}
	if now.Sub(i.youngestSince) > iteratorLife {
		i.old, i.young, i.youngestSince = i.young, map[uint64]*shard{}, now
	}
	i.young[maphash.String(i.seed, iterator)] = s
}

// shard returns what an iterator reads, nil if it is unknown.
func (i *iterators) shard(iterator string) *shard {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.young == nil {
		return nil
	}
	key := maphash.String(i.seed, iterator)
	if s, ok := i.young[key]; ok {
		return s
	}
	return i.old[key]
}

func (l *Limiter) getShardIterator(r *http.Request, body []byte) (answer, error) {
	var request struct {
		name
		ShardID string `json:"ShardId"`
	}
	a, err := l.forward(r, body)
	if err != nil || !a.ok() || json.Unmarshal(body, &request) != nil {
		return a, err
	}
	var got struct{ ShardIterator string }
	if err := json.Unmarshal(a.body, &got); err != nil {
		return answer{}, err
	}
	l.iterators.add(got.ShardIterator, l.shardOf(l.stream(request.stream()), request.ShardID), l.options.Now())
	return a, nil
}

func (l *Limiter) getRecords(r *http.Request, body []byte) (answer, error) {
	var request struct{ ShardIterator string }
	_ = json.Unmarshal(body, &request) // the emulator says what is wrong
	from := l.iterators.shard(request.ShardIterator)
	if from == nil {
		return l.forward(r, body) // an iterator that the emulator has not given: it says so
	}
	if !from.mayRead(l.options.Now()) {
		return refusal(exceeded, rateExceeded(from)), nil
	}
	a, err := l.forward(r, body)
	if err != nil || !a.ok() {
		return a, err
	}
	var got struct {
		NextShardIterator string
		Records           []record
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		return answer{}, err
	}
	read := 0
	for _, one := range got.Records {
		read += one.size()
	}
	now := l.options.Now()
	from.read(read, now)
	l.iterators.add(got.NextShardIterator, from, now)
	return a, nil
}
