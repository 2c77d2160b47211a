// Package deploy runs one deployment to Spice Cloud: it plans, applies the plan, follows the deployment to its
// end, verifies that the runtime serves it, rolls it back where that is asked for, and says how it went.
//
// At most one deployment is created by a run, whatever the network does, and the result is what Spice Cloud
// says of that very deployment. The package prints nothing, reads no environment and no file, and retries
// nothing that its client already retries.
package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/poll"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// Cloud is what a run asks of Spice Cloud.
type Cloud interface {
	Apps
	Deployments
	Surroundings
	Access
	secretsync.Store
}

// Apps reads and writes apps.
type Apps interface {
	Apps(ctx context.Context) ([]spicecloud.App, error)
	App(ctx context.Context, id int64) (spicecloud.App, error)
	CreateApp(ctx context.Context, app spicecloud.NewApp) (spicecloud.App, error)
	UpdateApp(ctx context.Context, id int64, update spicecloud.AppUpdate) (spicecloud.App, error)
	DeleteApp(ctx context.Context, id int64) error
}

// Deployments reads and makes deployments.
type Deployments interface {
	Deployments(ctx context.Context, appID int64, query spicecloud.DeploymentQuery) (spicecloud.DeploymentList, error)
	Deployment(ctx context.Context, appID, id int64) (spicecloud.Deployment, error)
	CreateDeployment(ctx context.Context, appID int64, deployment spicecloud.NewDeployment) (spicecloud.Deployment, error)
	ResumeApp(ctx context.Context, id int64) (deploymentID int64, err error)
}

// Surroundings reads what a plan is checked against.
type Surroundings interface {
	Regions(ctx context.Context) (spicecloud.Regions, error)
	Images(ctx context.Context, channel string) (spicecloud.Images, error)
	Secrets(ctx context.Context, appID int64) (names []string, err error)
	Paused(ctx context.Context, appID int64) (bool, error)
	Health(ctx context.Context) error
}

// Deployer is a run in the making. All fields but Manifest, Probes and Observer are required.
type Deployer struct {
	Cloud      Cloud
	Options    *config.Options
	Manifest   *spicepod.Manifest // nil where there is no spicepod to push
	Secrets    secretsync.Set
	Repository string // owner/name, for the automatic tag; "" adds none
	Owner      string // the organization in links where Options.Org is not set
	Observer   Observer

	Probes []spiceruntime.Probe
	// Connect makes the client of a runtime. A run that verifies nothing does not call it.
	Connect func(baseURL string, key redact.Secret) (Runtime, error)
}

// errDeadline is the cause of the context once timeout-seconds have passed.
var errDeadline = errors.New("the deadline of timeout-seconds passed")

// patience is for how long a request that keeps failing is repeated before the run has changed anything.
const patience = 60 * time.Second

// Run deploys, or plans where Options.DryRun is set. The deployment ends within Options.Timeout and the time of one
// request; its verification has limits of its own, and a rollback has Options.Timeout anew. When ctx ends it
// starts nothing new. What went wrong is in the Result, never lost.
func (d *Deployer) Run(ctx context.Context) Result {
	return d.begin().conclude(ctx, (*run).steps)
}

// Verify checks the runtime of an app that is deployed already, within Options.Timeout for what it asks of Spice
// Cloud and within the limits of each check.
func (d *Deployer) Verify(ctx context.Context) Result {
	return d.begin().conclude(ctx, (*run).verifyDeployed)
}

func (d *Deployer) begin() *run {
	r := &run{
		Deployer: d, started: time.Now(), written: -1, said: map[string]bool{},
	}
	r.askAgain = r.pauses(longestPause)
	r.result.Org = cmp.Or(d.Options.Org, d.Owner)
	r.result.Request = r.request()
	return r
}

// conclude runs steps and turns how they ended into a result.
func (r *run) conclude(ctx context.Context, steps func(*run, context.Context) error) Result {
	r.finish(diag.Guard(func() error { return steps(r, ctx) }))
	return r.result
}

// run is the state of one Run.
type run struct {
	*Deployer

	started time.Time
	result  Result
	said    map[string]bool // what was said and is not to be said again, see news
	changed bool            // something was written: give up only at the deadline from here on
	created bool            // the app is new
	claim   claim           // how our deployment is told from others after a lost answer
	twin    bool            // ours was asked for again after a lost answer: there may be another one
	clock   clock           // the service's
	before  []time.Duration // how long the app's last successful deployments took, newest first
	written int64           // the newest deployment there was when the secrets were written; -1 before that

	unseenSince time.Time // since when every look at our deployment has failed, or lasted; zero where the last one saw it
	notListed   error     // that the last look found no deployment of that id, nil where it did not say so

	obstacle *spicecloud.Deployment // the one that was in the way at the last look; nil where none was
	inState  func()                 // ends the span of our deployment's state; nil where there is none

	head     bool            // the spicepod was not pushed, since the app is connected to GitHub
	former   json.RawMessage // the spicepod that the last push took the place of
	refused  bool            // a create was refused because of another deployment
	askAgain backoff.BackOff // the pauses after such a refusal

	over       *spicecloud.Deployment // the newest that a rollback may deploy over; nil for any
	unanswered string                 // what an update was about that failed and may have been made; "" for none

	predecessor *spicecloud.Deployment // the newest one before ours; nil where there was none
	alike       bool                   // the datasets do not tell the new version from the former one
}

// pauses are those of every wait but the one for our own deployment: they grow up to the longest one that is
// allowed, and to poll-interval-seconds where that is shorter.
func (r *run) pauses(longest time.Duration) backoff.BackOff {
	return poll.Schedule(min(longest, longestPause, r.Options.PollInterval))
}

const longestPause = 5 * time.Second

// patient bounds how long failures are borne as long as nothing was changed; later, only the deadline does.
func (r *run) patient(ctx context.Context) context.Context {
	if r.changed {
		return ctx
	}
	return spicecloud.WithPatience(ctx, patience)
}

// steps is the order of a run. An end that is not the success of our deployment is an error.
func (r *run) steps(ctx context.Context) error {
	var plan *Plan
	err := r.inTime(ctx, func(ctx context.Context) (err error) {
		plan, err = r.deploy(ctx)
		return err
	})
	r.spend("")
	if err == nil {
		err = r.verified(ctx)
	}
	if err != nil {
		return r.rollBack(ctx, err)
	}
	return r.prune(spicecloud.WithPatience(ctx, patience), plan)
}

// inTime does something within timeout-seconds.
func (r *run) inTime(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.Options.Timeout, errDeadline)
	defer cancel()
	return do(ctx)
}

// deploy makes a deployment and follows it to its end. It returns the plan that was carried out.
func (r *run) deploy(ctx context.Context) (*Plan, error) {
	for {
		plan, err := r.plan(r.patient(ctx))
		if plan != nil && !r.changed {
			r.result.Plan = plan // a later one no longer shows what this run changed
		}
		if err != nil {
			return nil, err
		}
		if r.Options.DryRun {
			return nil, r.planned(plan)
		}
		if found, err := r.takeOverEarlier(ctx); err != nil {
			return nil, err
		} else if found {
			return plan, r.toTheEnd(ctx)
		}
		way, err := r.clearTheWay(ctx, plan)
		switch {
		case err != nil:
			return nil, err
		case way == waited:
			continue // what was planned may no longer hold
		case way == follow:
			return plan, r.toTheEnd(ctx)
		}
		r.observePlan(plan)
		if err := r.apply(ctx, plan); err != nil {
			return nil, err
		}
		if err := r.create(ctx, plan); errors.Is(err, errRefusedForAnother) {
			if err := r.waitAfterRefusal(ctx); err != nil {
				return nil, err
			}
			continue // the other run may have left another spicepod behind
		} else if err != nil {
			return nil, err
		}
		return plan, r.toTheEnd(ctx)
	}
}

// toTheEnd follows our deployment to its end, unless that is not waited for.
func (r *run) toTheEnd(ctx context.Context) error {
	err := r.await(ctx)
	r.tellOfTwin(ctx)
	return err
}

func (r *run) await(ctx context.Context) error {
	if r.Options.WaitForCompletion {
		return r.follow(ctx)
	}
	if r.result.Adopted {
		return ended(diag.Submitted, "deployment %d was made by another run for the same commit, and adopted; it was not waited for", r.result.Deployment.ID)
	}
	return ended(diag.Submitted, "deployment %d was created; it was not waited for", r.result.Deployment.ID)
}

// request is the body of the create, as the plan shows it.
func (r *run) request() spicecloud.NewDeployment {
	o := r.Options
	return spicecloud.NewDeployment{
		ImageTag: o.ImageTag, Channel: o.Channel, Replicas: o.Replicas, Debug: o.Debug,
		Branch: o.Branch, CommitSHA: o.CommitSHA, CommitMessage: o.CommitMessage,
	}
}
