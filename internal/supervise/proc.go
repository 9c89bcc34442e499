package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticksPerSecond is USER_HZ, the unit of times in /proc: 100 on amd64 and arm64.
const ticksPerSecond = 100

// proc is what /proc/<pid>/stat says of a process; see proc_pid_stat(5).
type proc struct {
	pid, ppid, session int
	group              int // process group
	state              byte
	threads            int
	start              uint64 // ticks since boot
	cpu                uint64 // ticks, user and system, with the children it has waited for
	rss                int64  // bytes
}

// gone reports whether nothing of the process runs any more. The first thread of a
// process may be a zombie while others work on.
func (p proc) gone() bool { return (p.state == 'Z' || p.state == 'X') && p.threads <= 1 }

// stopped reports whether the process was stopped by SIGSTOP or the like.
func (p proc) stopped() bool { return p.state == 'T' }

// readProc reads one process; fs.ErrNotExist or ESRCH when there is none.
func readProc(pid int) (proc, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, err
	}
	return parseStat(data)
}

// parseStat parses the content of a stat file. The name of the program, the
// second field, is in parentheses and may itself hold anything.
func parseStat(data []byte) (proc, error) {
	end := bytes.LastIndexByte(data, ')')
	pid, _, _ := bytes.Cut(data, []byte{' '})
	fields := strings.Fields(string(data[end+1:]))
	if end < 0 || len(fields) < 22 {
		return proc{}, fmt.Errorf("parse stat of process %q: %d fields", pid, len(fields))
	}
	var errs []error
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		errs = append(errs, err)
		return n
	}
	field := func(n int) int64 { return number(fields[n-3]) } // n as in the manual
	p := proc{
		pid: int(number(string(pid))), ppid: int(field(4)), group: int(field(5)), session: int(field(6)),
		state: fields[0][0], threads: int(field(20)), start: uint64(field(22)),
		cpu: uint64(field(14) + field(15) + field(16) + field(17)),
		rss: field(24) * int64(os.Getpagesize()),
	}
	return p, errors.Join(errs...)
}

// pids lists the processes of this machine.
func pids() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			all = append(all, pid)
		}
	}
	return all, nil
}

// processes reads all processes of this machine; those that end meanwhile are
// left out.
func processes() ([]proc, error) {
	all, err := pids()
	if err != nil {
		return nil, err
	}
	procs := make([]proc, 0, len(all))
	for _, pid := range all {
		if p, err := readProc(pid); err == nil {
			procs = append(procs, p)
		}
	}
	return procs, nil
}

// below returns the descendants of the process root, parents before children,
// without the subtrees that begin at a process for which foreign is true.
func below(procs []proc, root int, foreign func(proc) bool) []proc {
	children := make(map[int][]proc)
	for _, p := range procs {
		if p.pid != root {
			children[p.ppid] = append(children[p.ppid], p)
		}
	}
	var tree []proc
	next := []int{root}
	for len(next) > 0 {
		parent := next[0]
		next = next[1:]
		for _, p := range children[parent] {
			if foreign != nil && foreign(p) {
				continue
			}
			tree = append(tree, p)
			next = append(next, p.pid)
		}
		delete(children, parent) // a list read while it changes may hold a circle
	}
	return tree
}

// isSupervisor reports whether the process is a supervisor, by the environment it
// was started with: what a process itself supervises is not its parent's.
func isSupervisor(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	prefix := []byte(folderVariable + "=")
	return err == nil && (bytes.HasPrefix(data, prefix) || bytes.Contains(data, append([]byte{0}, prefix...)))
}

// openFiles calls yield with the path of the link /proc/<pid>/fd/<n> and its
// target for each file that the process has open, until yield returns false.
func openFiles(pid int, yield func(link, target string) bool) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // it ended, or belongs to another user
	}
	for _, entry := range entries {
		link := filepath.Join(dir, entry.Name())
		if target, err := os.Readlink(link); err == nil && !yield(link, target) {
			return
		}
	}
}

// holdsLock reports whether the process holds the given lock. It is not enough to
// have the file open: so has everybody who just asks whether it is held.
func holdsLock(pid int, lock fileID) (found bool) {
	openFiles(pid, func(link, target string) bool {
		if strings.HasSuffix(target, "/"+lockFile) && locked(link) {
			id, err := idOf(link)
			found = err == nil && id == lock
		}
		return !found
	})
	return found
}

// locked reports whether an open file, /proc/<pid>/fd/<n>, has an exclusive lock:
// "lock: 1: FLOCK ADVISORY WRITE …", see proc_pid_fdinfo(5).
func locked(link string) bool {
	dir, n := filepath.Split(link)
	data, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Clean(dir)), "fdinfo", n))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "lock:"); ok && strings.Contains(rest, "FLOCK") && strings.Contains(rest, "WRITE") {
			return true
		}
	}
	return false
}

// holdsAnother reports whether the process holds the lock of a supervised process
// other than the given one: its own supervisor was killed, and it was handed to
// the nearest ancestor that takes orphans.
func holdsAnother(pid int, lock fileID) (another bool) {
	openFiles(pid, func(link, target string) bool {
		if folder, ok := strings.CutSuffix(target, "/"+lockFile); ok && exists(folder, supervisorLockFile) && locked(link) {
			id, err := idOf(link)
			if err == nil && id == lock {
				another = false
				return false
			}
			another = err == nil
		}
		return true
	})
	return another
}
