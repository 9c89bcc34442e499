package planspec

import (
	"maps"
	"slices"
)

// FieldPaths are the paths of the table of fields.
func FieldPaths() []string { return slices.Sorted(maps.Keys(fields)) }
