// Command openapi prints the OpenAPI document of the API, from which the page's
// types are made.
package main

import (
	"fmt"
	"os"

	"dec.local/dec/internal/httpapi"
)

func main() {
	document, err := httpapi.Document()
	if err == nil {
		_, err = os.Stdout.Write(document)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}
