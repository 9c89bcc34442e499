package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used so far.
type usage struct {
	cpu time.Duration // user and system time
	rss int64         // resident memory, bytes
}

// The fields of /proc/PID/stat behind the name of the program, from 0.
const (
	fieldUser   = 11 // in ticks
	fieldSystem = 12
	fieldPages  = 21
)

const tick = time.Second / 100 // USER_HZ, on every architecture that DEC runs on

func usageOf(pid int) (usage, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, fmt.Errorf("read what the server used: %w", err)
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // a name may have spaces
	if len(fields) <= fieldPages {
		return usage{}, fmt.Errorf("read what the server used: unknown format %q", text)
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(fields[i], 10, 64) // the kernel writes numbers there
		return n
	}
	return usage{
		cpu: time.Duration(number(fieldUser)+number(fieldSystem)) * tick,
		rss: number(fieldPages) * int64(os.Getpagesize()),
	}, nil
}
