package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"sync"
	"time"
)

const (
	codeLife = 10 * time.Minute
	maxCodes = 32 // the oldest gives way
)

// codes are the one-time codes that were handed out. They are kept as hashes.
type codes struct {
	now func() time.Time

	mu  sync.Mutex // protects all
	all []code     // oldest first
}

type code struct {
	hash    [sha256.Size]byte
	expires time.Time
}

func (c *codes) add() string {
	text := rand.Text() // 128 bit
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	if len(c.all) == maxCodes {
		c.all = slices.Delete(c.all, 0, 1)
	}
	c.all = append(c.all, code{Hash(text), c.now().Add(codeLife)})
	return text
}

// use reports whether the code is in force, and ends it.
func (c *codes) use(text string) bool {
	hash := Hash(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire()
	found := -1
	for i := range c.all {
		if subtle.ConstantTimeCompare(hash[:], c.all[i].hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return false
	}
	c.all = slices.Delete(c.all, found, found+1)
	return true
}

// expire removes what is too old. The caller holds c.mu.
func (c *codes) expire() {
	now := c.now()
	c.all = slices.DeleteFunc(c.all, func(k code) bool { return !now.Before(k.expires) })
}
