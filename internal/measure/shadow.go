package measure

// shadow tells the two kinds of late apart by following a pacer that does the
// same work as the real one but is never blocked. As late as the shadow is, the
// pacer is late by its own fault; the rest is back-pressure, also while the
// real one catches up after a block.
type shadow struct {
	ready    int64 // the shadow was ready for the next message
	returned int64 // the real pacer was
}

// reach takes both to the next message and returns the pacer's own lateness.
func (s *shadow) reach(intended, reached int64) (lateness int64) {
	if s.returned < intended { // it had time to wait for the message: nothing is left of earlier blocks
		s.ready = reached
		return reached - intended
	}
	idle := max(0, reached-s.returned) // it was behind and yet took this long to go on
	s.ready = max(intended, s.ready+idle)
	return max(s.ready-intended, idle)
}

// forgive takes from the lateness what others have held up, and returns what is left.
func (s *shadow) forgive(intended, lateness, held int64) int64 {
	lateness = max(0, lateness-held)
	s.ready = max(intended, s.ready-held)
	return lateness
}

// leave ends the message's sending: the work that it was, without blocks.
func (s *shadow) leave(work, returned int64) {
	s.ready += work
	s.returned = returned
}
