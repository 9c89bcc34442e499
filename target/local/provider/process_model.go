package provider

import (
	"context"
	"maps"
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/internal/supervise"
	"dec.local/dec/target/local"
)

// processModel is a dec_process in configuration, plan and state.
type processModel struct {
	ID           types.String  `tfsdk:"id"`
	Name         types.String  `tfsdk:"name"`
	Folder       types.String  `tfsdk:"folder"`
	Command      types.List    `tfsdk:"command"`
	Environment  types.Map     `tfsdk:"environment"`
	Files        types.Map     `tfsdk:"files"`
	FilesWO      types.Map     `tfsdk:"files_wo"` // known in the configuration alone
	Artifacts    types.Map     `tfsdk:"artifacts"`
	ReadyLog     types.String  `tfsdk:"ready_log"`
	ReadyPort    types.Int64   `tfsdk:"ready_port"`
	ReadyTimeout types.Float64 `tfsdk:"ready_timeout"`
	Lifetime     types.String  `tfsdk:"lifetime"`
	StopSignal   types.String  `tfsdk:"stop_signal"`
	Grace        types.Float64 `tfsdk:"grace"`
	Memory       types.Int64   `tfsdk:"memory"`
	CPUs         types.List    `tfsdk:"cpus"`
	Logs         types.String  `tfsdk:"logs"`
	Tags         types.Map     `tfsdk:"tags"`
	Running      types.Bool    `tfsdk:"running"`
}

// spec is what to start for a planned process, with its artifacts found in the
// folders.
func (m *processModel) spec(ctx context.Context, folders []string) (supervise.Spec, diag.Diagnostics) {
	s := supervise.Spec{
		Name:       m.Name.ValueString(),
		Lifetime:   supervise.Lifetime(m.Lifetime.ValueString()),
		StopSignal: m.StopSignal.ValueString(),
		Grace:      seconds(m.Grace),
		Logs:       m.Logs.ValueString(),
		Readiness: supervise.Readiness{
			Log:     m.ReadyLog.ValueString(),
			Port:    int(m.ReadyPort.ValueInt64()),
			Timeout: seconds(m.ReadyTimeout),
		},
		Limits: supervise.Limits{MemoryBytes: m.Memory.ValueInt64()},
	}
	var diags diag.Diagnostics
	var artifacts map[string]string
	diags.Append(m.Command.ElementsAs(ctx, &s.Command, false)...)
	diags.Append(m.Environment.ElementsAs(ctx, &s.Environment, false)...)
	diags.Append(m.Files.ElementsAs(ctx, &s.Files, false)...)
	diags.Append(m.CPUs.ElementsAs(ctx, &s.Limits.CPUs, false)...)
	diags.Append(m.Tags.ElementsAs(ctx, &s.Tags, false)...)
	diags.Append(m.Artifacts.ElementsAs(ctx, &artifacts, false)...)
	if diags.HasError() {
		return s, diags
	}
	var err error
	if s.ExpiresAt, err = local.CheckTags(s.Tags); err != nil {
		diags.AddAttributeError(path.Root("tags"), "Invalid tags", err.Error())
	}
	s.Artifacts = make(map[string]string, len(artifacts))
	for link, artifact := range artifacts {
		if s.Artifacts[link], err = findArtifact(folders, artifact); err != nil {
			diags.AddAttributeError(path.Root("artifacts").AtMapKey(link), "Missing artifact", err.Error())
		}
	}
	return s, diags
}

// describe fills in a model from what a process was started with, so that it
// equals the configuration that it was made from.
func (m *processModel) describe(ctx context.Context, s supervise.Spec) diag.Diagnostics {
	artifacts := maps.Clone(s.Artifacts)
	for link, found := range artifacts {
		artifacts[link] = artifactAt(found)
	}
	m.Name = types.StringValue(s.Name)
	m.ReadyLog = types.StringValue(s.Readiness.Log)
	m.ReadyPort = types.Int64Value(int64(s.Readiness.Port))
	m.ReadyTimeout = types.Float64Value(s.Readiness.Timeout.Seconds())
	m.Lifetime = types.StringValue(string(s.Lifetime))
	m.StopSignal = types.StringValue(s.StopSignal)
	m.Grace = types.Float64Value(s.Grace.Seconds())
	m.Memory = types.Int64Value(s.Limits.MemoryBytes)
	m.Logs = types.StringValue(s.Logs)

	var diags, d diag.Diagnostics
	m.Command, d = types.ListValueFrom(ctx, types.StringType, s.Command)
	diags.Append(d...)
	m.CPUs, d = types.ListValueFrom(ctx, types.Int64Type, append([]int{}, s.Limits.CPUs...))
	diags.Append(d...)
	for to, from := range map[*types.Map]map[string]string{
		&m.Environment: s.Environment,
		&m.Files:       s.Files,
		&m.Artifacts:   artifacts,
		&m.Tags:        s.Tags,
	} {
		*to, d = stringMap(ctx, from)
		diags.Append(d...)
	}
	return diags
}

// stringMap is never null: a map that was not given and one that is empty are
// the same, or else every import would replace what it imports.
func stringMap(ctx context.Context, from map[string]string) (types.Map, diag.Diagnostics) {
	if from == nil {
		from = map[string]string{}
	}
	return types.MapValueFrom(ctx, types.StringType, from)
}

// seconds is a duration given in seconds.
func seconds(s types.Float64) time.Duration {
	return time.Duration(math.Round(s.ValueFloat64() * float64(time.Second)))
}
