package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/api"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const smallPlan = `
name: small
workload: {load: {rate: 10}, stages: {measure: 2s}}
variants:
  - {label: a, technology: nats, stack: jetstream}
repeat: 2
`

// tools are the flags that name the installed tools.
func tools(t *testing.T) []string {
	t.Helper()
	path, err := filepath.Abs("../../.tools")
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--tools", path}
}

func TestDryRunStartsNothing(t *testing.T) {
	home := t.TempDir()
	code, out, errs := call(t, map[string]string{"HOME": home}, append(tools(t), "run", write(t, "plan.yaml", smallPlan), "--dry-run")...)
	var tried api.DryRun
	if err := json.Unmarshal([]byte(out), &tried); err != nil || code != exitOK {
		t.Fatalf("dec run --dry-run = exit %d, %q, %v\n%s", code, out, err, errs)
	}
	if len(tried.Order) != 2 || tried.EstimateS == 0 || tried.EstimateOf == "" || !strings.Contains(tried.YAML, "rate: 10") || tried.Plan.Repeat != 2 {
		t.Errorf("dry run = %+v, want order, estimate and the plan with its defaults", tried)
	}
	if !strings.Contains(errs, "Warning: ") {
		t.Errorf("standard error = %q, want the warnings", errs)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("a dry run left %v, %v", left, err)
	}
}

func TestPlanBeyondTheBoundsIsRefused(t *testing.T) {
	plan := write(t, "plan.yaml", smallPlan)
	for name, args := range map[string][]string{
		"a file":               {write(t, "deep.yaml", strings.Repeat("- ", 300_000))},
		"a file of JSON":       {write(t, "deep.json", strings.Repeat(`{"a":`, 150_000))},
		"a workload elsewhere": {plan, "--set", "workload.message=" + strings.Repeat("{a: ", 30_000)},
	} {
		code, _, errs := call(t, map[string]string{"HOME": t.TempDir()}, append(append(tools(t), "run", "--dry-run"), args...)...)
		if code != exitUsage || !strings.Contains(errs, "line 1: nested 65 levels deep; at most 64 are allowed") {
			t.Errorf("dec run of %s = exit %d, %.200q, want %d and the depth", name, code, errs, exitUsage)
		}
	}
}

func TestCommandsSayThatThereIsNoServer(t *testing.T) {
	for _, args := range [][]string{
		{"experiments", "list"}, {"experiments", "show", "e000000000"}, {"experiments", "cancel", "e000000000"}, {"runs", "list"},
		{"runs", "log", "r000000000"}, {"runs", "cancel", "r000000000"}, {"compare", "r000000000"}, {"shutdown"}, {"shutdown", "--cancel"},
	} {
		home := t.TempDir()
		code, _, errs := call(t, map[string]string{"HOME": home}, args...)
		if code != exitFailed || !strings.Contains(errs, "dec serve") {
			t.Errorf("dec %v = exit %d, %q, want %d and a word on dec serve", args, code, errs, exitFailed)
		}
		if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
			t.Errorf("dec %v left %v, %v", args, left, err)
		}
	}
}

func TestNamedServerNeedsATokenAndAnAddress(t *testing.T) {
	tests := map[string]struct {
		vars map[string]string
		args []string
		code int
		want string
	}{
		"no token":        {map[string]string{}, []string{"--server", "http://127.0.0.1:1"}, exitUsage, "DEC_TOKEN"},
		"no address":      {map[string]string{"DEC_TOKEN": "x"}, []string{"--server", "localhost"}, exitUsage, "http://127.0.0.1:8080"},
		"nobody there":    {map[string]string{"DEC_TOKEN": "x"}, []string{"--server", "http://127.0.0.1:1"}, exitFailed, "cannot be reached"},
		"no file":         {map[string]string{}, []string{"--server", "http://127.0.0.1:1", "--token-file", "none"}, exitFailed, "none"},
		"an unknown flag": {map[string]string{}, []string{"--sever", "x"}, exitUsage, "--sever"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, _, errs := call(t, tt.vars, append(tt.args, "catalog")...)
			if code != tt.code || !strings.Contains(errs, tt.want) {
				t.Errorf("dec catalog = exit %d, %q, want %d and %q", code, errs, tt.code, tt.want)
			}
		})
	}
}

func TestKeepTakesDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"90d": 90 * 24 * time.Hour, "1.5d": 36 * time.Hour, "36h": 36 * time.Hour, "1h30m": 90 * time.Minute} {
		var k keepFor
		if err := k.UnmarshalText([]byte(text)); err != nil || time.Duration(k) != want {
			t.Errorf("keep %q = %s, %v, want %s", text, time.Duration(k), err, want)
		}
	}
	for _, text := range []string{"", "90", "d", "-3d", "90days", "forever"} {
		if err := new(keepFor).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("keep %q has no error", text)
		}
	}
}

func TestConfigFileOfServe(t *testing.T) {
	tests := map[string]struct {
		file string
		env  string // DEC_LISTEN
		args []string
		want string // part of what dec serve says
	}{
		"a value of the file":            {"listen: 127.0.0.1:none\n", "", nil, "tcp/none"},
		"the environment counts more":    {"listen: 127.0.0.1:none\n", "127.0.0.1:env", nil, "tcp/env"},
		"a flag counts most":             {"listen: 127.0.0.1:none\n", "127.0.0.1:env", []string{"--listen", "127.0.0.1:flag"}, "tcp/flag"},
		"a map":                          {"listen: 127.0.0.1:none\ntarget-slots: {local: 2}\n", "", nil, "tcp/none"},
		"an unknown setting":             {"listn: x\n", "", nil, `unknown setting "listn"`},
		"a value that is none":           {"log-format: loud\n", "", nil, "log-format"},
		"a length of time that is none":  {"keep: forever\n", "", nil, "keep"},
		"no YAML":                        {"listen: [\n", "", nil, "config"},
		"no settings":                    {"[listen]\n", "", nil, "write settings"},
		"a setting twice":                {"listen: a\nlisten: b\n", "", nil, "listen: is given twice, the second time on line 2"},
		"more than can be read":          {"listen: " + strings.Repeat("[", 300_000), "", nil, "line 1: nested 65 levels deep"},
		"nothing for a setting":          {"listen: 127.0.0.1:none\nkeep:\n", "", nil, "tcp/none"},
		"a webhook without its secret":   {"notify-url: https://example.com/hook\n", "", nil, "secret"},
		"a list":                         {"listen: [a]\n", "", nil, "list"},
		"a setting of another command":   {"dry-run: true\n", "", nil, `unknown setting "dry-run"`},
		"the public URL that is no URL":  {"public-url: example\n", "", nil, "public URL"},
		"a data folder beside the flags": {"data: DATA\nlisten: 127.0.0.1:none\n", "", nil, "tcp/none"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DEC_LISTEN", tt.env)
			if tt.env == "" {
				os.Unsetenv("DEC_LISTEN")
			}
			home := t.TempDir()
			programs(t, home)
			file := write(t, "dec.yaml", strings.ReplaceAll(tt.file, "DATA", filepath.Join(home, "elsewhere")))
			args := append(tools(t), "serve", "--config", file)
			code, _, errs := call(t, map[string]string{"HOME": home}, append(args, tt.args...)...)
			if code == exitOK || !strings.Contains(errs, tt.want) {
				t.Errorf("dec serve = exit %d, %q, want a failure and %q", code, errs, tt.want)
			}
			_, err := os.Stat(filepath.Join(home, "elsewhere"))
			if (err == nil) != strings.Contains(tt.file, "DATA") {
				t.Errorf("the data folder of the file: %v", err)
			}
		})
	}
}
