package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// validArtifact is name@version, of which each is the name of a folder.
var validArtifact = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)@([A-Za-z0-9][A-Za-z0-9._+-]*)$`)

// checkArtifact returns an error that says what an artifact's name looks like,
// nil if it does.
func checkArtifact(artifact string) error {
	if !validArtifact.MatchString(artifact) {
		return fmt.Errorf("%q does not name an artifact: use name@version, such as server@1.2.3", artifact)
	}
	return nil
}

// findArtifact returns the folder or file that holds an artifact, in the first
// of the folders that has it.
func findArtifact(folders []string, artifact string) (string, error) {
	parts := validArtifact.FindStringSubmatch(artifact)
	if parts == nil {
		return "", checkArtifact(artifact)
	}
	for _, folder := range folders {
		found := filepath.Join(folder, parts[1], parts[2])
		if _, err := os.Stat(found); err == nil {
			return found, nil
		}
	}
	where := "no folder for artifacts is configured"
	if len(folders) > 0 {
		where = "it is not in " + strings.Join(folders, " or ")
	}
	return "", fmt.Errorf("the artifact %s is missing: %s. Run 'make setup' to install it; 'dec doctor' shows what else is missing", artifact, where)
}

// artifactAt is the artifact that findArtifact found at a path.
func artifactAt(found string) string {
	return filepath.Base(filepath.Dir(found)) + "@" + filepath.Base(found)
}
