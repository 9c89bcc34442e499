package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// Whoever reads the document or an answer finds the same word in the Go code.
func TestFieldsAreNamedAsOnTheWire(t *testing.T) {
	for _, name := range []string{"api.go", "problem.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Tag == nil || len(field.Names) != 1 {
				return true
			}
			tag, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			wire, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
			if want := snake(field.Names[0].Name); wire != "-" && wire != want {
				t.Errorf("%s: field %s is %q on the wire, want %q", name, field.Names[0].Name, wire, want)
			}
			return true
		})
	}
}

// snake writes a Go name with underscores: "LastEventID" becomes "last_event_id".
func snake(name string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
