package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// pauses are what lies between the attempts to deliver one message, about.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 7 * time.Minute}

// finalDeliveryTimeout is how long the delivery of the messages that wait at the end
// may take, all together.
const finalDeliveryTimeout = 5 * time.Second

// errGone means that the receiver wants nothing any more.
var errGone = errors.New("the webhook answered 410 Gone: it gets no further messages until the server restarts")

// Run delivers messages, one after another, until ctx ends, and returns the cause
// of that. What waits then is tried once more, for 5 seconds in all. A nil
// notifier waits for the end of ctx.
func (n *Notifier) Run(ctx context.Context) error {
	if n == nil {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	gone := false
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case m := <-n.queue:
			if !gone {
				gone = n.deliver(ctx, m)
			}
		}
	}
	if !gone {
		n.finish(context.WithoutCancel(ctx))
	}
	return context.Cause(ctx)
}

// deliver tries until the message has arrived, no attempt is left, or ctx ends;
// then the message goes back into the queue. It reports whether the receiver is
// gone for good.
func (n *Notifier) deliver(ctx context.Context, m message) (gone bool) {
	for attempt := 0; ; attempt++ {
		err := n.post(ctx, m)
		switch {
		case err == nil:
			return false
		case ctx.Err() != nil:
			n.requeue(m)
			return false
		case errors.Is(err, errGone) || attempt == len(pauses):
			n.logger.Error("a notification was not delivered", "type", m.kind, "id", m.id, "host", n.host, "attempts", attempt+1, "error", err)
			return errors.Is(err, errGone)
		}
		n.logger.Warn("a notification was not delivered; trying again", "type", m.kind, "id", m.id, "host", n.host, "error", err)
		select {
		case <-ctx.Done():
			n.requeue(m)
			return false
		case <-time.After(jittered(pauses[attempt])):
		}
	}
}

// finish tries each message that waits once.
func (n *Notifier) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finalDeliveryTimeout)
	defer cancel()
	for {
		select {
		case m := <-n.queue:
			if err := n.post(ctx, m); err != nil {
				n.logger.Error("a notification was not delivered before shutdown", "type", m.kind, "id", m.id, "host", n.host, "error", err)
			}
		default:
			return
		}
	}
}

func (n *Notifier) requeue(m message) {
	select {
	case n.queue <- m:
	default:
		n.logger.Error("dropped a notification: too many are waiting for the webhook", "type", m.kind, "id", m.id, "host", n.host)
	}
}

// post makes one attempt. Its errors do not tell the address.
func (n *Notifier) post(ctx context.Context, m message) error {
	now := time.Now()
	signature, err := n.signer.Sign(m.id, now, m.body)
	if err != nil {
		return fmt.Errorf("sign the message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(m.body))
	if err != nil {
		return errors.New("the webhook's address is not valid")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "dec")
	req.Header.Set(standardwebhooks.HeaderWebhookID, m.id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	res, err := n.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL
		}
		return fmt.Errorf("call the webhook: %w", err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	switch {
	case res.StatusCode == http.StatusGone:
		return errGone
	case res.StatusCode < 200 || res.StatusCode > 299:
		return fmt.Errorf("the webhook answered %s", res.Status)
	}
	return nil
}

// jittered returns between 75 % and 125 % of d, so that servers that failed
// together do not return together.
func jittered(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2)
}
