package tofu

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
)

const (
	// stopGrace is how long OpenTofu may take to end what it has begun. A
	// resource that is being created can't be interrupted without being lost.
	stopGrace = 10 * time.Minute
	// followInterval is how often a growing journal is read.
	followInterval = 50 * time.Millisecond
)

// Tags of an attempt's process, by which a later server knows what it is.
const (
	tagInstall = "dec:install"
	tagRun     = "dec:run"
	tagAttempt = "dec:attempt" // its number; absent for commands that are not recorded
	tagKind    = "dec:kind"
)

// command is one OpenTofu command of a run.
type command struct {
	run        string
	target     string                 // of the run; "" for commands that reach no provider's place
	kind       experiment.AttemptKind // "" for commands that change nothing and are not recorded
	verb       string                 // "init", "plan", "show" or "apply"
	args       []string               // after the verb; %s stands for the attempt's own folder
	secrets    map[string]string      // variables for its environment that no file may hold
	onResource func(experiment.Resource)
}

// attemptFolder is a folder below attempts/. Its number orders all commands of
// a run; the number of the attempt in the log counts recorded ones only.
type attemptFolder struct {
	number int
	verb   string
	folder string
}

// attemptsFolder is where a run keeps the folders of its commands.
func attemptsFolder(dir string) string { return filepath.Join(dir, "attempts") }

// listAttempts returns a run's command folders, oldest first.
func listAttempts(dir string) ([]attemptFolder, error) {
	entries, err := os.ReadDir(attemptsFolder(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	var found []attemptFolder
	for _, entry := range entries {
		number, verb, _ := strings.Cut(entry.Name(), "-")
		if n, err := strconv.Atoi(number); err == nil {
			found = append(found, attemptFolder{n, verb, filepath.Join(attemptsFolder(dir), entry.Name())})
		}
	}
	slices.SortFunc(found, func(a, b attemptFolder) int { return cmp.Compare(a.number, b.number) })
	return found, nil
}

// execute runs one command to its end and returns its folder. It is the one way
// to run OpenTofu. When ctx ends, the process gets its one SIGINT and is waited
// for, its states are kept, and the error is that of ctx.
func (r *Runner) execute(ctx context.Context, c command) (string, error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	dir, err := r.folder(c.run)
	if err != nil {
		return "", err
	}
	earlier, err := listAttempts(dir)
	if err != nil {
		return "", err
	}
	next := 1
	if len(earlier) > 0 {
		next = earlier[len(earlier)-1].number + 1
	}
	folder := filepath.Join(attemptsFolder(dir), fmt.Sprintf("%04d-%s", next, c.verb))
	spec, err := r.spec(dir, folder, c)
	if err != nil {
		return "", err
	}
	process, err := r.start(ctx, c, folder, spec)
	if err != nil {
		return "", err
	}
	// The attempt has begun, whatever becomes of ctx.
	uncancelled := context.WithoutCancel(ctx)
	followed := follow(ctx, process, c.onResource)
	outcome, err := r.settle(uncancelled, dir, folder)
	if cause := context.Cause(ctx); cause != nil {
		return folder, errors.Join(cause, followed)
	}
	if err := errors.Join(followed, err); err != nil {
		return folder, err
	}
	return folder, outcome.err(c.verb)
}

// start records a command that is to be recorded, and starts it.
func (r *Runner) start(ctx context.Context, c command, folder string, spec supervise.Spec) (*supervise.Process, error) {
	attempt := experiment.Attempt{Run: c.run, Kind: c.kind, Folder: folder, StartedAt: time.Now()}
	if c.kind != "" {
		var err error
		if attempt.N, err = r.options.Attempts.BeginAttempt(ctx, attempt); err != nil {
			return nil, fmt.Errorf("record the start of tofu %s: %w", c.verb, err)
		}
		spec.Tags[tagAttempt], spec.Tags[tagKind] = strconv.Itoa(attempt.N), string(c.kind)
	}
	process, err := supervise.Start(context.WithoutCancel(ctx), folder, spec, supervise.Secrets{Environment: c.secrets})
	if err == nil {
		return process, nil
	}
	err = fmt.Errorf("start tofu %s: %w", c.verb, err)
	if c.kind != "" { // there is no folder that would tell it later
		attempt.EndedAt, attempt.Outcome, attempt.Error = time.Now(), outcomeFailed, err.Error()
		err = errors.Join(err, r.options.Attempts.EndAttempt(context.WithoutCancel(ctx), attempt))
	}
	return nil, err
}

// spec describes the process of a command. Its environment is built from
// nothing: a variable of the server must not change what OpenTofu does.
func (r *Runner) spec(dir, folder string, c command) (supervise.Spec, error) {
	base, err := newestState(dir)
	if err != nil {
		return supervise.Spec{}, err
	}
	arg, err := json.Marshal(backendArg{Attempt: folder, Base: base.name, Lineage: c.run})
	if err != nil {
		return supervise.Spec{}, fmt.Errorf("encode the state backend's argument: %w", err)
	}
	argv := []string{r.options.Binary, "-chdir=" + rootFolder(dir), c.verb}
	for _, argument := range c.args {
		argv = append(argv, strings.ReplaceAll(argument, "%s", folder))
	}
	return supervise.Spec{
		Name:        "tofu-" + c.verb,
		Command:     argv,
		Environment: r.environment(dir, c.target),
		Lifetime:    supervise.Task,
		StopSignal:  "SIGINT", // once: a second signal makes OpenTofu lose what it is creating
		Grace:       stopGrace,
		Tags:        map[string]string{tagInstall: r.options.Install, tagRun: c.run},
		Sidecar:     &supervise.SidecarSpec{Name: sidecarName, Arg: string(arg)},
	}, nil
}

// environment is OpenTofu's, beside what the state backend adds.
func (r *Runner) environment(dir, target string) map[string]string {
	env := map[string]string{
		"HOME":                      dir,
		"PATH":                      "/usr/local/bin:/usr/bin:/bin",
		"TF_IN_AUTOMATION":          "1",
		"TF_DATA_DIR":               filepath.Join(dir, "data"),
		"TF_CLI_CONFIG_FILE":        cliConfig(dir),
		"TF_STATE_PERSIST_INTERVAL": "20", // seconds; OpenTofu panics below
	}
	maps.Copy(env, r.options.Targets[target].Environment)
	return env
}

// follow reads an attempt's journal until the process has ended. It stops the
// process when ctx ends.
func follow(ctx context.Context, process *supervise.Process, onResource func(experiment.Resource)) error {
	ended := make(chan error, 1)
	go func() {
		_, err := process.Wait(ctx)
		if ctx.Err() != nil {
			err = process.Stop(context.WithoutCancel(ctx))
		}
		if errors.Is(err, supervise.ErrNoExit) {
			err = nil // what that means is for settle to say
		}
		ended <- err
	}()
	var journal tail
	watch := stopwatch{}
	emit := func(m message) {
		if event, ok := watch.event(m); ok && onResource != nil {
			onResource(event)
		}
	}
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := journal.read(process.Folder(), emit); err != nil {
				return errors.Join(err, <-ended, journal.close())
			}
		case err := <-ended:
			return errors.Join(err, journal.read(process.Folder(), emit), journal.close())
		}
	}
}
