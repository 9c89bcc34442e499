package experiment

import (
	"encoding/json"
	"fmt"
)

// uniformSize is how a range of sizes is written.
type uniformSize struct {
	Uniform [2]Bytes `json:"uniform"`
}

// MarshalJSON writes s as [Size] describes.
func (s Size) MarshalJSON() ([]byte, error) {
	if s.Min == s.Max {
		return json.Marshal(s.Min)
	}
	return json.Marshal(uniformSize{[2]Bytes{s.Min, s.Max}})
}

// UnmarshalJSON reads what [Size.MarshalJSON] writes. It refuses sizes that are out
// of range.
func (s *Size) UnmarshalJSON(data []byte) error {
	var fixed Bytes
	var written uniformSize
	if err := json.Unmarshal(data, &written); err == nil {
		*s = Size{Min: written.Uniform[0], Max: written.Uniform[1]}
	} else if err := json.Unmarshal(data, &fixed); err == nil {
		*s = Size{Min: fixed, Max: fixed}
	} else {
		return fmt.Errorf("read a size: %w", err)
	}
	if s.Min < MinMessageBytes || s.Max < s.Min || s.Max > MaxMessageBytes {
		return fmt.Errorf("read a size: %s is not between %s and %s", s, MinMessageBytes, MaxMessageBytes)
	}
	return nil
}

// String formats s for people: "1KiB" or "100B to 4kB".
func (s Size) String() string {
	if s.Min == s.Max {
		return s.Min.String()
	}
	return fmt.Sprintf("%s to %s", s.Min, s.Max)
}

// uniformKey is how keys drawn evenly are written.
type uniformKey struct {
	Uniform struct {
		Cardinality int `json:"cardinality"`
	} `json:"uniform"`
}

// MarshalJSON writes k as [Key] describes.
func (k Key) MarshalJSON() ([]byte, error) {
	if k.Kind != KeyUniform {
		return json.Marshal(k.Kind)
	}
	var written uniformKey
	written.Uniform.Cardinality = k.Cardinality
	return json.Marshal(written)
}

// UnmarshalJSON reads what [Key.MarshalJSON] writes. The cardinality of
// [KeyRoundRobin] is not in there: [Workload.UnmarshalJSON] restores it.
func (k *Key) UnmarshalJSON(data []byte) error {
	var written uniformKey
	if err := json.Unmarshal(data, &written); err == nil {
		if written.Uniform.Cardinality < 1 {
			return fmt.Errorf("read a key: the cardinality is %d, but must be at least 1", written.Uniform.Cardinality)
		}
		*k = Key{Kind: KeyUniform, Cardinality: written.Uniform.Cardinality}
		return nil
	}
	var kind KeyKind
	if err := json.Unmarshal(data, &kind); err != nil || kind != KeyNone && kind != KeyRoundRobin {
		return fmt.Errorf("read a key: %q is neither %q nor %q", kind, KeyNone, KeyRoundRobin)
	}
	*k = Key{Kind: kind}
	return nil
}

// String formats k for people: "uniform over 10000".
func (k Key) String() string {
	if k.Kind == KeyUniform {
		return fmt.Sprintf("uniform over %d", k.Cardinality)
	}
	return string(k.Kind)
}

// UnmarshalJSON reads a workload that was written by this package, without the
// checks of package planspec.
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
