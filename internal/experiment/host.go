package experiment

// Host is the machine and the data folder of one server. What a run has on the
// machine itself can be looked after only from there.
type Host struct {
	ID   string // of the machine, hashed; "" when it is not known
	Boot string // of this start of the machine
	Home string // data folder of the server
}
