package tofu

import "dec.local/dec/internal/experiment"

// ParseJournal hands the pieces of a journal to a reader, one after the other,
// and returns the events of resources, the errors, and whether an apply came to
// a good end.
func ParseJournal(pieces ...[]byte) (events []experiment.Resource, errs string, done bool) {
	var s splitter
	watch := stopwatch{}
	var messages []message
	for _, piece := range pieces {
		s.feed(piece, func(m message) {
			messages = append(messages, m)
			if event, ok := watch.event(m); ok {
				events = append(events, event)
			}
		})
	}
	return events, diagnose(messages), finished(messages, "apply")
}
