package httpapi

// The groups of routes declare what they use, each beside itself. For the wiring
// these are put together here by who provides them.

// Store is the database.
type Store interface {
	clock
	runStore
	expiries
	experimentStore
	experimentDeleter
	submissions
	comparisonStore
	evidenceStore
	drainStore
	auditReader
	auditWriter
	healthStore
	totalsStore
}

// Engine takes orders.
type Engine interface {
	submitter
	canceller
}

// Planner knows what plans can be run here.
type Planner interface {
	cataloger
	proposer
	estimator
}

// Evidence is what belongs to runs and is not in the database.
type Evidence interface {
	runEvidence
	packer
	loadStarts
	runFiles
}
