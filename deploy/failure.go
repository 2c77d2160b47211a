package deploy

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// classify says how a run ends because of err, and what the user can do. What a step decided itself stands; the
// rest is told from the kind of the error.
func (r *run) classify(err error) *diag.Error {
	if end, ok := errors.AsType[*diag.Error](err); ok {
		if end.Result == diag.InvalidInput && r.changed { // which would promise that nothing was
			return &diag.Error{Result: diag.Rejected, Err: fmt.Errorf("%w; %s", err, r.leftBehind()), Hint: end.Hint}
		}
		return &diag.Error{Result: end.Result, Err: err, Hint: end.Hint}
	}
	if stop, ok := errors.AsType[diag.Interrupted](err); ok {
		return r.interrupted(stop)
	}
	ours, late := r.result.Deployment.ID != 0, errors.Is(err, errDeadline)
	switch {
	case ours && late && !failing(err) && r.inSight():
		return r.timedOut()
	case ours:
		return r.lostSight(err)
	case late && (r.obstacle != nil || r.refused && !failing(err)):
		return r.blocked(err)
	}
	end := r.fromCloud(err)
	if end.Result == diag.InvalidInput && r.changed {
		end.Result = diag.Rejected
	}
	if partly, ok := errors.AsType[*secretsync.WriteError](err); ok && len(partly.Written)+len(partly.Unknown) > 0 {
		end.Hint = strings.TrimPrefix(end.Hint+"; "+diag.Hint(diag.SecretsPartlyWritten), "; ")
	}
	if r.changed || r.unanswered != "" {
		end.Err = fmt.Errorf("%w; %s%s", end.Err, r.leftBehind(), r.mayExist())
	}
	return end
}

// failing tells whether a request had failed before err ended its call: then the deadline is not all there is to
// say.
func failing(err error) bool {
	_, answered := errors.AsType[*spicecloud.APIError](err)
	_, network := errors.AsType[*spicecloud.NetworkError](err)
	_, bad := errors.AsType[*spicecloud.BadResponseError](err)
	_, token := errors.AsType[*spicecloud.TokenError](err)
	return answered || network || bad || token
}

// fromCloud tells an end from what the client says of Spice Cloud's answer, or of the lack of one.
func (r *run) fromCloud(err error) *diag.Error {
	if refused, ok := errors.AsType[*spicecloud.TokenError](err); ok {
		switch {
		case refused.Status == http.StatusTooManyRequests:
			return because(diag.RateLimited, err)
		case refused.Status >= http.StatusInternalServerError || refused.Status == http.StatusRequestTimeout:
			return r.unreachable(err)
		}
		return because(diag.ClientRefused, err)
	}
	if redirect, ok := errors.AsType[*spicecloud.RedirectError](err); ok {
		return because(diag.Redirected, redirect)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return because(diag.CertificateNotTrusted, err)
	}
	if answer, ok := errors.AsType[*spicecloud.APIError](err); ok {
		return r.fromAnswer(answer, err)
	}
	if _, ok := errors.AsType[*spicecloud.BadResponseError](err); ok {
		return because(diag.NotTheAPI, err)
	}
	if errors.Is(err, spicecloud.ErrReadOnly) {
		return because(diag.Bug, err)
	}
	return r.unreachable(err)
}

// fromAnswer tells an end from a refusal of the API. Codes decide where Spice Cloud documents them, else the
// status; prose never does.
func (r *run) fromAnswer(answer *spicecloud.APIError, err error) *diag.Error {
	switch answer.Code {
	case "insufficient_scope":
		return because(diag.ScopeMissing, err, "scope", scopeFor(answer.Method, answer.Path))
	case "forbidden":
		return because(diag.RoleTooLow, err, "org", inOrg(r.Options.Org))
	case "org_forbidden", "org_assertion_mismatch", "invalid_org_assertion":
		return because(diag.OrganizationRefused, err, "org", quoted(r.Options.Org))
	case "image_tag_requires_enterprise", "plan_limit":
		return because(diag.PlanTooSmall, err)
	case "invalid_stable_image_tag":
		return because(diag.ImageUnknown, err, "choices", "the tags that GET /v1/container-images lists")
	case "spicepod_paused", "project_paused":
		return because(diag.AppPaused, err)
	case "github_connected":
		return because(diag.AppConnected, err)
	}
	switch {
	case answer.Status == http.StatusUnauthorized:
		return because(diag.TokenRefused, err)
	case answer.Status == http.StatusForbidden && strings.Contains(strings.ToLower(answer.Message), "scope"):
		return because(diag.ScopeMissing, err, "scope", scopeFor(answer.Method, answer.Path))
	case answer.Status == http.StatusForbidden && (answer.Method == http.MethodGet || strings.Contains(answer.Path, "/secrets")):
		return because(diag.ScopeMissing, err, "scope", scopeFor(answer.Method, answer.Path)) // no plan forbids that
	case answer.Status == http.StatusForbidden:
		return because(diag.PlanTooSmall, err)
	case answer.Status == http.StatusNotFound && !r.changed:
		return because(diag.AppNotFound, err)
	case answer.Status == http.StatusNotFound:
		return because(diag.AppGone, err)
	case answer.Status == http.StatusRequestEntityTooLarge:
		return because(diag.BodyTooLarge, err)
	case answer.Status == http.StatusTooManyRequests:
		return because(diag.RateLimited, err)
	case answer.Status >= http.StatusInternalServerError:
		return r.unreachable(err)
	case answer.Status == http.StatusPaymentRequired:
		return because(diag.PaymentRequired, err)
	case answer.Method == http.MethodPut:
		return because(diag.SpicepodRefused, err)
	case answer.Method == http.MethodPost && strings.HasSuffix(answer.Path, "/secrets"):
		return because(diag.SecretRefused, err)
	}
	return because(diag.RequestRefused, err)
}

// unreachable ends a run for want of answers. Before anything was written it asks the one route that needs no
// credential, so that the message can say whether it is the service or this request.
func (r *run) unreachable(err error) *diag.Error {
	end := because(diag.Unreachable, err, "host", host(r.Options.APIURL))
	if r.changed {
		return end
	}
	left := min(5*time.Second, r.Options.Timeout-time.Since(r.started))
	if left <= 0 {
		return end // the run has had its time
	}
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	if health := r.Cloud.Health(spicecloud.WithPatience(ctx, time.Nanosecond)); health != nil {
		end.Err = fmt.Errorf("%w; its health check fails too", err)
	} else {
		end.Err = fmt.Errorf("%w; its health check answers, so it is not down altogether", err)
	}
	return end
}

// interrupted ends a run that a signal stopped, and says what goes on without it.
func (r *run) interrupted(stop diag.Interrupted) *diag.Error {
	end := &diag.Error{Result: diag.Cancelled}
	switch d := r.result.Deployment; {
	case d.ID != 0 && d.Status == spicecloud.Succeeded:
		end.Err = fmt.Errorf("%w after deployment %d had succeeded", stop, d.ID)
		if r.verifies() {
			end.Err = fmt.Errorf("%w, before it was verified", end.Err)
			end.Hint = "which version serves, and whether it does so well, was not found out. The command verify checks that alone"
		}
		if r.Options.RollbackOnFailure && !r.result.Verify {
			end.Err = fmt.Errorf("%w; rollback-on-failure was not carried out", end.Err)
		}
	case d.ID != 0:
		end.Err = fmt.Errorf("%w while deployment %d was %s; it goes on without this run", stop, d.ID, d.RawStatus)
		end.Hint = "Spice Cloud has no way to cancel a deployment. Running again for the same commit with on-conflict: adopt follows it"
	case r.claim.open:
		end.Err = fmt.Errorf("%w before the create was answered%s", stop, r.mayExist())
		end.Hint = r.claim.hint
	case r.changed || r.unanswered != "":
		end.Err = fmt.Errorf("%w before a deployment was created; %s", stop, r.leftBehind())
		end.Hint = "run again: the running version is untouched until a deployment"
	default:
		end.Err = fmt.Errorf("%w before anything was changed", stop)
	}
	return end
}

// inSight tells whether what is known of our deployment is fresh enough to say how it is. A single look that is
// under way at the deadline takes nothing from that; an end that only the create's answer told of is no sight.
func (r *run) inSight() bool {
	return r.unseenSince.IsZero() || time.Since(r.unseenSince) <= longestPause && !over(r.result.Deployment)
}

// over tells whether a deployment ended by itself.
func over(d spicecloud.Deployment) bool {
	return d.Status == spicecloud.Succeeded || d.Status == spicecloud.Failed
}

// timedOut ends a run whose deployment had not ended by the deadline.
func (r *run) timedOut() *diag.Error {
	d := r.result.Deployment
	cause := diag.StuckInProgress
	if d.Status == spicecloud.Queued {
		cause = diag.StuckQueued
	}
	reason := fmt.Errorf("deployment %d was still %s after %s; it may still be running", d.ID, d.RawStatus, r.Options.Timeout)
	if d.ErrorMessage != "" {
		reason = fmt.Errorf("%w; Spice Cloud says: %s", reason, d.ErrorMessage)
	}
	return because(cause, reason)
}

// lostSight ends a run whose deployment is known and cannot be seen any more. Where that is for want of answers,
// it is a timeout: only before there is a deployment of ours does "unavailable" tell all.
func (r *run) lostSight(err error) *diag.Error {
	if errors.Is(err, errDeadline) && !failing(err) {
		err = fmt.Errorf("no answer showed it in the last %s: %w", time.Since(r.unseenSince).Round(time.Second), cmp.Or(r.notListed, err))
	}
	end, d := r.fromCloud(err), r.result.Deployment
	seen := fmt.Sprintf("deployment %d was %s when it was last seen and may still be running", d.ID, d.RawStatus)
	if over(d) { // a look would have ended the run
		seen = fmt.Sprintf("deployment %d was said to be %s already when it was created", d.ID, d.RawStatus)
	}
	end.Err = fmt.Errorf("%s, but could not be followed: %w", seen, end.Err)
	if end.Result == diag.Unavailable {
		end.Result = diag.TimedOut
		end.Hint += ". Running again for the same commit with on-conflict: adopt follows this deployment"
	}
	return end
}

// blocked ends a run that another deployment was in the way of until the deadline.
func (r *run) blocked(err error) *diag.Error {
	said := refusedUnseen
	if r.obstacle != nil {
		said = r.describe(*r.obstacle)
	}
	reason := fmt.Errorf("%s, and was in the way until timeout-seconds (%s) had passed; %s%s", said, r.Options.Timeout, r.leftBehind(), r.mayExist())
	if failing(err) {
		reason = fmt.Errorf("%w (%w)", reason, err)
	}
	return r.conflict(reason, r.obstacle)
}

// leftBehind says in a few words what a run that made no deployment has written.
func (r *run) leftBehind() string {
	var parts []string
	if r.created {
		parts = append(parts, "the app was created")
	}
	if r.result.SpicepodSent {
		parts = append(parts, "the spicepod was updated")
	}
	if r.result.TagsSent {
		parts = append(parts, "the tags were updated")
	}
	if r.unanswered != "" {
		parts = append(parts, "the "+r.unanswered+" may have been updated (the request was not answered)")
	}
	if n := count(r.result.Secrets, secretsync.Created, secretsync.Updated); n > 0 {
		parts = append(parts, counted(n, "secret")+" written")
	}
	if n := count(r.result.Secrets, secretsync.Unknown); n > 0 {
		parts = append(parts, counted(n, "secret")+" perhaps written")
	}
	if len(parts) == 0 {
		return "nothing was changed"
	}
	return strings.Join(parts, ", ")
}

// mayExist says what a request whose answer was lost may have made.
func (r *run) mayExist() string {
	if !r.claim.open {
		return ""
	}
	return "; " + r.claim.what + " may exist"
}

// scopeFor names the scope that Spice Cloud documents for a route.
func scopeFor(method, path string) string {
	kind := "apps"
	switch {
	case strings.Contains(path, "/secrets"):
		kind = "secrets"
	case strings.Contains(path, "/deployments"):
		kind = "deployments"
	}
	switch method {
	case http.MethodGet:
		return kind + ":read"
	case http.MethodDelete:
		if kind == "apps" {
			return "apps:delete"
		}
	}
	return kind + ":write"
}

func host(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return "Spice Cloud"
	}
	return u.Host
}

func inOrg(org string) string {
	if org == "" {
		return ""
	}
	return " " + org
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", s)
}

func count(outcomes []secretsync.Outcome, actions ...secretsync.Action) int {
	n := 0
	for _, o := range outcomes {
		for _, a := range actions {
			if o.Action == a {
				n++
			}
		}
	}
	return n
}
