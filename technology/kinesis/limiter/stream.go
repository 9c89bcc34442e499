package limiter

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// name is how a request says which stream it is about.
type name struct {
	StreamName string
	StreamARN  string
}

// stream returns the stream's name, which is also in its ARN.
func (n name) stream() string {
	if _, last, ok := strings.Cut(n.StreamARN, ":stream/"); ok {
		return last
	}
	return n.StreamName
}

// stream is one stream's shards.
type stream struct {
	name string

	mu     sync.Mutex        // protects the following; held while the emulator is asked
	shards map[string]*shard // by id, closed ones too
	routes []route           // open shards by their first hash key; nil when they are not known
}

// route is the range of hash keys that an open shard takes.
type route struct {
	first, last hashKey
	shard       *shard
}

// stream returns the stream of a name.
func (l *Limiter) stream(name string) *stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.streams[name]
	if !ok {
		s = &stream{name: name, shards: map[string]*shard{}}
		l.streams[name] = s
	}
	return s
}

// reshape passes on what changes the shards of a stream, and forgets them.
func (l *Limiter) reshape(r *http.Request, body []byte) (answer, error) {
	var request name
	_ = json.Unmarshal(body, &request) // the emulator says what is wrong
	a, err := l.forward(r, body)
	if _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation == "DeleteStream" && a.ok() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.streams, request.stream())
		return a, err
	}
	l.stream(request.stream()).forget()
	return a, err
}

// forget lets the next write ask for the shards again.
func (s *stream) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes = nil
}

// shardOf returns the budgets of a shard.
func (l *Limiter) shardOf(s *stream, id string) *shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.shardLocked(s, id)
}

func (l *Limiter) shardLocked(s *stream, id string) *shard {
	one, ok := s.shards[id]
	if !ok {
		one = newShard(s.name, id, l.options.Limits, l.options.Now())
		s.shards[id] = one
	}
	return one
}

// routesOf returns the ranges of the open shards, asking the emulator when they
// are not known: none while it has none, so that it can say why itself.
func (l *Limiter) routesOf(r *http.Request, s *stream) ([]route, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.routes != nil {
		return s.routes, nil
	}
	listed, err := l.listShards(r, s.name)
	if err != nil {
		return nil, err
	}
	for _, one := range listed {
		if one.SequenceNumberRange.EndingSequenceNumber != "" {
			continue // closed
		}
		first, ok1 := parseHashKey(one.HashKeyRange.StartingHashKey)
		last, ok2 := parseHashKey(one.HashKeyRange.EndingHashKey)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("read the hash keys of %s: %q and %q are not 128-bit numbers",
				one.ShardID, one.HashKeyRange.StartingHashKey, one.HashKeyRange.EndingHashKey)
		}
		s.routes = append(s.routes, route{first: first, last: last, shard: l.shardLocked(s, one.ShardID)})
	}
	slices.SortFunc(s.routes, func(a, b route) int { return a.first.compare(b.first) })
	return s.routes, nil
}

// find returns the shard that takes a hash key, nil if there is none.
func find(routes []route, key hashKey) *shard {
	i, found := slices.BinarySearchFunc(routes, key, func(r route, key hashKey) int { return r.first.compare(key) })
	if !found {
		i--
	}
	if i < 0 || routes[i].last.compare(key) < 0 {
		return nil
	}
	return routes[i].shard
}

// listed is one shard as ListShards tells it.
type listed struct {
	ShardID      string `json:"ShardId"`
	HashKeyRange struct {
		StartingHashKey string
		EndingHashKey   string
	}
	SequenceNumberRange struct {
		EndingSequenceNumber string
	}
}

// listShards asks the emulator, in the name of the client whose call needs it.
func (l *Limiter) listShards(r *http.Request, stream string) ([]listed, error) {
	asked := r.Clone(r.Context())
	asked.Header.Set("X-Amz-Target", "Kinesis_20131202.ListShards")
	request := map[string]string{"StreamName": stream}
	var shards []listed
	for {
		body, _ := json.Marshal(request) // texts: can't fail
		a, err := l.forward(asked, body)
		if err != nil || !a.ok() {
			return nil, err
		}
		var page struct {
			Shards    []listed
			NextToken string
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			return nil, fmt.Errorf("read the emulator's list of shards: %w", err)
		}
		shards = append(shards, page.Shards...)
		if page.NextToken == "" {
			return shards, nil
		}
		request = map[string]string{"NextToken": page.NextToken}
	}
}

// hashKey is a number of 128 bits.
type hashKey struct{ high, low uint64 }

func (k hashKey) compare(other hashKey) int {
	return cmp.Or(cmp.Compare(k.high, other.high), cmp.Compare(k.low, other.low))
}

// parseHashKey reads a decimal number.
func parseHashKey(text string) (hashKey, bool) {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return hashKey{}, false
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0)))
	return hashKey{high: new(big.Int).Rsh(n, 64).Uint64(), low: low.Uint64()}, true
}
