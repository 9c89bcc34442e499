package provider_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// TestKilledInMidCreateTheCloudHasTheObject kills OpenTofu and its provider while
// the cloud makes a network that they know no id of.
func TestKilledInMidCreateTheCloudHasTheObject(t *testing.T) {
	t.Parallel()
	tests := map[string]cloud.Fault{
		"whose id comes late":        {Name: cloud.LateID, Delay: ages},
		"that gets ready late":       {Name: cloud.SlowCreate, Delay: ages},
		"that appears after the end": {Name: cloud.LateObject}, // when the fault is switched off
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, fault)
			root := f.root(network)
			tofu := root.Command(t.Context(), apply...)
			tofu.Stdout, tofu.Stderr = new(bytes.Buffer), new(bytes.Buffer)
			if err := tofu.Start(); err != nil {
				t.Fatal(err)
			}
			call := f.Await(func(e cloud.Entry) bool { return e.Event == cloud.EventCall && e.Action == cloud.ActionCreate })
			plugin := pluginOf(t, tofu)
			if !strings.HasPrefix(call.Caller, "terraform-provider-fakecloud") || !strings.HasSuffix(call.Caller, "["+strconv.Itoa(plugin.Pid)+"]") {
				t.Errorf("the log has as the caller %q, want the provider, process %d", call.Caller, plugin.Pid)
			}
			if fault.Name != cloud.LateObject {
				f.Await(isCreated)
			}
			kill(t, tofu.Process)
			kill(t, plugin)
			if err := tofu.Wait(); err == nil {
				t.Error("tofu apply succeeded, want it killed")
			}
			if got := f.objects(); fault.Name == cloud.LateObject && len(got) > 0 {
				t.Errorf("List = %+v after the kill, want nothing yet", got)
			}
			f.SetFaults()
			created := f.Await(isCreated)
			if got := f.objects()[cloud.KindNetwork]; got.Name != run+"-network" || got.Tags["dec:run"] != run {
				t.Errorf("List = %+v, want the network by its name and tags", got)
			}
			if state, err := os.ReadFile(filepath.Join(root.Dir, "terraform.tfstate")); err == nil && bytes.Contains(state, []byte(created.ID)) {
				t.Error("the state knows the object, want it lost")
			}
			if err := f.Delete(t.Context(), created.ID); err != nil {
				t.Errorf("Delete = %v", err)
			}
			f.nothing()
		})
	}
}

func isCreated(e cloud.Entry) bool { return e.Event == cloud.EventCreated }

func kill(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
}

// pluginOf returns the provider that an OpenTofu has started, which the test ends
// at the latest.
func pluginOf(t *testing.T, tofu *exec.Cmd) *os.Process {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		exe, _ := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
		status, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "status"))
		if !strings.Contains(exe, "terraform-provider-fakecloud") || !bytes.Contains(status, []byte("\nPPid:\t"+strconv.Itoa(tofu.Process.Pid)+"\n")) {
			continue
		}
		plugin, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = plugin.Signal(unix.SIGKILL) })
		return plugin
	}
	t.Fatal("OpenTofu has no provider")
	return nil
}

// TestInterruptedWhileItWaits asks OpenTofu to end while an instance gets ready.
func TestInterruptedWhileItWaits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(network, address, instance("exec sleep 600", ""))
	var output bytes.Buffer
	tofu := root.Command(context.WithoutCancel(t.Context()), apply...)
	tofu.Stdout, tofu.Stderr = &output, &output
	if err := tofu.Start(); err != nil {
		t.Fatal(err)
	}
	f.Await(func(e cloud.Entry) bool {
		return e.Event == cloud.EventAnswer && e.Action == cloud.ActionRead && e.Kind == cloud.KindInstance
	})
	if err := tofu.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := tofu.Wait(); err == nil {
		t.Errorf("interrupted apply succeeded\n%s", &output)
	}
	if got := state(root); len(got) != 3 {
		t.Errorf("state has %q after the interrupt, want all three\n%s", got, &output)
	}
	root.Must(destroy...)
	f.nothing()
}
