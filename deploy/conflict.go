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
		case spicecloud.Queued, spicecloud.InProgress, spicecloud.Unknown:
			return &d
		case spicecloud.Succeeded, spicecloud.Failed:
			return nil
		}
	}
	return nil
}

// clearTheWay applies on-conflict before anything is changed.
func (r *run) clearTheWay(ctx context.Context, plan *Plan) (way, error) {
	if r.over != nil && r.predecessor != nil && newer(*r.predecessor, *r.over) {
		return clear, r.overtaken(*r.predecessor)
	}
	other := plan.InTheWay
	r.obstacle = other
	if other == nil {
		return clear, nil
	}
	switch r.Options.OnConflict {
	case "fail":
		return clear, r.conflict(fmt.Errorf("%s; %s", r.describe(*other), r.leftBehind()), other)
	case "skip":
		return clear, ended(diag.Skipped, "%s; skipped as on-conflict asks; %s", r.describe(*other), r.leftBehind())
	case "replace":
		r.inWay(Notice, *other, "%s: it will be replaced where Spice Cloud allows it")
		return clear, nil
	case "adopt":
		if sameCommit(*other, plan.Request) && !plan.PushSpicepod && !r.changed {
			r.notice(PhaseConflict, "%s, which is this commit with this spicepod: following it instead of making another; nothing is written, secrets neither", r.describe(*other))
			r.result.Deployment, r.result.Adopted = *other, true
			r.tell(spicecloud.Deployment{}, *other)
			return follow, nil
		}
	}
	if r.mayReplace(*other) {
		r.inWay(Notice, *other, "%s and has had half of timeout-seconds: creating ours anyway")
		return clear, nil
	}
	r.inWay(Info, *other, "%s: waiting for it")
	return waited, r.waitFor(ctx, r.mayReplace)
}

// conflict ends a run because of a deployment of others, which is nil where none shows. That it may be replaced
// is said only where it was not tried and is not bound to be refused.
func (r *run) conflict(err error, other *spicecloud.Deployment) *diag.Error {
	if r.Options.OnConflict == "replace" || other != nil && other.Status == spicecloud.Queued {
		return because(diag.DeploymentNotReplaced, err)
	}
	return because(diag.DeploymentInTheWay, err)
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
func (r *run) waitAfterRefusal(ctx context.Context) error {
	r.refused = true
	refusedFor, err := r.lookForOthers(ctx)
	if err != nil {
		return fmt.Errorf("see which deployment is in the way: %w", err)
	}
	said := refusedUnseen
	if refusedFor != nil {
		said = r.describe(*refusedFor)
	}
	switch r.Options.OnConflict {
	case "fail":
		return r.conflict(fmt.Errorf("%s; it came while this run was at work; %s", said, r.leftBehind()), refusedFor)
	case "skip":
		return ended(diag.Skipped, "%s; it came while this run was at work; skipped as on-conflict asks; %s", said, r.leftBehind())
	case "adopt":
		if refusedFor != nil && sameCommit(*refusedFor, r.result.Request) && !r.changed {
			return nil // the next plan adopts it
		}
	}
	if refusedFor != nil {
		r.inWay(Info, *refusedFor, "%s: waiting to ask again")
	} else if r.news(said) {
		r.info(PhaseConflict, "%s: waiting to ask again", said)
	}
	asked := time.Now()
	if err := pause(ctx, r.askAgain.NextBackOff()); err != nil {
		return err
	}
	return r.waitFor(ctx, func(other spicecloud.Deployment) bool {
		changed := refusedFor == nil || other.ID != refusedFor.ID || other.Status != refusedFor.Status
		replace := r.Options.OnConflict == "replace" && other.Status != spicecloud.Queued
		return (replace || r.mayReplace(other)) && (changed || time.Since(asked) >= r.Options.PollInterval)
	})
}

// refusedUnseen is said of a deployment that is in the way and in no list.
const refusedUnseen = "Spice Cloud refused the deployment because another one has not ended, which its list does not show"

// waitFor looks at the app's deployments until none is in the way, or goOn accepts the one that is.
func (r *run) waitFor(ctx context.Context, goOn func(spicecloud.Deployment) bool) error {
	defer r.span(SpanWait)()
	_, err := poll.Until(ctx, r.pauses(longestPause), func(ctx context.Context) (struct{}, bool, error) {
		last := r.obstacle
		other, err := r.lookForOthers(ctx)
		if err != nil {
			return struct{}{}, false, fmt.Errorf("wait for another deployment: %w", err)
		}
		if other != nil && last != nil && (other.ID != last.ID || other.Status != last.Status) {
			r.info(PhaseConflict, "%s", r.describe(*other))
		}
		return struct{}{}, other == nil || goOn(*other), nil
	})
	return err
}

// lookForOthers returns the deployment that is in the way now, nil where none is.
func (r *run) lookForOthers(ctx context.Context) (*spicecloud.Deployment, error) {
	list, err := r.Cloud.Deployments(r.patient(ctx), r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return nil, err
	}
	r.clock = clockOf(list)
	r.obstacle = inTheWay(list.Deployments)
	return r.obstacle, nil
}

// inWay says something about a deployment of others, once for each state that it is in.
func (r *run) inWay(level Level, other spicecloud.Deployment, format string) {
	if r.news(fmt.Sprint(format, other.ID, other.RawStatus)) {
		r.observe(PhaseConflict, level, format, r.describe(other))
	}
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
func (r *run) describe(d spicecloud.Deployment) string {
	text := fmt.Sprintf("deployment %d", d.ID)
	if d.CommitSHA != "" {
		text += " of commit " + short(d.CommitSHA)
	}
	if d.Branch != "" {
		text += " on " + d.Branch
	}
	text += " is " + d.RawStatus
	if now := r.clock.now(); !d.CreatedAt.IsZero() && now.After(d.CreatedAt) {
		text += fmt.Sprintf(", created %s ago", now.Sub(d.CreatedAt).Round(time.Second))
	}
	return text
}

// short is a commit as people read it.
func short(commit string) string {
	const enough = 7
	if len(commit) > enough {
		return commit[:enough]
	}
	return commit
}
