package experiment

import (
	"fmt"
	"strings"
	"time"
)

// The bounds of a plan's values that more than its decoder must know.
const (
	// MinMessageBytes is the smallest payload: the generator's header, which
	// identifies a message and carries its intended time, must fit in.
	MinMessageBytes Bytes = 64
	MaxMessageBytes Bytes = 1 << 20

	MinMeasure = Duration(time.Second) // of the measure stage
	MaxMeasure = Duration(24 * time.Hour)

	MaxName  = 120 // characters of the name of an experiment
	MaxLabel = 40  // characters of a slug: a label, or the name of a technology, stack or target
)

// SlugPattern is what [SlugFault] accepts, as a regular expression.
const SlugPattern = `^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`

// SlugFault says what to write, such as example, instead of a text that is not a
// slug: a name that is safe in paths, tags and URLs. It is "" for one that is.
func SlugFault(text, example string) string {
	if text != "" && len(text) <= MaxLabel && text[0] >= 'a' && text[0] <= 'z' && !strings.HasSuffix(text, "-") &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
		return ""
	}
	return fmt.Sprintf("%q is not a valid name: use up to %d lower-case letters, digits and hyphens, "+
		"starting with a letter and not ending with a hyphen, such as %s",
		shortenTo(text, MaxLabel), MaxLabel, example)
}
