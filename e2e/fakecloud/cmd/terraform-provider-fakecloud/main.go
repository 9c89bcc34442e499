// Command terraform-provider-fakecloud is the OpenTofu provider of the fake
// cloud, which is for tests. OpenTofu starts it; nobody else does.
package main

import (
	"context"
	"fmt"
	"os"

	"dec.local/dec/e2e/fakecloud/provider"
)

func main() {
	if err := provider.Serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "terraform-provider-fakecloud:", err)
		os.Exit(1)
	}
}
