package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// clientHooks counts the incidents of one producer's or consumer's client from which it
// does not fail, and keeps the brokers' last reason for making it try again: what it
// tells of a message that it gave up is only that the time was over.
//
// The reason is in a line of franz-go's log that is written at its level debug
// only, once per answer. To avoid these lines, that level is on only from the first
// answer with something to try again until [retryWindow] later.
type clientHooks struct {
	settings technology.Settings

	held atomic.Int64 // Unix nanoseconds until which a quota holds the client back; 0 before the first time

	until atomic.Int64 // Unix nanoseconds; the level is debug until then

	mu      sync.Mutex // protects the following
	reason  string     // why messages are tried again; "" if unknown
	failure error      // made of reason, once for all messages
}

// retryWindow is how long the answers are read after one with something to retry,
// and how long a reason counts. Clients retry at least every 5 seconds.
const retryWindow = 15 * time.Second

// OnBrokerThrottle implements [kgo.HookBrokerThrottle]: an answer says that a quota is
// used up, and for how long the client is to send nothing. Producers and consumers have
// clients of their own, so it needs not know which request it was.
func (h *clientHooks) OnBrokerThrottle(_ kgo.BrokerMetadata, pause time.Duration, _ bool) {
	until := time.Now().Add(pause).UnixNano()
	for before := h.held.Load(); before < until; before = h.held.Load() {
		if h.held.CompareAndSwap(before, until) {
			return
		}
	}
}

// moment is when a message is handed over, in Unix nanoseconds. Before a quota has held
// the client back for the first time nobody needs to know it: then it is 0.
func (h *clientHooks) moment() int64 {
	if h.held.Load() == 0 {
		return 0
	}
	return time.Now().UnixNano()
}

// ended counts a message that was under way while a quota held the client back.
func (h *clientHooks) ended(sent int64) {
	if h.held.Load() > sent {
		h.settings.Report(experiment.DelayedWrites, 1)
	}
}

// came counts messages that are the first to come after a quota has held the client back.
func (h *clientHooks) came(n int) {
	if n > 0 && h.held.Load() > 0 && h.held.Swap(0) > 0 {
		h.settings.Report(experiment.DelayedReads, n)
	}
}

// OnBrokerE2E implements [kgo.HookBrokerE2E]: a request that ended without an
// answer is a connection lost. Connections that are closed for idleness have
// none under way, and neither have those that the client itself closes.
func (h *clientHooks) OnBrokerE2E(_ kgo.BrokerMetadata, _ int16, e kgo.BrokerE2E) {
	err := e.Err()
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	h.settings.Report(experiment.Reconnects, 1)
	h.note(err.Error())
}

// OnBrokerConnect implements [kgo.HookBrokerConnect].
func (h *clientHooks) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		h.note(err.Error())
	}
}

// Level implements [kgo.Logger].
func (h *clientHooks) Level() kgo.LogLevel {
	if h.isRetrying() {
		return kgo.LogLevelDebug
	}
	return kgo.LogLevelInfo
}

func (h *clientHooks) isRetrying() bool {
	until := h.until.Load()
	return until != 0 && time.Now().UnixNano() < until
}

func (h *clientHooks) noteRetry() { h.until.Store(time.Now().Add(retryWindow).UnixNano()) }

// Log implements [kgo.Logger]. It prints nothing.
func (h *clientHooks) Log(_ kgo.LogLevel, message string, pairs ...any) {
	switch message {
	case "metadata update triggered", "immediate metadata update triggered":
		if strings.Contains(text(pairs, "why"), "retry") {
			h.noteRetry()
		}
	case "produced":
		// topic[partition{retrying@offset,records(NAME: description)}]
		_, after, found := strings.Cut(text(pairs, "to"), "retrying@")
		if _, after, ok := strings.Cut(after, "("); found && ok {
			reason, _, _ := strings.Cut(after, ")}")
			h.note(reason)
		}
	}
}

// text is one value of a line of the log.
func text(pairs []any, key string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == key {
			return fmt.Sprint(pairs[i+1])
		}
	}
	return ""
}

func (h *clientHooks) note(reason string) {
	h.noteRetry()
	h.mu.Lock()
	defer h.mu.Unlock()
	if reason != h.reason {
		h.reason, h.failure = reason, fmt.Errorf("%w: %s", kgo.ErrRecordTimeout, reason)
	}
}

// explain adds why to the failure of a message that the client gave up, if it
// is known.
func (h *clientHooks) explain(err error) error {
	if err != kgo.ErrRecordTimeout || !h.isRetrying() {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failure == nil {
		return err
	}
	return h.failure
}
