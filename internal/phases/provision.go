package phases

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/internal/vault"
	"dec.local/dec/target"
)

// provisioner brings runs up with OpenTofu: the stack of the variant, and the
// agents beside it.
type provisioner struct {
	fleet  *fleet
	places target.Places
	agent  string // artifact of the agent
	bucket *rendezvous.Bucket
	logger *slog.Logger
	home   datadir.Home
	vault  *vault.Vault
	store  vault.Keeper
}

// Provision implements [orchestrator.Provisioner].
func (p *provisioner) Provision(ctx context.Context, a orchestrator.Assignment, report func(experiment.Resource)) (json.RawMessage, error) {
	secrets, err := p.vault.Reveal(ctx, p.store, a.Run.Experiment, a.Variant.Label)
	if err != nil {
		return nil, err
	}
	place, err := p.places.Find(a.Plan.Target)
	if err != nil {
		return nil, err
	}
	credentials, err := p.credentials(ctx, a, place.Facts)
	if err != nil {
		return nil, err
	}
	groups, services := p.agents(a, place.Facts)
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
		Logs:        p.home.Services(a.Run.ID),
		CPUs:        place.Placement().CPUs,
	}, report)
	return outputs.Endpoints, err
}

// credentials are those of the bucket for the agents of a run, where their machine
// has none of its own.
func (p *provisioner) credentials(ctx context.Context, a orchestrator.Assignment, facts target.Facts) (json.RawMessage, error) {
	if !facts.SharedFiles {
		return nil, nil
	}
	credentials, until, err := p.bucket.Credentials(ctx)
	if err == nil && !until.IsZero() && until.Before(a.ExpiresAt) {
		p.logger.Warn("the bucket credentials may expire before the run ends; use longer-lived ones, or lower limits.ttl",
			"run", a.Run.ID, "expire", until, "time_to_live", a.ExpiresAt)
	}
	return credentials, err
}

// Destroy implements [orchestrator.Provisioner].
func (p *provisioner) Destroy(ctx context.Context, run experiment.Run, report func(experiment.Resource)) error {
	runner, _, err := p.fleet.of(ctx, run.ID)
	if err != nil {
		return err
	}
	secrets, err := p.vault.Reveal(ctx, p.store, run.Experiment, run.Variant)
	if err != nil {
		return err
	}
	return runner.Destroy(ctx, tofu.Teardown{Run: run.ID, Target: run.Target, Secrets: secrets}, report)
}

// Halt implements [orchestrator.Provisioner].
func (p *provisioner) Halt(ctx context.Context, run experiment.Run) error {
	runner, _, err := p.fleet.of(ctx, run.ID)
	if err != nil {
		return err
	}
	return runner.Halt(ctx, run.ID)
}

// authorities is the variable that names the file of certificates which the AWS
// SDK trusts, for a server of S3 with one of its own.
const authorities = "AWS_CA_BUNDLE"

// agents are the services of the load agents: one node each.
func (p *provisioner) agents(a orchestrator.Assignment, facts target.Facts) (map[string]tofu.Group, map[string]tofu.Service) {
	groups, services := map[string]tofu.Group{}, map[string]tofu.Service{}
	for id, share := range rendezvous.Shares(a.Plan.Workload) {
		environment := map[string]string{
			"DEC_BUCKET": p.bucket.URL(), "DEC_RUN": a.Run.ID, "DEC_AGENT": id,
		}
		if file := os.Getenv(authorities); file != "" && facts.SharedFiles {
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
		Outgrows       bool             `json:"outgrows"` // the load writes more than that
	}{w.Topology.Partitions, w.Topology.Replicas, w.Topology.ConsumerGroups, w.Retention, w.Outgrows()}
}

// destination names the topic or stream of a run.
func destination(run string) string { return "dec-" + strings.ToLower(run) }
