package server

import (
	"runtime"
	"runtime/debug"
)

// Version is what this build is: its version, the Go that made it, and the
// platform that it is for.
func Version() map[string]string {
	version := "development"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	return map[string]string{
		"version":  version,
		"go":       runtime.Version(),
		"platform": runtime.GOOS + "/" + runtime.GOARCH,
	}
}
