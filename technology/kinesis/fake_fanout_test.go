package kinesis_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/smithy-go/eventstream"
)

// consumer registers, describes or takes back a consumer.
func (f *fakeKinesis) consumer(call fakeCall) (*refusal, any) {
	arn, known := f.registered[call.ConsumerName]
	switch call.Operation {
	case "RegisterStreamConsumer":
		if known {
			return &refusal{http.StatusBadRequest, "ResourceInUseException"}, nil
		}
		arn = fmt.Sprintf("arn:%s/consumer/%s:%d", f.stream, call.ConsumerName, call.N)
		f.registered[call.ConsumerName] = arn
		return nil, object{"Consumer": object{"ConsumerARN": arn, "ConsumerName": call.ConsumerName, "ConsumerStatus": "CREATING", "ConsumerCreationTimestamp": 1}}
	case "DescribeStreamConsumer":
		if !known {
			return notFound, nil
		}
		return nil, object{"ConsumerDescription": object{
			"ConsumerARN": arn, "ConsumerName": call.ConsumerName, "ConsumerStatus": "ACTIVE", "ConsumerCreationTimestamp": 1, "StreamARN": "arn:" + f.stream,
		}}
	}
	for name, arn := range f.registered {
		if arn == call.ConsumerARN {
			delete(f.registered, name)
			return nil, object{}
		}
	}
	return notFound, nil
}

// cutSubscriptions ends all subscriptions, as Kinesis does after five minutes.
func (f *fakeKinesis) cutSubscriptions() { f.update(func() { f.cut++ }) }

// subscribe pushes the records of a shard until the client goes, the shard or
// the subscription ends.
func (f *fakeKinesis) subscribe(w http.ResponseWriter, r *http.Request, call fakeCall) {
	f.mu.Lock()
	isRegistered := func() bool {
		for _, arn := range f.registered {
			if arn == call.ConsumerARN {
				return true
			}
		}
		return false
	}
	if !isRegistered() {
		f.mu.Unlock()
		answer(w, notFound, nil)
		return
	}
	generation, s := f.cut, f.shard(call.ShardID)
	at := s.at(call.StartingPosition.Type, call.StartingPosition.SequenceNumber)
	f.mu.Unlock()
	beginEvents(w)
	for first := true; ; first = false {
		f.mu.Lock()
		changed, over := f.changed, f.cut != generation || !isRegistered()
		records := append([]fakeRecord{}, s.records[at:min(len(s.records), at+3)]...)
		ended := s.closed && at+len(records) == len(s.records)
		event := f.event(s, at, records, ended)
		f.mu.Unlock()
		at += len(records)
		switch {
		case over && !first:
			return
		case len(records) > 0 || first || ended:
			push(w, eventstream.EventMessageType, "SubscribeToShardEvent", event)
			if ended {
				return
			}
		default:
			select {
			case <-changed:
			case <-r.Context().Done():
				return
			}
		}
	}
}

// beginEvents begins the answer to a subscription.
func beginEvents(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	push(w, eventstream.EventMessageType, "initial-response", object{})
}

// event is one with the records of a shard from index at on.
func (f *fakeKinesis) event(s *fakeShard, at int, records []fakeRecord, ended bool) object {
	body := object{"Records": records, "MillisBehindLatest": 0}
	if ended {
		var children []object
		for _, child := range f.shards {
			if slices.Contains(child.parents, s.id) {
				children = append(children, object{"ShardId": child.id, "ParentShards": child.parents,
					"HashKeyRange": object{"StartingHashKey": child.start.String(), "EndingHashKey": child.end.String()}})
			}
		}
		body["ChildShards"] = children
		return body
	}
	// Of an empty shard it is what any later record has a higher number than.
	body["ContinuationSequenceNumber"] = strconv.FormatInt(f.sequence, 10)
	if last := at + len(records); last < len(s.records) {
		body["ContinuationSequenceNumber"] = s.records[last-1].SequenceNumber
	}
	return body
}

// push writes one event, or an exception in place of one.
func push(w http.ResponseWriter, message, kind string, body object) {
	payload, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	framed := eventstream.Message{Payload: payload}
	framed.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue(message))
	framed.Headers.Set(map[string]string{eventstream.EventMessageType: eventstream.EventTypeHeader, eventstream.ExceptionMessageType: eventstream.ExceptionTypeHeader}[message], eventstream.StringValue(kind))
	framed.Headers.Set(eventstream.ContentTypeHeader, eventstream.StringValue("application/json"))
	var encoded strings.Builder
	if err := eventstream.NewEncoder().Encode(&encoded, framed); err != nil {
		panic(err)
	}
	_, _ = w.Write([]byte(encoded.String())) // the client may have gone
	w.(http.Flusher).Flush()
}
