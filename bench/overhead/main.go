// Command overhead measures what DEC adds to OpenTofu: the time of a run's
// phases against a raw `tofu apply` and `tofu destroy` of the very same root
// module, taken from the run itself.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

const plan = `{"name": "overhead", "workload": {"load": {"rate": 200}, "stages": {"warmup": "1s", "measure": "2s", "drain": "5s"}},
 "variants": [{"label": "%s", "technology": "%s", "stack": "%s"}], "repeat": 1}`

func main() {
	dec := flag.String("dec", "bin/dec", "the dec command")
	tofu := flag.String("tofu", ".tools/bin/tofu", "OpenTofu")
	rounds := flag.Int("n", 3, "rounds per technology")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *dec, *tofu, *rounds); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "overhead:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dec, tofu string, rounds int) error {
	fmt.Printf("%-6s  %18s  %9s  %6s  %16s  %11s  %6s\n", "", "provision+prepare", "raw apply", "adds", "destroy+verify", "raw destroy", "adds")
	for _, tech := range [][2]string{{"nats", "jetstream"}, {"kafka", "kraft"}} {
		var up, down []float64
		for range rounds {
			f, err := measure(ctx, dec, tofu, tech)
			if err != nil {
				return fmt.Errorf("%s: %w", tech[0], err)
			}
			fmt.Printf("%-6s  %16.1f s  %7.1f s  %4.1f s  %14.1f s  %9.1f s  %4.1f s\n", tech[0],
				f.up, f.rawUp, f.up-f.rawUp, f.down, f.rawDown, f.down-f.rawDown)
			up, down = append(up, f.up-f.rawUp), append(down, f.down-f.rawDown)
		}
		slices.Sort(up)
		slices.Sort(down)
		fmt.Printf("%-6s  median: up adds %.1f s, down adds %.1f s\n", tech[0], up[len(up)/2], down[len(down)/2])
	}
	return nil
}

// figures are times in seconds.
type figures struct{ up, rawUp, down, rawDown float64 }

func measure(ctx context.Context, dec, tofu string, tech [2]string) (figures, error) {
	dir, err := os.MkdirTemp("", "dec-overhead-")
	if err != nil {
		return figures{}, err
	}
	defer os.RemoveAll(dir)
	root := filepath.Join(dir, "root")
	f, err := throughDEC(ctx, dec, dir, root, tech)
	if err != nil {
		return figures{}, err
	}
	abs, err := filepath.Abs(tofu)
	if err != nil {
		return figures{}, err
	}
	f.rawUp, f.rawDown, err = raw(ctx, abs, dir, root)
	return f, err
}

// throughDEC runs the plan, keeps a copy of the run's root module, and reads the
// phases' times.
func throughDEC(ctx context.Context, dec, dir, root string, tech [2]string) (figures, error) {
	file := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, plan, tech[0], tech[0], tech[1]), 0o600); err != nil {
		return figures{}, err
	}
	data := filepath.Join(dir, "data")
	cmd := exec.CommandContext(ctx, dec, "run", file, "--json", "--data", data)
	cmd.Env = append(os.Environ(), "DEC_LOCAL_LEDGER="+filepath.Join(dir, "ledger"))
	var out bytes.Buffer
	cmd.Stdout = &out
	progress, err := cmd.StderrPipe()
	if err != nil {
		return figures{}, err
	}
	if err := cmd.Start(); err != nil {
		return figures{}, err
	}
	lines, copied := bufio.NewScanner(progress), false
	for lines.Scan() {
		if !copied && strings.HasSuffix(lines.Text(), " load") { // a run that is not valid is followed by another
			copied = true
			found, err := filepath.Glob(filepath.Join(data, "runs", "*", "root"))
			if err != nil || len(found) != 1 {
				return figures{}, fmt.Errorf("root module of the run: %v, %v", found, err)
			}
			if err := os.CopyFS(root, os.DirFS(found[0])); err != nil {
				return figures{}, err
			}
		}
	}
	// 3: the load was not valid, on a busy machine. The way up and down is measured all the same.
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 3 {
		return figures{}, fmt.Errorf("dec run: %w", err)
	}
	var report struct {
		Runs []experiment.Run `json:"runs"`
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		return figures{}, err
	}
	at := map[experiment.Phase]time.Time{}
	for _, p := range report.Runs[0].Phases {
		at[p.Phase] = p.At
	}
	return figures{
		up:   at[experiment.PhaseLoad].Sub(at[experiment.PhaseProvision]).Seconds(),
		down: at[experiment.PhaseEnded].Sub(at[experiment.PhaseDestroy]).Seconds(),
	}, nil
}

// raw applies and destroys the same root module with a state file beside it.
func raw(ctx context.Context, tofu, dir, root string) (up, down float64, err error) {
	if err := os.WriteFile(filepath.Join(root, "backend_override.tf"), []byte("terraform {\n  backend \"local\" {}\n}\n"), 0o600); err != nil {
		return 0, 0, err
	}
	config := filepath.Join(dir, "tofurc")
	mirror := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.Join(dir, "data", "mirror"))
	if err := os.WriteFile(config, []byte(mirror), 0o600); err != nil {
		return 0, 0, err
	}
	step := func(args ...string) (float64, error) {
		cmd := exec.CommandContext(ctx, tofu, args...)
		cmd.Dir = root
		cmd.Env = []string{
			"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TF_CLI_CONFIG_FILE=" + config, "TF_IN_AUTOMATION=1",
			"DEC_LOCAL_LEDGER=" + filepath.Join(dir, "ledger"),
		}
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("tofu %v: %w\n%s", args, err, out)
		}
		return time.Since(began).Seconds(), nil
	}
	if _, err := step("init", "-input=false"); err != nil {
		return 0, 0, err
	}
	if up, err = step("apply", "-auto-approve", "-input=false", "-parallelism=50"); err != nil {
		return 0, 0, err
	}
	down, err = step("destroy", "-auto-approve", "-input=false", "-parallelism=50")
	return up, down, err
}
