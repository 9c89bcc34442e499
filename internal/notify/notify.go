// Package notify tells one webhook what somebody must look after, signed as the
// Standard Webhooks specification says. It is best effort: messages wait in
// memory, are retried for a quarter of an hour, and never hold up the caller.
package notify

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The types of an [Event].
const (
	RunLeaked       = "run.leaked"       // infrastructure of a run may still exist, and DEC gave up
	TeardownStuck   = "teardown.stuck"   // a destroy fails again and again
	ExperimentEnded = "experiment.ended" // all its runs have ended
)

const queueSize = 256 // messages; more are dropped

// Event is what a message tells.
type Event struct {
	Type       string    // such as [RunLeaked]
	At         time.Time // when it happened
	Experiment string    // id
	Run        string    // id; "" when it concerns none
	Message    string    // a sentence for people
}

// Options configures a [Notifier]. URL and Secret are required.
type Options struct {
	URL string // of the webhook; it may be secret, and is never logged
	// Secret signs the messages: "whsec_" and 24 to 64 bytes in base64. It comes
	// from the environment or a file, never from a command line.
	Secret string
	Client *http.Client // one with a timeout of 15 s if nil; redirects are not followed
	Logger *slog.Logger // slog.Default() if nil
}

// Notifier sends messages. Make one with [New]; a nil one sends nothing.
type Notifier struct {
	url    string
	host   string // for logs
	signer *standardwebhooks.Webhook
	client *http.Client
	logger *slog.Logger
	queue  chan message
}

// New returns a notifier, or an error that does not repeat the URL or the secret.
// Its messages go out while [Notifier.Run] runs.
func New(o Options) (*Notifier, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("the webhook's address (--notify-url) must be a URL such as https://example.com/hook")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(o.Secret, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("the webhook's secret (DEC_NOTIFY_SECRET or --notify-secret-file) " +
			"must be 'whsec_' and 24 to 64 random bytes in base64, as from 'openssl rand -base64 32'")
	}
	signer, err := standardwebhooks.NewWebhookRaw(key)
	if err != nil {
		return nil, errors.New("the webhook's secret (DEC_NOTIFY_SECRET or --notify-secret-file) is not valid")
	}
	client := http.Client{Timeout: 15 * time.Second}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Notifier{
		url: o.URL, host: u.Host, signer: signer, client: &client,
		logger: cmp.Or(o.Logger, slog.Default()), queue: make(chan message, queueSize),
	}, nil
}

// message is an event as it is sent, the same in every attempt.
type message struct {
	id   string
	body []byte
	kind string
}

// Send puts a message into the queue and returns at once. When the queue is full
// the message is dropped, and the log says so.
func (n *Notifier) Send(ctx context.Context, e Event) {
	if n == nil {
		return
	}
	m, err := newMessage(e)
	if err != nil {
		n.logger.ErrorContext(ctx, "cannot encode a notification", "type", e.Type, "error", err)
		return
	}
	select {
	case n.queue <- m:
	default:
		n.logger.ErrorContext(ctx, "dropped a notification: too many are waiting for the webhook", "type", e.Type, "experiment", e.Experiment,
			"run", e.Run, "host", n.host)
	}
}

func newMessage(e Event) (message, error) {
	type data struct {
		Experiment string `json:"experiment,omitempty"`
		Run        string `json:"run,omitempty"`
		Message    string `json:"message"`
	}
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      data      `json:"data"`
	}{e.Type, e.At.UTC(), data{e.Experiment, e.Run, e.Message}})
	if err != nil {
		return message{}, fmt.Errorf("encode the event: %w", err)
	}
	return message{id: "msg_" + rand.Text(), body: body, kind: e.Type}, nil
}
