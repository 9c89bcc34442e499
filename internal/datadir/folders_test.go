package datadir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
)

// environment is the getenv of a process with these variables.
func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

// write makes a file with its folders.
func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// resolved are the places in force.
type resolved struct {
	Data, Tools, Key, Database, Bucket, Log string
	SharedDatabase, SharedBucket            bool
}

func TestResolve(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	// in is what lies in a data folder where nothing else is named.
	in := func(data string) resolved {
		return resolved{Data: data, Tools: "/opt/dec/.tools", Key: data + "/key", Database: data + "/dec.db", Bucket: "file://" + data + "/bucket", Log: data + "/dec.log"}
	}
	with := func(r resolved, change func(*resolved)) resolved { change(&r); return r }
	home := map[string]string{"HOME": "/home/me"}
	tests := map[string]struct {
		folders datadir.Folders
		vars    map[string]string
		want    resolved
	}{
		"the user's data folder": {datadir.Folders{}, home, in("/home/me/.local/share/dec")},
		"another base of it": {
			datadir.Folders{}, map[string]string{"HOME": "/home/me", "XDG_DATA_HOME": "/srv/data"}, in("/srv/data/dec")},
		"no home is needed beside it":    {datadir.Folders{}, map[string]string{"XDG_DATA_HOME": "/srv/data"}, in("/srv/data/dec")},
		"none is needed beside a folder": {datadir.Folders{Data: "/srv/dec"}, nil, in("/srv/dec")},
		"a folder from here":             {datadir.Folders{Data: "some/../data"}, home, in(here + "/data")},
		"tools from here": {
			datadir.Folders{Data: "/d", Tools: "tools"}, home, with(in("/d"), func(r *resolved) { r.Tools = here + "/tools" })},
		"a database file": {
			datadir.Folders{Data: "/d", Database: "/srv/other.db"}, home, with(in("/d"), func(r *resolved) { r.Database = "/srv/other.db" })},
		"a database server": {
			datadir.Folders{Data: "/d", Database: "postgres://db/dec"}, home,
			with(in("/d"), func(r *resolved) { r.Database, r.SharedDatabase = "postgres://db/dec", true })},
		"a bucket folder": {
			datadir.Folders{Data: "/d", Bucket: "/mnt/a bucket"}, home,
			with(in("/d"), func(r *resolved) { r.Bucket, r.SharedBucket = "file:///mnt/a%20bucket", true })},
		"a bucket folder from here": {
			datadir.Folders{Data: "/d", Bucket: "bucket"}, home,
			with(in("/d"), func(r *resolved) { r.Bucket, r.SharedBucket = "file://"+here+"/bucket", true })},
		"a bucket on S3": {
			datadir.Folders{Data: "/d", Bucket: "s3://results/team"}, home,
			with(in("/d"), func(r *resolved) { r.Bucket, r.SharedBucket = "s3://results/team", true })},
		"a key elsewhere": {
			datadir.Folders{Data: "/d", KeyFile: "/run/secrets/key"}, home, with(in("/d"), func(r *resolved) { r.Key = "/run/secrets/key" })},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := tt.folders
			if err := f.Resolve(environment(tt.vars), "/opt/dec/bin/dec"); err != nil {
				t.Fatal(err)
			}
			got := resolved{
				Data: f.Data, Tools: f.Tools, Key: f.KeyPath(), Database: f.DatabaseURL(), Bucket: f.BucketURL(), Log: f.Logs(),
				SharedDatabase: f.SharedDatabase(), SharedBucket: f.SharedBucket(),
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Resolve() (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{f.Tools + "/artifacts", f.Data + "/artifacts"}, f.Artifacts()); diff != "" {
				t.Errorf("Artifacts() (-want +got):\n%s", diff)
			}
			if f.Executable != "/opt/dec/bin/dec" || f.Getenv("HOME") != tt.vars["HOME"] {
				t.Errorf("executable %q, HOME %q, want those that Resolve was given", f.Executable, f.Getenv("HOME"))
			}
		})
	}
}

func TestWithoutAHomeAFolderMustBeNamed(t *testing.T) {
	var f datadir.Folders
	if err := f.Resolve(environment(nil), "/opt/dec/bin/dec"); err == nil || !strings.Contains(err.Error(), "--data DIR") {
		t.Errorf("Resolve() = %v, want an error that says how to name a folder", err)
	}
}

func TestAFolderIsUsedOnceItHasADatabase(t *testing.T) {
	f := datadir.Folders{Data: t.TempDir()}
	if f.Used() {
		t.Error("Used() of an empty folder = true")
	}
	write(t, f.DatabaseURL(), "", 0o600)
	if !f.Used() {
		t.Error("Used() with a database = false")
	}
	f = datadir.Folders{Data: t.TempDir(), Database: "postgres://db/dec"}
	if !f.Used() {
		t.Error("Used() with a database that others share = false")
	}
}

func TestOnlyACloneHasAMakefile(t *testing.T) {
	dir := t.TempDir()
	f := datadir.Folders{Executable: filepath.Join(dir, "bin", "dec")}
	if got := f.Setup(); !strings.Contains(got, "in a clone of this version") || !strings.Contains(got, "--tools") {
		t.Errorf("Setup() without a Makefile = %q, want a word on a clone and --tools", got)
	}
	write(t, filepath.Join(dir, "Makefile"), "", 0o600)
	if got := f.Setup(); got != "make setup" {
		t.Errorf("Setup() in a clone = %q, want make setup", got)
	}
}

func TestUnknownKindsOfDatabasesAreRefused(t *testing.T) {
	for _, database := range []string{"mysql://user:hidden@db/dec", "sqlite:///srv/dec.db"} {
		f := datadir.Folders{Data: "/d", Database: database}
		err := f.Resolve(environment(nil), "/opt/dec/bin/dec")
		if err == nil || !strings.Contains(err.Error(), "--database") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("Resolve() with database %s = %v, want an error that names the flag and no password", database, err)
		}
	}
}

func TestFindTofu(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "path")
	write(t, filepath.Join(path, "tofu"), "", 0o755)
	write(t, filepath.Join(path, "tofu-1.12"), "", 0o755)
	installed := filepath.Join(dir, "installed")
	write(t, filepath.Join(installed, "bin", "tofu"), "", 0o755)
	folder := filepath.Join(dir, "folder")
	write(t, filepath.Join(folder, "bin", "tofu", "file"), "", 0o755)
	terraform := filepath.Join(dir, "terraform")
	write(t, filepath.Join(terraform, "terraform"), "", 0o755)
	t.Chdir(dir)
	tests := map[string]struct {
		folders datadir.Folders
		path    string // PATH
		want    string // or
		wrong   string // part of the error
	}{
		"the one among the tools":       {datadir.Folders{Tools: installed}, path, filepath.Join(installed, "bin", "tofu"), ""},
		"else the one in PATH":          {datadir.Folders{Tools: dir}, path, filepath.Join(path, "tofu"), ""},
		"a folder of that name is none": {datadir.Folders{Tools: folder}, path, filepath.Join(path, "tofu"), ""},
		"the one that is named":         {datadir.Folders{Tools: installed, Tofu: filepath.Join(path, "tofu-1.12")}, path, filepath.Join(path, "tofu-1.12"), ""},
		"named from here":               {datadir.Folders{Tools: installed, Tofu: "./path/tofu"}, "", filepath.Join(path, "tofu"), ""},
		"named as it is in PATH":        {datadir.Folders{Tools: installed, Tofu: "tofu-1.12"}, path, filepath.Join(path, "tofu-1.12"), ""},
		"named and absent":              {datadir.Folders{Tools: installed, Tofu: "tofu-9"}, path, "", "tofu-9"},
		"none, but a terraform":         {datadir.Folders{Tools: dir}, terraform, "", "fix: install the tools with 'make setup' in a clone"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", tt.path)
			got, err := tt.folders.FindTofu()
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("FindTofu() = %q, %v, want an error with %q", got, err, tt.wrong)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("FindTofu() = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
