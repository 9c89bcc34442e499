// Command terraform-provider-dec is the OpenTofu provider of the local target.
// OpenTofu starts it; nobody else does.
package main

import (
	"context"
	"fmt"
	"os"

	"dec.local/dec/internal/supervise"
	"dec.local/dec/target/local/provider"
)

func main() {
	supervise.Main(nil)
	if err := provider.Serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "terraform-provider-dec:", err)
		os.Exit(1)
	}
}
