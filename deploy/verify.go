package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
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
	answered bool               // it has answered as a runtime does
	declared []spicepod.Dataset // by what was deployed
	gone     map[string]bool    // folded names of datasets that only the former version had
	warm     time.Time          // until then a runtime that does not answer may still be starting
}

// verifies tells whether the runtime is to be contacted at all.
func (d *Deployer) verifies() bool { return d.Options.DatasetReadyTimeout > 0 || len(d.Probes) > 0 }

// verify checks the datasets, readiness and the probes, in that order, each within a limit of its own. What fails
// is an error, or a warning where the user takes it for one.
func (r *run) verify(ctx context.Context) error {
	v := &verification{run: r}
	defer v.passOver()
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
	case lasting(failure):
		return false, v.noRuntime(failure, false)
	}
	v.explain(ctx, nil)
	cause, reason := diag.RuntimeNotReady, fmt.Errorf("the runtime was not ready within %s", limit)
	if failure != nil {
		cause, reason = v.silence(), fmt.Errorf("%w: %w", reason, failure)
	}
	return false, v.unproven(cause, false, reason, "option", "test-warmup-seconds")
}

// errWindow ends a check that has had its time, or that no further look can change.
var errWindow = errors.New("the check has had its time")

// watch looks again and again for at most limit. A look that fails is made again, since the runtime may still be
// starting; one whose failure is lasting, for a while. The failure is that of the last look, nil where it was answered; the
// error is nil only if a look said that all is done.
func (v *verification) watch(ctx context.Context, limit time.Duration, what string, look func(context.Context) (done bool, err error)) (failure, err error) {
	const pause = 2 * time.Second // as often as the official action
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errWindow)
	defer cancel()
	var lastingSince time.Time
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
		if !lasting(err) {
			lastingSince = time.Time{}
			return struct{}{}, done, nil
		}
		if lastingSince.IsZero() {
			lastingSince = time.Now()
		}
		if time.Since(lastingSince) >= v.grace() {
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
