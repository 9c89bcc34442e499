package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/internal/supervise"
	"dec.local/dec/target/local"
)

// processResource is dec_process.
type processResource struct {
	machine *machine
}

var (
	_ resource.ResourceWithConfigure      = (*processResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*processResource)(nil)
	_ resource.ResourceWithImportState    = (*processResource)(nil)
	_ resource.ResourceWithIdentity       = (*processResource)(nil)
	_ resource.ResourceWithValidateConfig = (*processResource)(nil)
)

// Metadata names the resource.
func (r *processResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_process"
}

// Configure takes what Configure of the provider has made.
func (r *processResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if m, ok := req.ProviderData.(*machine); ok { // nil while configuration is validated
		r.machine = m
	}
}

// ModifyPlan makes known at plan what follows from the name, and refuses a
// process whose artifacts are missing before anything is made.
func (r *processResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return // a delete
	}
	var m processModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || m.Name.IsUnknown() {
		return
	}
	name := m.Name.ValueString()
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("id"), name)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("folder"), r.machine.ledger.Folder(name))...)
	if !req.State.Raw.IsNull() || m.Artifacts.IsUnknown() {
		return
	}
	for link, artifact := range m.Artifacts.Elements() {
		artifact, ok := artifact.(types.String)
		if !ok || artifact.IsUnknown() {
			continue
		}
		if _, err := findArtifact(r.machine.artifacts, artifact.ValueString()); err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("artifacts").AtMapKey(link), "Missing artifact", err.Error())
		}
	}
}

// Create starts the process and waits until it is ready. Once anything may
// exist it is in the state, with or without an error.
func (r *processResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m processModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := m.Name.ValueString()
	spec, diags := m.spec(ctx, r.machine.artifacts)
	resp.Diagnostics.Append(diags...)
	var secrets supervise.Secrets
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("files_wo"), &secrets.Files)...)
	if resp.Diagnostics.HasError() {
		return
	}
	folder := r.machine.ledger.Folder(name)
	m.ID, m.Folder, m.Running = types.StringValue(name), types.StringValue(folder), types.BoolValue(true)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)

	process, err := supervise.Start(ctx, folder, spec, secrets)
	if err != nil {
		_, left := os.Lstat(folder)
		made := left == nil && errors.Is(err, fs.ErrExist) // by another, so it is not ours to delete
		if made || errors.Is(left, fs.ErrNotExist) {
			resp.State.RemoveResource(ctx)
		}
		if made {
			resp.Diagnostics.AddError("Process "+name+" exists", existsDetail(name))
		} else {
			resp.Diagnostics.AddError("Process "+name+" did not start", err.Error())
		}
		return
	}
	if err := process.WaitReady(ctx); err != nil {
		resp.Diagnostics.AddError("Process "+name+" did not become ready", readyDetail(ctx, err))
	}
}

func existsDetail(name string) string {
	return fmt.Sprintf("The ledger of this machine has a process of this name that is not in this state. Import it by its id %q, or remove it.", name)
}

// readyDetail says why a process did not get ready and what follows.
func readyDetail(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "The wait for it was interrupted. It is still running, and is in the state, so that it can be destroyed."
	}
	return err.Error() // with the end of its output
}

// Read forgets a process only when its folder is gone.
func (r *processResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m processModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := m.ID.ValueString()
	process, err := r.machine.ledger.Process(name)
	if errors.Is(err, fs.ErrNotExist) {
		resp.State.RemoveResource(ctx)
		return
	} else if err != nil {
		resp.Diagnostics.AddError("Process "+name+" cannot be read", err.Error())
		return
	}
	m.Name, m.Folder = m.ID, types.StringValue(r.machine.ledger.Folder(name))
	if spec, err := process.Spec(); err == nil {
		resp.Diagnostics.Append(m.describe(ctx, spec)...)
	} // else it is damaged: what the state says of it is the best there is
	healthy, err := process.Healthy()
	m.Running = types.BoolValue(err == nil && healthy)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
}

// Update is only ever asked to make an ended process run again, which would be
// another process than the one that is measured.
func (r *processResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m processModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := m.ID.ValueString()
	detail := "Its folder is gone."
	if process, err := r.machine.ledger.Process(name); err == nil {
		detail = process.Ended(name).Error()
	}
	resp.Diagnostics.AddError("Process "+name+" is not started again", detail+"\nDestroy it with everything that belongs to it, or replace it.")
}

// Delete stops the process, saves its logs and removes its folder.
func (r *processResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m processModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := m.ID.ValueString()
	err := r.machine.ledger.RemoveProcess(ctx, name)
	if errors.Is(err, local.ErrLogs) {
		resp.Diagnostics.AddWarning("Logs of process "+name+" are lost", err.Error())
	} else if err != nil {
		resp.Diagnostics.AddError("Process "+name+" was not deleted", err.Error())
	}
}

// ImportState takes the name. What does not exist is refused here, by name.
func (r *processResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if _, err := r.machine.ledger.Process(id); err != nil {
		resp.Diagnostics.AddError("No process "+id, fmt.Sprintf("The ledger of this machine has no process with the id %q: %v", id, err))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: types.StringValue(id)})...)
}

// importID is the id that is asked for, by itself or in an identity.
func importID(ctx context.Context, req resource.ImportStateRequest) (string, diag.Diagnostics) {
	if req.ID != "" {
		return req.ID, nil
	}
	var identity identityModel
	diags := req.Identity.Get(ctx, &identity)
	return identity.ID.ValueString(), diags
}
