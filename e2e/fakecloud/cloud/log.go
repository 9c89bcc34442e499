package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Event is what an entry of the log tells.
type Event string

// The events of the log.
const (
	EventCall    Event = "call"    // a call has come
	EventAnswer  Event = "answer"  // it was answered, or its caller had gone
	EventCreated Event = "created" // an object exists from now on
	EventDeleted Event = "deleted" // nothing is left of it
)

// Entry is one line of the log. An answer repeats what the call said.
type Entry struct {
	N      int64             `json:"n"` // counts the entries, from 1
	At     time.Time         `json:"at"`
	Event  Event             `json:"event"`
	Call   int64             `json:"call,omitempty"` // N of the call that led to it; zero for what the cloud did by itself
	Caller string            `json:"caller,omitempty"`
	Key    string            `json:"key,omitempty"` // name of the credential: "account", or that of a session
	Action Action            `json:"action,omitempty"`
	Kind   Kind              `json:"kind,omitempty"`
	ID     string            `json:"id,omitempty"`
	Name   string            `json:"name,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	Status int               `json:"status,omitempty"` // of an answer
	Code   Code              `json:"code,omitempty"`   // of an answer that is an error
	Gone   bool              `json:"caller_gone,omitempty"`
	Faults []FaultName       `json:"faults,omitempty"` // that an answer is due to
}

// logFile is the log in the folder of a cloud.
const logFile = "calls.jsonl"

// LogPath is the file of the log in the folder of a cloud, a line of JSON for
// each [Entry].
func LogPath(folder string) string { return filepath.Join(folder, logFile) }

// ReadLog returns the entries of a cloud's log, the cloud running or not. None if
// there is no log yet.
func ReadLog(folder string) ([]Entry, error) {
	data, err := os.ReadFile(LogPath(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the cloud's log: %w", err)
	}
	var entries []Entry
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // it is being written
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read the cloud's log: line %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// AwaitEntry waits until the log has an entry that matches, and returns the
// first one.
func AwaitEntry(ctx context.Context, folder string, matches func(Entry) bool) (Entry, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		entries, err := ReadLog(folder)
		if err != nil {
			return Entry{}, err
		}
		for _, e := range entries {
			if matches(e) {
				return e, nil
			}
		}
		select {
		case <-ctx.Done():
			return Entry{}, fmt.Errorf("wait for an entry in the cloud's log: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// Left returns the entries of the objects that were created and not deleted.
func Left(entries []Entry) []Entry {
	deleted := make(map[string]bool)
	for _, e := range entries {
		if e.Event == EventDeleted {
			deleted[e.ID] = true
		}
	}
	var left []Entry
	for _, e := range entries {
		if e.Event == EventCreated && !deleted[e.ID] {
			left = append(left, e)
		}
	}
	return left
}
