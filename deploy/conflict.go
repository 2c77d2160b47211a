package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/poll"
)

// way is what became of the deployments of others that were in ours.
type way int

const (
	clear  way = iota // go on as planned
	waited            // plan again: time has passed, and others may have changed the app
	follow            // there is one to follow already: none is made
)

// errRefusedForAnother says that the create was refused because of a deployment that has not ended.
var errRefusedForAnother = errors.New("refused while another deployment has not ended")

// inTheWay returns the newest deployment that has not ended, if it is newer than every one that has: an older
// one that still says it runs was replaced, whatever its record says.
func inTheWay(newestFirst []spicecloud.Deployment) *spicecloud.Deployment {
	for _, d := range newestFirst {
		switch d.Status {
		case spicecloud.Queued, spicecloud.InProgress:
			return &d
		case spicecloud.Succeeded, spicecloud.Failed:
			return nil
		}
	}
	return nil
}

// clearTheWay applies on-conflict before anything is changed.
func (r *run) clearTheWay(ctx context.Context, plan *Plan) (way, error) {
	other := plan.InTheWay
	if other == nil {
		return clear, nil
	}
	switch r.Options.OnConflict {
	case "fail":
		return clear, because(diag.DeploymentInTheWay, fmt.Errorf("%s; %s", r.describe(*other, plan), r.leftBehind()))
	case "skip":
		return clear, ended(diag.Skipped, "%s; skipped as on-conflict asks; %s", r.describe(*other, plan), r.leftBehind())
	case "replace":
		r.notice(PhaseConflict, "%s: it will be replaced where Spice Cloud allows it", r.describe(*other, plan))
		return clear, nil
	case "adopt":
		if sameCommit(*other, plan.Request) && !plan.PushSpicepod && !r.changed {
			r.notice(PhaseConflict, "%s, which is this commit with this spicepod: following it instead of making another; nothing is written, secrets neither", r.describe(*other, plan))
			r.result.Deployment, r.result.Adopted = *other, true
			return follow, nil
		}
	}
	if r.mayReplace(*other) {
		r.notice(PhaseConflict, "%s and has had half of timeout-seconds: asking for ours all the same", r.describe(*other, plan))
		return clear, nil
	}
	r.info(PhaseConflict, "%s: waiting for it", r.describe(*other, plan))
	return waited, r.waitFor(ctx, plan, r.mayReplace)
}

func sameCommit(d spicecloud.Deployment, request spicecloud.NewDeployment) bool {
	return request.CommitSHA != "" && d.CommitSHA == request.CommitSHA
}

// mayReplace tells whether a deployment that has started has been waited for long enough. One can hang in
// progress for ever, and the run that brings the fix must not hang behind it. A queued one is never replaced:
// the service refuses that.
func (r *run) mayReplace(other spicecloud.Deployment) bool {
	return other.Status != spicecloud.Queued && time.Since(r.started) >= r.Options.Timeout/2
}

// waitAfterRefusal waits until it makes sense to ask again for the deployment that was refused.
func (r *run) waitAfterRefusal(ctx context.Context, plan *Plan) error {
	list, err := r.Cloud.Deployments(ctx, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return fmt.Errorf("see which deployment is in the way: %w", err)
	}
	said := "Spice Cloud refused the deployment because another one has not ended, which its list does not show"
	refusedFor := inTheWay(list.Deployments)
	if refusedFor != nil {
		said = r.describe(*refusedFor, plan)
	}
	switch r.Options.OnConflict {
	case "fail":
		return because(diag.DeploymentInTheWay, fmt.Errorf("%s; it came while this run was at work; %s", said, r.leftBehind()))
	case "skip":
		return ended(diag.Skipped, "%s; it came while this run was at work; skipped as on-conflict asks; %s", said, r.leftBehind())
	}
	r.info(PhaseConflict, "%s: waiting to ask again", said)
	asked := time.Now()
	if err := pause(ctx, r.askAgain.NextBackOff()); err != nil {
		return r.blocked(ctx, plan, refusedFor, err)
	}
	return r.waitFor(ctx, plan, func(other spicecloud.Deployment) bool {
		news := refusedFor == nil || other.ID != refusedFor.ID || other.Status != refusedFor.Status
		replace := r.Options.OnConflict == "replace" && other.Status != spicecloud.Queued
		return (replace || r.mayReplace(other)) && (news || time.Since(asked) >= r.Options.PollInterval)
	})
}

// waitFor looks at the app's deployments until none is in the way, or goOn accepts the one that is.
func (r *run) waitFor(ctx context.Context, plan *Plan, goOn func(spicecloud.Deployment) bool) error {
	var last *spicecloud.Deployment
	look := func(ctx context.Context) (*spicecloud.Deployment, bool, error) {
		list, err := r.Cloud.Deployments(ctx, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
		if err != nil {
			return nil, false, fmt.Errorf("wait for another deployment: %w", err)
		}
		plan.AsOf, plan.ReadAt = list.ServerTime, time.Now()
		other := inTheWay(list.Deployments)
		if other != nil && last != nil && (other.ID != last.ID || other.Status != last.Status) {
			r.info(PhaseConflict, "%s", r.describe(*other, plan))
		}
		last = other
		return other, other == nil || goOn(*other), nil
	}
	_, err := poll.Until(ctx, poll.Schedule(r.Options.PollInterval), look)
	return r.blocked(ctx, plan, last, err)
}

// blocked makes a conflict of an error that came when the deadline passed while another deployment was in the way.
func (r *run) blocked(ctx context.Context, plan *Plan, other *spicecloud.Deployment, err error) error {
	if err == nil || other == nil || !errors.Is(context.Cause(ctx), errDeadline) {
		return err
	}
	return because(diag.DeploymentInTheWay, fmt.Errorf("%s, and was in the way until timeout-seconds (%s) had passed; %s",
		r.describe(*other, plan), r.Options.Timeout, r.leftBehind()))
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// describe names a deployment of others: its id, commit, state and age by the service's clock.
func (r *run) describe(d spicecloud.Deployment, plan *Plan) string {
	text := fmt.Sprintf("deployment %d", d.ID)
	if d.CommitSHA != "" {
		text += " of commit " + short(d.CommitSHA)
	}
	if d.Branch != "" {
		text += " on " + d.Branch
	}
	text += " is " + d.RawStatus
	now := plan.now()
	if !d.CreatedAt.IsZero() && now.After(d.CreatedAt) {
		text += fmt.Sprintf(", created %s ago", now.Sub(d.CreatedAt).Round(time.Second))
	}
	return text
}

// now is the time by the service's clock, as far as it is known.
func (p *Plan) now() time.Time {
	if p.AsOf.IsZero() {
		return time.Now()
	}
	return p.AsOf.Add(time.Since(p.ReadAt))
}

// short is a commit as people read it.
func short(commit string) string {
	const enough = 7
	if len(commit) > enough {
		return commit[:enough]
	}
	return commit
}
