package supervise_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dec.local/dec/internal/supervise"
	"golang.org/x/sys/unix"
)

// modeVariable makes this program behave as one of the modes.
const modeVariable = "SUPERVISE_TEST_MODE"

// modes are the programs that the tests supervise, and other processes that
// take part in them. Each prints "ready" when it is.
var modes = map[string]func(args []string) int{
	"graceful": func([]string) int { return countSignals(true) },
	"stubborn": func([]string) int { return countSignals(false) },
	"exit": func(args []string) int {
		fmt.Println("good bye")
		fmt.Fprintln(os.Stderr, "something went wrong")
		code, _ := strconv.Atoi(args[0])
		return code
	},
	"facts":      printFacts,
	"echo":       func(args []string) int { fmt.Println("ready", strings.Join(args, " ")); return 0 },
	"descend":    descend,
	"daemon":     func([]string) int { signal.Ignore(unix.SIGTERM, unix.SIGHUP, unix.SIGINT); return pause("daemon") },
	"idle":       func([]string) int { fmt.Println("ready"); return pause("") },
	"use-memory": useMemory,
	"cpu-tree":   useCPUInProcesses,
	"use-cpu":    func([]string) int { useCPU(); return 0 },
	"write":      write,
	"listen":     listen,
	"speak":      speak,
	"starter":    starter,
	"launcher":   launcher,
	"stopper":    stopper,
	"asker":      asker,
	"full-disk":  func(args []string) int { return report(fullDisk(args[0])) },
}

func runMode(mode string, args []string) int {
	run, ok := modes[mode]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such mode:", mode)
		return 2
	}
	return run(args)
}

func report(err error) int {
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// sidecars are those that the supervisors of these tests know.
var sidecars = map[string]supervise.Sidecar{
	// greeter serves its argument on a port until it is cancelled, then leaves a
	// file beside its argument and takes its time for that.
	"greeter": func(ctx context.Context, arg string) (map[string]string, error) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		release := supervise.Hold(ctx)
		context.AfterFunc(ctx, func() {
			defer release()
			listener.Close()
			<-time.After(100 * time.Millisecond) // the work that must not be cut in two
			os.WriteFile(arg, []byte("cancelled"), 0o600)
		})
		return map[string]string{"GREETER": listener.Addr().String()}, nil
	},
	"broken": func(context.Context, string) (map[string]string, error) {
		return nil, fmt.Errorf("no greetings today")
	},
	"slow": func(ctx context.Context, _ string) (map[string]string, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	},
}

// countSignals appends a line to the file "signals" for each signal.
func countSignals(leave bool) int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1)
	f, err := os.OpenFile("signals", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return report(err)
	}
	fmt.Println("ready")
	for sig := range signals {
		fmt.Fprintln(f, unix.SignalName(sig.(syscall.Signal)))
		if leave {
			return 0
		}
	}
	return 0
}

// pause waits to be killed; it appends its pid to a file if that has a name.
func pause(file string) int {
	if file != "" {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return report(err)
		}
		fmt.Fprintln(f, os.Getpid())
	}
	block()
	return 0
}

// block waits for ever; an empty select would be a deadlock to the runtime.
func block() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, unix.SIGUSR2)
	for range never {
	}
}

// await waits until there is a file of that name that ends with a whole line.
func await(name string) {
	for range time.Tick(time.Millisecond) {
		if data, err := os.ReadFile(name); err == nil && strings.HasSuffix(string(data), "\n") {
			return
		}
	}
}

// facts is what a child sees of itself.
type facts struct {
	Environment []string
	Folder      string
	Descriptors map[string]string // number → target
	Session     int
	Group       int
	PID         int
	CPUs        int
	Ignored     []string // signals
}

func printFacts([]string) int {
	var f facts
	f.Environment = slices.Sorted(slices.Values(os.Environ()))
	f.Folder, _ = os.Getwd()
	f.PID = os.Getpid()
	f.Group, _ = unix.Getpgid(0)
	f.Session, _ = unix.Getsid(0)
	f.CPUs = runtime.NumCPU()
	f.Descriptors = make(map[string]string)
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name())
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 { // the others are its own
			f.Descriptors[e.Name()], _ = os.Readlink("/proc/self/fd/" + e.Name())
		}
	}
	for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGHUP, unix.SIGTERM, unix.SIGQUIT} {
		if signal.Ignored(sig) {
			f.Ignored = append(f.Ignored, unix.SignalName(sig))
		}
	}
	data, err := json.Marshal(f)
	if err != nil {
		return report(err)
	}
	fmt.Println(string(data))
	return 0
}

// descend starts a process in a session of its own that ignores signals and
// whose parent, a process in between, ends; so it can be found neither by its
// group nor by its parent. Arguments: "nolock" lets it close the inherited lock,
// "leave" makes this process end when it is there.
func descend(args []string) int {
	if slices.Contains(args, "between") {
		if slices.Contains(args, "nolock") {
			unix.CloseOnExec(3)
		}
		return report(self("daemon").Start())
	}
	if err := self("descend", append(args, "between")...).Run(); err != nil {
		return report(err)
	}
	await("daemon")
	fmt.Println("ready")
	if slices.Contains(args, "leave") {
		return 7
	}
	return countSignals(true)
}

// self is another process of this program, in a session of its own.
func self(mode string, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = []string{modeVariable + "=" + mode}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// useMemory uses memory until it is killed, half of it in a process of its own.
func useMemory(args []string) int {
	fmt.Println("ready")
	if len(args) == 0 {
		if err := self("use-memory", "alone").Start(); err != nil {
			return report(err)
		}
	}
	var all [][]byte
	for range 64 {
		b := make([]byte, 4<<20)
		for i := range b {
			b[i] = byte(i)
		}
		all = append(all, b)
	}
	block()
	return len(all)
}

// useCPUInProcesses uses CPU in processes that end, one of them without being waited for by
// its parent, and then idles.
func useCPUInProcesses([]string) int {
	if err := self("use-cpu").Run(); err != nil {
		return report(err)
	}
	fmt.Println("ready")
	return pause("")
}

// useCPU uses 0.3 s of CPU time.
func useCPU() {
	for {
		var usage unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
			return
		}
		if time.Duration(usage.Utime.Nano()+usage.Stime.Nano()) >= 300*time.Millisecond {
			return
		}
	}
}

// write writes a megabyte to a file and sees it onto the disk.
func write([]string) int {
	f, err := os.Create("data")
	if err != nil {
		return report(err)
	}
	_, err = f.Write(make([]byte, 1<<20))
	if err == nil {
		err = f.Sync()
	}
	fmt.Println("ready")
	return report(err)
}

// listen listens on a port once the file "open" is there.
func listen(args []string) int {
	fmt.Println("ready")
	await("open")
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return report(err)
	}
	defer listener.Close()
	block()
	return 0
}

// speak prints the beginning of a line to standard error, and its end once the
// file "speak" is there.
func speak([]string) int {
	fmt.Fprint(os.Stderr, "the server is re")
	await("speak")
	fmt.Fprint(os.Stderr, "ady now\r\n")
	block()
	return 0
}

// starter starts a spec in a folder and waits to be killed. It leaks
// descriptors, as many programs do.
func starter(args []string) int {
	unix.Open("/dev/zero", unix.O_RDONLY, 0) // without O_CLOEXEC: as if it had inherited it
	supervise.Main(sidecars)
	unix.Open("/dev/full", unix.O_RDONLY, 0) // of its own making
	signal.Ignore(unix.SIGINT, unix.SIGHUP)  // as a shell does for a job in the background
	var spec supervise.Spec
	if err := json.Unmarshal([]byte(args[1]), &spec); err != nil {
		return report(err)
	}
	if _, err := supervise.Start(context.Background(), args[0], spec, supervise.Secrets{}); err != nil {
		return report(err)
	}
	fmt.Println("started")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// launcher is a supervised process that itself starts a supervised process, in
// the folder named by its first argument, ignores SIGTERM, and ends when the file
// "leave" is there.
func launcher(args []string) int {
	supervise.Main(sidecars)
	exe, err := os.Executable()
	if err != nil {
		return report(err)
	}
	p, err := supervise.Start(context.Background(), args[0], supervise.Spec{
		Name: "inner", Command: []string{exe}, Environment: map[string]string{modeVariable: "stubborn"},
		Readiness: supervise.Readiness{Log: "^ready$"}, Grace: patience,
	}, supervise.Secrets{})
	if err == nil {
		err = p.WaitReady(context.Background())
	}
	if err != nil {
		return report(err)
	}
	signal.Ignore(unix.SIGTERM)
	fmt.Println("ready")
	await("leave")
	return 0
}

// stopper stops the process in a folder.
func stopper(args []string) int {
	supervise.Main(sidecars)
	p, err := supervise.Open(args[0])
	if err == nil {
		fmt.Println("ready")
		io.ReadFull(os.Stdin, make([]byte, 1))
		err = p.Stop(context.Background())
	}
	return report(err)
}

// asker has a lock file open, as everybody has who asks whether it is held.
func asker(args []string) int {
	f, err := os.Open(args[0])
	if err != nil {
		return report(err)
	}
	defer f.Close()
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// folderText returns everything that is in the files of a folder.
func folderText(folder string) (string, error) {
	texts := make(map[string]string)
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		texts[path] = string(data)
		return err
	})
	return strings.Join(slices.Sorted(maps.Values(texts)), "\n"), err
}
