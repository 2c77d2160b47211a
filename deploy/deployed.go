package deploy

import (
	"context"
	"fmt"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// verifyDeployed verifies what is deployed already.
func (r *run) verifyDeployed(ctx context.Context) error {
	r.result.Verify, r.result.Request = true, spicecloud.NewDeployment{}
	var newest spicecloud.Deployment
	err := r.inTime(ctx, func(ctx context.Context) (err error) {
		newest, err = r.findDeployed(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := r.verified(ctx); err != nil {
		return err
	}
	said := "is healthy"
	if r.result.Unproven {
		said = "was asked"
	}
	text := fmt.Sprintf("the runtime of app %q %s%s", r.result.App.Name, said, r.proof())
	if newest.ID != r.result.Deployment.ID {
		text += fmt.Sprintf("; the newer deployment %d is %s", newest.ID, newest.RawStatus)
	}
	return ended(diag.Succeeded, "%s", text)
}

// findDeployed finds the app and the deployment that it ought to serve, and returns the newest one there is.
func (r *run) findDeployed(ctx context.Context) (newest spicecloud.Deployment, err error) {
	ctx = r.patient(ctx)
	id, err := r.appID(ctx)
	if err != nil {
		return newest, err
	}
	if id == 0 { // one that a deployment would create
		return newest, because(diag.AppNotFound, fmt.Errorf("there is no app %q%s, so there is nothing to verify", r.Options.AppName, ofOrg(r.Options.Org)))
	}
	plan := &Plan{}
	if plan.App, err = r.Cloud.App(ctx, id); err != nil {
		return newest, fmt.Errorf("read app %d: %w", id, err)
	}
	if err := r.accept(plan); err != nil {
		return newest, err
	}
	if paused, err := r.Cloud.Paused(ctx, id); err == nil && paused { // where it cannot be told, the runtime will tell
		end := because(diag.AppPaused, fmt.Errorf("app %q is paused, so there is nothing to verify", r.result.App.Name))
		end.Hint = "resume it in the portal, or deploy with if-paused: resume; verify resumes nothing"
		return newest, end
	}
	list, err := r.Cloud.Deployments(ctx, id, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return newest, fmt.Errorf("read the deployments of app %d: %w", id, err)
	}
	r.clock = clockOf(list)
	if other := inTheWay(list.Deployments); other != nil {
		r.notice(PhaseVerify, "%s: it may take over while this run looks", r.describe(*other))
	}
	for i, d := range list.Deployments {
		if i == 0 {
			newest = d
		}
		if i == 0 && d.Status == spicecloud.Failed {
			r.notice(PhaseVerify, "%s: what an earlier one deployed is verified", r.describe(d))
		}
		if d.Status == spicecloud.Succeeded {
			r.result.Deployment = d
			r.result.Request = spicecloud.NewDeployment{Branch: d.Branch, CommitSHA: d.CommitSHA, CommitMessage: d.CommitMessage}
			return newest, nil
		}
	}
	end := ended(diag.InvalidInput, "no deployment of app %q has succeeded, so there is nothing to verify", r.result.App.Name)
	end.Hint = "deploy it first"
	return newest, end
}
