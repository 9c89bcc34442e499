package provider

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/target/local"
)

// portResource is dec_port.
type portResource struct {
	machine *machine
}

var (
	_ resource.ResourceWithConfigure      = (*portResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*portResource)(nil)
	_ resource.ResourceWithImportState    = (*portResource)(nil)
	_ resource.ResourceWithIdentity       = (*portResource)(nil)
	_ resource.ResourceWithValidateConfig = (*portResource)(nil)
)

// portModel is a dec_port in configuration, plan and state.
type portModel struct {
	ID     types.String `tfsdk:"id"`
	Name   types.String `tfsdk:"name"`
	Number types.Int64  `tfsdk:"number"`
	Tags   types.Map    `tfsdk:"tags"`
}

// Metadata names the resource.
func (r *portResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_port"
}

// Schema describes the resource.
func (r *portResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "A port of this machine, reserved for one use.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Computed:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				Description:   "The port number; known at plan time.",
			},
			"name": requiredString("<run>-<group>-<index>-<port>: the same name gets the same number."),
			"number": schema.Int64Attribute{
				Computed:      true,
				PlanModifiers: []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
				Description:   fmt.Sprintf("Port number, from %d to %d; known at plan time.", local.FirstPort, local.LastPort),
			},
			"tags": tagsAttribute(),
		},
	}
}

// IdentitySchema describes the identity, which is the id.
func (r *portResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityByID("Port number.")
}

// Configure takes what Configure of the provider has made.
func (r *portResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if m, ok := req.ProviderData.(*machine); ok { // nil while configuration is validated
		r.machine = m
	}
}

// ValidateConfig refuses names and tags that are not as they must be.
func (r *portResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m portModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	c := checker{diags: &resp.Diagnostics}
	c.name(m.Name)
	c.tags(m.Tags)
}

// ModifyPlan reserves the number of a port to be created, so that it is known
// at plan. OpenTofu plans again while it applies, and gets the same number. A
// reservation that is never applied is in the ledger, and ends by its tag. Only
// the number of a replaced port is known after apply.
func (r *portResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || !req.State.Raw.IsNull() {
		return // a delete, or one that has its number
	}
	var m portModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || m.Name.IsUnknown() || m.Tags.IsUnknown() {
		return
	}
	var tags map[string]types.String
	resp.Diagnostics.Append(m.Tags.ElementsAs(ctx, &tags, true)...)
	known := make(map[string]string, len(tags))
	for tag, v := range tags {
		if v.IsUnknown() {
			return
		}
		known[tag] = v.ValueString()
	}
	port, err := r.machine.ledger.ReservePort(ctx, m.Name.ValueString(), known)
	if err != nil {
		resp.Diagnostics.AddError("No port for "+m.Name.ValueString(), err.Error())
		return
	}
	if port.Claimed {
		return // about to be replaced: its number is free for others in between, and cannot be promised
	}
	m.setNumber(port.Number)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &m)...)
}

func (m *portModel) setNumber(number int) {
	m.Number, m.ID = types.Int64Value(int64(number)), types.StringValue(strconv.Itoa(number))
}

// Create takes the number that was reserved at plan.
func (r *portResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m portModel
	var tags map[string]string
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(m.Tags.ElementsAs(ctx, &tags, false)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := m.Name.ValueString()
	if m.Number.IsUnknown() { // its name was not known at plan
		port, err := r.machine.ledger.ReservePort(ctx, name, tags)
		if err != nil {
			resp.Diagnostics.AddError("No port for "+name, err.Error())
			return
		}
		m.setNumber(port.Number)
	}
	_, err := r.machine.ledger.ClaimPort(ctx, int(m.Number.ValueInt64()), name, tags)
	if errors.Is(err, local.ErrPortTaken) {
		resp.Diagnostics.AddError(fmt.Sprintf("Port %d is taken", m.Number.ValueInt64()),
			fmt.Sprintf("Another program started to listen on it after it was planned for %s. Plan again to get another port.", name))
		return
	} else if err != nil {
		resp.Diagnostics.AddError("No port for "+name, err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
}

// Read forgets a port that is not reserved for its name any more.
func (r *portResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m portModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	number, err := portNumber(m.ID.ValueString())
	if err != nil {
		resp.Diagnostics.AddError("Port "+m.ID.ValueString()+" cannot be read", err.Error())
		return
	}
	port, err := r.machine.ledger.Port(number)
	other := err == nil && !m.Name.IsNull() && port.Name != "" && port.Name != m.Name.ValueString()
	if errors.Is(err, fs.ErrNotExist) || other {
		resp.State.RemoveResource(ctx)
		return
	} else if err != nil {
		resp.Diagnostics.AddError("Port "+m.ID.ValueString()+" cannot be read", err.Error())
		return
	}
	m.setNumber(number)
	if port.Name != "" { // else it is damaged: what the state says of it is the best there is
		m.Name = types.StringValue(port.Name)
		tags, diags := stringMap(ctx, port.Tags)
		m.Tags = tags
		resp.Diagnostics.Append(diags...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: m.ID})...)
}

// Update is never asked for: whatever can change makes a new port.
func (r *portResource) Update(_ context.Context, _ resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.Diagnostics.AddError("A port never changes", "Replace it.")
}

// Delete frees the number.
func (r *portResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m portModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	number, err := portNumber(m.ID.ValueString())
	if err == nil {
		err = r.machine.ledger.FreePort(ctx, number, m.Name.ValueString())
	}
	if err != nil {
		resp.Diagnostics.AddError("Port "+m.ID.ValueString()+" was not freed", err.Error())
	}
}

// ImportState takes the number. What does not exist is refused here, by number.
func (r *portResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := importID(ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	number, err := portNumber(id)
	if err == nil {
		_, err = r.machine.ledger.Port(number)
	}
	if err != nil {
		resp.Diagnostics.AddError("No port "+id, fmt.Sprintf("The ledger of this machine has no port with the id %q: %v", id, err))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{ID: types.StringValue(id)})...)
}

// portNumber is the number in the id of a port.
func portNumber(id string) (int, error) {
	number, err := strconv.Atoi(id)
	if err != nil {
		return 0, fmt.Errorf("the id %q is not a port number", id)
	}
	return number, nil
}
