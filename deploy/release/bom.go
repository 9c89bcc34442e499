package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeBOM writes what the programs below the folder bins were made of, in
// CycloneDX's JSON: Go's standard library, the modules that are linked in, and the
// packages that the page needs at run time, by the lock file of npm.
func writeBOM(path, bins, version string, at time.Time, lock []byte) (err error) {
	components, err := goModules(bins)
	if err != nil {
		return err
	}
	packages, err := npmPackages(lock)
	if err != nil {
		return err
	}
	components = append(components, packages...)
	slices.SortFunc(components, func(a, b cdx.Component) int { return cmp.Compare(a.BOMRef, b.BOMRef) })

	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{
		Timestamp: at.Format(time.RFC3339),
		Component: &cdx.Component{
			BOMRef: "dec@" + version, Type: cdx.ComponentTypeApplication, Name: "dec", Version: version, Licenses: license("Apache-2.0"),
		},
	}
	bom.Components = &components
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
}

// goModules returns the modules of all programs below a folder, by what their
// linker has written into them.
func goModules(bins string) ([]cdx.Component, error) {
	found := map[string]cdx.Component{}
	err := filepath.WalkDir(bins, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return fmt.Errorf("what %s is made of: %w", path, err)
		}
		std := library("golang", "std", strings.TrimPrefix(info.GoVersion, "go"))
		found[std.BOMRef] = std
		for _, module := range info.Deps {
			if module.Replace != nil {
				module = module.Replace
			}
			one := library("golang", module.Path, module.Version)
			found[one.BOMRef] = one
		}
		return nil
	})
	return slices.Collect(maps.Values(found)), err
}

// npmPackages returns what the page needs at run time. What only builds or tests
// it is in no release.
func npmPackages(lock []byte) ([]cdx.Component, error) {
	var content struct {
		Packages map[string]struct {
			Version, Integrity, License string
			Dev, Optional, DevOptional  bool
		}
	}
	if err := json.Unmarshal(lock, &content); err != nil {
		return nil, fmt.Errorf("the lock file of npm: %w", err)
	}
	var found []cdx.Component
	for path, pkg := range content.Packages {
		_, name, ok := cutLast(path, "node_modules/")
		if !ok || pkg.Dev || pkg.Optional || pkg.DevOptional {
			continue
		}
		one := library("npm", name, pkg.Version)
		one.Licenses = license(pkg.License)
		if algorithm, sum, _ := strings.Cut(pkg.Integrity, "-"); algorithm == "sha512" {
			raw, err := base64.StdEncoding.DecodeString(sum)
			if err != nil {
				return nil, fmt.Errorf("the lock file of npm: integrity of %s: %w", name, err)
			}
			one.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA512, Value: hex.EncodeToString(raw)}}
		}
		found = append(found, one)
	}
	return found, nil
}

// library returns a component that is known by its package URL, in which names of
// Go modules are in lower case.
func library(kind, name, version string) cdx.Component {
	parts := strings.Split(name, "/")
	if kind == "golang" {
		parts = strings.Split(strings.ToLower(name), "/")
	}
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(part), "@", "%40")
	}
	purl := fmt.Sprintf("pkg:%s/%s@%s", kind, strings.Join(parts, "/"), url.PathEscape(version))
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: name, Version: version, PackageURL: purl}
}

// license returns an SPDX expression as CycloneDX has it; nil if there is none.
func license(expression string) *cdx.Licenses {
	if expression == "" {
		return nil
	}
	return &cdx.Licenses{{Expression: expression}}
}

// cutLast cuts s around the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
