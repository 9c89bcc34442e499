package supervise

// Healthy reports whether the process is as it should be: it lives, or it is a
// [Task] that ended with exit code 0.
func (p *Process) Healthy() (bool, error) {
	alive, err := p.Alive()
	if err != nil || alive {
		return alive, err
	}
	spec, err := p.Spec()
	if err != nil {
		return false, err
	}
	exit, ended, err := p.Exit()
	if err != nil {
		return false, err
	}
	return ended && spec.Lifetime == Task && exit.Cause == CauseExited && exit.Code == 0, nil
}

// Ended returns the error that tells how a process that does not live ended,
// with the end of its output. The name is what to call the process.
func (p *Process) Ended(name string) *ExitError {
	e := &ExitError{Name: name, Ready: true, Tail: p.Tail(tailLines)}
	exit, ended, err := p.Exit()
	if err != nil || !ended {
		exit = Exit{Cause: CauseLost, Message: ErrNoExit.Error()}
	}
	e.Exit = exit
	return e
}
