package measure

import "time"

// Certificate is how wrong the agents' own figures are, as `dec certify` found out by a
// broker of known behaviour. It is of one build of the agent on one kind of machine.
type Certificate struct {
	Build     string    `json:"build"`      // of the agent, as [AgentFacts.Build]
	MachineID string    `json:"machine_id"` // on which it was made
	Machine   Machine   `json:"machine"`
	MadeAt    time.Time `json:"made_at"`
	Line      string    `json:"line"`             // its figures in a sentence, for people
	Misses    []string  `json:"misses,omitempty"` // bounds that were missed, each with its figures
}

// CertificateLife is how long a certificate holds.
const CertificateLife = 24 * time.Hour

// Machine is a kind of machine.
type Machine struct {
	CPUModel    string `json:"cpu_model"`
	CPUs        int    `json:"cpus"`
	MemoryBytes int64  `json:"memory_bytes"`
	OS          string `json:"os"` // with the kernel's version
	// SelfCheckNS is the largest p99 of lateness in the agents' self-checks.
	SelfCheckNS int64 `json:"self_check_p99_ns"`
}

// NewMachine is the kind of machine that an agent ran on.
func NewMachine(a AgentFacts) Machine {
	m := Machine{CPUModel: a.CPUModel, CPUs: a.CPUs, MemoryBytes: a.MemoryBytes, OS: a.OS}
	if a.SelfCheck.P99NS != nil {
		m.SelfCheckNS = *a.SelfCheck.P99NS
	}
	return m
}

// Instrument tells how wrong the figures of a result may be, in a sentence without its
// full stop.
func (r *Result) Instrument() string {
	switch c := r.Certificate; {
	case c == nil:
		return "not certified: 'dec certify' tells the instrument's own error for the next 24 hours"
	case len(c.Misses) > 0:
		return c.Line + " (out of bounds)"
	default:
		return c.Line
	}
}

// selfCheckSlack is by how much the self-check of a machine may be worse than that of
// another one of its kind, so that the other's certificate holds for it.
const selfCheckSlack = 300 * time.Microsecond

// Holds reports whether the certificate is one of this agent, at a moment: the same build
// on the same machine, of which a target may give its agents a part of the CPUs, or on
// another one of its kind whose self-check was as good.
func (c *Certificate) Holds(a AgentFacts, now time.Time) bool {
	age := now.Sub(c.MadeAt)
	if a.Build == "" || a.Build != c.Build || age < 0 || age >= CertificateLife {
		return false
	}
	if a.MachineID != "" && a.MachineID == c.MachineID {
		return true
	}
	m := NewMachine(a)
	return a.SelfCheck.P99NS != nil && m.Kind() == c.Machine.Kind() && m.SelfCheckNS-c.Machine.SelfCheckNS <= int64(selfCheckSlack)
}

const gib = 1 << 30

// Kind is the machine without what differs between two of a kind: kernels keep a part of
// the memory for themselves, not always the same.
func (m Machine) Kind() Machine {
	m.SelfCheckNS, m.MemoryBytes = 0, (m.MemoryBytes+gib/2)/gib*gib
	return m
}
