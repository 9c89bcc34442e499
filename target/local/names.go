package local

import (
	"fmt"
	"regexp"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
)

// validName keeps names usable as file names, and out of other folders.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// CheckName returns an error that says what a name of a process or port must
// look like, nil if it does.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q is not a valid name: use at most 200 letters, digits, '.', '_' and '-', starting with a letter or digit", name)
	}
	return nil
}

// runInName finds the run in the name of what was made for it: the beginning,
// as package experiment makes ids.
var runInName = regexp.MustCompile(`^(r[a-z0-9]{9})-`)

// runOfName returns the run that a name begins with, "" if it begins with none.
func runOfName(name string) string {
	if m := runInName.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}

// CheckTags returns the time in the tag for the expiry, or an error that says
// what is wrong with the tags of a process or port.
func CheckTags(tags map[string]string) (expiresAt time.Time, err error) {
	for _, tag := range target.Tags() {
		if tags[tag] == "" {
			return time.Time{}, fmt.Errorf("the tag %s is missing: without it, what is left over cannot be found", tag)
		}
	}
	at, err := time.Parse(time.RFC3339, tags[target.TagExpiresAt])
	if err != nil {
		return time.Time{}, fmt.Errorf("the tag %s is %q: use a time such as 2006-01-02T15:04:05Z", target.TagExpiresAt, tags[target.TagExpiresAt])
	}
	return at, nil
}

// tell fills in what the tags of an object say.
func tell(o *experiment.Object, tags map[string]string) {
	o.Run = tags[target.TagRun]
	o.Install = tags[target.TagInstall]
	o.Address = tags[target.TagAddress]
	o.ExpiresAt = expiry(tags)
}

// expiry is the time in the tag for it, zero if there is none.
func expiry(tags map[string]string) time.Time {
	at, err := time.Parse(time.RFC3339, tags[target.TagExpiresAt])
	if err != nil {
		return time.Time{}
	}
	return at
}
