package supervise

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The defaults of a [Spec].
const (
	defaultGrace        = 10 * time.Second
	defaultReadyTimeout = 60 * time.Second
	defaultReadyHost    = "127.0.0.1"
	defaultStopSignal   = "SIGTERM"
)

func (s Spec) grace() time.Duration { return cmp.Or(s.Grace, defaultGrace) }

func (s Spec) stopSignal() string { return cmp.Or(s.StopSignal, defaultStopSignal) }

// address is where the port is, for people and for [net.Dial].
func (r Readiness) address() string {
	return net.JoinHostPort(cmp.Or(r.Host, defaultReadyHost), strconv.Itoa(r.Port))
}

func (r Readiness) timeout() time.Duration { return cmp.Or(r.Timeout, defaultReadyTimeout) }

// Validate says everything that is wrong with the spec and can be known
// without looking at the machine.
func (s Spec) Validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(s.Name == "", "name is missing")
	bad(len(s.Command) == 0 || s.Command[0] == "", "command is missing")
	for _, arg := range s.Command {
		bad(strings.ContainsRune(arg, 0), "command: argument %q contains a zero byte", arg)
	}
	errs = append(errs, checkEnvironment(s.Environment))
	for path := range s.Files {
		bad(!localPath(path), "files: %q is not a path below the working folder", path)
	}
	for _, path := range s.SecretFiles {
		bad(!localPath(path), "secret files: %q is not a path below the working folder", path)
	}
	for path, target := range s.Artifacts {
		bad(!localPath(path), "artifacts: %q is not a path below the working folder", path)
		bad(!filepath.IsAbs(target), "artifacts: %s: %q is not an absolute path", path, target)
	}
	bad(s.Lifetime != "" && s.Lifetime != Service && s.Lifetime != Task,
		"lifetime is %q; it must be %q or %q", s.Lifetime, Service, Task)
	_, err := regexp.Compile(s.Readiness.Log)
	bad(err != nil, "readiness: log: %w", err)
	bad(s.Readiness.Port < 0 || s.Readiness.Port > 65535, "readiness: port %d is not between 1 and 65535", s.Readiness.Port)
	bad(s.Readiness.Timeout < 0, "readiness: timeout %s is negative", s.Readiness.Timeout)
	bad(unix.SignalNum(s.stopSignal()) == 0, "stop signal %q is unknown: use a name such as SIGTERM", s.StopSignal)
	bad(s.Grace < 0, "grace %s is negative", s.Grace)
	bad(s.Limits.MemoryBytes < 0, "limits: memory of %d bytes is negative", s.Limits.MemoryBytes)
	for _, cpu := range s.Limits.CPUs {
		bad(cpu < 0 || cpu >= maxCPUs, "limits: CPU %d is not between 0 and %d", cpu, maxCPUs-1)
	}
	bad(s.Sidecar != nil && s.Sidecar.Name == "", "sidecar: name is missing")
	bad(s.Logs != "" && !filepath.IsAbs(s.Logs), "logs: %q is not an absolute path", s.Logs)
	return errors.Join(errs...)
}

// checkEnvironment refuses names and values that no environment can hold. It
// does not repeat values, which may be secret.
func checkEnvironment(env map[string]string) error {
	var errs []error
	for name, value := range env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.ContainsRune(value, 0) {
			errs = append(errs, fmt.Errorf("environment: variable %q has no name, or contains an equals sign or a zero byte", name))
		}
	}
	return errors.Join(errs...)
}

// localPath reports whether path names something below the folder it is relative to.
func localPath(path string) bool {
	return filepath.IsLocal(path) && filepath.Clean(path) != "." && !strings.ContainsRune(path, 0)
}
