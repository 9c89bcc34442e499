// Command terraform-provider-dec is the OpenTofu provider of the local target.
// OpenTofu starts it; by hand it tells its version.
package main

import (
	"context"
	"fmt"
	"os"

	"dec.local/dec/internal/buildinfo"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/target/local/provider"
)

func main() {
	supervise.Main(nil)
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(buildinfo.Version())
		return
	}
	if err := provider.Serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "terraform-provider-dec:", err)
		os.Exit(1)
	}
}
