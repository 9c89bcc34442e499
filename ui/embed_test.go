package ui

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestPageIsThereOnceBuilt(t *testing.T) {
	built := fstest.MapFS{"dist/.gitkeep": {}, "dist/index.html": {Data: []byte("<!doctype html>")}, "dist/assets/a.js": {}}
	files := page(built)
	if files == nil {
		t.Fatal("page(a build) = nil, want its files")
	}
	for _, name := range []string{"index.html", "assets/a.js"} {
		if _, err := fs.Stat(files, name); err != nil {
			t.Errorf("page(a build) lacks %s: %v", name, err)
		}
	}
}

func TestNoPageWithoutBuild(t *testing.T) {
	if files := page(fstest.MapFS{"dist/.gitkeep": {}}); files != nil {
		t.Errorf("page(no build) = %v, want nil", files)
	}
}
