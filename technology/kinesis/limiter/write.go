package limiter

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// record is what decides where a record goes and what it costs.
type record struct {
	PartitionKey    string
	ExplicitHashKey string
	Data            blob
}

// size is what AWS counts: the data before base64, and the partition key.
func (r record) size() int { return int(r.Data) + len(r.PartitionKey) }

// key is the record's own hash key, or the MD5 of its partition key.
func (r record) key() (hashKey, bool) {
	if r.ExplicitHashKey != "" {
		return parseHashKey(r.ExplicitHashKey)
	}
	sum := md5.Sum([]byte(r.PartitionKey))
	return hashKey{high: binary.BigEndian.Uint64(sum[:8]), low: binary.BigEndian.Uint64(sum[8:])}, true
}

// blob is the number of bytes of some data. Of the data itself nothing is kept.
type blob int

// UnmarshalJSON counts the bytes of a text of base64.
func (b *blob) UnmarshalJSON(text []byte) error {
	if bytes.IndexByte(text, '\\') >= 0 { // some encoders write \/ for /
		var plain string
		if err := json.Unmarshal(text, &plain); err != nil {
			return err
		}
		text = []byte(`"` + plain + `"`)
	}
	text = bytes.TrimRight(bytes.Trim(text, `"`), "=")
	*b = blob(base64.RawStdEncoding.DecodedLen(len(text)))
	return nil
}

// shardFor returns where a record goes: nil where only the emulator can say.
func shardFor(routes []route, r record) *shard {
	key, ok := r.key()
	if !ok {
		return nil
	}
	return find(routes, key)
}

func (l *Limiter) putRecord(r *http.Request, body []byte) (answer, error) {
	var request struct {
		name
		record
	}
	if json.Unmarshal(body, &request) != nil {
		return l.forward(r, body) // the emulator says what is wrong
	}
	stream := l.stream(request.stream())
	routes, err := l.routesOf(r, stream)
	if err != nil {
		return answer{}, err
	}
	to := shardFor(routes, request.record)
	if to != nil && !to.mayWrite(request.size(), l.options.Now()) {
		return refusal(exceeded, rateExceeded(to)), nil
	}
	a, err := l.forward(r, body)
	var went result
	if err == nil && a.ok() && json.Unmarshal(a.body, &went) == nil {
		stream.check(to, went)
	}
	return a, err
}

// result is what the emulator says of one record.
type result struct {
	ShardID string `json:"ShardId"`
}

// check forgets the shards when a record went to another one than was thought:
// the stream was split or merged.
func (s *stream) check(to *shard, went result) {
	if went.ShardID != "" && (to == nil || to.id != went.ShardID) {
		s.forget()
	}
}

// failed is what Kinesis says of a record that it has not taken.
type failed struct {
	ErrorCode    string
	ErrorMessage string
}

func (l *Limiter) putRecords(r *http.Request, body []byte) (answer, error) {
	var request struct {
		name
		Records []record
	}
	if json.Unmarshal(body, &request) != nil {
		return l.forward(r, body) // the emulator says what is wrong
	}
	stream := l.stream(request.stream())
	routes, err := l.routesOf(r, stream)
	if err != nil {
		return answer{}, err
	}
	now := l.options.Now()
	to := make([]*shard, len(request.Records))
	refused := map[int]bool{}
	for i, one := range request.Records {
		to[i] = shardFor(routes, one)
		if to[i] != nil && !to[i].mayWrite(one.size(), now) {
			refused[i] = true
		}
	}
	return l.putAccepted(r, body, stream, placement{to: to, refused: refused})
}

// placement is what is to become of the records of a call.
type placement struct {
	to      []*shard
	refused map[int]bool
}

// putAccepted passes on the records that are within the limits, and answers for
// all in their order.
func (l *Limiter) putAccepted(r *http.Request, body []byte, s *stream, p placement) (answer, error) {
	a := answer{status: http.StatusOK, header: http.Header{"Content-Type": {contentType}}}
	var done outcome
	if len(p.refused) < len(p.to) || len(p.to) == 0 {
		accepted, err := without(body, p.refused)
		if err != nil {
			return answer{}, err
		}
		if a, err = l.forward(r, accepted); err != nil || !a.ok() {
			return a, err
		}
		if err := json.Unmarshal(a.body, &done); err != nil {
			return answer{}, fmt.Errorf("read the emulator's answer to PutRecords: %w", err)
		}
	}
	results := done.Records
	if want := len(p.to) - len(p.refused); len(results) != want {
		return answer{}, fmt.Errorf("the emulator's answer covers %d of %d records", len(results), want)
	}
	merged := make([]json.RawMessage, len(p.to))
	for i, to := range p.to {
		if p.refused[i] {
			merged[i], _ = json.Marshal(failed{ErrorCode: exceeded, ErrorMessage: rateExceeded(to)}) // texts: can't fail
			continue
		}
		var went result
		if json.Unmarshal(results[0], &went) == nil {
			s.check(to, went)
		}
		merged[i], results = results[0], results[1:]
	}
	if len(p.refused) > 0 {
		a.body = merge(done.FailedRecordCount+len(p.refused), merged)
	}
	return a, nil
}

// outcome is the answer to PutRecords.
type outcome struct {
	FailedRecordCount int
	Records           []json.RawMessage
}

// merge writes an outcome, without looking into its records again.
func merge(failed int, records []json.RawMessage) []byte {
	joined := bytes.Join(rawBytes(records), []byte(","))
	body := strconv.AppendInt([]byte(`{"FailedRecordCount":`), int64(failed), 10)
	body = append(append(body, `,"Records":[`...), joined...)
	return append(body, "]}"...)
}

// without returns a request of PutRecords that lacks some of its records, the
// others being as they were.
func without(body []byte, refused map[int]bool) ([]byte, error) {
	if len(refused) == 0 {
		return body, nil
	}
	var request map[string]json.RawMessage
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	var records []json.RawMessage
	if err := json.Unmarshal(request["Records"], &records); err != nil {
		return nil, err
	}
	kept := records[:0]
	for i, one := range records {
		if !refused[i] {
			kept = append(kept, one)
		}
	}
	delete(request, "Records")
	rest, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	rest = bytes.TrimSuffix(rest, []byte("}"))
	if len(request) > 0 {
		rest = append(rest, ',')
	}
	rest = append(append(rest, `"Records":[`...), bytes.Join(rawBytes(kept), []byte(","))...)
	return append(rest, "]}"...), nil
}

func rawBytes(raw []json.RawMessage) [][]byte {
	out := make([][]byte, len(raw))
	for i, one := range raw {
		out[i] = one
	}
	return out
}
