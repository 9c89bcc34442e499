package tofu

import (
	"encoding/json"
	"fmt"

	"dec.local/dec/internal/identity"
)

// identify makes a certificate for the services of a job whose stack asks for
// one, and adds what is public of it to the variables of the root module.
func (s *secrets) identify(stack *Stack, job Job, variables map[string]any) error {
	if stack.module.variable(tlsVariable) == nil {
		return nil
	}
	ca, id, err := identity.New(job.Run+".dec.internal", job.ExpiresAt)
	if err != nil {
		return fmt.Errorf("create a certificate for run %s: %w", job.Run, err)
	}
	variables["ca"] = ca
	s.tls, err = json.Marshal(id)
	return err
}
