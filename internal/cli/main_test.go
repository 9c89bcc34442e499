package cli

import (
	"os"
	"strings"
	"testing"
)

// TestMain forgets the settings of whoever runs the tests: flags take their defaults
// from variables of the process.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "DEC_") {
			os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}
