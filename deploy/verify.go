package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
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
	declared []spicepod.Dataset // by what was deployed
	gone     map[string]bool    // names of datasets that only the former version had
	warm     time.Time          // until then a runtime that does not answer may still be starting
}

// errWindow is the cause of a context whose check has had its time.
var errWindow = errors.New("the check has had its time")

// refusalGrace is how long a refused key or address is borne: the edge may not know a new version at once.
const refusalGrace = 10 * time.Second

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
	plan := &Plan{Known: map[int64]bool{}}
	if plan.App, err = r.Cloud.App(ctx, id); err != nil {
		return fmt.Errorf("read app %d: %w", id, err)
	}
	plan.Paused, _ = r.Cloud.Paused(ctx, id) // where it cannot be told, the runtime will tell
	if err := r.accept(plan); err != nil {
		return err
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
	return ended(diag.InvalidInput, "no deployment of app %q has succeeded, so there is nothing to verify", plan.App.Name)
}

// connect finds the runtime of the app and a key to it.
func (v *verification) connect(ctx context.Context) error {
	app, keys, err := v.readAccess(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	v.deployed(app)
	if err == nil && len(keys) == 0 {
		err = errors.New("the app has no API key")
	}
	if err != nil {
		return v.unproven(diag.RuntimeUnknown, v.checksDatasets(), fmt.Errorf("the runtime of app %q cannot be asked: %w", v.result.App.Name, err))
	}
	base, err := spiceruntime.BaseURL(v.Options.RuntimeURL, app.Endpoint, app.CName, cmp.Or(app.Region, v.Options.Region))
	var runtime Runtime
	if err == nil {
		runtime, err = v.Connect(base, keys[0])
	}
	if err != nil {
		return v.unproven(diag.RuntimeUnknown, v.checksDatasets(), fmt.Errorf("the runtime of app %q cannot be asked: %w", v.result.App.Name, err))
	}
	v.runtime = runtime
	return nil
}

// readAccess reads the app as it is now, for its endpoint, and the keys of its runtime.
func (v *verification) readAccess(ctx context.Context) (app spicecloud.App, keys []redact.Secret, err error) {
	ctx = spicecloud.WithPatience(ctx, patience)
	id := v.result.App.ID
	var appErr, keysErr error
	var both sync.WaitGroup
	both.Go(func() {
		appErr = diag.Guard(func() (err error) {
			app, err = v.Cloud.App(ctx, id)
			return err
		})
	})
	both.Go(func() {
		keysErr = diag.Guard(func() (err error) {
			keys, err = v.Cloud.APIKeys(ctx, id)
			return err
		})
	})
	both.Wait()
	return app, keys, cmp.Or(appErr, keysErr)
}

// deployed notes what the new version declares and what only the former one had. Where nothing was pushed, what the
// app has stored is what was deployed.
func (v *verification) deployed(app spicecloud.App) {
	manifest := v.Manifest
	if manifest == nil || v.head {
		manifest, _ = spicepod.FromJSON(app.Spicepod) // one that cannot be read declares nothing that could be checked
	}
	if manifest != nil {
		v.declared = manifest.Datasets()
	}
	v.gone = map[string]bool{}
	if former, _ := spicepod.FromJSON(v.former); former != nil {
		for _, d := range former.Datasets() {
			v.gone[fold(d.Name)] = true
		}
	}
	for _, d := range v.declared {
		delete(v.gone, fold(d.Name))
	}
}

// checksDatasets tells whether there is something to check about datasets. What a spicepod takes over from others
// is part of the runtime's own readiness.
func (v *verification) checksDatasets() bool {
	return v.Options.DatasetReadyTimeout > 0 && len(v.declared) > 0
}

// checkReady waits until the runtime says that its components are ready. It returns false without an error where
// that it is not is a warning only.
func (v *verification) checkReady(ctx context.Context) (bool, error) {
	limit := v.Options.TestWarmup
	if limit == 0 {
		return true, nil
	}
	defer v.span(SpanReadiness)()
	var last error
	refused := forbearance{limit: v.refusals()}
	_, err := v.watch(ctx, limit, func(ctx context.Context) (bool, error) {
		ready, err := v.runtime.Ready(ctx)
		if ctx.Err() != nil {
			return false, nil
		}
		if last = err; !ready {
			v.waitingFor("the runtime to be ready", err)
		}
		return ready, refused.bear(err)
	})
	switch {
	case err == nil:
		v.info(PhaseVerify, "the runtime is ready")
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case isRefused(err):
		return false, v.unproven(diag.RuntimeRefused, false, fmt.Errorf("the runtime refuses to be asked: %w", err))
	}
	v.explain(ctx, nil)
	reason := fmt.Errorf("the runtime was not ready within %s", limit)
	if last != nil {
		reason = fmt.Errorf("%w: %w", reason, last)
	}
	return false, v.unproven(diag.RuntimeNotReady, false, reason, "option", "test-warmup-seconds")
}

// watch looks again and again for at most limit.
func (v *verification) watch(ctx context.Context, limit time.Duration, look func(context.Context) (done bool, err error)) (bool, error) {
	const pause = 2 * time.Second // as often as the official action
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errWindow)
	defer cancel()
	return poll.Until(ctx, v.pauses(pause), func(ctx context.Context) (bool, bool, error) {
		done, err := look(ctx)
		return done, done, err
	})
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

// refusals is how long a refusal is borne: for a new app, whose key and address have to get around, as long as the
// check lasts.
func (v *verification) refusals() time.Duration {
	if v.created {
		return max(v.Options.DatasetReadyTimeout, v.Options.TestWarmup)
	}
	return refusalGrace
}

// forbearance bears failures that may pass, and refusals for a while.
type forbearance struct {
	limit time.Duration
	since time.Time // of refusals without anything else between them
}

// bear returns the error only where there is no use in looking again.
func (f *forbearance) bear(err error) error {
	if !isRefused(err) {
		f.since = time.Time{}
		return nil
	}
	if f.since.IsZero() {
		f.since = time.Now()
	}
	if time.Since(f.since) >= f.limit {
		return err
	}
	return nil
}

func isRefused(err error) bool {
	failed, ok := errors.AsType[*spiceruntime.Error](err)
	return ok && failed.Kind == spiceruntime.Refused
}

// unproven ends the verification with the verdict that a cause stands for. Where the datasets are not to blame,
// fail-on-test-error decides whether that is an error.
func (v *verification) unproven(cause diag.Cause, always bool, err error, pairs ...string) error {
	d := v.result.Deployment
	err = fmt.Errorf("deployment %d %s, but %w", d.ID, cmp.Or(d.RawStatus, "was made"), err)
	end := because(cause, err, pairs...)
	if always || v.Options.FailOnTestError {
		return end
	}
	v.result.Unproven = true
	v.warn(PhaseVerify, "%s; no failure, since fail-on-test-error is false. What to do: %s", err, end.Hint)
	return nil
}

// fold is a name as it is compared: SQL does not tell case apart unless it is quoted.
func fold(name string) string { return strings.ToLower(name) }

// checkProbes runs every probe, whatever became of those before.
func (v *verification) checkProbes(ctx context.Context) error {
	defer v.span(SpanProbes)()
	var failed []ProbeResult
	for _, probe := range v.Probes {
		outcome := v.attempt(ctx, probe)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		result := ProbeResult{Probe: probe.Text, Outcome: outcome}
		v.result.Probes = append(v.result.Probes, result)
		took := outcome.Duration.Round(time.Millisecond)
		if outcome.OK {
			v.info(PhaseVerify, "%s passed in %s: %s", probe, took, outcome.Detail)
			continue
		}
		failed = append(failed, result)
		v.info(PhaseVerify, "%s failed after %s: %s", probe, took, outcome.Error)
	}
	if len(failed) == 0 {
		return nil
	}
	cause, reasons := diag.RuntimeRefused, make([]string, len(failed))
	for i, f := range failed {
		reasons[i] = fmt.Sprintf("%s (%s): %s", f.Name, f.Probe, f.Error)
		if f.Kind != spiceruntime.Refused {
			cause = diag.ProbeFailed
		}
	}
	err := fmt.Errorf("%d of %s failed: %s", len(failed), counted(len(v.Probes), "probe"), strings.Join(reasons, "; "))
	return v.unproven(cause, false, err, "hint", hintOf(failed))
}

// attempt runs a probe. While the runtime may still be starting, one that got no answer is made again; one that
// took all of its time is not, since it may have cost something.
func (v *verification) attempt(ctx context.Context, probe spiceruntime.Probe) spiceruntime.Outcome {
	const again = 2 * time.Second
	for {
		limited, cancel := context.WithTimeout(ctx, v.Options.TestTimeout)
		outcome := v.runtime.Run(limited, probe)
		cancel()
		if outcome.Kind != spiceruntime.Unavailable || outcome.Duration >= v.Options.TestTimeout || time.Until(v.warm) <= again {
			return outcome
		}
		v.notice(PhaseVerify, "%s got no answer (%s): trying again until test-warmup-seconds have passed", probe, outcome.Error)
		if pause(ctx, again) != nil {
			return outcome
		}
	}
}

// hintOf is the advice about the probes that failed, each once.
func hintOf(failed []ProbeResult) string {
	var hints []string
	for _, f := range failed {
		if f.Hint != "" && !slices.Contains(hints, ". "+f.Hint) {
			hints = append(hints, ". "+f.Hint)
		}
	}
	return strings.Join(hints, "")
}

// counted is a number of things: 1 secret, 2 secrets.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
