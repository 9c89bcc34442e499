//go:build ignore

// This program writes all.go: one import for each folder of technology that
// exports a Technology.
package main

import (
	"log"
	"os"

	"dec.local/dec/internal/registry"
)

func main() {
	source, err := registry.Technologies.Generate("..")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("all.go", source, 0o644); err != nil {
		log.Fatal(err)
	}
}
