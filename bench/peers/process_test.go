package main

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestAProcessIsMeasuredFromOutside(t *testing.T) {
	var told []string
	p, err := start(t.Context(), command{name: "sh", dir: t.TempDir(), onLine: func(l line) { told = append(told, l.text) },
		args: []string{"sh", "-c", "echo one; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; printf 'two\nthree'"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told, " "); got != "one two" {
		t.Errorf("lines = %q, want those that have ended", got)
	}
	if p.total() <= 0 {
		t.Errorf("CPU seconds = %v, want some", p.total())
	}
	if cpu, m := p.usage(p.life()); cpu > p.total() || m.Peak < m.Early || m.Load > m.Peak {
		t.Errorf("usage = %v s, %+v; its total is %v s", cpu, m, p.total())
	}
}

func TestAFailureIsQuoted(t *testing.T) {
	p, err := start(t.Context(), command{name: "sh", dir: t.TempDir(), args: []string{"sh", "-c", "echo no such topic; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	err = p.wait(t.Context())
	if _, ok := errors.AsType[*exec.ExitError](err); !ok || !strings.Contains(err.Error(), "no such topic") {
		t.Errorf("wait() = %v, want its exit and what it said", err)
	}
}

func TestTheEndOfTheContextEndsAProcess(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	p, err := start(ctx, command{name: "sleep", dir: t.TempDir(), args: []string{"sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("far too long")
	cancel(cause)
	if err := p.wait(ctx); !errors.Is(err, cause) {
		t.Errorf("wait() = %v, want %v", err, cause)
	}
}
