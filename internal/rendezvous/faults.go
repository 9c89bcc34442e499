package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gocloud.dev/gcerrors"
)

// How an operation on S3 is tried.
const (
	dialTime   = 5 * time.Second        // for a connection
	attempt    = 8 * time.Second        // for one try of a small object; shorter, with the pause, than the silence that fails a run
	firstPause = 100 * time.Millisecond // after the first failure; doubled after each further one
	lastPause  = 3 * time.Second
	slowest    = 256 << 10 // bytes per second that a large object is given time for
)

// try does an operation until it succeeds, has failed for good, or has failed for
// as long as the bucket's patience. Its error says what was to be done and the
// next step. size is how many bytes the operation moves at most.
func (b *Bucket) try(ctx context.Context, what string, size int64, do func(context.Context) error) error {
	var last error
	began, pause := time.Now(), firstPause
	for {
		err := b.once(ctx, size, do)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			err = fmt.Errorf("%s: %w", what, context.Cause(ctx))
			if last != nil {
				err = fmt.Errorf("%w; %s", err, b.explain(last))
			}
			return err
		case !passing(err):
			return fmt.Errorf("%s: %w", what, b.explain(err))
		}
		last = err
		now := time.Now()
		b.trouble.Store(now.UnixNano())
		if now.Sub(began) >= b.patience {
			return fmt.Errorf("%s: gave up after %s: %w", what, b.patience, b.explain(err))
		}
		// The error of a context that has ended is made above, after one more try.
		_ = sleep(ctx, pause/2+rand.N(pause/2))
		pause = min(2*pause, lastPause)
	}
}

// once makes one try, which has its time on S3.
func (b *Bucket) once(ctx context.Context, size int64, do func(context.Context) error) error {
	if b.client == nil {
		return do(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, attempt+time.Duration(size/slowest)*time.Second)
	defer cancel()
	return do(ctx)
}

// passing reports whether another try may succeed. What a folder answers is final.
func passing(err error) bool {
	status, code := answer(err)
	switch {
	case code == "RequestTimeout", code == "InternalError", code == "SlowDown":
		return true
	case code == "ConditionalRequestConflict", code == "OperationAborted":
		return true // another write of the same object is under way; the next answer tells who was first
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return true
	case status != 0:
		return false
	}
	var call *smithy.OperationError // no answer at all
	return errors.As(err, &call) || errors.Is(err, context.DeadlineExceeded)
}

// answer is what S3 said: the status, 0 when nothing came, and the code of the
// error, "" when there is none.
func answer(err error) (status int, code string) {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var said smithy.APIError
	if errors.As(err, &said) {
		code = said.ErrorCode()
	}
	return status, code
}

// missing reports whether an object is not there. A bucket that is not there is
// another matter.
func missing(err error) bool {
	_, code := answer(err)
	return gcerrors.Code(err) == gcerrors.NotFound && code != noSuchBucket
}

// taken reports whether a write was refused because the object was there.
func taken(err error) bool { return gcerrors.Code(err) == gcerrors.FailedPrecondition }

const noSuchBucket = "NoSuchBucket"

// hints are the next steps after what S3 refuses, by its code.
var hints = map[string]string{
	noSuchBucket: "does not exist; create it, or choose another one with --bucket",
	"AccessDenied": "denies access; the credentials need s3:ListBucket, GetObject, PutObject and DeleteObject; " +
		"docs/operations.md has a policy",
	"InvalidAccessKeyId":           "does not know the access key; check AWS_ACCESS_KEY_ID or the profile",
	"SignatureDoesNotMatch":        "rejects the signature: the secret key is wrong; check AWS_SECRET_ACCESS_KEY or the profile",
	"ExpiredToken":                 "reports that the credentials have expired; temporary credentials must be valid for longer than limits.ttl",
	"InvalidToken":                 "rejects the session token; get new credentials",
	"RequestTimeTooSkewed":         "reports that this machine's clock is wrong; set it",
	"PermanentRedirect":            "is in another region; set it with ?region=…",
	"AuthorizationHeaderMalformed": "is in another region; set it with ?region=…",
	"MethodNotAllowed":             "is on a server that is not S3, or that needs &path_style=true",
}

// refusal is an error of S3 in our words.
type refusal struct {
	text string
	err  error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.err }

// explain puts an error of S3 into words. Those of a folder are clear.
func (b *Bucket) explain(err error) error {
	if b.client == nil {
		return err
	}
	status, code := answer(err)
	switch hint, known := hints[code]; {
	case known:
		return &refusal{fmt.Sprintf("%s %s (%s)", b.at, hint, code), err}
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return &refusal{fmt.Sprintf("%s %s (%d %s)", b.at, hints["AccessDenied"], status, code), err}
	case status == http.StatusMovedPermanently:
		return &refusal{fmt.Sprintf("%s %s (%d)", b.at, hints["PermanentRedirect"], status), err}
	case status != 0:
		return &refusal{fmt.Sprintf("%s answers %d %s", b.at, status, code), err}
	}
	return &refusal{fmt.Sprintf("%s does not answer; check the endpoint and the network (%v)", b.at, innermost(err)), err}
}

// innermost is the cause at the end of a chain: what the network said.
func innermost(err error) error {
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		return failed
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
