package stream

import (
	"encoding/json"
	"fmt"
	"strconv"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// Frame is one server-sent event. Its bytes are shared by all subscribers: they
// must not be changed.
type Frame struct {
	ID    int64  // of the stored event; 0 for what is not stored
	Event string // [api.EventStored], [api.EventSnapshot] or [api.EventBeat]
	Data  []byte // one line of JSON

	text []byte // the whole event as it goes over the wire
}

func newFrame(id int64, event string, data any) (Frame, error) {
	body, err := json.Marshal(data)
	if err != nil {
		return Frame{}, fmt.Errorf("encode %s %d: %w", event, id, err)
	}
	text := make([]byte, 0, len(body)+len(event)+48)
	if id != 0 {
		text = append(strconv.AppendInt(append(text, "id: "...), id, 10), '\n')
	}
	text = append(append(append(text, "event: "...), event...), "\ndata: "...)
	start := len(text)
	text = append(text, body...)
	end := len(text)
	text = append(text, "\n\n"...)
	return Frame{ID: id, Event: event, Data: text[start:end:end], text: text}, nil
}

// entry is a frame of the log with what filters look at.
type entry struct {
	Frame
	run, experiment string
	all             bool // it is for everyone
}

func storedEntry(e experiment.Event) (entry, error) {
	f, err := newFrame(e.ID, api.EventStored, e)
	return entry{Frame: f, run: e.Run, experiment: e.Experiment}, err
}

// logSize is how many frames a subscriber may be behind. At one second and a few
// events per second it is minutes, and about 6 MB.
const logSize = 4096

// ring holds the newest entries of the log.
type ring struct {
	head    uint64 // position of the next entry; positions count from 0
	entries [logSize]entry
}

func (r *ring) add(e entry) {
	r.entries[r.head%logSize] = e
	r.head++
}

// at returns the entry at a position, or false when it was overwritten.
func (r *ring) at(pos uint64) (entry, bool) {
	return r.entries[pos%logSize], r.head-pos <= logSize
}
