package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/tofu"
)

// epoch counts how often a run's load was begun anew. Nothing does yet.
const epoch = 1

// provisioner brings runs up with OpenTofu: the stack of the variant, and the
// agents beside it.
type provisioner struct {
	fleet  *fleet
	agent  string // artifact of the agent
	bucket *rendezvous.Bucket
	logger *slog.Logger
	home   home
	vault  *vault
	store  interface {
		secretKeeper
		Run(ctx context.Context, id string) (experiment.Run, error)
	}
}

// Provision implements [orchestrator.Provisioner].
func (p *provisioner) Provision(ctx context.Context, a orchestrator.Assignment, report func(experiment.Resource)) (json.RawMessage, error) {
	secrets, err := p.vault.reveal(ctx, p.store, a.Run.Experiment, a.Variant.Label)
	if err != nil {
		return nil, err
	}
	credentials, err := p.credentials(ctx, a)
	if err != nil {
		return nil, err
	}
	groups, services := p.agents(a)
	outputs, err := p.fleet.own.Provision(ctx, tofu.Job{
		Run:         a.Run.ID,
		Target:      a.Plan.Target,
		Technology:  a.Variant.Technology,
		Stack:       a.Variant.Stack,
		Options:     a.Variant.Options,
		Secrets:     secrets,
		Bucket:      credentials,
		Topology:    topology(a.Plan.Workload),
		AgentBuild:  p.agent,
		Agents:      services,
		AgentGroups: groups,
		ExpiresAt:   a.ExpiresAt,
		Logs:        p.home.services(a.Run.ID),
		CPUs:        placement(),
	}, report)
	return outputs.Endpoints, err
}

// credentials are those of the bucket for the agents of a run, where their machine
// has none of its own.
func (p *provisioner) credentials(ctx context.Context, a orchestrator.Assignment) (json.RawMessage, error) {
	if a.Plan.Target != LocalTarget {
		return nil, nil
	}
	credentials, until, err := p.bucket.Credentials(ctx)
	if err == nil && !until.IsZero() && until.Before(a.ExpiresAt) {
		p.logger.Warn("the bucket's credentials may expire before the run is over; take longer-lived ones, or shorten limits.ttl",
			"run", a.Run.ID, "expire", until, "time_to_live", a.ExpiresAt)
	}
	return credentials, err
}

// Destroy implements [orchestrator.Provisioner].
func (p *provisioner) Destroy(ctx context.Context, id string, report func(experiment.Resource)) error {
	runner, _, err := p.fleet.of(ctx, id)
	if err != nil {
		return err
	}
	run, err := p.store.Run(ctx, id)
	if err != nil {
		return err
	}
	secrets, err := p.vault.reveal(ctx, p.store, run.Experiment, run.Variant)
	if err != nil {
		return err
	}
	return runner.Destroy(ctx, id, secrets, report)
}

// Halt implements [orchestrator.Provisioner].
func (p *provisioner) Halt(ctx context.Context, run string) error {
	runner, _, err := p.fleet.of(ctx, run)
	if err != nil {
		return err
	}
	return runner.Halt(ctx, run)
}

// authorities is the variable that names the file of certificates which the AWS
// SDK trusts, for a server of S3 with one of its own.
const authorities = "AWS_CA_BUNDLE"

// agents are the services of the load agents: one node each.
func (p *provisioner) agents(a orchestrator.Assignment) (map[string]tofu.Group, map[string]tofu.Service) {
	groups, services := map[string]tofu.Group{}, map[string]tofu.Service{}
	for id, share := range rendezvous.Shares(a.Plan.Workload) {
		environment := map[string]string{
			"DEC_BUCKET": p.bucket.URL(), "DEC_RUN": a.Run.ID, "DEC_EPOCH": strconv.Itoa(epoch), "DEC_AGENT": id,
		}
		if file := os.Getenv(authorities); file != "" && a.Plan.Target == LocalTarget {
			environment[authorities] = file
		}
		group := groups[share.Role]
		group.Role = "agent"
		services[id] = tofu.Service{
			Group:       share.Role,
			Index:       group.Count,
			Command:     []string{"./dec-agent/dec-agent", "run"},
			Artifacts:   map[string]string{"dec-agent": p.agent},
			Environment: environment,
			Lifetime:    "task",
			Grace:       5,
		}
		group.Count++
		groups[share.Role] = group
	}
	return groups, services
}

// topology is what stacks that make destinations themselves need to know.
func topology(w experiment.Workload) any {
	return struct {
		Partitions     int              `json:"partitions"`
		Replicas       int              `json:"replicas"`
		ConsumerGroups int              `json:"consumer_groups"`
		RetentionBytes experiment.Bytes `json:"retention_bytes"`
	}{w.Topology.Partitions, w.Topology.Replicas, w.Topology.ConsumerGroups, w.Retention}
}

// destination names the topic or stream of a run.
func destination(run string) string { return "dec-" + strings.ToLower(run) }
