package datadir_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
)

// TestLayout holds what other builds of DEC find in a data folder.
func TestLayout(t *testing.T) {
	h := (&datadir.Folders{Data: "/d"}).Home()
	got := map[string]string{
		"runs": h.Runs(), "attempts": h.Attempts("r1"), "bucket": h.Bucket(), "mirror": h.Mirror(), "staging": h.Staging(),
		"staged": h.Staged("r1"), "services": h.Services("r1"), "journals": h.Journals("r1"), "attended": h.Interactive(),
	}
	want := map[string]string{
		"runs": "/d/runs", "attempts": "/d/runs/r1/attempts", "bucket": "/d/bucket", "mirror": "/d/mirror", "staging": "/d/staging",
		"staged": "/d/staging/r1", "services": "/d/staging/r1/services", "journals": "/d/staging/r1/tofu", "attended": "/d/attended",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layout (-want +got):\n%s", diff)
	}
}

func TestDeletedRunsAreMarked(t *testing.T) {
	h := datadir.Home(t.TempDir())
	if err := h.MarkDeleted("r1"); err != nil {
		t.Fatal(err)
	}
	if !h.MarkedDeleted("r1") || h.MarkedDeleted("r2") {
		t.Errorf("marked: r1 %v, r2 %v, want r1 alone", h.MarkedDeleted("r1"), h.MarkedDeleted("r2"))
	}
	if err := os.WriteFile(h.Staged("r3"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.MarkDeleted("r3"); err == nil || !strings.Contains(err.Error(), "r3") || h.MarkedDeleted("r3") {
		t.Errorf("MarkDeleted() where a file is in the way = %v, want an error that names the run", err)
	}
}

// TestHostIsTheSameForEveryBuild computes what databases hold of earlier builds.
func TestHostIsTheSameForEveryBuild(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := os.ReadFile("/etc/machine-id") // a container may have none
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("dec host\n" + name + "\n" + string(id)))
	want := experiment.Host{ID: hex.EncodeToString(hash[:8]), Boot: strings.TrimSpace(string(boot)), Home: "/d"}
	if diff := cmp.Diff(want, (&datadir.Folders{Data: "/d"}).Host()); diff != "" {
		t.Errorf("Host() (-want +got):\n%s", diff)
	}
}
