// Package provider is the OpenTofu provider "dec", which makes the processes and
// ports of this machine as if it were a cloud. It knows no more than
// the ledger of package local: what a state has lost, the ledger still lists.
//
// Names, folders and port numbers are known at plan, so that whoever kills an
// apply at any moment knows what it may have made.
package provider

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/target/local"
)

// Address is the provider's source address in OpenTofu.
const Address = "dec.local/dec/dec"

// Serve answers OpenTofu, which started this program, until it ends or tells us
// to.
func Serve(ctx context.Context) error {
	exitWithParent()
	return providerserver.Serve(ctx, New, providerserver.ServeOpts{Address: Address, ProtocolVersion: 6})
}

// New returns the provider.
func New() provider.Provider { return &decProvider{} }

type decProvider struct{}

// providerModel is the provider block.
type providerModel struct {
	Artifacts types.List `tfsdk:"artifacts"`
}

// machine is what the resources work with.
type machine struct {
	ledger    *local.Ledger
	artifacts []string // folders that hold <name>/<version>
}

// Metadata names the provider.
func (p *decProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "dec"
}

// Schema describes the provider.
func (p *decProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "Processes and ports on this machine.",
		Attributes: map[string]schema.Attribute{
			"artifacts": schema.ListAttribute{
				ElementType: types.StringType,
				Optional:    true,
				Description: "Absolute folders in which artifacts are searched, in this order, each at <name>/<version>.",
			},
		},
	}
}

// Configure opens the ledger of this user.
func (p *decProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var m providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var artifacts []string
	if !m.Artifacts.IsNull() && !m.Artifacts.IsUnknown() {
		resp.Diagnostics.Append(m.Artifacts.ElementsAs(ctx, &artifacts, false)...)
	}
	for _, folder := range artifacts {
		if !filepath.IsAbs(folder) {
			resp.Diagnostics.AddAttributeError(path.Root("artifacts"), "Not an absolute path",
				fmt.Sprintf("%q depends on the folder in which OpenTofu is started. Use an absolute path.", folder))
		}
	}
	ledger, err := openLedger()
	if err != nil {
		resp.Diagnostics.AddError("No ledger of processes and ports", err.Error())
		return
	}
	resp.ResourceData = &machine{ledger: ledger, artifacts: artifacts}
}

// openLedger opens the ledger that the environment names.
func openLedger() (*local.Ledger, error) {
	dir, err := local.Folder(os.Getenv)
	if err != nil {
		return nil, err
	}
	return local.Open(dir)
}

// Resources are dec_process and dec_port.
func (p *decProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource { return &processResource{} },
		func() resource.Resource { return &portResource{} },
	}
}

// DataSources are none: package local lists what exists.
func (p *decProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
