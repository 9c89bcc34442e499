package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"dec.local/dec/internal/notify"
)

const (
	secret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
	address = "http://hooks.example/T0ken/in/the/path"
)

// receiver is a webhook in memory. It answers with the statuses in turn, the
// last one for ever; 0 does not answer.
type receiver struct {
	statuses []int

	mu       sync.Mutex // protects what follows
	messages []received
}

type received struct {
	at     time.Time
	header http.Header
	body   []byte
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	status := r.statuses[min(len(r.messages), len(r.statuses)-1)]
	r.messages = append(r.messages, received{time.Now(), req.Header, body})
	r.mu.Unlock()
	if status == 0 {
		<-req.Context().Done()
		return nil, &net.OpError{Op: "read", Err: req.Context().Err()}
	}
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status), Request: req,
		Header: http.Header{"Location": {"http://elsewhere.example/"}}, Body: io.NopCloser(strings.NewReader("thanks")),
	}, nil
}

func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.messages
}

// inBubble runs a notifier in virtual time; stop ends it and waits.
func inBubble(t *testing.T, r *receiver, test func(t *testing.T, n *notify.Notifier, stop func())) (log string) {
	t.Helper()
	var buf bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		n, err := notify.New(notify.Options{
			URL: address, Secret: secret, Logger: slog.New(slog.NewTextHandler(&buf, nil)),
			Client: &http.Client{Transport: r, Timeout: 15 * time.Second},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- n.Run(ctx) }()
		stop := sync.OnceFunc(func() {
			done := errors.New("done")
			cancel(done)
			if err := <-ended; !errors.Is(err, done) {
				t.Errorf("Run = %v, want the cause of the end of its context", err)
			}
		})
		defer stop()
		test(t, n, stop)
	})
	log = buf.String()
	for _, hidden := range []string{"T0ken", "MfKQ9r8"} {
		if strings.Contains(log, hidden) {
			t.Errorf("the log tells the address or the secret: %s", log)
		}
	}
	return log
}

func leaked() notify.Event {
	return notify.Event{Type: notify.RunLeaked, At: time.Now(), Experiment: "e1", Run: "r1", Message: "Two processes are still alive."}
}

func TestMessagesAreSigned(t *testing.T) {
	r := &receiver{statuses: []int{204}}
	var at time.Time
	inBubble(t, r, func(t *testing.T, n *notify.Notifier, _ func()) {
		at = time.Now().UTC()
		n.Send(t.Context(), leaked())
		synctest.Wait()
	})
	if len(r.got()) != 1 {
		t.Fatalf("%d messages arrived, want 1", len(r.got()))
	}
	m := r.got()[0]
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifyIgnoringTimestamp(m.body, m.header); err != nil {
		t.Errorf("a receiver finds: %v", err)
	}
	if err := verifier.VerifyIgnoringTimestamp(append(m.body, ' '), m.header); err == nil {
		t.Error("a changed message has the right signature")
	}
	if got := m.header.Get("Webhook-Timestamp"); got != strconv.FormatInt(at.Unix(), 10) {
		t.Errorf("timestamp %s, want %d", got, at.Unix())
	}
	var got, want any
	text := `{"type":"run.leaked","timestamp":"` + at.Format(time.RFC3339Nano) + `","data":{"experiment":"e1","run":"r1","message":"Two processes are still alive."}}`
	if err := errors.Join(json.Unmarshal(m.body, &got), json.Unmarshal([]byte(text), &want)); err != nil {
		t.Fatal(err)
	}
	if a, b := encode(t, got), encode(t, want); a != b {
		t.Errorf("body %s, want %s", a, b)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFailuresAreRetriedWithTheSameID(t *testing.T) {
	r := &receiver{statuses: []int{500, 302, 429, 0, 200}} // a redirect is not followed
	inBubble(t, r, func(t *testing.T, n *notify.Notifier, _ func()) {
		n.Send(t.Context(), leaked())
		time.Sleep(time.Hour)
	})
	got := r.got()
	if len(got) != 5 {
		t.Fatalf("%d attempts, want 5", len(got))
	}
	id := got[0].header.Get("Webhook-Id")
	for i, m := range got {
		if id == "" || m.header.Get("Webhook-Id") != id {
			t.Errorf("attempt %d has id %q, want %q", i, m.header.Get("Webhook-Id"), id)
		}
		if i > 1 && m.at.Sub(got[i-1].at) <= got[i-1].at.Sub(got[i-2].at) {
			t.Errorf("the pause before attempt %d is not longer than the one before", i)
		}
	}
}

func TestMessagesAreGivenUpAndTheNextIsTried(t *testing.T) {
	r := &receiver{statuses: []int{500, 500, 500, 500, 500, 500, 500, 200}}
	log := inBubble(t, r, func(t *testing.T, n *notify.Notifier, _ func()) {
		n.Send(t.Context(), leaked())
		n.Send(t.Context(), leaked())
		time.Sleep(20 * time.Minute)
	})
	if got := r.got(); len(got) != 8 || got[7].header.Get("Webhook-Id") == got[6].header.Get("Webhook-Id") {
		t.Errorf("%d attempts, want 7 of the first message and 1 of the second", len(got))
	}
	if !strings.Contains(log, "was not delivered\"") || !strings.Contains(log, "attempts=7") {
		t.Errorf("the log does not say that a message was given up: %s", log)
	}
}

func TestGoneEndsAll(t *testing.T) {
	r := &receiver{statuses: []int{410}}
	inBubble(t, r, func(t *testing.T, n *notify.Notifier, _ func()) {
		n.Send(t.Context(), leaked())
		n.Send(t.Context(), leaked())
		time.Sleep(time.Hour)
	})
	if got := len(r.got()); got != 1 {
		t.Errorf("%d attempts after 410 Gone, want 1", got)
	}
}

func TestSendNeverWaits(t *testing.T) {
	r := &receiver{statuses: []int{0}}
	log := inBubble(t, r, func(t *testing.T, n *notify.Notifier, stop func()) {
		began := time.Now()
		for range 300 {
			n.Send(t.Context(), leaked())
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("sending took %s", took)
		}
		stop()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the end took %s, want 5s for what waits", took)
		}
	})
	if !strings.Contains(log, "dropped a notification") {
		t.Errorf("the log does not say what was dropped: %s", log)
	}
}

func TestWhatWaitsAtTheEndIsTriedOnceMore(t *testing.T) {
	r := &receiver{statuses: []int{500, 200}}
	inBubble(t, r, func(t *testing.T, n *notify.Notifier, stop func()) {
		n.Send(t.Context(), leaked()) // fails, and waits for its next attempt
		synctest.Wait()
		n.Send(t.Context(), leaked())
		stop()
	})
	if got := len(r.got()); got != 3 {
		t.Errorf("%d attempts, want 1 before the end and 2 at it", got)
	}
}

func TestWhatIsOnItsWayAtTheEndIsTriedOnceMore(t *testing.T) {
	r := &receiver{statuses: []int{0, 200}}
	inBubble(t, r, func(t *testing.T, n *notify.Notifier, stop func()) {
		n.Send(t.Context(), leaked())
		synctest.Wait()
		stop()
	})
	if got := len(r.got()); got != 2 {
		t.Errorf("%d attempts, want the one that was cut off and another", got)
	}
}

func TestNilNotifierIsSilent(t *testing.T) {
	var n *notify.Notifier
	n.Send(t.Context(), leaked())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want the cause of the end of its context", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		o    notify.Options
		want string // part of the error: where the mistake is
	}{
		"no address":       {notify.Options{Secret: secret}, "--notify-url"},
		"another scheme":   {notify.Options{URL: "ftp://hooks.example/T0ken", Secret: secret}, "--notify-url"},
		"not an address":   {notify.Options{URL: "http://hooks.example/%zzT0ken", Secret: secret}, "--notify-url"},
		"no secret":        {notify.Options{URL: address}, "DEC_NOTIFY_SECRET"},
		"a short secret":   {notify.Options{URL: address, Secret: "whsec_c2hvcnQ="}, "DEC_NOTIFY_SECRET"},
		"a secret in text": {notify.Options{URL: address, Secret: "whsec_secret!"}, "DEC_NOTIFY_SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			o := tt.o
			_, err := notify.New(o)
			if err == nil || strings.Contains(err.Error(), "T0ken") || o.Secret != "" && strings.Contains(err.Error(), o.Secret) {
				t.Errorf("New = %v, want an error that tells neither address nor secret", err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want an error that names %s", err, tt.want)
			}
		})
	}
}
