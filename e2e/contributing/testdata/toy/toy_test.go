package toy_test

import (
	"testing"

	"dec.local/dec/technology/technologytest"
	"dec.local/dec/technology/toy"
)

func TestConformance(t *testing.T) {
	endpoints := technologytest.Start(t, "toy", "single", nil)
	technologytest.Suite{Technology: toy.Technology, Endpoints: endpoints, Alone: true}.Run(t)
}
