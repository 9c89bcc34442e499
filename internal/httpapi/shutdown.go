package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

const (
	drainLapse = 15 * time.Minute       // a drain that nobody asks for ends by itself
	drainPoll  = 500 * time.Millisecond // between two looks of a long poll
	retryAfter = 5                      // seconds, in the answer that a drain must wait
)

// drainStore is the drain of all servers of the database.
type drainStore interface {
	// RequestDrain begins a drain, or prolongs the one in force, until lapse from
	// now. The drain is granted when no run is active.
	RequestDrain(ctx context.Context, by string, lapse time.Duration) (experiment.Drain, error)
	// PollDrain prolongs a drain in force, like RequestDrain, and begins none.
	PollDrain(ctx context.Context, lapse time.Duration) (experiment.Drain, error)
	Drain(ctx context.Context) (experiment.Drain, error)
	EndDrain(ctx context.Context) error
}

// awaitedRuns reads the runs that a drain waits for.
type awaitedRuns interface {
	Now(ctx context.Context) (time.Time, error) // of the database
	experimentRuns
}

// shutdownRoutes serve the end of the server.
type shutdownRoutes struct {
	drain   drainStore
	runs    awaitedRuns
	planner estimator
	exit    func() // see [Options]
}

func (s shutdownRoutes) add(a *registrar) {
	op := call(http.MethodPost, "/shutdown", "request-shutdown", "operation", "Request a shutdown")
	op.Description = "No further run starts, on any server of the database; new experiments are accepted and stay queued. " +
		"While runs are active, the response is 409 with these runs: repeat the call until it returns 200; then the process exits. " +
		"The request lapses 15 minutes after the last call."
	op.Metadata = map[string]any{auditAction: "shutdown.request"}
	answer[api.Shutdown](a, &op, http.StatusOK, "No run is active; the process exits unless 'exit' is false.")
	answer[api.Shutdown](a, &op, http.StatusConflict, "Deferred: runs are still active.")
	op.Responses["409"].Headers["Retry-After"] = &huma.Param{Description: "Seconds to wait before repeating the call.",
		Schema: &huma.Schema{Type: huma.TypeInteger}}
	register(a, op, s.request)

	op = call(http.MethodGet, "/shutdown", "get-shutdown", "operation", "Get the state of a shutdown")
	op.Description = "With ?wait=, the response is sent when the state changes, or after that time. The call keeps a requested shutdown from lapsing."
	register(a, op, s.get)

	op = call(http.MethodDelete, "/shutdown", "cancel-shutdown", "operation", "Cancel a shutdown")
	op.Description = "Queued runs start again. The call succeeds even if no shutdown was requested."
	op.Metadata = map[string]any{auditAction: "shutdown.cancel"}
	register(a, op, s.cancel)
}

// shutdownRequest is the body of a request to shut down.
type shutdownRequest struct {
	Mode api.ShutdownMode `json:"mode,omitempty" enum:"drain,handoff" doc:"drain (default) waits for active runs; handoff is not supported yet."`
	Exit *bool            `json:"exit,omitempty" doc:"If false, the process keeps running but starts no runs."`
}

type shutdownInput struct{ Body *shutdownRequest }

type shutdownOutput struct {
	Status     int
	RetryAfter int `header:"Retry-After" hidden:"true"`
	Body       api.Shutdown
}

func (s shutdownRoutes) request(ctx context.Context, in *shutdownInput) (*shutdownOutput, error) {
	exit, err := s.check(in.Body)
	if err != nil {
		return nil, err
	}
	drain, err := s.drain.RequestDrain(ctx, caller(ctx), drainLapse)
	if err != nil {
		return nil, err
	}
	view, err := s.view(ctx, drain)
	if err != nil {
		return nil, err
	}
	if drain.GrantedAt.IsZero() {
		return &shutdownOutput{Status: http.StatusConflict, RetryAfter: retryAfter, Body: view}, nil
	}
	if view.Exits = exit; exit {
		requestOf(ctx).after = s.exit
	}
	return &shutdownOutput{Status: http.StatusOK, Body: view}, nil
}

// check refuses what this server does not do, and reports whether to exit.
func (s shutdownRoutes) check(body *shutdownRequest) (exit bool, err error) {
	exit = true
	if body != nil {
		if body.Mode == api.ShutdownHandoff {
			return false, invalid(api.FieldError{Location: "body.mode",
				Message: "handoff is not supported: this version can take over only loads from a previous server; use drain"})
		}
		if body.Exit != nil {
			exit = *body.Exit
		}
	}
	if exit && s.exit == nil {
		return false, invalid(api.FieldError{Location: "body.exit", Message: "this server belongs to a command and exits with it; set it to false"})
	}
	return exit, nil
}

type waitInput struct {
	Wait string `query:"wait" pattern:"^([12]?[0-9]|30)s$" patternDescription:"whole seconds up to 30s" example:"1s" doc:"Maximum waiting time."`
}

type shutdownState struct{ Body api.Shutdown }

// get prolongs a drain in force as long as somebody waits for it.
func (s shutdownRoutes) get(ctx context.Context, in *waitInput) (*shutdownState, error) {
	drain, err := s.drain.PollDrain(ctx, drainLapse)
	if err != nil {
		return nil, err
	}
	wait, _ := time.ParseDuration(in.Wait) // the pattern lets nothing else in; "" is no wait
	end := time.NewTimer(wait)
	defer end.Stop()
	look := time.NewTicker(drainPoll)
	defer look.Stop()
	for wait > 0 && drain.InForce() && drain.GrantedAt.IsZero() {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-end.C:
			wait = 0
		case <-look.C:
			if drain, err = s.drain.PollDrain(ctx, drainLapse); err != nil { // which also grants it
				return nil, err
			}
		}
	}
	view, err := s.view(ctx, drain)
	return &shutdownState{view}, err
}

func (s shutdownRoutes) cancel(ctx context.Context, _ *struct{}) (*shutdownState, error) {
	if err := s.drain.EndDrain(ctx); err != nil {
		return nil, err
	}
	drain, err := s.drain.Drain(ctx)
	if err != nil {
		return nil, err
	}
	view, err := s.view(ctx, drain)
	return &shutdownState{view}, err
}

// view shows a drain.
func (s shutdownRoutes) view(ctx context.Context, d experiment.Drain) (api.Shutdown, error) {
	view := api.Shutdown{State: "none", WaitsFor: []api.WaitingRun{}, Queued: d.Queued}
	if !d.InForce() {
		return view, nil
	}
	view.State, view.Mode, view.By = "draining", api.ShutdownDrain, d.By
	view.Since, view.LapsesAt = d.Since.UTC(), d.LapsesAt.UTC()
	if !d.GrantedAt.IsZero() {
		view.State = "ready"
		return view, nil
	}
	view.Deferred = true
	names, err := names(ctx, s.runs, d.Active)
	if err != nil {
		return api.Shutdown{}, err
	}
	for _, run := range d.Active {
		shown := viewRun(run, names[run.ID])
		view.WaitsFor = append(view.WaitsFor, api.WaitingRun{
			Run: run.ID, Name: shown.Name, Experiment: run.Experiment, Phase: run.Phase, Since: shown.Since,
		})
		left, err := s.runRemains(ctx, run)
		if err != nil {
			return api.Shutdown{}, err
		}
		view.RemainingS = max(view.RemainingS, left)
	}
	return view, nil
}

// runRemains is about how many seconds an active run still takes.
func (s shutdownRoutes) runRemains(ctx context.Context, run experiment.Run) (float64, error) {
	summary, err := s.runs.Summary(ctx, run.Experiment)
	if err != nil {
		return 0, err
	}
	runs := len(summary.Plan.Variants) * summary.Plan.Repeat
	if runs == 0 || run.StartedAt.IsZero() {
		return 0, nil
	}
	whole, _, err := s.planner.Estimate(ctx, summary.Plan)
	if err != nil {
		return 0, err
	}
	now, err := s.runs.Now(ctx)
	if err != nil {
		return 0, err
	}
	return max(0, whole.Seconds()/float64(runs)-now.Sub(run.StartedAt).Seconds()), nil
}
