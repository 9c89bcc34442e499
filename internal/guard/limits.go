package guard

import (
	"maps"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxLimits is how many keys are told apart. Those that used nothing lately are
// forgotten first; beyond that all further ones share one limit.
const maxLimits = 4096

// limits is one limit per key, so that a busy one leaves the others alone.
type limits struct {
	perSecond float64
	burst     int

	mu    sync.Mutex // protects byKey
	byKey map[string]*rate.Limiter
}

// allow takes one from the key's limit, if one is left.
func (l *limits) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit(key).Allow()
}

// limit returns the limit of a key. The caller holds l.mu.
func (l *limits) limit(key string) *rate.Limiter {
	if known, ok := l.byKey[key]; ok {
		return known
	}
	if len(l.byKey) >= maxLimits {
		now := time.Now()
		maps.DeleteFunc(l.byKey, func(_ string, r *rate.Limiter) bool { return r.TokensAt(now) >= float64(l.burst) })
	}
	if len(l.byKey) >= maxLimits {
		key = "the rest"
		if rest, ok := l.byKey[key]; ok {
			return rest
		}
	}
	if l.byKey == nil {
		l.byKey = map[string]*rate.Limiter{}
	}
	l.byKey[key] = rate.NewLimiter(rate.Limit(l.perSecond), l.burst)
	return l.byKey[key]
}

// within takes one from the key's limit, or answers that it is used up.
func (g *Guard) within(w http.ResponseWriter, l *limits, key string) bool {
	if l.allow(key) {
		return true
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(1/l.perSecond))))
	problem(w, http.StatusTooManyRequests, "Too many requests; wait a moment.")
	return false
}

// network returns what one caller without a name may have at will: an IPv4
// address, or a /64 of IPv6.
func network(remote string) string {
	a, err := netip.ParseAddr(remote)
	if err != nil || a.Unmap().Is4() {
		return remote
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return remote
	}
	return p.String()
}
