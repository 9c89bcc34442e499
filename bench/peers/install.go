package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// install brings the tools that come from package registries.
func install(folder string) error {
	cmd := exec.Command(filepath.Join("bench", "peers", "tools", "install"), folder)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("install nats bench and Kafka's tools: %w; it needs Go, Maven and their registries, "+
			"and this command must run in the top folder. Or leave them out: --only dec,bare,omb", err)
	}
	return nil
}
