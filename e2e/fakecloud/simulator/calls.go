package simulator

import (
	"cmp"
	"encoding/json"
	"os"
	"sync"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// callLog is the cloud's log.
type callLog struct {
	mu   sync.Mutex // protects the following
	file *os.File
	n    int64 // entries so far
}

func openLog(folder string) (*callLog, error) {
	entries, err := cloud.ReadLog(folder)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(cloud.LogPath(folder), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &callLog{file: file, n: int64(len(entries))}, nil
}

// write appends an entry and returns its number.
func (l *callLog) write(e cloud.Entry) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.N, e.At = l.n+1, time.Now().UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return 0, err
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return 0, err
	}
	l.n++
	return e.N, nil
}

// object is an entry about an object, because of a call or of none.
func object(event cloud.Event, r *record, c *call) cloud.Entry {
	e := cloud.Entry{Event: event, Kind: r.Kind, ID: r.ID, Name: r.Name, Tags: r.Tags}
	if c != nil {
		e.Call, e.Caller, e.Key, e.Faults = c.entry.N, c.entry.Caller, c.entry.Key, c.faults
	}
	return e
}

// answer is the entry for the end of a call.
func (c *call) answer(status int, refused *cloud.Error) cloud.Entry {
	e := c.entry
	e.Event, e.Call, e.Status, e.Faults = cloud.EventAnswer, c.entry.N, status, c.faults
	e.Gone = c.request.Context().Err() != nil
	if refused != nil {
		e.Code = cmp.Or(refused.Code, cloud.CodeInternal)
	}
	return e
}
