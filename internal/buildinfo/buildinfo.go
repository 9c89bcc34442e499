// Package buildinfo tells which build of DEC a program is. All programs of one
// release tell the same version.
package buildinfo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
)

// version is stamped by the linker when a release is made:
// -X dec.local/dec/internal/buildinfo.version=v1.2.3
var version string

// Version returns the version of this build: that of its release, or what Go
// knows of its commit, or "development".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}

// Versions returns what made a result or prints a version: "version", the version
// of "go", and the "platform", such as linux/amd64.
func Versions() map[string]string {
	return map[string]string{
		"version":  Version(),
		"go":       runtime.Version(),
		"platform": runtime.GOOS + "/" + runtime.GOARCH,
	}
}

// Digest names a program by its content: the first 12 hexadecimal digits of the
// SHA-256 of its file.
func Digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}
