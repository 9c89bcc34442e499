package experiment

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// decodeNode reads text with a unit.
func (d *Duration) decodeNode(n *node, path string, f field, problems *Problems) {
	if n.kind != kindText {
		problems.Add(path, "write a length of time with its unit such as %s, not %s", f.sample(), n.describe())
		return
	}
	parsed, err := ParseDuration(n.text)
	if err != nil {
		problems.Add(path, "%s", err)
		return
	}
	*d = parsed
	f.checkRange(float64(parsed), func(x float64) string { return Duration(x).String() }, path, problems)
}

// decodeNode reads text with a unit, or a number.
func (b *Bytes) decodeNode(n *node, path string, f field, problems *Problems) {
	if n.kind != kindText && n.kind != kindNumber {
		problems.Add(path, "write an amount of data with its unit such as %s, not %s", f.sample(), n.describe())
		return
	}
	parsed, err := ParseBytes(n.text)
	if err != nil {
		problems.Add(path, "%s", err)
		return
	}
	*b = parsed
	f.checkRange(float64(parsed), func(x float64) string { return Bytes(x).String() }, path, problems)
}

// sizeForms tells how a size is written.
const sizeForms = `write a size such as "1KiB", or {"uniform": [100, 4000]}`

func (s *Size) decodeNode(n *node, path string, f field, problems *Problems) {
	if n.kind == kindText || n.kind == kindNumber {
		(&s.Min).decodeNode(n, path, f, problems)
		s.Max = s.Min
		return
	}
	m, ok := n.only()
	if !ok || m.name != "uniform" || m.value.kind != kindList || len(m.value.items) != 2 {
		problems.Add(path, "%s, not %s", sizeForms, n.describe())
		return
	}
	path = join(path, "uniform")
	(&s.Min).decodeNode(m.value.items[0], path+"[0]", f, problems)
	(&s.Max).decodeNode(m.value.items[1], path+"[1]", f, problems)
	if s.Max < s.Min {
		problems.Add(path, "the range ends before it begins: write the smaller size first")
	}
}

// MarshalJSON writes s as [Size] describes.
func (s Size) MarshalJSON() ([]byte, error) {
	if s.Min == s.Max {
		return json.Marshal(s.Min)
	}
	return json.Marshal(map[string][]Bytes{"uniform": {s.Min, s.Max}})
}

// UnmarshalJSON reads what [Size.MarshalJSON] writes. Like [DecodePlan] it
// refuses sizes that are out of range.
func (s *Size) UnmarshalJSON(data []byte) error { return unmarshalCustom(data, s, "message.size") }

// String formats s for people: "1KiB" or "100B to 4kB".
func (s Size) String() string {
	if s.Min == s.Max {
		return s.Min.String()
	}
	return fmt.Sprintf("%s to %s", s.Min, s.Max)
}

// keyForms tells how keys are written.
const keyForms = `write "none", "round_robin" or {"uniform": {"cardinality": 10000}}`

func (k *Key) decodeNode(n *node, path string, f field, problems *Problems) {
	if n.kind == kindText && (n.text == string(KeyNone) || n.text == string(KeyRoundRobin)) {
		*k = Key{Kind: KeyKind(n.text)}
		return
	}
	m, ok := n.only()
	if !ok || m.name != string(KeyUniform) {
		problems.Add(path, "%s, not %s", keyForms, n.describe())
		return
	}
	inner, ok := m.value.only()
	if !ok || inner.name != "cardinality" {
		problems.Add(join(path, m.name), `write {"cardinality": 10000}, not %s`, m.value.describe())
		return
	}
	path = join(join(path, m.name), inner.name)
	count, err := strconv.Atoi(inner.value.text)
	if inner.value.kind != kindNumber || err != nil {
		problems.Add(path, "write a whole number such as 10000, not %s", inner.value.describe())
		return
	}
	*k = Key{Kind: KeyUniform, Cardinality: count}
	f.checkRange(float64(count), func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }, path, problems)
}

// MarshalJSON writes k as [Key] describes.
func (k Key) MarshalJSON() ([]byte, error) {
	if k.Kind == KeyUniform {
		return json.Marshal(map[KeyKind]map[string]int{KeyUniform: {"cardinality": k.Cardinality}})
	}
	return json.Marshal(k.Kind)
}

// UnmarshalJSON reads what [Key.MarshalJSON] writes. The cardinality of
// [KeyRoundRobin] is not in there: [Workload.UnmarshalJSON] restores it.
func (k *Key) UnmarshalJSON(data []byte) error { return unmarshalCustom(data, k, "message.key") }

// String formats k for people: "uniform over 10000".
func (k Key) String() string {
	if k.Kind == KeyUniform {
		return fmt.Sprintf("uniform over %d", k.Cardinality)
	}
	return string(k.Kind)
}

// unmarshalCustom decodes one value that stands at a path of the workload.
func unmarshalCustom(data []byte, value custom, path string) error {
	n, problems := parse(data)
	if n != nil {
		value.decodeNode(n, path, fields[join("workload", path)], problems)
	}
	return problems.Err()
}

// UnmarshalJSON reads a workload that was written by this package, without the
// checks of [DecodePlan].
func (w *Workload) UnmarshalJSON(data []byte) error {
	type plain Workload // has no methods, so this is no recursion
	if err := json.Unmarshal(data, (*plain)(w)); err != nil {
		return fmt.Errorf("read a workload: %w", err)
	}
	w.spreadKeys()
	return nil
}

// spreadKeys sets what [KeyRoundRobin] takes from the topology.
func (w *Workload) spreadKeys() {
	if w.Message.Key.Kind == KeyRoundRobin {
		w.Message.Key.Cardinality = w.Topology.Partitions
	}
}
