package target

import "regexp"

// ErrorClass says what an error of a provider means for whoever tries again.
type ErrorClass string

// The classes of errors.
const (
	ErrorGone     ErrorClass = "gone"     // the object does not exist: what was to be deleted is deleted
	ErrorWait     ErrorClass = "wait"     // not now: something else must end first, such as a dependency
	ErrorThrottle ErrorClass = "throttle" // too many calls: slower
	ErrorAuth     ErrorClass = "auth"     // credentials are missing, wrong or expired
	ErrorFatal    ErrorClass = "fatal"    // trying again does not help
	ErrorUnknown  ErrorClass = "unknown"  // none of the above is known to match
)

// ErrorText is a text by which an error is known.
type ErrorText struct {
	Class   ErrorClass
	Text    *regexp.Regexp // found anywhere in the error's text
	Example string         // an error as it was recorded, which the suite holds against Text
}

// Classify returns the class of an error's text.
func (f Facts) Classify(text string) ErrorClass {
	for _, known := range f.Errors {
		if known.Text.MatchString(text) {
			return known.Class
		}
	}
	return ErrorUnknown
}
