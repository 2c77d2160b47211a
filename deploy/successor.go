package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// verified verifies our deployment. Where another one has taken its place meanwhile, that one's runtime may have
// answered: then the verdict is not ours, be it good or bad.
func (r *run) verified(ctx context.Context) error {
	if !r.verifies() {
		return nil
	}
	failure := r.verify(ctx)
	if ctx.Err() != nil {
		return failure
	}
	by := r.successor(ctx)
	if by == nil {
		return failure
	}
	if failure != nil {
		r.notice(PhaseVerify, "%s; what answered may be deployment %d", failure, by.ID)
	}
	r.result.SupersededBy = by.ID
	return because(diag.DeploymentSuperseded, fmt.Errorf(
		"deployment %d succeeded, and was replaced by %d while it was being verified", r.result.Deployment.ID, by.ID), "by", fmt.Sprint(by.ID))
}

// successor looks once for the newest deployment that has succeeded after ours; nil where there is none, or where it
// cannot be told.
func (r *run) successor(ctx context.Context) *spicecloud.Deployment {
	once := spicecloud.WithPatience(ctx, time.Nanosecond)
	list, err := r.Cloud.Deployments(once, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return nil
	}
	r.clock = clockOf(list)
	for _, d := range list.Deployments {
		if !newer(d, r.result.Deployment) {
			continue
		}
		switch d.Status {
		case spicecloud.Succeeded:
			return &d
		case spicecloud.Queued, spicecloud.InProgress, spicecloud.Unknown:
			r.notice(PhaseVerify, "%s: it takes the place of deployment %d once it has succeeded", r.describe(d), r.result.Deployment.ID)
		}
	}
	return nil
}
