// Command release makes the files of a release: for each architecture an archive
// of the programs and what belongs beside them, a list of what they were made of,
// and the checksums of all that. The same commit gives the same bytes with the same
// Go and Node.js, wherever and whenever it is built.
//
//	go run ./deploy/release v1.2.3     writes dist/v1.2.3
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// architectures are those of Linux that a release is made for.
var architectures = []string{"amd64", "arm64"}

// beside is what lies beside the programs in an archive: files and folders of the
// repository.
var beside = []string{"CHANGELOG.md", "LICENSE", "README.md", "docs", "examples"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: make release VERSION=v1.2.3")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := release(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release makes all files of one release from the committed state of the
// repository in the working folder.
func release(ctx context.Context, version string) error {
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return fmt.Errorf("run it in the top folder of the repository: %w", err)
	}
	if err := checkVersion(version, string(changelog)); err != nil {
		return err
	}
	at, err := commitTime(ctx)
	if err != nil {
		return err
	}
	programs, err := folders("cmd")
	if err != nil {
		return err
	}
	paths, err := git(ctx, append([]string{"ls-files", "--"}, beside...)...)
	if err != nil {
		return err
	}
	dist := filepath.Join("dist", version)
	if err := errors.Join(os.RemoveAll(dist), os.MkdirAll(dist, 0o755)); err != nil {
		return err
	}
	bins, err := os.MkdirTemp("", "dec-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bins)
	bom := "dec_" + version + ".cdx.json"
	made := []string{bom}
	for _, arch := range architectures {
		folder := fmt.Sprintf("dec_%s_linux_%s", version, arch)
		fmt.Println(filepath.Join(dist, folder+".tar.gz"))
		bin := filepath.Join(bins, arch)
		if err := build(ctx, ".", bin, arch, version, programs); err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		if err := writeArchive(filepath.Join(dist, folder+".tar.gz"), folder, at, contents(bin, programs, paths)); err != nil {
			return err
		}
		made = append(made, folder+".tar.gz")
	}
	lock, err := os.ReadFile("ui/package-lock.json")
	if err != nil {
		return err
	}
	if err := writeBOM(filepath.Join(dist, bom), bins, version, at, lock); err != nil {
		return err
	}
	return writeSums(dist, made)
}

// contents returns what an archive holds: its names → paths.
func contents(bin string, programs, paths []string) map[string]string {
	files := map[string]string{}
	for _, program := range programs {
		files["bin/"+program] = filepath.Join(bin, program)
	}
	for _, path := range paths {
		files[path] = path
	}
	return files
}

// folders returns the names of the folders in a folder.
func folders(in string) ([]string, error) {
	entries, err := os.ReadDir(in)
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// build builds programs of the module in root into the folder bin. The bytes
// depend on neither folder.
func build(ctx context.Context, root, bin, arch, version string, programs []string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", bin + "/",
		"-ldflags", "-s -w -X dec.local/dec/internal/buildinfo.version=" + version}
	for _, program := range programs {
		args = append(args, "./cmd/"+program)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// versionForm is what the name of a release looks like; a part after a hyphen
// makes it a trial.
var versionForm = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(-[0-9A-Za-z.-]+)?$`)

// checkVersion refuses a version of another form, and one that the changelog does
// not tell about, unless it is a trial.
func checkVersion(version, changelog string) error {
	match := versionForm.FindStringSubmatch(version)
	if match == nil {
		return fmt.Errorf("%q is not a version; use a form such as v1.2.3, or v1.2.3-rc.1 for a pre-release", version)
	}
	heading := regexp.MustCompile(`(?m)^## ` + regexp.QuoteMeta(match[1]) + `( |$)`)
	if match[2] == "" && !heading.MatchString(changelog) {
		return fmt.Errorf("CHANGELOG.md has no section “## %s”: rename the section “Unreleased” to it, and commit", match[1])
	}
	return nil
}

// commitTime returns the time that all files of the release have: the commit's, or
// SOURCE_DATE_EPOCH. What is not committed is in no release.
func commitTime(ctx context.Context) (time.Time, error) {
	changed, err := git(ctx, "status", "--porcelain")
	if err != nil {
		return time.Time{}, err
	}
	if len(changed) > 0 {
		return time.Time{}, fmt.Errorf("not committed: %s", strings.Join(changed, ", "))
	}
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		lines, err := git(ctx, "log", "-1", "--format=%ct")
		if err != nil {
			return time.Time{}, err
		}
		text = strings.Join(lines, "")
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time of the release: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// git returns the lines that a command of git prints.
func git(ctx context.Context, args ...string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, nil
}

// writeSums writes the checksums of files in dir, as sha256sum -c reads them.
func writeSums(dir string, files []string) error {
	slices.Sort(files)
	out, err := os.Create(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return err
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%x  %s\n", sha256.Sum256(content), name)
	}
	return errors.Join(w.Flush(), out.Close())
}
