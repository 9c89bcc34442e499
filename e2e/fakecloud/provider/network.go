package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// networkResource is fakecloud_network.
type networkResource struct{ object }

var (
	_ resource.ResourceWithConfigure   = (*networkResource)(nil)
	_ resource.ResourceWithImportState = (*networkResource)(nil)
	_ resource.ResourceWithIdentity    = (*networkResource)(nil)
)

// Metadata names the resource.
func (r *networkResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_network"
}

// Schema describes the resource.
func (r *networkResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "A network, which cannot be deleted before everything in it.",
		Attributes:  attributes(nil),
	}
}

// Create makes the network.
func (r *networkResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m objectModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	r.make(ctx, m.creation(ctx, cloud.KindNetwork, &resp.Diagnostics), &resp.Diagnostics, func(o cloud.Object) {
		m.ID = types.StringValue(o.ID)
		resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
		resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
	})
}

// Read describes the network, or forgets one that is gone.
func (r *networkResource) Read(ctx context.Context, _ resource.ReadRequest, resp *resource.ReadResponse) {
	o, found := r.read(ctx, &resp.State, &resp.Diagnostics)
	if !found {
		return
	}
	var m objectModel
	m.describe(ctx, o, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
}
