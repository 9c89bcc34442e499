package provider

import (
	"context"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// object is what the resources of all kinds have in common. It is embedded.
type object struct {
	account *account
}

// objectModel is what all kinds have in configuration, plan and state.
type objectModel struct {
	ID   types.String `tfsdk:"id"`
	Name types.String `tfsdk:"name"`
	Tags types.Map    `tfsdk:"tags"`
}

// identityModel is the identity of everything here.
type identityModel struct {
	ID types.String `tfsdk:"id"`
}

// Configure takes what Configure of the provider has made.
func (r *object) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if a, ok := req.ProviderData.(*account); ok { // nil while configuration is validated
		r.account = a
	}
}

// IdentitySchema describes the identity, which is the id.
func (r *object) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: "The id that the cloud has given."},
	}}
}

// attributes are those of all kinds, with more.
func attributes(more map[string]schema.Attribute) map[string]schema.Attribute {
	all := map[string]schema.Attribute{
		"id": schema.StringAttribute{
			Computed:      true,
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			Description:   "What the cloud calls it; known after its create.",
		},
		"name": requiredString("What people call it. It need not be the only one."),
		"tags": schema.MapAttribute{
			ElementType:   types.StringType,
			Required:      true,
			PlanModifiers: []planmodifier.Map{mapplanmodifier.RequiresReplace()},
			Description:   "What it is listed by.",
		},
	}
	maps.Copy(all, more)
	return all
}

func requiredString(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Required: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()}, Description: description,
	}
}

// creation asks for an object of a kind, as the model says.
func (m *objectModel) creation(ctx context.Context, kind cloud.Kind, diags *diag.Diagnostics) cloud.Creation {
	c := cloud.Creation{Kind: kind, Name: m.Name.ValueString()}
	diags.Append(m.Tags.ElementsAs(ctx, &c.Tags, false)...)
	return c
}

// describe fills in what the cloud says.
func (m *objectModel) describe(ctx context.Context, o cloud.Object, diags *diag.Diagnostics) {
	m.ID, m.Name = types.StringValue(o.ID), types.StringValue(o.Name)
	tags := o.Tags
	if tags == nil {
		tags = map[string]string{} // null is no value of a required attribute
	}
	var more diag.Diagnostics
	m.Tags, more = types.MapValueFrom(ctx, types.StringType, tags)
	diags.Append(more...)
}

// make creates an object and waits until it is ready. As soon as its id is known
// it is in the state, with or without an error: save does that.
func (r *object) make(ctx context.Context, c cloud.Creation, diags *diag.Diagnostics, save func(cloud.Object)) {
	if diags.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.account.timeout)
	defer cancel()
	o, err := r.account.client.Create(ctx, c)
	if err != nil {
		diags.AddError(fmt.Sprintf("The %s %s was not created", c.Kind, c.Name), err.Error())
		return
	}
	save(o)
	o, err = r.account.client.AwaitReady(ctx, o.ID)
	if err != nil {
		diags.AddError(fmt.Sprintf("The %s %s did not get ready", c.Kind, c.Name), err.Error())
		return
	}
	save(o)
}

// read returns the object of a state, and whether it exists. One that does not is
// taken out of the state.
func (r *object) read(ctx context.Context, state *tfsdk.State, diags *diag.Diagnostics) (cloud.Object, bool) {
	var id types.String
	diags.Append(state.GetAttribute(ctx, path.Root("id"), &id)...)
	if diags.HasError() {
		return cloud.Object{}, false
	}
	o, err := r.account.client.Object(ctx, id.ValueString())
	if cloud.IsCode(err, cloud.CodeNotFound) {
		state.RemoveResource(ctx)
		return o, false
	} else if err != nil {
		diags.AddError("The object "+id.ValueString()+" cannot be read", err.Error())
		return o, false
	}
	return o, true
}

// Update is never asked for, but where a resource has one of its own: whatever
// can change makes a new object.
func (r *object) Update(_ context.Context, _ resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.Diagnostics.AddError("The object never changes", "Replace it.")
}

// Delete deletes the object and waits until it is gone.
func (r *object) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var id types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.account.timeout)
	defer cancel()
	if err := r.account.client.Delete(ctx, id.ValueString()); err != nil {
		resp.Diagnostics.AddError("The object "+id.ValueString()+" was not deleted", err.Error())
	}
}

// ImportState takes the id, by itself or in an identity. What does not exist is
// refused here, by its id.
func (r *object) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id := req.ID
	if id == "" {
		var identity identityModel
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
		id = identity.ID.ValueString()
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if _, err := r.account.client.Object(ctx, id); err != nil {
		resp.Diagnostics.AddError("No object "+id, err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: types.StringValue(id)})...)
}
