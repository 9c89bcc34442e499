package limiter

import (
	"sync"
	"time"
)

// bucket is one limit of a shard. It counts in billionths, so that nothing is
// rounded: what comes in a nanosecond is the rate.
type bucket struct {
	rate int64 // a second, and what the bucket holds
	left int64 // billionths; below zero when more was taken than there was
	at   time.Time
}

const billion = int64(time.Second)

func newBucket(rate int, now time.Time) bucket {
	return bucket{rate: int64(rate), left: int64(rate) * billion, at: now}
}

// fill adds what has come since the last call.
func (b *bucket) fill(now time.Time) {
	passed := now.Sub(b.at).Nanoseconds()
	if passed <= 0 {
		return
	}
	b.at = now
	if lacking := b.rate*billion - b.left; passed > lacking/b.rate {
		b.left += lacking
	} else {
		b.left += passed * b.rate
	}
}

func (b *bucket) full() bool { return b.left == b.rate*billion }

// has reports whether n may be taken. What is more than the bucket ever holds,
// such as a record of 1 MiB with its key, needs a full one.
func (b *bucket) has(n int) bool { return b.left >= min(int64(n), b.rate)*billion }

func (b *bucket) take(n int) { b.left -= int64(n) * billion }

// shard is one shard and what is left of its limits.
type shard struct {
	stream string
	id     string

	mu           sync.Mutex // protects the following
	writeRecords bucket
	writeBytes   bucket
	readCalls    bucket
	readBytes    bucket
	silent       bool // more was read than there was
}

func newShard(stream, id string, limits Limits, now time.Time) *shard {
	return &shard{
		stream: stream, id: id,
		writeRecords: newBucket(limits.WriteRecords, now), writeBytes: newBucket(limits.WriteBytes, now),
		readCalls: newBucket(limits.ReadCalls, now), readBytes: newBucket(limits.ReadBytes, now),
	}
}

// mayWrite takes one record of a size, if it is within the limits.
func (s *shard) mayWrite(bytes int, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeRecords.fill(now)
	s.writeBytes.fill(now)
	if !s.writeRecords.has(1) || !s.writeBytes.has(bytes) {
		return false
	}
	s.writeRecords.take(1)
	s.writeBytes.take(bytes)
	return true
}

// mayRead takes one call of GetRecords, if it is within the limits. Once a second's
// bytes are used up, calls are refused until they are there again in full: so
// 10 MiB at once silence a shard for 5 seconds, as AWS says.
func (s *shard) mayRead(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readCalls.fill(now)
	s.readBytes.fill(now)
	if s.silent && !s.readBytes.full() {
		return false
	}
	s.silent = false
	if !s.readCalls.has(1) {
		return false
	}
	s.readCalls.take(1)
	return true
}

// read says what a call has returned.
func (s *shard) read(bytes int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readBytes.fill(now)
	s.readBytes.take(bytes)
	s.silent = s.silent || s.readBytes.left <= 0
}
