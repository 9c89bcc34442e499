package kinesis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"dec.local/dec/technology"
)

// client is a client of the SDK with connections of its own.
type client struct {
	*kinesis.Client
	transport *http.Transport
}

// awsConfig is the region, and the credentials of the SDK's chain. An emulator
// takes any credentials, so it gets made-up ones: no real ones leave for it, and
// none need to be there.
func (d *driver) awsConfig(ctx context.Context) (aws.Config, error) {
	if d.endpoints.Emulator != "" {
		return aws.Config{Region: d.endpoints.Region, Credentials: credentials.NewStaticCredentialsProvider("dec", "dec", "")}, nil
	}
	c, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(d.endpoints.Region))
	if err != nil {
		return c, fmt.Errorf("read the configuration of the AWS SDK: %w", err)
	}
	return c, nil
}

// newClient returns a client that never retries by itself: every retry is
// counted here. It uses no proxy: what it adds would be measured.
func (d *driver) newClient() *client {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true, // records are compressed by applications or not at all
		MaxIdleConnsPerHost: 4096, // each shard has a request under way, and is not to open a connection for each
		IdleConnTimeout:     90 * time.Second,
	}
	c := d.aws.Copy()
	c.HTTPClient = &httpClient{http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return &client{transport: transport, Client: kinesis.NewFromConfig(c, func(o *kinesis.Options) {
		if d.endpoints.Endpoint != "" {
			o.BaseEndpoint = &d.endpoints.Endpoint
		}
	})}
}

// httpClient is the client of net/http, which returns only when the request has
// been sent whole.
//
// The SDK closes the request's body once the head of the answer has come, and
// from then on its WriteTo fails, although nothing is left to write. net/http
// tries once more at the end of a body. It takes the failure for a broken
// connection, and the rest of the answer is lost: the records were stored, and
// would be sent again. Seen with smithy-go 1.28 in 3 of 100 large requests to a
// fast server on a busy machine.
type httpClient struct{ http.Client }

// Do implements the SDK's HTTPClient.
func (c *httpClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return c.Client.Do(r)
	}
	body := &sentBody{ReadCloser: r.Body, sent: make(chan struct{})}
	r = r.WithContext(r.Context()) // a copy: the SDK closes the body of its own one
	r.Body = body
	response, err := c.Client.Do(r)
	if err == nil {
		select {
		case <-body.sent:
		case <-r.Context().Done():
		}
	}
	return response, err
}

// sentBody tells when net/http has done with it.
type sentBody struct {
	io.ReadCloser
	once sync.Once
	sent chan struct{} // closed by Close
}

// Close implements [io.Closer].
func (b *sentBody) Close() error {
	b.once.Do(func() { close(b.sent) })
	return b.ReadCloser.Close()
}

// close closes the connections. Nothing may be under way.
func (c *client) close() { c.transport.CloseIdleConnections() }

// verdict says what is to be done about an error.
type verdict int

const (
	again     verdict = iota // something passing: try again
	throttled                // a limit was reached: try again later
	fatal                    // a retry cannot succeed
)

// throttles are the codes of answers that refuse for now because of a limit.
var throttles = map[string]bool{
	"ProvisionedThroughputExceededException": true,
	"LimitExceededException":                 true,
	"KMSThrottlingException":                 true,
	"ThrottlingException":                    true,
	"Throttling":                             true,
	"RequestLimitExceeded":                   true,
	"TooManyRequestsException":               true,
}

// passing are the codes of answers that may succeed on a retry, beside those of
// the server's own faults. Rights of a new role take a while to reach every
// server of AWS, but a message must not wait for that: see [driver.control].
var passing = map[string]bool{
	"InternalFailure":             true,
	"InternalFailureException":    true,
	"InternalServerError":         true,
	"ServiceUnavailable":          true,
	"ServiceUnavailableException": true,
	"RequestTimeout":              true,
	"RequestTimeoutException":     true,
	"ResourceInUseException":      true,
}

// judge classifies the error of a call. What is no answer of Kinesis, such as a
// lost connection or a timeout, is passing.
func judge(err error) verdict {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return again
	}
	code := api.ErrorCode()
	switch {
	case throttles[code]:
		return throttled
	case passing[code] || api.ErrorFault() == smithy.FaultServer:
		return again
	}
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answer.HTTPStatusCode() >= http.StatusInternalServerError {
		return again
	}
	return fatal
}

// isNotFound reports whether the stream, shard or consumer does not exist.
func isNotFound(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

// isInUse reports whether what was to be made exists.
func isInUse(err error) bool {
	_, ok := errors.AsType[*types.ResourceInUseException](err)
	return ok
}

// isAccess reports whether Kinesis refuses the credentials.
func isAccess(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return false
	}
	switch api.ErrorCode() {
	case "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException":
		return true
	}
	return false
}

// throttlePause is the longest pause after a call of control was throttled.
const throttlePause = 500 * time.Millisecond

// control calls try until it succeeds, ctx ends, or a retry cannot succeed.
// It is for everything but messages. Refused credentials are tried again too:
// the rights of a new role reach AWS's servers after the instance has booted.
func (d *driver) control(ctx context.Context, try func(context.Context) error) error {
	return technology.Retry(ctx, func(ctx context.Context) error {
		err := try(ctx)
		if err == nil {
			return nil
		}
		switch judge(err) {
		case throttled:
			sleep(ctx.Done(), jitter(throttlePause))
		case fatal:
			if !isAccess(err) {
				return technology.Final(err)
			}
		}
		return err
	})
}

// jitter returns a random time of between half of limit and limit, so that
// clients that were refused together do not come back together.
func jitter(limit time.Duration) time.Duration {
	return limit/2 + rand.N(limit/2+1)
}

// sleep waits, and returns false when done was closed meanwhile.
func sleep(done <-chan struct{}, pause time.Duration) bool {
	if pause <= 0 {
		select {
		case <-done:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
		return true
	}
}
