package tofu

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// module is what DEC has to know of an OpenTofu module: its variables, in the
// order of its files, whether it has secrets for services, and the providers that
// it requires.
type module struct {
	variables []*variable
	secrets   bool     // there is an output "secrets"
	providers []string // source addresses of required_providers, as they are written
}

// variable is a variable block.
type variable struct {
	name        string
	description string
	ty          cty.Type
	defaults    *typeexpr.Defaults // of optional attributes; nil if none
	value       cty.Value          // the default; cty.NilVal when the variable is required
	nullable    bool
	sensitive   bool
	ephemeral   bool
	rules       []rule
}

// rule is a validation block.
type rule struct {
	condition hclsyntax.Expression
	message   hclsyntax.Expression
}

var (
	fileSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "variable", LabelNames: []string{"name"}},
		{Type: "output", LabelNames: []string{"name"}},
		{Type: "terraform"},
	}}
	variableSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{
			{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "nullable"}, {Name: "sensitive"}, {Name: "ephemeral"},
		},
		Blocks: []hcl.BlockHeaderSchema{{Type: "validation"}},
	}
	validationSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
		{Name: "condition", Required: true}, {Name: "error_message", Required: true},
	}}
	terraformSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "required_providers"}}}
)

// readModule reads all .tf files of a folder.
func readModule(fsys fs.FS, dir string) (*module, error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*.tf"))
	if err != nil {
		return nil, fmt.Errorf("list module %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("module %s: %w", dir, fs.ErrNotExist)
	}
	m := &module{}
	for _, name := range files {
		source, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read module %s: %w", dir, err)
		}
		file, diags := hclsyntax.ParseConfig(source, name, hcl.InitialPos)
		if !diags.HasErrors() {
			diags = m.add(file.Body)
		}
		if diags.HasErrors() {
			return nil, fmt.Errorf("read module %s: %w", dir, sentence(diags))
		}
	}
	return m, nil
}

// add reads the blocks of one file.
func (m *module) add(body hcl.Body) hcl.Diagnostics {
	content, _, diags := body.PartialContent(fileSchema)
	for _, block := range content.Blocks {
		switch block.Type {
		case "terraform":
			diags = append(diags, m.addProviders(block.Body)...)
		case "output":
			m.secrets = m.secrets || block.Labels[0] == "secrets"
		default:
			v, more := readVariable(block)
			diags = append(diags, more...)
			m.variables = append(m.variables, v)
		}
	}
	return diags
}

// addProviders reads the source addresses in a terraform block.
func (m *module) addProviders(body hcl.Body) hcl.Diagnostics {
	content, _, diags := body.PartialContent(terraformSchema)
	for _, block := range content.Blocks {
		attributes, more := block.Body.JustAttributes()
		diags = append(diags, more...)
		for _, attribute := range attributes {
			value, _ := attribute.Expr.Value(nil)
			if value.Type().IsObjectType() && value.Type().HasAttribute("source") && value.GetAttr("source").Type() == cty.String {
				m.providers = append(m.providers, value.GetAttr("source").AsString())
			}
		}
	}
	return diags
}

// readVariable reads one variable block.
func readVariable(block *hcl.Block) (*variable, hcl.Diagnostics) {
	v := &variable{name: block.Labels[0], ty: cty.DynamicPseudoType, nullable: true}
	content, _, diags := block.Body.PartialContent(variableSchema)
	if a, ok := content.Attributes["type"]; ok {
		var more hcl.Diagnostics
		v.ty, v.defaults, more = typeexpr.TypeConstraintWithDefaults(a.Expr)
		diags = append(diags, more...)
	}
	for name, into := range map[string]any{
		"description": &v.description, "nullable": &v.nullable, "sensitive": &v.sensitive, "ephemeral": &v.ephemeral,
	} {
		if a, ok := content.Attributes[name]; ok {
			diags = append(diags, gohcl.DecodeExpression(a.Expr, nil, into)...)
		}
	}
	if a, ok := content.Attributes["default"]; ok && !diags.HasErrors() {
		value, more := a.Expr.Value(nil)
		diags = append(diags, more...)
		if value, err := v.convert(value); err != nil {
			diags = diags.Append(&hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Invalid default of " + v.name, Detail: err.Error(), Subject: &a.Range,
			})
		} else {
			v.value = value
		}
	}
	for _, validation := range content.Blocks {
		parts, more := validation.Body.Content(validationSchema)
		diags = append(diags, more...)
		condition, ok := parts.Attributes["condition"]
		message, also := parts.Attributes["error_message"]
		if ok && also {
			v.rules = append(v.rules, rule{condition.Expr.(hclsyntax.Expression), message.Expr.(hclsyntax.Expression)})
		}
	}
	return v, diags
}

// convert gives a value the variable's type, as OpenTofu does.
func (v *variable) convert(value cty.Value) (cty.Value, error) {
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	return convert.Convert(value, v.ty)
}

// secret reports whether the value must never be written down nor shown.
func (v *variable) secret() bool { return v.sensitive || v.ephemeral }

// required reports whether a value must be given.
func (v *variable) required() bool { return v.value == cty.NilVal }

// variable returns the variable of that name, or nil.
func (m *module) variable(name string) *variable {
	for _, v := range m.variables {
		if v.name == name {
			return v
		}
	}
	return nil
}

// sentence makes an error of diagnostics: one line each, with the position.
func sentence(diags hcl.Diagnostics) error {
	var lines []string
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		line := strings.TrimSuffix(d.Summary, ".") + ": " + d.Detail
		if d.Subject != nil {
			line = fmt.Sprintf("%s:%d: %s", d.Subject.Filename, d.Subject.Start.Line, line)
		}
		lines = append(lines, line)
	}
	return errors.New(strings.Join(lines, "\n"))
}
