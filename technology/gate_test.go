package technology_test

import (
	"testing"
	"testing/synctest"

	"dec.local/dec/technology"
)

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate technology.Gate
		done := make(chan struct{})
		passed := make(chan bool, 1)
		if !gate.Pass(done) {
			t.Error("Pass() of a new gate = false, want true")
		}
		gate.Open() // changes nothing
		gate.Shut()
		gate.Shut()
		go func() { passed <- gate.Pass(done) }()
		synctest.Wait()
		if len(passed) != 0 || !gate.IsShut() {
			t.Errorf("a shut gate lets pass (%d) or says it is open (%v), want neither", len(passed), !gate.IsShut())
		}
		gate.Open()
		if !<-passed || gate.IsShut() {
			t.Error("Pass() after Open = false, want true")
		}
		gate.Shut()
		go func() { passed <- gate.Pass(done) }()
		synctest.Wait()
		close(done)
		if <-passed {
			t.Error("Pass() after done was closed = true, want false")
		}
	})
}
