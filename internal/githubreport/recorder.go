package githubreport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// DeploymentsWrite is the permission that a [Recorder] needs.
const DeploymentsWrite = "deployments: write"

// For how long a run that has ended waits for what GitHub is still to be told. A CI system leaves a cancelled step
// only seconds, and the comment has to fit in as well.
const (
	drainTimeout     = 10 * time.Second
	cancelledTimeout = 2 * time.Second
)

// mostQueued is how many statuses wait for GitHub at most. A run has three, unless its deployment goes back and forth.
const mostQueued = 8

// Recording says what is recorded.
type Recording struct {
	Commit      string                   // the full hash
	App         string                   // the name that is asked for, until the app is known
	Environment string                   // "" for the app's name
	LogURL      string                   // the page of this run
	Cover       func(text string) string // hides secrets
}

// Recorder records one run as a GitHub Deployment, while it goes on. It is a [deploy.Observer] that never waits for
// GitHub: one goroutine tells it one thing after another.
type Recorder struct {
	client *Client
	what   Recording
	queue  chan status
	last   string // the state that was queued last, "" before the first
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the goroutine has ended, which sets err
	err    error
}

var _ deploy.Observer = (*Recorder)(nil)

// status is what is to be told.
type status struct {
	app, state, description, environmentURL string
}

// Record begins a recording, which [Recorder.Finish] must end. Nothing is sent before the run has a plan that it
// carries out. It is not for dry runs, which deploy nothing. The end of ctx does not end the recording.
func (c *Client) Record(ctx context.Context, what Recording) *Recorder {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	r := &Recorder{client: c, what: what, queue: make(chan status, mostQueued), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = diag.Guard(func() error { return r.work(ctx) })
	}()
	return r
}

// Observe queues a status where an event brings a new one. Where GitHub is so slow that the queue is full, it is left
// out.
func (r *Recorder) Observe(e deploy.Event) {
	state := stateDuring(e)
	if state == "" || state == r.last {
		return
	}
	description := "about to deploy"
	if d := e.Result.Deployment; d.ID != 0 {
		description = fmt.Sprintf("deployment %d is %s", d.ID, d.RawStatus)
	}
	select {
	case r.queue <- r.status(state, description, e.Result):
		r.last = state
	default:
	}
}

// Finish queues how the run ended, and waits until GitHub has been told: for at most 10 s, or 2 s where the run was
// cancelled. The error is for one warning, nil where GitHub shows how the run ended or was never told of it. The
// Recorder is of no use after it.
func (r *Recorder) Finish(result deploy.Result) error {
	limit := drainTimeout
	if result.Result == diag.Cancelled {
		limit = cancelledTimeout
	}
	timer := time.AfterFunc(limit, func() { r.cancel(fmt.Errorf("gave up %s after the end of the run", limit)) })
	defer timer.Stop()
	defer r.cancel(nil)
	if r.last != "" { // else there was nothing to record
		select {
		case r.queue <- r.status(stateAfter(result.Result, r.last), result.Reason, result):
		case <-r.done: // only a bug ends the goroutine before the queue does
		}
	}
	close(r.queue)
	<-r.done
	return r.err
}

func (r *Recorder) status(state, description string, result deploy.Result) status {
	const most = 140 // characters: https://github.com/Shopify/shipit-engine/issues/1004
	s := status{app: cmp.Or(result.App.Name, r.what.App), state: state, description: remote.OneLine(r.what.Cover(description), most)}
	if result.App.Name != "" {
		s.environmentURL = result.AppURL()
	}
	return s
}

// work tells GitHub what is queued, until the queue is closed. It goes on after a failure that may pass, since the
// last status is the one that counts.
func (r *Recorder) work(ctx context.Context) error {
	var (
		id    int64
		shown string
		err   error
		over  bool
	)
	for s := range r.queue {
		if over {
			continue
		}
		if id == 0 {
			if id, err = r.create(ctx, s.app); err != nil {
				over = true // whether there is one now may not be known, and a second one would be worse than none
				continue
			}
			shown = pending
		}
		if err = r.tell(ctx, id, s); err == nil {
			shown = s.state
			continue
		}
		_, over = errors.AsType[*refusal](err)
		err = fmt.Errorf("set GitHub Deployment %d of %s/%s to %s: %w; GitHub goes on showing it as %s", id, r.client.owner, r.client.repo, s.state, err, shown)
	}
	return err
}

// create makes the GitHub Deployment. GitHub would merge the default branch into ours first, and refuse a commit
// whose checks have not passed, of which this run is one, unless told otherwise.
func (r *Recorder) create(ctx context.Context, app string) (int64, error) {
	made, _, err := ask(ctx, r.client, DeploymentsWrite, func(ctx context.Context) (*github.Deployment, *github.Response, error) {
		return r.client.api.Repositories.CreateDeployment(ctx, r.client.owner, r.client.repo, &github.DeploymentRequest{
			Ref:              &r.what.Commit,
			Task:             new(task(app)),
			Environment:      new(cmp.Or(r.what.Environment, app)),
			Description:      new(remote.OneLine("app "+app+" of Spice.ai Cloud", 140)),
			AutoMerge:        new(false),
			RequiredContexts: &[]string{},
		})
	})
	if err == nil && made.GetID() == 0 {
		err = errors.New("the answer has no id")
	}
	if err != nil {
		return 0, fmt.Errorf("create a GitHub Deployment of %s/%s for commit %s: %w", r.client.owner, r.client.repo, r.what.Commit, err)
	}
	return made.GetID(), nil
}

// tell adds a status. Without auto_inactive, others of the environment stay what they are: an environment may hold
// more than one app.
func (r *Recorder) tell(ctx context.Context, id int64, s status) error {
	_, _, err := ask(ctx, r.client, DeploymentsWrite, func(ctx context.Context) (*github.DeploymentStatus, *github.Response, error) {
		return r.client.api.Repositories.CreateDeploymentStatus(ctx, r.client.owner, r.client.repo, id, &github.DeploymentStatusRequest{
			State:          &s.state,
			Description:    &s.description,
			LogURL:         given(r.what.LogURL),
			EnvironmentURL: given(s.environmentURL),
			AutoInactive:   new(false),
		})
	})
	return err
}

// given leaves out what is empty, which GitHub would take for an address.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
