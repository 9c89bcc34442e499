package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Whatever describes a process makes a new one when it changes: a process is
// never changed, and never started twice.
var (
	replacesString  = []planmodifier.String{stringplanmodifier.RequiresReplace()}
	replacesInt64   = []planmodifier.Int64{int64planmodifier.RequiresReplace()}
	replacesFloat64 = []planmodifier.Float64{float64planmodifier.RequiresReplace()}
	replacesList    = []planmodifier.List{listplanmodifier.RequiresReplace()}
	replacesMap     = []planmodifier.Map{mapplanmodifier.RequiresReplace()}
)

// Schema describes the resource.
func (r *processResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "A process on this machine, independent of its starter.",
		Attributes: map[string]schema.Attribute{
			"id":          schema.StringAttribute{Computed: true, Description: "The name; known at plan time."},
			"folder":      schema.StringAttribute{Computed: true, Description: "Folder of the process; known at plan time."},
			"name":        requiredString("Name, <run>-<service>; unique on this machine."),
			"command":     requiredStrings("Program and arguments. A relative program path starts at the working folder."),
			"environment": optionalStrings("Complete environment; nothing is inherited."),
			"files":       optionalStrings("Path below the working folder => content."),
			"files_wo": schema.MapAttribute{
				ElementType: types.StringType,
				Optional:    true,
				WriteOnly:   true,
				Sensitive:   true,
				Description: "Path below the working folder => secret content, in no plan and no state. Removed when the process has ended.",
			},
			"artifacts":     optionalStrings("Link below the working folder => name@version."),
			"ready_log":     optionalString("", "Regular expression of the output line that tells that it is ready; not checked if empty."),
			"ready_port":    optionalInt("Port that accepts connections when it is ready; not checked if 0."),
			"ready_timeout": optionalSeconds(60, "Maximum time until it is ready, in seconds."),
			"lifetime":      optionalString("service", "service: runs until it is stopped; task: ends by itself."),
			"stop_signal":   optionalString("SIGTERM", "Signal that asks it to stop; sent once."),
			"grace":         optionalSeconds(10, "Time from the stop signal until it is killed, in seconds."),
			"memory":        optionalInt("Memory limit of it and its children, in bytes; unlimited if 0."),
			"cpus": schema.ListAttribute{
				ElementType:   types.Int64Type,
				Optional:      true,
				Computed:      true,
				Default:       listdefault.StaticValue(types.ListValueMust(types.Int64Type, []attr.Value{})),
				PlanModifiers: replacesList,
				Description:   "CPUs that it may run on; all if empty.",
			},
			"logs": optionalString("", "Folder to which its logs are saved when it is deleted; not saved if empty."),
			"tags": tagsAttribute(),
			"running": schema.BoolAttribute{
				Computed:    true,
				Default:     booldefault.StaticBool(true),
				Description: "Whether it runs, or is a task that ended with exit code 0.",
			},
		},
	}
}

// IdentitySchema describes the identity, which is the id.
func (r *processResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityByID("The name of the process.")
}

// identityModel is the identity of everything here.
type identityModel struct {
	ID types.String `tfsdk:"id"`
}

func identityByID(description string) identityschema.Schema {
	return identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{RequiredForImport: true, Description: description},
	}}
}

func tagsAttribute() schema.MapAttribute {
	return schema.MapAttribute{
		ElementType:   types.StringType,
		Required:      true,
		PlanModifiers: replacesMap,
		Description:   "dec:install, dec:run, dec:address and dec:expires-at (RFC 3339).",
	}
}

func requiredString(description string) schema.StringAttribute {
	return schema.StringAttribute{Required: true, PlanModifiers: replacesString, Description: description}
}

func requiredStrings(description string) schema.ListAttribute {
	return schema.ListAttribute{ElementType: types.StringType, Required: true, PlanModifiers: replacesList, Description: description}
}

func optionalString(value, description string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:      true,
		Computed:      true,
		Default:       stringdefault.StaticString(value),
		PlanModifiers: replacesString,
		Description:   description,
	}
}

func optionalInt(description string) schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional:      true,
		Computed:      true,
		Default:       int64default.StaticInt64(0),
		PlanModifiers: replacesInt64,
		Description:   description,
	}
}

func optionalSeconds(value float64, description string) schema.Float64Attribute {
	return schema.Float64Attribute{
		Optional:      true,
		Computed:      true,
		Default:       float64default.StaticFloat64(value),
		PlanModifiers: replacesFloat64,
		Description:   description,
	}
}

// optionalStrings has a default, so that an import of a process without any
// equals a configuration without any, instead of replacing the process.
func optionalStrings(description string) schema.MapAttribute {
	return schema.MapAttribute{
		ElementType:   types.StringType,
		Optional:      true,
		Computed:      true,
		Default:       mapdefault.StaticValue(types.MapValueMust(types.StringType, map[string]attr.Value{})),
		PlanModifiers: replacesMap,
		Description:   description,
	}
}
