package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// rollback is the run that brings the former spicepod back.
type rollback struct {
	*run

	failed *run                  // the run that is rolled back
	before spicecloud.Deployment // the newest that had succeeded before that run's; zero where none had
}

// story says how the rollback went, and what to do about one that did not go well. The remedies of other runs would
// say what serves as if nothing had been deployed before.
func (b *rollback) story(ctx context.Context) (story, hint string) {
	back := &b.result
	switch back.Result {
	case diag.Succeeded:
		story = fmt.Sprintf("rolled back: deployment %d runs the former spicepod (its runtime was not verified)", back.Deployment.ID)
		return story + b.secrets(), ". Whether the former version serves well again was not checked: the command verify does that"
	case diag.TimedOut, diag.Cancelled:
		story = "THE ROLLBACK HAS NOT ENDED: "
	default:
		story = "THE ROLLBACK FAILED TOO: "
	}
	story += back.Reason + "; " + b.stored(ctx)
	cause := b.cause()
	if cause != diag.RollbackOvertaken {
		story += "; " + b.serving()
	}
	look := "the newest deployment"
	if back.Deployment.ID != 0 {
		look = fmt.Sprintf("deployment %d", back.Deployment.ID)
	}
	return story + b.secrets(), ". About the rollback: " + diag.Hint(cause, "deployment", look)
}

// cause sorts rollbacks that did not succeed by what is to be done.
func (b *rollback) cause() diag.Cause {
	d := b.result.Deployment
	switch {
	case b.result.Result == diag.Superseded || b.result.Result == diag.Conflict:
		return diag.RollbackOvertaken
	case d.ID != 0 && d.Status != spicecloud.Failed || b.claim.open:
		return diag.RollbackUnfinished
	case b.result.SpicepodSent:
		return diag.RollbackUndeployed
	}
	return diag.RollbackUnstored
}

// stored says which spicepod the app has now.
func (b *rollback) stored(ctx context.Context) string {
	const former, ours = "the app has the former spicepod again", "the app still has this run's spicepod"
	if ctx.Err() == nil {
		app, err := b.Cloud.App(spicecloud.WithPatience(ctx, time.Nanosecond), b.result.App.ID)
		switch {
		case err != nil:
		case stores(app, b.Manifest):
			return former
		case stores(app, b.failed.Manifest):
			return ours
		default:
			return "the app has a spicepod of somebody else now"
		}
	}
	switch {
	case b.unanswered != "":
		return "which spicepod the app has is not known"
	case b.result.SpicepodSent:
		return former
	}
	return ours
}

// serving says which version serves as long as the rollback's deployment has not succeeded.
func (b *rollback) serving() string {
	switch ours := b.failed.result.Deployment; {
	case ours.Status == spicecloud.Succeeded:
		return fmt.Sprintf("deployment %d is the last one that succeeded, and serves on as the verification found it", ours.ID)
	case b.before.ID != 0:
		return fmt.Sprintf("deployment %d is the last one that succeeded, and serves on", b.before.ID)
	}
	return "no deployment of the app has succeeded"
}

// secrets says that secrets stay as they are, where the run wrote some.
func (b *rollback) secrets() string {
	n := count(b.failed.result.Secrets, secretsync.Created, secretsync.Updated)
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s that this run wrote cannot be rolled back, since former values cannot be read", counted(n, "secret"))
}
