package supervise

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// fullScan is how many samples are taken between two that look at every
// process of the machine again; the others look at new ones only.
const fullScan = 10

// tree is what descends from a supervisor and is supervised by it.
type tree struct {
	root    int // pid of the supervisor
	child   int // pid of its child
	lock    fileID
	others  map[int]bool   // pids that are not of the tree: nothing joins a tree after its birth
	foreign map[int]uint64 // pid → start of what this supervisor inherited from another
	scans   int

	endedCPU              uint64 // ticks of the processes that the supervisor has waited for
	endedRead, endedWrite int64  // bytes of the same
	last, peak            Usage
}

func newTree(root int, lock fileID) *tree {
	return &tree{root: root, lock: lock, foreign: make(map[int]uint64)}
}

// members returns what lives of the tree.
func (t *tree) members() ([]proc, error) {
	procs, err := processes()
	return t.filter(procs), err
}

// filter returns the living members among procs. A supervisor that a member
// has started supervises processes of its own. When it is killed its child
// comes here, the nearest ancestor that takes orphans, and is left alone.
func (t *tree) filter(procs []proc) []proc {
	all := below(procs, t.root, func(p proc) bool {
		adopted := p.ppid == t.root && p.pid != t.child
		foreign := isSupervisor(p.pid) || adopted && holdsAnother(p.pid, t.lock)
		if foreign {
			t.foreign[p.pid] = p.start
		}
		return foreign
	})
	living := all[:0]
	for _, p := range all {
		if !p.gone() {
			living = append(living, p)
		}
	}
	return living
}

// scan is members for one sample a second: it does not look again at processes
// that were seen to be of others.
func (t *tree) scan() ([]proc, error) {
	known := t.others
	if t.scans%fullScan == 0 {
		known = nil // a pid may have been used again
	}
	t.scans++
	all, err := pids()
	if err != nil {
		return nil, err
	}
	t.others = make(map[int]bool, len(all))
	var procs []proc
	for _, pid := range all {
		if known[pid] {
			t.others[pid] = true
		} else if p, err := readProc(pid); err == nil {
			procs = append(procs, p)
		}
	}
	members := t.filter(procs)
	for _, p := range procs {
		t.others[p.pid] = true
	}
	for _, p := range members {
		delete(t.others, p.pid)
	}
	return members, nil
}

// sample measures the tree. Totals never fall, though a process that nobody
// waited for takes its own with it.
func (t *tree) sample(now time.Time) (Usage, error) {
	members, err := t.scan()
	if err != nil {
		return t.last, err
	}
	u := Usage{At: now.UTC(), Processes: len(members), ReadBytes: t.endedRead, WriteBytes: t.endedWrite}
	cpu := t.endedCPU
	for _, p := range members {
		cpu += p.cpu
		u.RSSBytes += p.rss
		read, write := transferred(p.pid)
		u.ReadBytes += read
		u.WriteBytes += write
	}
	u.CPUSeconds = max(float64(cpu)/ticksPerSecond, t.last.CPUSeconds)
	u.ReadBytes = max(u.ReadBytes, t.last.ReadBytes)
	u.WriteBytes = max(u.WriteBytes, t.last.WriteBytes)
	t.last = u
	t.peak.RSSBytes = max(t.peak.RSSBytes, u.RSSBytes)
	t.peak.Processes = max(t.peak.Processes, u.Processes)
	return u, nil
}

// account adds up a child of the supervisor that has ended, before it is
// waited for. It contains whatever it had waited for itself.
func (t *tree) account(pid int) {
	p, err := readProc(pid)
	if err != nil {
		return
	}
	if start, ok := t.foreign[pid]; ok && start == p.start {
		delete(t.foreign, pid)
		return
	}
	read, write := transferred(pid)
	t.endedCPU += p.cpu
	t.endedRead += read
	t.endedWrite += write
}

// total is the usage of the whole life: the highest memory and number of
// processes of any sample, the rest in sum.
func (t *tree) total(now time.Time) Usage {
	u, err := t.sample(now)
	if err != nil {
		u.At = now.UTC()
	}
	u.RSSBytes, u.Processes = t.peak.RSSBytes, t.peak.Processes
	return u
}

// transferred returns the bytes that a process has caused to be read from and
// written to storage, none when it may not be asked.
func transferred(pid int) (read, write int64) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/io")
	if err != nil {
		return 0, 0
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		n, _ := strconv.ParseInt(value, 10, 64) // 0 if the kernel changes its mind
		switch name {
		case "read_bytes":
			read = n
		case "write_bytes":
			write = n
		}
	}
	return read, write
}

// megabytes is for messages.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
