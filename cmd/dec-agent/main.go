// Command dec-agent drives one agent's share of a run's workload and measures
// what comes of it. DEC starts it, on the local machine or on nodes of a cloud;
// it meets the server only in a bucket.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"dec.local/dec/internal/agent"
	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

// usage has room for the programs of the technologies.
const usage = `dec-agent is started by DEC; there is rarely a reason to run it by hand.

  dec-agent run       run one agent of a run, configured by these variables:
                        DEC_BUCKET  bucket that it shares with the server, file:///absolute/folder
                                    or s3://name/prefix?region=region
                        DEC_RUN     ID of the run
                        DEC_AGENT   ID of this agent, such as producer-0
                      It reads the secret options of its stack and the
                      credentials of the bucket from secrets.json and
                      bucket.json in its working folder, if they exist.
%s  dec-agent version   print the version
`

// help describes the commands.
func help() string {
	const indent = "\n                      "
	var programs strings.Builder
	for _, t := range all.Technologies() {
		for _, p := range t.Programs {
			programs.WriteString("  dec-agent " + p.Name + indent + strings.ReplaceAll(p.Help, "\n", indent) + "\n")
		}
	}
	return fmt.Sprintf(usage, &programs)
}

func main() {
	supervise.Main(nil)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run does one command and returns the exit code: 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprint(stderr, help())
		return 2
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	switch args[0] {
	case "run":
		return exitCode(drive(ctx, log, world{technologies: findTechnology}), stderr)
	case reference.AgentCommand: // of dec certify alone, and so not in the help
		return exitCode(driveReference(ctx, log), stderr)
	case reference.BrokerCommand:
		return exitCode(serveReference(ctx, stdout), stderr)
	case "version":
		fmt.Fprintln(stdout, buildinfo.Version())
	case "help", "-h", "--help":
		fmt.Fprint(stdout, help())
	default:
		program, ok := findProgram(args[0])
		if !ok {
			fmt.Fprintf(stderr, "dec-agent: unknown command %q\n\n%s", args[0], help())
			return 2
		}
		return exitCode(program.Run(ctx, log), stderr)
	}
	return 0
}

// exitCode prints an error and returns what to end with.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "dec-agent:", err)
	if errors.Is(err, technology.ErrUsage) {
		return 2
	}
	return 1
}

// world is what an agent finds around it.
type world struct {
	technologies func(name string) (technology.Technology, bool)
	clockAhead   time.Duration // of its wall clock
}

// drive runs the agent that the environment names.
func drive(ctx context.Context, log *slog.Logger, w world) error {
	env := make(map[string]string)
	for _, name := range []string{"DEC_BUCKET", "DEC_RUN", "DEC_AGENT"} {
		if env[name] = os.Getenv(name); env[name] == "" {
			return fmt.Errorf("%s is not set; %w", name, technology.ErrUsage)
		}
	}
	secrets, err := readSecrets(secretsFile)
	if err != nil {
		return err
	}
	bucket, err := openBucket(ctx, env["DEC_BUCKET"])
	if err != nil {
		return err
	}
	defer bucket.Close()
	agent.Tune()
	return agent.Run(ctx, agent.Options{
		Bucket:       bucket,
		Run:          env["DEC_RUN"],
		ID:           env["DEC_AGENT"],
		Secrets:      secrets,
		Technologies: w.technologies,
		ClockAhead:   w.clockAhead,
		Version:      buildinfo.Version(),
		Build:        build(),
		Logger:       log,
	})
}

// build names this program by its content; "" if that cannot be read.
func build() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	digest, _ := buildinfo.Digest(path)
	return digest
}

// secretsFile is where the server has put the secrets, as internal/tofu says.
const secretsFile = "secrets.json"

// readSecrets reads the secret options of the stack; none when there is no file.
func readSecrets(name string) (map[string]json.RawMessage, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	var secrets map[string]json.RawMessage
	if json.Unmarshal(data, &secrets) != nil { // the error itself may repeat one
		return nil, fmt.Errorf("%s is not a JSON object", name)
	}
	return secrets, nil
}

// findTechnology returns the technology with this name.
func findTechnology(name string) (technology.Technology, bool) {
	for _, t := range all.Technologies() {
		if t.Name == name {
			return t, true
		}
	}
	return technology.Technology{}, false
}

// findProgram returns the program of a technology with this name.
func findProgram(name string) (technology.Program, bool) {
	for _, t := range all.Technologies() {
		for _, p := range t.Programs {
			if p.Name == name {
				return p, true
			}
		}
	}
	return technology.Program{}, false
}
