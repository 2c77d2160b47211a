package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/poll"
)

// follow looks at our deployment, and at no other, until it ends. It returns nil only if that one succeeded.
func (r *run) follow(ctx context.Context) error {
	_, err := poll.Until(ctx, poll.Follow(r.result.Began, r.Options.PollInterval, r.before), func(ctx context.Context) (struct{}, bool, error) {
		done, err := r.look(ctx)
		return struct{}{}, done, err
	})
	return err
}

// look reads our deployment once. A record that the service does not show yet, or an end that it has no reason
// for yet, means looking again.
func (r *run) look(ctx context.Context) (done bool, err error) {
	id := r.result.Deployment.ID
	if r.unseenSince.IsZero() {
		r.unseenSince = time.Now()
	}
	d, err := r.Cloud.Deployment(ctx, r.result.App.ID, id)
	if errors.Is(err, spicecloud.ErrNotListed) {
		r.notListed = err
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read deployment %d: %w", id, err)
	}
	r.unseenSince, r.notListed = time.Time{}, nil
	before := r.result.Deployment
	if d.CreatedAt.IsZero() { // editions of the service differ in what a look shows
		d.CreatedAt = before.CreatedAt
	}
	r.result.Deployment = d
	r.tell(before, d)
	switch d.Status {
	case spicecloud.Succeeded:
		return true, nil
	case spicecloud.Failed:
		return true, r.failed(d)
	case spicecloud.Created:
		return r.superseded(ctx, d)
	}
	return false, nil
}

// tell reports what is new since the look before.
func (r *run) tell(before, d spicecloud.Deployment) {
	if before.ID == 0 {
		r.result.Began, r.result.Usual = r.began(), poll.Usual(r.before)
	}
	if before.ID == 0 || d.Status != before.Status {
		r.spend(d.Status)
	}
	elapsed := time.Since(r.started).Round(time.Second)
	switch {
	case d.RawStatus != before.RawStatus && d.Status == spicecloud.Unknown:
		// No notice is said twice, so this one comes once for each status.
		r.notice(PhaseDeployment, "%d has the status %q, which this version does not know: taken as still running", d.ID, d.RawStatus)
	case d.RawStatus != before.RawStatus && d.Status == spicecloud.Created:
		// superseded tells, once it is sure
	case before.ID == 0:
		r.info(PhaseDeployment, "%d %s", d.ID, d.RawStatus)
	case d.RawStatus != before.RawStatus:
		r.info(PhaseDeployment, "%d %s after %s", d.ID, d.RawStatus, elapsed)
	}
	if d.Status != spicecloud.InProgress && d.Status != spicecloud.Queued {
		return
	}
	if d.ErrorMessage+d.ErrorCode != before.ErrorMessage+before.ErrorCode {
		if d.ErrorMessage+d.ErrorCode == "" {
			r.info(PhaseDeployment, "%d is no longer held up", d.ID)
			return
		}
		r.info(PhaseDeployment, "%d goes on, but is held up: %s", d.ID, said(d))
	}
}

// spend begins the span of a state of our deployment, and ends the one before.
func (r *run) spend(status spicecloud.Status) {
	if r.inState != nil {
		r.inState()
		r.inState = nil
	}
	switch status {
	case spicecloud.Queued:
		r.inState = r.span(SpanQueued)
	case spicecloud.InProgress, spicecloud.Unknown, spicecloud.Created:
		r.inState = r.span(SpanInProgress)
	}
}

// failed is the end of a deployment that failed, with the reason that the service gives.
func (r *run) failed(d spicecloud.Deployment) error {
	reason := fmt.Errorf("deployment %d failed: %s", d.ID, said(d))
	former := "the former version keeps serving"
	if r.created {
		former = "nothing serves yet, since the app is new"
	}
	switch code := d.ErrorCode; {
	case strings.HasPrefix(code, "insufficient_"):
		return because(diag.ShortOfCapacity, reason, "code", code, "former", former)
	case code == "pod_exceeds_node_capacity":
		return because(diag.PodTooLarge, reason)
	case code == "unable_to_start":
		return because(diag.UnableToStart, reason, "former", former)
	case code == "internal_error":
		return because(diag.PlatformError, reason)
	}
	return because(diag.DeploymentFailed, reason, "former", former)
}

// superseded decides what "created" means: a newer deployment replaced this one, if there is a newer one. Older
// editions of the service use the word for a fresh record, so without one it means waiting.
func (r *run) superseded(ctx context.Context, d spicecloud.Deployment) (done bool, err error) {
	list, err := r.Cloud.Deployments(ctx, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return false, fmt.Errorf("see what replaced deployment %d: %w", d.ID, err)
	}
	var by *spicecloud.Deployment
	for _, other := range list.Deployments {
		if other.Status != spicecloud.Queued && newer(other, d) {
			by = &other // newest first: the last one found came right after ours
		}
	}
	if by == nil {
		return false, nil
	}
	r.result.SupersededBy = by.ID
	text := fmt.Sprintf("deployment %d was replaced by the newer deployment %d", d.ID, by.ID)
	if by.CommitSHA != "" {
		text += " of commit " + short(by.CommitSHA)
	}
	return true, because(diag.DeploymentSuperseded, errors.New(text), "by", fmt.Sprint(by.ID))
}

func newer(a, b spicecloud.Deployment) bool {
	if a.CreatedAt.IsZero() || b.CreatedAt.IsZero() || a.CreatedAt.Equal(b.CreatedAt) {
		return a.ID > b.ID
	}
	return a.CreatedAt.After(b.CreatedAt)
}

// said is the service's own reason.
func said(d spicecloud.Deployment) string {
	switch {
	case d.ErrorMessage != "" && d.ErrorCode != "":
		return d.ErrorMessage + " (" + d.ErrorCode + ")"
	case d.ErrorMessage != "":
		return d.ErrorMessage
	case d.ErrorCode != "":
		return d.ErrorCode
	}
	return "Spice Cloud gives no reason"
}
