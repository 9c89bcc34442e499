package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/experiment"
)

// keyHeader marks requests that are the same when they come again.
const keyHeader = "Idempotency-Key"

// experimentPath names an experiment.
type experimentPath struct {
	ID string `path:"id" pattern:"^e[a-z0-9]{9}$" patternDescription:"the id of an experiment" example:"e1a2b3c4d5" doc:"ID of the experiment."`
}

func (p experimentPath) object() string { return p.ID }

// RunPath names a run. It is exported because huma looks only into exported
// fields, and it is embedded.
type RunPath struct {
	ID string `path:"id" pattern:"^r[a-z0-9]{9}$" patternDescription:"the id of a run" example:"r1a2b3c4d5" doc:"ID of the run."`
}

func (p RunPath) object() string { return p.ID }

// Types of parameters that would have too many tags: they bring their schemas.
type (
	runID          string
	technologyName string
	metricName     string
	submissionKey  string
)

// Schema says what a run's id looks like.
func (runID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^r[a-z0-9]{9}$", PatternDescription: "the id of a run"}
}

// Schema says what the name of a technology looks like.
func (technologyName) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^[a-z][a-z0-9-]{0,39}$", PatternDescription: "the name of a technology"}
}

// Schema says which metrics there are.
func (metricName) Schema(huma.Registry) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, m := range experiment.Metrics() {
		schema.Enum = append(schema.Enum, string(m))
	}
	return schema
}

// Schema says what a key looks like.
func (submissionKey) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: "^[!-~]{1,255}$", PatternDescription: "up to 255 visible characters"}
}

// PageQuery asks for a part of a list. It is exported because huma looks only
// into exported fields, and it is embedded.
type PageQuery struct {
	Cursor string `query:"cursor" pattern:"^[A-Za-z0-9_.~=-]{1,512}$" patternDescription:"a cursor of this list" doc:"'next' of the previous page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Maximum number of items."`
}

// experimentsQuery filters experiments.
type experimentsQuery struct {
	PageQuery
	Text       string           `query:"q" maxLength:"200" doc:"Text in the name, ID, a label or a technology, ignoring case."`
	State      experiment.State `query:"state" enum:"queued,running,ended"`
	Technology technologyName   `query:"technology" doc:"Technology of a variant."`
	Target     string           `query:"target" pattern:"^[a-z][a-z0-9-]{0,39}$" patternDescription:"the name of a target"`
	Digest     string           `query:"plan" pattern:"^[0-9a-f]{64}$" patternDescription:"the digest of a plan" doc:"Digest of the plan."`
	By         string           `query:"by" maxLength:"100" doc:"Who submitted it."`
	Order      string           `query:"order" enum:"newest,oldest" default:"newest" doc:"Sort order."`
}

func (q experimentsQuery) query() experiment.ExperimentQuery {
	return experiment.ExperimentQuery{
		Text: q.Text, State: q.State, Technology: string(q.Technology), Target: q.Target, Digest: q.Digest, By: q.By,
		Oldest: q.Order == "oldest", Cursor: q.Cursor, Limit: q.Limit,
	}
}

// runsQuery filters runs.
type runsQuery struct {
	PageQuery
	Experiment string              `query:"experiment" pattern:"^e[a-z0-9]{9}$" patternDescription:"the id of an experiment"`
	Phase      experiment.Phase    `query:"phase" enum:"queued,provision,prepare,load,collect,destroy,verify,ended"`
	Outcome    experiment.Outcome  `query:"outcome" enum:"succeeded,failed,cancelled"`
	Teardown   experiment.Teardown `query:"teardown" enum:"none,pending,clean,leaked"`
	Technology technologyName      `query:"technology"`
	Target     string              `query:"target" pattern:"^[a-z][a-z0-9-]{0,39}$" patternDescription:"the name of a target"`
}

func (q runsQuery) query() experiment.RunQuery {
	return experiment.RunQuery{
		Experiment: q.Experiment, Phase: q.Phase, Outcome: q.Outcome, Teardown: q.Teardown,
		Technology: string(q.Technology), Target: q.Target, Cursor: q.Cursor, Limit: q.Limit,
	}
}
