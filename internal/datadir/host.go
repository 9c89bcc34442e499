package datadir

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"

	"dec.local/dec/internal/experiment"
)

// Host says which machine this is, to servers that share a database. The name
// takes part because containers may share a machine id.
func (f *Folders) Host() experiment.Host {
	hash := sha256.New()
	hash.Write([]byte("dec host\n"))
	name, err := os.Hostname()
	id, idErr := os.ReadFile("/etc/machine-id")
	if err != nil && idErr != nil {
		return experiment.Host{Home: f.Data}
	}
	hash.Write([]byte(name + "\n"))
	hash.Write(id)
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // unknown elsewhere than on Linux
	return experiment.Host{ID: hex.EncodeToString(hash.Sum(nil))[:16], Boot: strings.TrimSpace(string(boot)), Home: f.Data}
}
