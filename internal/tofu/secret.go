package tofu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// A secret is an ephemeral variable of its stack, so OpenTofu writes its value
// into no plan and no state. The secret options of a run travel together, as one
// JSON object in one variable of the root module, which is given to each command
// anew: in the environment, handed to the supervisor on its standard input. The
// type of that variable is string: any other would be read as HCL. The same way
// go the credentials of the bucket and the key of the run's certificate.
const (
	secretsVariable = "secrets"
	bucketVariable  = "bucket"
	tlsVariable     = "tls"
	environment     = "TF_VAR_"
	maxSecrets      = 100 << 10 // bytes; Linux takes no variable of 128 KiB
	// AgentSecretsFile is the file in the working folder of each agent that holds
	// the secret options of the run, as one JSON object by name. There is none when
	// no secret was given.
	AgentSecretsFile = "secrets.json"
	// AgentBucketFile is the file in the working folder of each agent that holds
	// the credentials of the bucket. There is none when it needs none.
	AgentBucketFile = "bucket.json"
)

// Secret reports whether an option's value must never be written down nor shown.
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
		return fmt.Errorf("variable %q is sensitive but not ephemeral: its value would be in plan and state in plain text; set ephemeral = true",
			v.name)
	case !v.sensitive:
		return fmt.Errorf("variable %q is ephemeral but not sensitive: messages would show its value; set sensitive = true", v.name)
	case v.value == cty.NilVal || !v.value.IsNull():
		return fmt.Errorf("variable %q is secret: set default = null, so that a run can be destroyed without it", v.name)
	}
	return nil
}

// join returns options and secrets in one map. A secret among the options is
// refused: they are stored and shown.
func (s *Stack) join(options, secrets map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	if _, secret := s.Split(options); len(secret) > 0 {
		return nil, fmt.Errorf("the options contain the secrets %q, which must be passed separately", slices.Sorted(maps.Keys(secret)))
	}
	for name := range secrets {
		if !s.Secret(name) {
			return nil, fmt.Errorf("%q is given as a secret, but is not a secret option", name)
		}
	}
	joined := map[string]json.RawMessage{}
	maps.Copy(joined, options)
	maps.Copy(joined, secrets)
	return joined, nil
}

// secrets are what the commands of a run are given beside its files.
type secrets struct {
	options map[string]json.RawMessage // secret options of the stack, by name
	bucket  json.RawMessage            // for the agents
	tls     json.RawMessage            // identity of the services
}

// variables are the secrets that there are, as variables of the root module.
func (s *secrets) variables() (map[string]string, error) {
	all := map[string]string{}
	if len(s.options) > 0 {
		text, err := json.Marshal(s.options)
		if err != nil {
			return nil, errors.New("encode the secret options: a value is not JSON") // err may repeat it
		}
		all[secretsVariable] = string(text)
	}
	for name, text := range map[string]json.RawMessage{bucketVariable: s.bucket, tlsVariable: s.tls} {
		if len(text) > 0 {
			all[name] = string(text)
		}
	}
	return all, nil
}

// environment is what a command needs to know the secrets.
func (s *secrets) environment() (map[string]string, error) {
	all, err := s.variables()
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for name, text := range all {
		if len(text) > maxSecrets {
			return nil, fmt.Errorf("the secret options have %d bytes; the maximum is %d: shorten them", len(text), maxSecrets)
		}
		given[environment+name] = text
	}
	return given, nil
}

// addTo makes the root module pass the secrets on: to the stack as its options
// and its identity, to the agents as files, and from the stack to its services
// as files.
func (s *secrets) addTo(main map[string]any, nodes *module, stack *Stack) error {
	all, err := s.variables()
	if err != nil || len(all) == 0 {
		return err
	}
	if nodes.variable(secretsVariable) == nil {
		return fmt.Errorf("the target does not support secrets: remove %q", slices.Sorted(maps.Keys(s.options)))
	}
	type object = map[string]any
	for name := range all {
		// Without them at a destroy, the stack gets null.
		main["variable"].(object)[name] = object{"type": "string", "default": "null", "sensitive": true, "ephemeral": true}
	}
	modules := main["module"].(object)
	call := modules["stack"].(object)
	for name := range s.options {
		call[name] = "${try(jsondecode(var." + secretsVariable + ")." + name + ", null)}"
	}
	if len(s.tls) > 0 {
		call[tlsVariable] = "${jsondecode(var." + tlsVariable + ")}"
	}
	if files := s.filesOfServices(stack); files != "" {
		modules["nodes"].(object)["secrets"] = files
	}
	return nil
}

// filesOfServices is an expression for the secret files of each service; ""
// when there are none.
func (s *secrets) filesOfServices(stack *Stack) string {
	var files []string
	if len(s.options) > 0 {
		files = append(files, `"`+AgentSecretsFile+`" = var.`+secretsVariable)
	}
	if len(s.bucket) > 0 {
		files = append(files, `"`+AgentBucketFile+`" = var.`+bucketVariable)
	}
	var all []string
	if stack.module.secrets {
		all = append(all, "module.stack.secrets")
	}
	if len(files) > 0 {
		all = append(all, "{for name, _ in var.agent_services : name => {"+strings.Join(files, ", ")+"}}")
	}
	if len(all) == 0 {
		return ""
	}
	return "${merge(" + strings.Join(all, ", ") + ")}"
}
