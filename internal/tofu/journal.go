package tofu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// The types of journal messages that DEC reads.
const (
	typePlannedChange = "planned_change"
	typeApplyStart    = "apply_start"
	typeApplyComplete = "apply_complete"
	typeApplyErrored  = "apply_errored"
	typeChangeSummary = "change_summary"
	typeDiagnostic    = "diagnostic"
	typeLog           = "log"
)

// message is one line of OpenTofu's -json output, as far as DEC reads it.
type message struct {
	Type string `json:"type"`
	At   string `json:"@timestamp"`
	Hook *struct {
		Resource journalResource `json:"resource"`
		Action   string          `json:"action"`
		ID       string          `json:"id_value"`
	} `json:"hook"`
	Change *struct {
		Resource journalResource `json:"resource"`
		Action   string          `json:"action"`
	} `json:"change"`
	Changes *struct {
		Operation string `json:"operation"` // "plan", "apply" or "destroy"
	} `json:"changes"`
	Diagnostic *diagnostic     `json:"diagnostic"`
	State      json.RawMessage `json:"state"` // the emergency dump of a state that could not be written anywhere
}

// journalResource names a resource in a message.
type journalResource struct {
	Address string `json:"addr"`
	Type    string `json:"resource_type"`
}

// diagnostic is an error or warning of OpenTofu or a provider.
type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
}

// String is the diagnostic in one paragraph.
func (d diagnostic) String() string {
	text := strings.TrimSuffix(d.Summary, ".")
	if d.Detail != "" {
		text += ": " + d.Detail
	}
	if d.Address != "" {
		text = d.Address + ": " + text
	}
	return text
}

// parseLine reads one line of a journal. It reports false for lines that tell
// DEC nothing: unknown types, other output, torn lines. A journal must never
// stop the reading of what follows.
func parseLine(line []byte) (message, bool) {
	var kind struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(line, &kind) != nil {
		return message{}, false
	}
	switch kind.Type {
	case typePlannedChange, typeApplyStart, typeApplyComplete, typeApplyErrored, typeChangeSummary, typeDiagnostic, typeLog:
	default:
		return message{}, false
	}
	var m message
	if json.Unmarshal(line, &m) != nil {
		return message{}, false
	}
	return m, true
}

// resource is the message as an event of a resource, if it is one: a create or
// a delete that starts, is complete, or failed.
func (m message) resource() (experiment.Resource, bool) {
	state, ok := map[string]string{typeApplyStart: "started", typeApplyComplete: "complete", typeApplyErrored: "errored"}[m.Type]
	if !ok || m.Hook == nil || m.Hook.Action != "create" && m.Hook.Action != "delete" {
		return experiment.Resource{}, false
	}
	return experiment.Resource{
		Address: m.Hook.Resource.Address,
		Action:  m.Hook.Action,
		State:   state,
		ID:      m.Hook.ID,
	}, true
}

// stopwatch adds to events how long they took: OpenTofu itself tells whole
// seconds only.
type stopwatch map[string]time.Time

// event is the message as an event of a resource, if it is one.
func (w stopwatch) event(m message) (experiment.Resource, bool) {
	event, ok := m.resource()
	if !ok {
		return event, false
	}
	at, err := time.Parse(time.RFC3339Nano, m.At)
	if err != nil {
		return event, true // the event counts, its time is a nicety
	}
	if event.State == "started" {
		w[event.Address] = at
	} else if began, ok := w[event.Address]; ok {
		event.Seconds = at.Sub(began).Seconds()
	}
	return event, true
}

// splitter cuts a stream into lines; what follows the last newline waits for
// its rest.
type splitter struct {
	rest []byte
}

// feed calls emit for each message that is whole by now.
func (s *splitter) feed(data []byte, emit func(message)) {
	s.rest = append(s.rest, data...)
	for {
		line, rest, found := bytes.Cut(s.rest, []byte("\n"))
		if !found {
			return
		}
		if m, ok := parseLine(line); ok {
			emit(m)
		}
		s.rest = rest
	}
}

// tail reads a journal as it grows.
type tail struct {
	file     *os.File
	splitter splitter
}

// journalFile is the -json output of an attempt.
func journalFile(attempt string) string { return filepath.Join(attempt, "stdout.log") }

// read calls emit for what was written since the last call. The file may not be
// there yet.
func (t *tail) read(attempt string, emit func(message)) error {
	if t.file == nil {
		file, err := os.Open(journalFile(attempt))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return fmt.Errorf("open journal: %w", err)
		}
		t.file = file
	}
	data, err := io.ReadAll(t.file)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	t.splitter.feed(data, emit)
	return nil
}

// close ends the reading.
func (t *tail) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

// readJournal reads the whole journal of an attempt; none is an empty one.
func readJournal(attempt string) ([]message, error) {
	var messages []message
	var t tail
	err := t.read(attempt, func(m message) { messages = append(messages, m) })
	return messages, errors.Join(err, t.close())
}

// diagnose makes one text of a journal's errors; "" when there are none.
func diagnose(journal []message) string {
	var texts []string
	for _, m := range journal {
		if m.Diagnostic != nil && m.Diagnostic.Severity == "error" {
			texts = append(texts, m.Diagnostic.String())
		}
	}
	return strings.Join(texts, "\n")
}

// finished reports whether a journal tells that its operation came to a good end.
func finished(journal []message, operation string) bool {
	for _, m := range journal {
		if m.Type == typeChangeSummary && m.Changes != nil && m.Changes.Operation == operation {
			return true
		}
	}
	return false
}
