package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// instanceResource is fakecloud_instance.
type instanceResource struct{ object }

var (
	_ resource.ResourceWithConfigure   = (*instanceResource)(nil)
	_ resource.ResourceWithImportState = (*instanceResource)(nil)
	_ resource.ResourceWithIdentity    = (*instanceResource)(nil)
)

// instanceModel is a fakecloud_instance in configuration, plan and state.
type instanceModel struct {
	objectModel
	Address   types.String `tfsdk:"address_id"`
	UserData  types.String `tfsdk:"user_data"`
	SecretsWO types.Map    `tfsdk:"secrets_wo"` // known in the configuration alone
	Running   types.Bool   `tfsdk:"running"`
}

// Metadata names the resource.
func (r *instanceResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_instance"
}

// Schema describes the resource.
func (r *instanceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "A node that runs one service.",
		Attributes: attributes(map[string]schema.Attribute{
			"address_id": requiredString("The address that it has."),
			"user_data":  requiredString("The service, in JSON."),
			"secrets_wo": schema.MapAttribute{
				ElementType: types.StringType, Optional: true, WriteOnly: true, Sensitive: true,
				Description: "Path below the working folder => secret content, in no plan and no state. Removed when the service has ended.",
			},
			"running": schema.BoolAttribute{
				Computed: true, Default: booldefault.StaticBool(true),
				Description: "False when its service has failed.",
			},
		}),
	}
}

// Create makes the instance and waits until its service is ready.
func (r *instanceResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m instanceModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	c := m.creation(ctx, cloud.KindInstance, &resp.Diagnostics)
	c.DependsOn, c.UserData, c.Artifacts = []string{m.Address.ValueString()}, m.UserData.ValueString(), r.account.artifacts
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("secrets_wo"), &c.Secrets)...)
	r.make(ctx, c, &resp.Diagnostics, func(o cloud.Object) {
		m.ID, m.Running = types.StringValue(o.ID), types.BoolValue(true)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
	})
}

// Read describes the instance, or forgets one that is gone.
func (r *instanceResource) Read(ctx context.Context, _ resource.ReadRequest, resp *resource.ReadResponse) {
	o, found := r.read(ctx, &resp.State, &resp.Diagnostics)
	if !found {
		return
	}
	var m instanceModel
	m.describe(ctx, o, &resp.Diagnostics)
	m.Address, m.UserData = types.StringValue(o.DependsOn[0]), types.StringValue(o.UserData)
	m.SecretsWO, m.Running = types.MapNull(types.StringType), types.BoolValue(o.State != cloud.Failed)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
}

// Update is only ever asked to make a failed service run again, which would be
// another one than the one that is measured.
func (r *instanceResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	o, found := r.read(ctx, &resp.State, &resp.Diagnostics)
	if found {
		resp.Diagnostics.AddError("The instance "+o.ID+" is not started again", o.Reason+"\nDestroy it, or replace it.")
	}
}
