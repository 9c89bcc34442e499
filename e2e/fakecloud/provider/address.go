package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// addressResource is fakecloud_address.
type addressResource struct{ object }

var (
	_ resource.ResourceWithConfigure   = (*addressResource)(nil)
	_ resource.ResourceWithImportState = (*addressResource)(nil)
	_ resource.ResourceWithIdentity    = (*addressResource)(nil)
)

// addressModel is a fakecloud_address in configuration, plan and state.
type addressModel struct {
	objectModel
	Network types.String `tfsdk:"network_id"`
	Ports   types.Set    `tfsdk:"ports"`
	Host    types.String `tfsdk:"host"`
	Numbers types.Map    `tfsdk:"numbers"`
}

// Metadata names the resource.
func (r *addressResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_address"
}

// Schema describes the resource.
func (r *addressResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "The address of a node in a network.",
		Attributes: attributes(map[string]schema.Attribute{
			"network_id": requiredString("The network that it is in."),
			"ports": schema.SetAttribute{
				ElementType: types.StringType, Required: true, PlanModifiers: []planmodifier.Set{setplanmodifier.RequiresReplace()},
				Description: "Names of the ports that the node has.",
			},
			"host": schema.StringAttribute{
				Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				Description: "An IP address; known after its create.",
			},
			"numbers": schema.MapAttribute{
				ElementType: types.Int64Type, Computed: true, PlanModifiers: []planmodifier.Map{mapplanmodifier.UseStateForUnknown()},
				Description: "The numbers of the ports by their names; known after its create.",
			},
		}),
	}
}

// Create makes the address.
func (r *addressResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m addressModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	c := m.creation(ctx, cloud.KindAddress, &resp.Diagnostics)
	c.DependsOn = []string{m.Network.ValueString()}
	resp.Diagnostics.Append(m.Ports.ElementsAs(ctx, &c.Ports, false)...)
	r.make(ctx, c, &resp.Diagnostics, func(o cloud.Object) {
		m.ID = types.StringValue(o.ID)
		m.locate(ctx, o, &resp.Diagnostics)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
	})
}

// locate fills in where the node is, as far as the cloud says it yet.
func (m *addressModel) locate(ctx context.Context, o cloud.Object, diags *diag.Diagnostics) {
	m.Host, m.Numbers = types.StringNull(), types.MapNull(types.Int64Type)
	if o.Host == "" {
		return
	}
	m.Host = types.StringValue(o.Host)
	var more diag.Diagnostics
	m.Numbers, more = types.MapValueFrom(ctx, types.Int64Type, o.Ports)
	diags.Append(more...)
}

// Read describes the address, or forgets one that is gone.
func (r *addressResource) Read(ctx context.Context, _ resource.ReadRequest, resp *resource.ReadResponse) {
	o, found := r.read(ctx, &resp.State, &resp.Diagnostics)
	if !found {
		return
	}
	var m addressModel
	m.describe(ctx, o, &resp.Diagnostics)
	m.Network = types.StringValue(o.DependsOn[0])
	m.locate(ctx, o, &resp.Diagnostics)
	var more diag.Diagnostics
	m.Ports, more = types.SetValueFrom(ctx, types.StringType, slices.AppendSeq([]string{}, maps.Keys(o.Ports)))
	resp.Diagnostics.Append(more...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
}
