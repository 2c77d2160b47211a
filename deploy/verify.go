package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/poll"
)

// verification proves that the runtime serves what was deployed. A deployment that succeeded proves little: the
// former version may still be answering.
//
// The datasets come first. Only they tell the new version from the former one, and what the former one says of
// its readiness is worth nothing. docs/decisions/006-order-of-verification.md has the reasons.
type verification struct {
	*run

	runtime  Runtime
	answered bool               // it has answered with more than a refusal
	declared []spicepod.Dataset // by what was deployed
	gone     map[string]bool    // folded names of datasets that only the former version had
	warm     time.Time          // until then a runtime that does not answer may still be starting
}

// verifies tells whether the runtime is to be contacted at all.
func (d *Deployer) verifies() bool { return d.Options.DatasetReadyTimeout > 0 || len(d.Probes) > 0 }

// verify checks the datasets, readiness and the probes, in that order, each within a limit of its own. What fails
// is an error, or a warning where the user takes it for one.
func (r *run) verify(ctx context.Context) error {
	if !r.verifies() {
		return nil
	}
	v := &verification{run: r}
	if err := v.connect(ctx); err != nil {
		return err
	}
	if v.runtime == nil {
		return nil // it cannot be asked, and that is a warning
	}
	if err := v.checkDatasets(ctx); err != nil {
		return err
	}
	v.warm = time.Now().Add(r.Options.TestWarmup)
	if ready, err := v.checkReady(ctx); err != nil || !ready {
		return err
	}
	return v.checkProbes(ctx)
}

// verifyDeployed verifies what is deployed already.
func (r *run) verifyDeployed(ctx context.Context) error {
	if err := r.inTime(ctx, r.findDeployed); err != nil {
		return err
	}
	if err := r.verify(ctx); err != nil {
		return err
	}
	return ended(diag.Succeeded, "app %q serves deployment %d%s", r.result.App.Name, r.result.Deployment.ID, r.result.proof())
}

// findDeployed finds the app and the deployment that it ought to serve.
func (r *run) findDeployed(ctx context.Context) error {
	ctx = r.patient(ctx)
	id, err := r.appID(ctx)
	if err != nil {
		return err
	}
	if id == 0 { // one that a deployment would create
		return because(diag.AppNotFound, fmt.Errorf("there is no app %q%s, so there is nothing to verify", r.Options.AppName, ofOrg(r.Options.Org)))
	}
	plan := &Plan{}
	if plan.App, err = r.Cloud.App(ctx, id); err != nil {
		return fmt.Errorf("read app %d: %w", id, err)
	}
	if err := r.accept(plan); err != nil {
		return err
	}
	if paused, err := r.Cloud.Paused(ctx, id); err == nil && paused { // where it cannot be told, the runtime will tell
		end := because(diag.AppPaused, fmt.Errorf("app %q is paused, so there is nothing to verify", r.result.App.Name))
		end.Hint = "resume it in the portal, or deploy with if-paused: resume; verify resumes nothing"
		return end
	}
	list, err := r.Cloud.Deployments(ctx, id, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return fmt.Errorf("read the deployments of app %d: %w", id, err)
	}
	r.clock = clockOf(list)
	if other := inTheWay(list.Deployments); other != nil {
		r.notice(PhaseVerify, "%s: it may take over while this run looks", r.describe(*other))
	}
	for _, d := range list.Deployments {
		if d.Status == spicecloud.Succeeded {
			r.result.Deployment = d
			return nil
		}
	}
	end := ended(diag.InvalidInput, "no deployment of app %q has succeeded, so there is nothing to verify", r.result.App.Name)
	end.Hint = "deploy it first"
	return end
}

// checkReady waits until the runtime says that its components are ready. It returns false without an error where
// that it is not is a warning only.
func (v *verification) checkReady(ctx context.Context) (bool, error) {
	limit := v.Options.TestWarmup
	if limit == 0 {
		return true, nil
	}
	defer v.span(SpanReadiness)()
	const what = "the runtime to be ready"
	failure, err := v.watch(ctx, limit, what, func(ctx context.Context) (bool, error) {
		ready, err := v.runtime.Ready(ctx)
		if !ready && err == nil {
			v.waitingFor(what, nil)
		}
		return ready, err
	})
	switch {
	case err == nil:
		v.info(PhaseVerify, "the runtime is ready")
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case isRefused(failure):
		return false, v.unproven(diag.RuntimeRefused, false, fmt.Errorf("the runtime refuses to be asked: %w", failure))
	}
	v.explain(ctx, nil)
	reason := fmt.Errorf("the runtime was not ready within %s", limit)
	if failure != nil {
		reason = fmt.Errorf("%w: %w", reason, failure)
	}
	return false, v.unproven(diag.RuntimeNotReady, false, reason, "option", "test-warmup-seconds")
}

// errWindow ends a check that has had its time, or that no further look can change.
var errWindow = errors.New("the check has had its time")

// watch looks again and again for at most limit. A look that fails is made again, since the runtime may still be
// starting; one that is refused, for a while. The failure is that of the last look, nil where it was answered; the
// error is nil only if a look said that all is done.
func (v *verification) watch(ctx context.Context, limit time.Duration, what string, look func(context.Context) (done bool, err error)) (failure, err error) {
	const pause = 2 * time.Second // as often as the official action
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errWindow)
	defer cancel()
	var refusedSince time.Time
	first := true
	_, err = poll.Until(ctx, v.pauses(pause), func(ctx context.Context) (struct{}, bool, error) {
		done, err := look(ctx)
		switch {
		case errors.Is(err, errWindow):
			return struct{}{}, false, err
		case err != nil && ctx.Err() != nil && !first:
			return struct{}{}, false, nil // the look was cut short, and the one before says more
		}
		first, failure = false, err
		switch {
		case err == nil:
			v.answered = true
		case ctx.Err() == nil:
			v.waitingFor(what, err)
		}
		if !isRefused(err) {
			refusedSince = time.Time{}
			return struct{}{}, done, nil
		}
		if refusedSince.IsZero() {
			refusedSince = time.Now()
		}
		if time.Since(refusedSince) >= v.refusals() {
			return struct{}{}, false, errWindow
		}
		return struct{}{}, false, nil
	})
	return failure, err
}

// waitingFor says once what a check waits for, and what it got instead of an answer each time that is news.
func (v *verification) waitingFor(what string, err error) {
	text := "waiting for " + what
	if err != nil {
		text += ": " + err.Error()
	}
	if v.news(text) {
		v.info(PhaseVerify, "%s", text)
	}
}

// refusals is how long a refusal is borne, since the edge may not know a new version at once: for a new app, whose
// key and address have to get around, as long as the check lasts.
func (v *verification) refusals() time.Duration {
	const grace = 10 * time.Second
	if v.created {
		return max(v.Options.DatasetReadyTimeout, v.Options.TestWarmup, grace)
	}
	return grace
}

func isRefused(err error) bool {
	failed, ok := errors.AsType[*spiceruntime.Error](err)
	return ok && failed.Kind == spiceruntime.Refused
}

// unproven ends the verification with the verdict that a cause stands for. Where the datasets are not to blame,
// fail-on-test-error decides whether that is an error.
func (v *verification) unproven(cause diag.Cause, always bool, err error, pairs ...string) error {
	err = fmt.Errorf("deployment %d succeeded, but %w", v.result.Deployment.ID, err)
	end := because(cause, err, pairs...)
	if always || v.Options.FailOnTestError {
		return end
	}
	v.result.Unproven = true
	v.warn(PhaseVerify, "%s; no failure, since fail-on-test-error is false. What to do: %s", err, end.Hint)
	return nil
}

// counted is a number of things: 1 secret, 2 secrets.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
