package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/poll"
)

// quietPeriod is how long after a lost answer the list must lack what was asked for before it is asked for again:
// the effect of a request shows in the list within seconds.
const quietPeriod = 10 * time.Second

// claim is what our deployment is known by after its answer was lost. It is set by the first request for one and
// holds for the run: an effect that comes late is still ours.
type claim struct {
	open    bool   // a request went out whose fate is not known
	what    string // what it may have made: a deployment for this commit
	hint    string // what to do when the run ends like that
	known   map[int64]bool
	asked   time.Time // by the service's clock; zero where that is not known
	request spicecloud.NewDeployment
	resumed bool // asked for by resuming the app: what it deploys has no commit of ours
}

// create makes our deployment, or finds it where the answer was lost. It returns errRefusedForAnother when the
// service refuses because of another one.
func (r *run) create(ctx context.Context, plan *Plan) error {
	defer r.span(SpanCreate)()
	if found, err := r.takeOverEarlier(ctx); err != nil || found {
		return err
	}
	if plan.Paused {
		return r.resume(ctx, plan)
	}
	r.stake(plan, false)
	d, found, err := once(ctx, r, func(ctx context.Context) (spicecloud.Deployment, error) {
		if r.over != nil {
			if _, err := r.untouched(ctx, *r.over); err != nil {
				return spicecloud.Deployment{}, err
			}
		}
		return r.Cloud.CreateDeployment(r.patient(ctx), r.result.App.ID, plan.Request)
	}, r.findOurs)
	switch answer, _ := errors.AsType[*spicecloud.APIError](err); {
	case answer != nil && answer.Code == "spicepod_paused":
		return r.resume(ctx, plan)
	case refusedForAnother(answer):
		return errRefusedForAnother
	case answer != nil && answer.Status == http.StatusBadRequest && r.Manifest == nil && len(plan.App.Spicepod) == 0:
		return because(diag.SpicepodMissing, fmt.Errorf("%w; %s%s", err, r.leftBehind(), r.mayExist()))
	case answer != nil && answer.Status == http.StatusBadRequest && answer.Code == "":
		return because(diag.SpicepodRefused, fmt.Errorf("create deployment of app %q: %w; %s%s", plan.App.Name, err, r.leftBehind(), r.mayExist()))
	case err != nil:
		return fmt.Errorf("create deployment of app %q: %w", plan.App.Name, err)
	}
	r.have(d, found)
	return nil
}

// resume wakes a paused app, which deploys what is stored: that deployment is ours.
func (r *run) resume(ctx context.Context, plan *Plan) error {
	if err := r.mayResume(plan); err != nil {
		return err
	}
	r.notice(PhaseDeployment, "app %q is paused: resuming it, as if-paused asks, which deploys", plan.App.Name)
	r.stake(plan, true)
	d, found, err := once(ctx, r, func(ctx context.Context) (spicecloud.Deployment, error) {
		id, err := r.Cloud.ResumeApp(r.patient(ctx), r.result.App.ID)
		return spicecloud.Deployment{ID: id, Status: spicecloud.Queued, RawStatus: string(spicecloud.Queued)}, err
	}, r.findOurs)
	if answer, _ := errors.AsType[*spicecloud.APIError](err); refusedForAnother(answer) {
		return errRefusedForAnother // somebody else has resumed it, or deploys it
	}
	if err != nil {
		return fmt.Errorf("resume app %q: %w", plan.App.Name, err)
	}
	r.have(d, found)
	return nil
}

// mayResume refuses a paused app, unless if-paused asks for its resumption.
func (r *run) mayResume(plan *Plan) error {
	if r.Options.IfPaused == "resume" {
		return nil
	}
	return because(diag.AppPaused, fmt.Errorf("app %q is paused; %s", plan.App.Name, r.leftBehind()))
}

// refusedForAnother tells whether a request for a deployment was refused because of another one. Spice Cloud
// documents no code for that; those that it documents for 409 mean something else, which waiting does not change.
func refusedForAnother(answer *spicecloud.APIError) bool {
	if answer == nil || answer.Status != http.StatusConflict {
		return false
	}
	switch answer.Code {
	case "github_connected", "github_not_connected", "root_directory_conflict":
		return false
	}
	return true
}

// stake notes what tells our deployment from all others, before it is asked for.
func (r *run) stake(plan *Plan, resumed bool) {
	if r.claim.open {
		r.claim.resumed = r.claim.resumed || resumed // either request may turn out to have come through
		return
	}
	r.claim = claim{
		what: "a deployment for this commit", hint: diag.Hint(diag.AnswerLost),
		known: plan.Known, request: plan.Request, resumed: resumed,
	}
	if r.clock.known() {
		r.claim.asked = r.clock.now()
	}
}

// have records our deployment.
func (r *run) have(d spicecloud.Deployment, found bool) {
	r.twin = r.claim.open && !found
	r.changed, r.claim.open = true, false
	r.result.Deployment, r.result.TakenOver = d, found
	switch {
	case found && r.claim.madeByResuming(d, r.result.App):
		r.notice(PhaseDeployment, "the answer to the resumption was lost; deployment %d is what it made: it is new, and was not asked for with a commit", d.ID)
	case found:
		r.notice(PhaseDeployment, "the answer to the create was lost; deployment %d is it: new, made through the API, and of this commit (a run of somebody else for the same commit could not be told from it)", d.ID)
	}
	r.tell(spicecloud.Deployment{}, d)
}

// once makes something that must not be made twice: what r.claim is about. An answer that was lost is looked for
// with find; only when quietPeriod has passed and a look after that finds nothing is the request made again. Where
// looking fails, it is never made again.
func once[T any](ctx context.Context, r *run, make func(context.Context) (T, error), find func(context.Context) (T, bool, error)) (made T, found bool, err error) {
	for {
		made, err = make(ctx)
		lost, ok := errors.AsType[*spicecloud.LostAnswerError](err)
		if !ok {
			if err != nil && r.claim.open { // refused, perhaps because the lost one had come through after all
				if earlier, there, lookErr := find(ctx); lookErr == nil && there {
					return earlier, true, nil
				}
			}
			return made, false, err
		}
		r.changed, r.claim.open = true, true
		r.warn(PhaseDeployment, "the answer was lost (%s): looking whether the request came through", lost.Err)
		made, found, err = lookFor(ctx, r.pauses(2*time.Second), find)
		if err != nil {
			return made, false, r.becauseLost(ctx, lost, err)
		}
		if found {
			return made, true, nil
		}
		r.notice(PhaseDeployment, "nothing new after %s: the request did not come through and is made again", quietPeriod)
	}
}

// lookFor looks until it finds, or has looked once more after the quiet period. When ctx has ended, or ends
// meanwhile, one short last look tells whether something was left behind.
func lookFor[T any](ctx context.Context, schedule backoff.BackOff, find func(context.Context) (T, bool, error)) (made T, found bool, err error) {
	since := time.Now()
	made, err = poll.Until(ctx, schedule, func(ctx context.Context) (T, bool, error) {
		quiet := time.Since(since) >= quietPeriod
		made, ok, err := find(ctx)
		found = ok
		return made, ok || quiet, err
	})
	if err == nil || ctx.Err() == nil {
		return made, found, err
	}
	const lastLook = 3 * time.Second // within what CI systems leave a cancelled step
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	if made, ok, lookErr := find(last); lookErr == nil && ok {
		return made, true, nil
	}
	return made, false, err
}

// becauseLost is the end of a run that cannot find out what became of its create.
func (r *run) becauseLost(ctx context.Context, lost, err error) error {
	if end, ok := errors.AsType[*diag.Error](err); ok {
		return end
	}
	if _, ok := errors.AsType[diag.Interrupted](context.Cause(ctx)); ok {
		return context.Cause(ctx)
	}
	return &diag.Error{Result: diag.Unavailable, Hint: r.claim.hint, Err: fmt.Errorf("%w; looking for it failed too: %w%s", lost, err, r.mayExist())}
}

// takeOverEarlier finds the deployment that a lost request of this run made after all, when the run has gone on
// meanwhile because the service refused another one.
func (r *run) takeOverEarlier(ctx context.Context) (found bool, err error) {
	if !r.claim.open {
		return false, nil
	}
	d, found, err := r.findOurs(ctx)
	if found && err == nil {
		r.have(d, true)
	}
	return found, err
}

// findOurs looks for our deployment in the list: unknown before, made through the API, of our branch and commit,
// and not made before we asked.
func (r *run) findOurs(ctx context.Context) (spicecloud.Deployment, bool, error) {
	list, err := r.Cloud.Deployments(ctx, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return spicecloud.Deployment{}, false, err
	}
	ours, foreign := r.claimed(list.Deployments)
	switch {
	case len(ours) == 0 && foreign != nil:
		return *foreign, false, because(diag.ForeignDeployment, fmt.Errorf(
			"the answer to the create was lost, and deployment %d of commit %s is new: it may be this run's", foreign.ID, short(foreign.CommitSHA)))
	case len(ours) == 0:
		return spicecloud.Deployment{}, false, nil
	}
	first := ours[len(ours)-1] // the list is newest first: the one made soonest after we asked
	if len(ours) > 1 {
		r.warn(PhaseDeployment, "%d new deployments are of this commit and branch, so another run is deploying it too and they cannot be told apart; taking %d", len(ours), first.ID)
	}
	return first, true, nil
}

// claimed picks what may be ours from the list, and one that may be although its commit is another.
func (r *run) claimed(list []spicecloud.Deployment) (ours []spicecloud.Deployment, foreign *spicecloud.Deployment) {
	for _, d := range list {
		if r.claim.known[d.ID] || r.claim.tooEarly(d) {
			continue
		}
		switch {
		case r.claim.madeByResuming(d, r.result.App):
			ours = append(ours, d)
		case !madeByAPI(d):
		case d.CommitSHA == r.claim.request.CommitSHA && d.Branch == r.claim.request.Branch:
			ours = append(ours, d)
		case r.result.App.ProductionBranch != "":
			// Of a connected app the service deploys the head of the production branch, whatever we say.
			foreign = &d
		}
	}
	return ours, foreign
}

// tellOfTwin looks once, where the request for our deployment was made again, whether the one whose answer was lost
// had come through after all. That the list cannot be read takes nothing from how our deployment ended.
func (r *run) tellOfTwin(ctx context.Context) {
	if !r.twin || ctx.Err() != nil {
		return
	}
	once := spicecloud.WithPatience(ctx, time.Nanosecond)
	list, err := r.Cloud.Deployments(once, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return
	}
	ours, _ := r.claimed(list.Deployments)
	for _, d := range ours {
		if d.ID != r.result.Deployment.ID {
			r.warn(PhaseDeployment, "deployment %d is of this run too: the request whose answer was lost had come through, after more than %s", d.ID, quietPeriod)
		}
	}
}

// madeByResuming tells whether a new deployment can be what resuming the app made: it has no commit, unless the
// app is connected and the service gave it one.
func (c claim) madeByResuming(d spicecloud.Deployment, app spicecloud.App) bool {
	return c.resumed && (d.CommitSHA == "" || app.ProductionBranch != "")
}

// tooEarly tells whether a deployment was made before ours was asked for, by the service's clock. Two seconds
// allow for the whole seconds of the Date header that the clock is known by.
func (c claim) tooEarly(d spicecloud.Deployment) bool {
	return !c.asked.IsZero() && !d.CreatedAt.IsZero() && d.CreatedAt.Before(c.asked.Add(-2*time.Second))
}

func madeByAPI(d spicecloud.Deployment) bool {
	return d.CreationSource == "" || strings.EqualFold(d.CreationSource, "api")
}
