// Package ui holds the built web page. `npm ci && npm run build` in this folder
// builds it; without that the program has none, and serves the API alone.
package ui

import (
	"embed"
	"io/fs"
)

// dist is the build's output. A file that is always there keeps the pattern
// valid before the first build.
//
//go:embed all:dist
var dist embed.FS

// FS returns the files of the page, index.html at its root, or nil when it was
// not built.
func FS() fs.FS { return page(dist) }

// page returns the folder dist of files if a page is in it.
func page(files fs.FS) fs.FS {
	built, err := fs.Sub(files, "dist")
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(built, "index.html"); err != nil {
		return nil
	}
	return built
}
