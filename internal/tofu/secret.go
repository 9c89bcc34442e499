package tofu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// A secret option is an ephemeral variable of its stack, so OpenTofu writes its
// value into no plan and no state. The values of a run travel together, as one
// JSON object in one variable of the root module, which is given to each command
// anew: in the environment, handed to the supervisor on its standard input. The
// type of that variable is string: any other would be read as HCL.
const (
	secretsVariable    = "secrets"
	secretsEnvironment = "TF_VAR_" + secretsVariable
	maxSecrets         = 100 << 10 // bytes; Linux takes no variable of 128 KiB
	// AgentSecretsFile is the file in the working folder of each agent that holds
	// the secret options of the run, as one JSON object by name. There is none when
	// no secret was given.
	AgentSecretsFile = "secrets.json"
)

// Secret says whether an option's value must never be written down nor shown.
// It is false for names that are no option.
func (s *Stack) Secret(name string) bool {
	v := s.option(name)
	return v != nil && v.secret()
}

// Split parts options into those that may be stored and shown, and the secret
// ones that have a value.
func (s *Stack) Split(options map[string]json.RawMessage) (plain, secret map[string]json.RawMessage) {
	plain, secret = map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for name, value := range options {
		switch {
		case !s.Secret(name):
			plain[name] = value
		case !bytes.Equal(bytes.TrimSpace(value), []byte("null")):
			secret[name] = value
		}
	}
	return plain, secret
}

// checkSecret refuses a variable whose value would be kept or shown somewhere.
func (v *variable) checkSecret() error {
	switch {
	case !v.secret():
		return nil
	case !v.ephemeral:
		return fmt.Errorf("variable %q is sensitive but not ephemeral: its value would stand in clear in plan and state; write ephemeral = true", v.name)
	case !v.sensitive:
		return fmt.Errorf("variable %q is ephemeral but not sensitive: messages would show its value; write sensitive = true", v.name)
	case v.value == cty.NilVal || !v.value.IsNull():
		return fmt.Errorf("variable %q is secret: write default = null, so that a run can be destroyed without it", v.name)
	}
	return nil
}

// join returns options and secrets in one map. A secret among the options is
// refused: they are stored and shown.
func (s *Stack) join(options, secrets map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	if _, secret := s.Split(options); len(secret) > 0 {
		return nil, fmt.Errorf("the options hold the secrets %q, which go apart from them", slices.Sorted(maps.Keys(secret)))
	}
	for name := range secrets {
		if !s.Secret(name) {
			return nil, fmt.Errorf("%q among the secrets is no secret option", name)
		}
	}
	joined := map[string]json.RawMessage{}
	maps.Copy(joined, options)
	maps.Copy(joined, secrets)
	return joined, nil
}

// secretEnvironment is what a command needs to know secrets; nil without any.
func secretEnvironment(secrets map[string]json.RawMessage) (map[string]string, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(secrets)
	if err != nil {
		return nil, errors.New("encode the secret options: a value is not JSON") // err may repeat it
	}
	if len(text) > maxSecrets {
		return nil, fmt.Errorf("the secret options have %d bytes, the most is %d: shorten them", len(text), maxSecrets)
	}
	return map[string]string{secretsEnvironment: string(text)}, nil
}

// addSecrets makes the root module pass the secrets of these names on: to the
// stack as its options, to the agents as a file, and from the stack to its
// services as files.
func (stack *Stack) addSecrets(main map[string]any, nodes *module, names []string) error {
	if len(names) == 0 {
		return nil
	}
	if nodes.variable(secretsVariable) == nil {
		return fmt.Errorf("the target takes no secrets: leave %q out", names)
	}
	type object = map[string]any
	// Without them at a destroy, the stack gets null.
	main["variable"].(object)[secretsVariable] = object{"type": "string", "default": "{}", "sensitive": true, "ephemeral": true}
	modules := main["module"].(object)
	for _, name := range names {
		modules["stack"].(object)[name] = "${try(jsondecode(var." + secretsVariable + ")." + name + ", null)}"
	}
	agents := `{for name, _ in var.agent_services : name => {"` + AgentSecretsFile + `" = var.` + secretsVariable + "}}"
	all := "${" + agents + "}"
	if stack.module.secrets {
		all = "${merge(module.stack.secrets, " + agents + ")}"
	}
	modules["nodes"].(object)["secrets"] = all
	return nil
}
