package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// sampling is how often the processes are looked at.
const sampling = 100 * time.Millisecond

// line is what a process printed at a moment.
type line struct {
	at   time.Time
	text string
}

// process is one process of a load generator. Its output is kept line by line with
// the time of each, and what it uses is sampled until it ends.
type process struct {
	name   string
	cmd    *exec.Cmd
	log    *os.File
	ended  chan struct{}
	err    error // once ended
	onLine func(line)

	mu    sync.Mutex // protects the following
	lines []line
	part  []byte // of a line that has not ended
	cpu   series // seconds so far
	held  series // memory, in bytes
	peaks series // most memory so far, in bytes
}

// command says what to start.
type command struct {
	name   string // for messages and the log's name
	args   []string
	env    []string // beside the environment of this process
	dir    string   // working folder and place of the log
	onLine func(line)
}

// start starts a process. It is killed when ctx ends.
func start(ctx context.Context, c command) (*process, error) {
	log, err := os.Create(filepath.Join(c.dir, c.name+".log"))
	if err != nil {
		return nil, err
	}
	p := &process{name: c.name, log: log, ended: make(chan struct{}), onLine: c.onLine}
	p.cmd = exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	p.cmd.Dir = c.dir
	p.cmd.Env = append(os.Environ(), c.env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	stop := make(chan struct{})
	var sampled sync.WaitGroup
	sampled.Go(func() { p.sample(stop) })
	go func() {
		err := p.cmd.Wait()
		close(stop)
		sampled.Wait()
		p.mu.Lock()
		p.cpu.add(time.Now(), p.cmd.ProcessState.UserTime().Seconds()+p.cmd.ProcessState.SystemTime().Seconds())
		p.mu.Unlock()
		p.err = err
		log.Close()
		close(p.ended)
	}()
	return p, nil
}

// Write takes the output of the process.
func (p *process) Write(data []byte) (int, error) {
	now := time.Now()
	p.mu.Lock()
	p.part = append(p.part, data...)
	var fresh []line
	for {
		text, rest, ok := bytes.Cut(p.part, []byte("\n"))
		if !ok {
			break
		}
		fresh = append(fresh, line{now, strings.TrimRight(string(text), "\r")})
		p.part = rest
	}
	p.lines = append(p.lines, fresh...)
	p.mu.Unlock()
	for _, l := range fresh {
		if p.onLine != nil {
			p.onLine(l)
		}
	}
	return p.log.Write(data)
}

func (p *process) sample(stop <-chan struct{}) {
	ticker := time.NewTicker(sampling)
	defer ticker.Stop()
	for {
		p.look()
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

// look takes one sample. A process that is about to end tells nothing more.
func (p *process) look() {
	cpu, err := cpuOf(p.cmd.Process.Pid)
	now := time.Now()
	peak, resident := memoryOf(p.cmd.Process.Pid)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.cpu.add(now, cpu)
	}
	if resident > 0 {
		p.peaks.add(now, float64(peak))
		p.held.add(now, float64(resident))
	}
}

// usage is the CPU seconds between two moments, and the memory.
func (p *process) usage(w window) (cpu float64, m memory) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cpu.between(w), memory{
		Peak: p.peaks.last(), Load: p.peaks.at(w.until), Early: p.held.at(w.from), Late: p.held.at(w.until),
	}
}

// life is the time in which the process was seen.
func (p *process) life() window {
	p.mu.Lock()
	defer p.mu.Unlock()
	times := p.held.times
	if len(times) == 0 {
		return window{}
	}
	return window{times[0], times[len(times)-1]}
}

// total is the CPU time of the whole process, in seconds.
func (p *process) total() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cpu.last()
}

// output is what the process has printed so far.
func (p *process) output() (lines []line, texts []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines = append(lines, p.lines...)
	for _, l := range lines {
		texts = append(texts, l.text)
	}
	return lines, texts
}

// wait returns when the process has ended by itself. A failure has the end of its
// output.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		<-p.ended // ctx kills it
		return fmt.Errorf("%s: %w", p.name, context.Cause(ctx))
	}
	if p.err == nil {
		return nil
	}
	_, texts := p.output()
	last := texts[max(0, len(texts)-8):]
	return fmt.Errorf("%s: %w; its last lines, of %s:\n%s", p.name, p.err, p.log.Name(), strings.Join(last, "\n"))
}

// kill ends a process that need not end well.
func (p *process) kill() {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintf(os.Stderr, "peers: kill %s: %v\n", p.name, err)
	}
	<-p.ended
}
