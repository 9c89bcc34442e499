package certify

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// process is a program that was started, and ends when it has done its work, when it is
// stopped, or with this program: its standard input ends then.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	said  tail
	done  chan struct{}
}

// grace is how long a process may take to end once its input has ended.
const grace = 5 * time.Second

// start starts a program with this environment and no other. firstLine is what it printed
// first, if that is asked for.
func start(ctx context.Context, dir string, env []string, line *string, path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = dir, append([]string{}, env...), &p.said // nil would be this program's own
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	read := make(chan struct{})
	go func() {
		defer close(p.done)
		out := bufio.NewReader(stdout)
		first, _ := out.ReadString('\n')
		if line != nil {
			*line = strings.TrimSpace(first)
		}
		close(read)
		_, _ = io.Copy(io.Discard, out)
		_ = p.cmd.Wait() // its code is read from ProcessState
	}()
	if line == nil {
		return p, nil
	}
	select {
	case <-read:
	case <-ctx.Done():
		p.stop()
		return nil, context.Cause(ctx)
	}
	if *line == "" {
		p.stop()
		return nil, fmt.Errorf("%s said nothing: %s", args[0], p.said.text())
	}
	return p, nil
}

// stop ends the process and returns when it has ended.
func (p *process) stop() {
	_ = p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// wait returns when the process has ended by itself: nil if it did its work.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("%s ended with code %d: %s", p.cmd.Args[1], p.cmd.ProcessState.ExitCode(), p.said.text())
	}
	return nil
}

// tail keeps the end of what is written.
type tail struct {
	mu  sync.Mutex // protects the following
	buf bytes.Buffer
}

// tailBytes is how much a tail keeps.
const tailBytes = 2 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(b)
	if over := t.buf.Len() - tailBytes; over > 0 {
		t.buf.Next(over)
	}
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.buf.String())
}
