// Package limiter holds the clients of a Kinesis emulator to the limits that
// Kinesis has for each shard, which no emulator enforces. It is an HTTP proxy:
// what is over a limit gets Kinesis' own refusal, everything else is passed on.
//
// Of the limits, AWS says (API reference of PutRecord and GetRecords, "Quotas and
// limits" of the developer guide): 1,000 records and 1 MiB written a second,
// partition keys included; 5 calls of GetRecords and 2 MiB read a second. Some
// pages write MB; it is MiB here. A call of GetRecords that returns 10 MiB makes
// those of the next 5 seconds throw.
//
// How a second is counted, AWS does not say. Here each limit is a bucket that
// holds one second's worth, is full at first and fills up steadily: in any T
// seconds a shard takes at most 1,000 × (T + 1) records.
//
// Not limited: enhanced fan-out, which on Kinesis has 2 MiB a second of its own
// for each consumer and shard, and calls that concern whole streams.
package limiter

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Limits are those of one shard, each a second.
type Limits struct {
	WriteRecords int // records written
	WriteBytes   int // bytes written: data before base64, and partition keys
	ReadCalls    int // calls of GetRecords
	ReadBytes    int // bytes read by GetRecords
}

// Kinesis are the limits of a shard of Amazon Kinesis.
var Kinesis = Limits{WriteRecords: 1000, WriteBytes: 1 << 20, ReadCalls: 5, ReadBytes: 2 << 20}

// Options configure a Limiter.
type Options struct {
	Upstream *url.URL         // the emulator
	Limits   Limits           // those of Kinesis where zero
	Now      func() time.Time // time.Now if nil
	Logger   *slog.Logger     // slog.Default() if nil
}

// Limiter is the proxy. Its methods may be called from several goroutines.
type Limiter struct {
	options   Options
	transport *http.Transport
	proxy     *httputil.ReverseProxy
	handlers  map[string]func(*http.Request, []byte) (answer, error) // by operation

	mu      sync.Mutex         // protects the following
	streams map[string]*stream // by name; those that were written to or read from

	iterators iterators
}

// New returns a proxy to an emulator. It connects to nothing yet.
func New(o Options) *Limiter {
	o.Limits = Limits{
		WriteRecords: cmp.Or(o.Limits.WriteRecords, Kinesis.WriteRecords),
		WriteBytes:   cmp.Or(o.Limits.WriteBytes, Kinesis.WriteBytes),
		ReadCalls:    cmp.Or(o.Limits.ReadCalls, Kinesis.ReadCalls),
		ReadBytes:    cmp.Or(o.Limits.ReadBytes, Kinesis.ReadBytes),
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	// One connection for each of the clients' calls that are under way.
	transport := &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, IdleConnTimeout: time.Minute, DisableCompression: true}
	l := &Limiter{options: o, transport: transport, streams: map[string]*stream{}}
	// Answers of unknown length, such as that of SubscribeToShard, it passes on bit
	// by bit.
	l.proxy = &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(o.Upstream) },
		Transport:    transport,
		ErrorHandler: l.fail,
	}
	l.handlers = map[string]func(*http.Request, []byte) (answer, error){
		"PutRecord":        l.putRecord,
		"PutRecords":       l.putRecords,
		"GetShardIterator": l.getShardIterator,
		"GetRecords":       l.getRecords,
		"CreateStream":     l.reshape,
		"DeleteStream":     l.reshape,
		"MergeShards":      l.reshape,
		"SplitShard":       l.reshape,
		"UpdateShardCount": l.reshape,
	}
	return l
}

// Close gives up idle connections to the emulator.
func (l *Limiter) Close() { l.transport.CloseIdleConnections() }

// contentType is the only one whose records the proxy can read.
const contentType = "application/x-amz-json-1.1"

// maxBody is more than the 10 MiB of a request with their base64.
const maxBody = 16 << 20

// ServeHTTP answers one call of the Kinesis API.
func (l *Limiter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	handle, ok := l.handlers[operation]
	if !ok {
		l.proxy.ServeHTTP(w, r)
		return
	}
	if given, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); given != contentType {
		refusal("SerializationException", "The limiter in front of this emulator reads only "+contentType+".").write(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refusal("SerializationException", "Failed to read the request: "+err.Error()+".").write(w)
		return
	}
	a, err := handle(r, body)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	a.write(w)
}

// fail answers a call that the emulator did not: clients try again.
func (l *Limiter) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil { // else the client went away
		l.options.Logger.Error("the emulator did not answer", "operation", r.Header.Get("X-Amz-Target"), "error", err)
	}
	a := refusal("InternalFailure", "The emulator behind the limiter did not answer.")
	a.status = http.StatusInternalServerError
	a.write(w)
}

// forward asks the emulator what a client has asked, with another body. That the
// signature does not fit it is no matter: no emulator looks at it.
func (l *Limiter) forward(r *http.Request, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, l.options.Upstream.JoinPath(r.URL.Path).String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header = r.Header.Clone()
	request.Header.Del("Connection")
	request.Header.Del("Accept-Encoding") // the answer is read here
	response, err := l.transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	data, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: data}, errors.Join(err, response.Body.Close())
}
