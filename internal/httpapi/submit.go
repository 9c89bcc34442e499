package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// planTypes are the media types of a plan.
var planTypes = []string{jsonType, "application/yaml", "text/yaml"}

// submissions are those of the last 24 hours.
type submissions interface {
	// Submitted returns the id of the experiment that the same submission was
	// admitted as, "" for a new one; [experiment.ErrKeyReused] when its key carried
	// another one.
	Submitted(ctx context.Context, s experiment.Submission) (string, error)
}

// proposer checks plans.
type proposer interface {
	// Propose reads a plan, YAML or JSON, and tells what it would do, once it is
	// certain that it may be run here now. A plan that must be changed is an
	// *[experiment.Problems], one that can't be run now an *[experiment.Refusal].
	Propose(ctx context.Context, text []byte) (api.DryRun, error)
}

// submitter takes experiments.
type submitter interface {
	// Submit admits an experiment; replayed says that the same submission had been
	// admitted before. [experiment.ErrKeyReused] when its key carried another one.
	Submit(ctx context.Context, p experiment.Plan, s experiment.Submission) (e experiment.Experiment, replayed bool, err error)
}

// submitRoutes take experiments.
type submitRoutes struct {
	earlier     submissions
	planner     proposer
	engine      submitter
	experiments experimentReader
}

func (s submitRoutes) add(a *registrar) {
	op := call(http.MethodPost, "/experiments", "create-experiment", "experiments", "Submit an experiment")
	op.Description = "The experiment is queued and runs without further calls. With ?dry_run=true the plan is validated but nothing is stored."
	op.DefaultStatus = http.StatusAccepted
	op.SkipValidateBody = true // the planner does, and says more
	op.RequestBody = &huma.RequestBody{Description: "The plan, as JSON or YAML.", Required: true}
	op.Errors = []int{http.StatusConflict}
	op.Metadata = map[string]any{auditAction: "experiment.create"}
	answer[api.ExperimentDetail](a, &op, http.StatusAccepted, "The experiment is stored and queued.")
	answer[api.DryRun](a, &op, http.StatusOK, "The validated plan (dry_run).")
	register(a, op, s.submit)

	plan := a.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[experiment.Plan](), true, "")
	op.RequestBody.Content = map[string]*huma.MediaType{}
	for _, mediaType := range planTypes {
		op.RequestBody.Content[mediaType] = &huma.MediaType{Schema: plan}
	}
}

type submitInput struct {
	ContentType string        `header:"Content-Type" hidden:"true"`
	Key         submissionKey `header:"Idempotency-Key" doc:"Requests with the same key count as one request for 24 hours."`
	DryRun      bool          `query:"dry_run" doc:"Validate the plan without storing anything."`
	RawBody     []byte
}

type submitOutput struct {
	Status   int
	Location string `header:"Location" doc:"URL of the experiment."`
	Body     any
}

func (s submitRoutes) submit(ctx context.Context, in *submitInput) (*submitOutput, error) {
	requestOf(ctx).skipAudit = in.DryRun
	digest := sha256.Sum256(in.RawBody)
	by := experiment.Submission{By: caller(ctx), Key: string(in.Key), Digest: hex.EncodeToString(digest[:])}
	if !in.DryRun {
		// What was admitted needs no second look: the machine may be full by now.
		if earlier, err := s.earlier.Submitted(ctx, by); err != nil || earlier != "" {
			return s.admitted(ctx, earlier, err)
		}
	}
	if err := checkMediaType(in.ContentType, in.RawBody); err != nil {
		return nil, err
	}
	proposal, err := s.planner.Propose(ctx, in.RawBody)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return &submitOutput{Status: http.StatusOK, Body: proposal}, nil
	}
	e, _, err := s.engine.Submit(ctx, proposal.Plan, by)
	return s.admitted(ctx, e.ID, err)
}

// admitted answers with an experiment that was admitted without err.
func (s submitRoutes) admitted(ctx context.Context, id string, err error) (*submitOutput, error) {
	if err != nil {
		return nil, err
	}
	requestOf(ctx).object = id
	detail, err := s.experiments.detail(ctx, id)
	if err != nil {
		return nil, err
	}
	return &submitOutput{Status: http.StatusAccepted, Location: api.Prefix + "/experiments/" + id, Body: detail}, nil
}

// checkMediaType refuses what says that it is JSON and is not: YAML would be taken
// otherwise.
func checkMediaType(mediaType string, data []byte) error {
	if mediaType != "" && mediaType != jsonType || len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	_, err := yamltext.ParseJSON(data)
	if _, refused := errors.AsType[*experiment.Problems](err); err != nil && !refused { // what is refused, the planner tells
		return api.NewProblem(http.StatusBadRequest, "The body is "+err.Error()+".")
	}
	return nil
}
