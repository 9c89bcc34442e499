// Package provider is the OpenTofu provider "fakecloud", which makes networks,
// addresses and instances in the fake cloud. It is written as the providers of
// real clouds are: it knows an id only when the cloud has told it, waits for
// what takes time, and tries again what the cloud refuses for a while. Unlike
// DEC's own provider it does not end when OpenTofu is killed.
package provider

import (
	"context"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// Address is the provider's source address in OpenTofu.
const Address = "dec.local/dec/fakecloud"

// Serve answers OpenTofu, which started this program, until it tells us to end.
func Serve(ctx context.Context) error {
	return providerserver.Serve(ctx, New, providerserver.ServeOpts{Address: Address, ProtocolVersion: 6})
}

// New returns the provider.
func New() provider.Provider { return &cloudProvider{} }

type cloudProvider struct{}

// providerModel is the provider block.
type providerModel struct {
	Artifacts types.List `tfsdk:"artifacts"`
}

// account is what the resources work with.
type account struct {
	client    *cloud.Client
	artifacts []string // folders that hold <name>/<version>
	timeout   time.Duration
}

// Metadata names the provider.
func (p *cloudProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "fakecloud"
}

// Schema describes the provider.
func (p *cloudProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "A cloud for tests. Where it is and the key to it come from the environment.",
		Attributes: map[string]schema.Attribute{
			"artifacts": schema.ListAttribute{
				ElementType: types.StringType,
				Optional:    true,
				Description: "Absolute folders in which instances look for artifacts, in this order, each at <name>/<version>.",
			},
		},
	}
}

// Configure takes the credentials from the environment.
func (p *cloudProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var m providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	a := &account{}
	if !m.Artifacts.IsNull() && !m.Artifacts.IsUnknown() {
		resp.Diagnostics.Append(m.Artifacts.ElementsAs(ctx, &a.artifacts, false)...)
	}
	var err error
	if a.client, err = cloud.FromEnvironment(os.Getenv); err != nil {
		resp.Diagnostics.AddError("No credentials", err.Error())
	}
	if a.timeout, err = cloud.Timeout(os.Getenv); err != nil {
		resp.Diagnostics.AddError("No timeout", err.Error())
	}
	resp.ResourceData = a
}

// Resources are the kinds of objects that a caller makes.
func (p *cloudProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		func() resource.Resource { return &networkResource{} },
		func() resource.Resource { return &addressResource{} },
		func() resource.Resource { return &instanceResource{} },
	}
}

// DataSources are none.
func (p *cloudProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
