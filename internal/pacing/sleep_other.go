//go:build !linux

package pacing

import "time"

// TimerName names the way [Thread] waits on this system.
const TimerName = "portable"

func (t *Thread) tune() error        { return nil }
func (t *Thread) untune()            {}
func (t *Thread) sleepOnce(at int64) { time.Sleep(time.Duration(at - t.Now())) }

// runQueue tells nothing on this system.
type runQueue struct{}

func openRunQueue() runQueue      { return runQueue{} }
func (runQueue) wait() (ns int64) { return 0 }
func (runQueue) close()           {}
