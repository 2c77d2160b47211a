package deploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// rollBack puts the former spicepod back and deploys it, where that was asked for and end is a failure that it can
// mend. It returns end, with the story of the rollback told after the reason: the result stays the failure's.
func (r *run) rollBack(ctx context.Context, end error) error {
	failure, ok := errors.AsType[*diag.Error](end)
	if !r.Options.RollbackOnFailure || !ok || r.result.Deployment.ID == 0 || ctx.Err() != nil {
		return end
	}
	var story string
	switch failure.Result {
	case diag.Failed, diag.VerificationFailed:
		story = r.formerAgain(ctx)
	case diag.Superseded:
		story = "not rolled back: what runs is another deployment's"
	default:
		return end
	}
	if n := count(r.result.Secrets, secretsync.Created, secretsync.Updated); n > 0 && r.result.RolledBackTo != 0 {
		story += fmt.Sprintf("; %s that this run wrote stay as they are, since former values cannot be read", counted(n, "secret"))
	}
	if r.result.RolledBackTo == 0 {
		r.warn(PhaseRollback, "%s", story)
	} else {
		r.notice(PhaseRollback, "%s", story)
	}
	return &diag.Error{Result: failure.Result, Err: fmt.Errorf("%w; %s", end, story), Hint: failure.Hint}
}

// formerAgain deploys the former spicepod by a run of its own, within timeout-seconds anew, and says how it went.
func (r *run) formerAgain(ctx context.Context) string {
	defer r.span(SpanRollback)()
	back, refusal := r.mayRollBack(ctx)
	if refusal != "" {
		return "not rolled back: " + refusal
	}
	r.notice(PhaseRollback, "putting the former spicepod back and deploying it, as rollback-on-failure asks")
	result := back.Run(ctx)
	id := result.Deployment.ID
	switch {
	case result.Result == diag.Succeeded:
		r.result.RolledBackTo = id
		return fmt.Sprintf("rolled back: deployment %d runs the former spicepod", id)
	case id != 0:
		return fmt.Sprintf("THE ROLLBACK FAILED TOO (deployment %d): %s", id, result.Reason)
	}
	return fmt.Sprintf("THE ROLLBACK FAILED TOO: %s", result.Reason)
}

// mayRollBack makes the run that deploys the former spicepod, or says why there must be none.
func (r *run) mayRollBack(ctx context.Context) (back *Deployer, refusal string) {
	ours := r.result.Deployment.ID
	switch {
	case r.result.Adopted:
		return nil, fmt.Sprintf("deployment %d was made by another run", ours)
	case !r.result.SpicepodSent:
		return nil, "this run did not change the spicepod, so what failed is not the spicepod's change (an image, a secret or the platform may be)"
	}
	former, err := spicepod.FromJSON(r.former)
	if err != nil {
		return nil, err.Error()
	}
	if former == nil {
		return nil, "the app had no spicepod before this run"
	}
	list, app, err := r.readSince(ctx)
	if err != nil {
		return nil, fmt.Sprintf("it could not be told whether somebody else has deployed since: %s", err)
	}
	var before spicecloud.Deployment
	for _, d := range list.Deployments {
		switch {
		case d.ID != ours && newer(d, r.result.Deployment):
			return nil, fmt.Sprintf("%s: somebody else has deployed since", r.describe(d))
		case d.ID != ours && d.Status == spicecloud.Succeeded && before.ID == 0:
			before = d
		}
	}
	if stored, err := spicepod.FromJSON(app.Spicepod); err != nil || stored == nil || !spicepod.Compare(stored, r.Manifest).Empty() {
		return nil, "the app's spicepod is not this run's any more: somebody else has changed it since"
	}
	return r.backTo(former, before), ""
}

// readSince reads what others may have done to the app meanwhile.
func (r *run) readSince(ctx context.Context) (list spicecloud.DeploymentList, app spicecloud.App, err error) {
	ctx = spicecloud.WithPatience(ctx, patience)
	if list, err = r.Cloud.Deployments(ctx, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100}); err != nil {
		return list, app, err
	}
	r.clock = clockOf(list)
	app, err = r.Cloud.App(ctx, r.result.App.ID)
	return list, app, err
}

// backTo is the run that deploys the former spicepod: no secrets, no tags, no verification, and never over a
// deployment of somebody else. It is attributed to the commit of the deployment before ours, since that is what
// it brings back.
func (r *run) backTo(former *spicepod.Manifest, before spicecloud.Deployment) *Deployer {
	o := *r.Options
	o.AppID, o.AppName, o.CreateAppIfMissing, o.Region = r.result.App.ID, "", false, ""
	o.Tags, o.SecretsPrune, o.MissingSecrets = nil, false, "ignore"
	o.OnConflict, o.OnSuperseded, o.IfPaused, o.IfConnected = "fail", "fail", "fail", "fail"
	o.RollbackOnFailure, o.DatasetReadyTimeout = false, 0
	o.Branch, o.CommitSHA = before.Branch, before.CommitSHA
	o.CommitMessage = fmt.Sprintf("Roll back deployment %d", r.result.Deployment.ID)
	// Only what this run has asked for has to be taken back: naming what the service chose may need another plan.
	if o.ImageTag != "" {
		o.ImageTag = before.ImageTag
	}
	if o.Channel != "" {
		o.Channel = before.Channel
	}
	if o.Replicas != 0 {
		o.Replicas = before.Replicas
	}
	return &Deployer{Cloud: r.Cloud, Options: &o, Manifest: former, Owner: r.Owner, Observer: rollbackObserver{r}}
}

// rollbackObserver passes on what happens in a rollback as a part of the run that is rolled back.
type rollbackObserver struct{ run *run }

// Observe passes an event on.
func (o rollbackObserver) Observe(e Event) { o.run.observe(PhaseRollback, e.Level, "%s", e.Text) }

var _ Observer = rollbackObserver{}
