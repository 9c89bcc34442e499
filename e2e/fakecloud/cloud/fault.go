package cloud

import (
	"fmt"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
)

// FaultName names something that can go wrong.
type FaultName string

// The faults. What each does with Delay stands in its line.
const (
	SlowCreate FaultName = "slow-create" // an object stays pending for Delay
	LateID     FaultName = "late-id"     // a create makes the object at once, and tells its id only after Delay
	LateObject FaultName = "late-object" // a create makes the object after Delay, even if its caller is gone; if zero, when the fault is switched off
	Lag        FaultName = "lag"         // reads and lists show objects as they were Delay ago
	Throttle   FaultName = "throttle"    // calls are refused with Throttling
	Dependency FaultName = "dependency"  // calls are refused with DependencyViolation, though nothing depends on the object
	Denied     FaultName = "denied"      // calls are refused with AccessDenied
	Expire     FaultName = "expire"      // a session's credential is refused with ExpiredToken when it is older than Delay
	Fail       FaultName = "fail"        // calls are refused with InternalError
	HangDelete FaultName = "hang-delete" // an object stays deleting for Delay; if zero, until the fault is switched off
	Untagged   FaultName = "untagged"    // created objects lose their tags
	Children   FaultName = "children"    // each instance gets an interface without name and tags, which outlives it by Delay
)

// faultNames are all faults, and whether each needs a Delay.
var faultNames = map[FaultName]bool{
	SlowCreate: true, LateID: true, LateObject: false, Lag: true, Throttle: false, Dependency: false,
	Denied: false, Expire: true, Fail: false, HangDelete: false, Untagged: false, Children: false,
}

// Action is what a call does.
type Action string

// The actions of calls.
const (
	ActionCreate  Action = "create"
	ActionRead    Action = "read" // an object, or the operation that tells its id
	ActionList    Action = "list"
	ActionDelete  Action = "delete"
	ActionSession Action = "session" // issue a credential
)

var actions = []Action{ActionCreate, ActionRead, ActionList, ActionDelete, ActionSession}

// Fault is something that goes wrong: which, for which calls, and how often.
// The same calls always meet the same faults, whatever runs beside them: what
// happens to a call follows from the seed, the action, the name of the object,
// and the number of such calls before it. [Lag] and [Expire] are no matter of a
// call, and have neither Share nor Times.
type Fault struct {
	Name   FaultName           `json:"fault"`
	Action Action              `json:"action,omitempty"` // any that the fault is about if empty
	Kind   Kind                `json:"kind,omitempty"`   // any if empty
	Match  string              `json:"match,omitempty"`  // a part of the object's name; any if empty
	Delay  experiment.Duration `json:"delay,omitempty"`
	Share  float64             `json:"share,omitempty"` // of such calls that it happens to, from 0 to 1; all if zero
	Times  int                 `json:"times,omitempty"` // of the calls of one action for one object, the first so many; all if zero
}

// Faults are all that goes wrong at one time.
type Faults struct {
	Seed uint64  `json:"seed"`
	List []Fault `json:"faults"`
}

// Validate returns everything that is wrong with the faults, nil if nothing is.
func (f Faults) Validate() error {
	var problems []string
	for i, fault := range f.List {
		bad := func(wrong bool, format string, args ...any) {
			if wrong {
				problems = append(problems, fmt.Sprintf("fault %d: ", i)+fmt.Sprintf(format, args...))
			}
		}
		needsDelay, known := faultNames[fault.Name]
		bad(!known, "there is no fault %q", fault.Name)
		bad(needsDelay && fault.Delay <= 0, "%s needs a delay", fault.Name)
		bad(fault.Delay < 0, "the delay is negative")
		bad(fault.Action != "" && !slices.Contains(actions, fault.Action), "there is no action %q", fault.Action)
		bad(fault.Share < 0 || fault.Share > 1, "the share %v is not from 0 to 1", fault.Share)
		bad(fault.Times < 0, "times is negative")
		bad((fault.Name == Lag || fault.Name == Expire) && (fault.Share != 0 || fault.Times != 0), "%s has neither share nor times", fault.Name)
	}
	if len(problems) > 0 {
		return fmt.Errorf("faults: %s", strings.Join(problems, "; "))
	}
	return nil
}
