package agent

// maxBlocks bounds how many of the latest blocks a pacer remembers.
const maxBlocks = 4096

// blocks are when clients have blocked a pacer's thread, in order. What they cost the
// other producers of the thread is back-pressure too, and no lateness of the pacer.
type blocks struct{ list []block }

// block is a time in which one producer's client has blocked the thread, in wall ns.
type block struct {
	by          *producer
	from, until int64
}

func (b *blocks) add(one block) {
	if one.until <= one.from {
		return
	}
	if len(b.list) == maxBlocks {
		b.list = append(b.list[:0], b.list[maxBlocks/2:]...)
	}
	b.list = append(b.list, one)
}

// heldUp is for how long other producers have blocked the thread between two moments.
func (b *blocks) heldUp(one *producer, since, now int64) (ns int64) {
	for i := len(b.list) - 1; i >= 0 && b.list[i].until > since; i-- {
		if b.list[i].by != one {
			ns += min(b.list[i].until, now) - max(b.list[i].from, since)
		}
	}
	return ns
}
