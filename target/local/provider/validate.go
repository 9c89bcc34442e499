package provider

import (
	"context"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/sys/unix"

	"dec.local/dec/internal/supervise"
	"dec.local/dec/target/local"
)

// ValidateConfig refuses what could only fail later, when something exists.
func (r *processResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m processModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	c := checker{diags: &resp.Diagnostics}
	c.name(m.Name)
	c.tags(m.Tags)
	c.check("command", m.Command, len(m.Command.Elements()) > 0, "Must name a program to run.")
	c.check("lifetime", m.Lifetime, isLifetime(m.Lifetime.ValueString()), `Must be "service" or "task".`)
	c.check("stop_signal", m.StopSignal, unix.SignalNum(m.StopSignal.ValueString()) != 0, `Must be a signal name such as "SIGTERM".`)
	c.check("ready_port", m.ReadyPort, m.ReadyPort.ValueInt64() >= 0 && m.ReadyPort.ValueInt64() <= 65535, "Must be a port number, or 0.")
	c.check("ready_timeout", m.ReadyTimeout, m.ReadyTimeout.ValueFloat64() > 0, "Must be more than 0 seconds.")
	c.check("grace", m.Grace, m.Grace.ValueFloat64() > 0, "Must be more than 0 seconds.")
	c.check("memory", m.Memory, m.Memory.ValueInt64() >= 0, "Must be a number of bytes, or 0.")
	_, err := regexp.Compile(m.ReadyLog.ValueString())
	c.check("ready_log", m.ReadyLog, err == nil, fmt.Sprintf("Must be a regular expression: %v", err))
	for link, v := range m.Artifacts.Elements() {
		if v, ok := v.(types.String); ok && !v.IsUnknown() && checkArtifact(v.ValueString()) != nil {
			resp.Diagnostics.AddAttributeError(path.Root("artifacts").AtMapKey(link), "Invalid artifact", checkArtifact(v.ValueString()).Error())
		}
	}
}

func isLifetime(l string) bool {
	return l == string(supervise.Service) || l == string(supervise.Task)
}

// checker collects what is wrong with a configuration.
type checker struct {
	diags *diag.Diagnostics
}

// check refuses an attribute that was given, is known and is not ok.
func (c checker) check(name string, v attr.Value, ok bool, message string) {
	if !v.IsNull() && !v.IsUnknown() && !ok {
		c.diags.AddAttributeError(path.Root(name), "Invalid "+name, message)
	}
}

func (c checker) name(name types.String) {
	if err := local.CheckName(name.ValueString()); err != nil {
		c.check("name", name, false, err.Error())
	}
}

// tags refuses tags that are all known and not as they must be.
func (c checker) tags(tags types.Map) {
	known := make(map[string]string, len(tags.Elements()))
	for tag, v := range tags.Elements() {
		v, ok := v.(types.String)
		if !ok || v.IsUnknown() {
			return
		}
		known[tag] = v.ValueString()
	}
	if _, err := local.CheckTags(known); err != nil {
		c.check("tags", tags, false, err.Error())
	}
}
