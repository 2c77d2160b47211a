package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

// rollBack puts the former spicepod back and deploys it, where that was asked for and end is a failure that it can
// mend. It returns end, with the story of the rollback told after the reason: the result stays the failure's.
func (r *run) rollBack(ctx context.Context, end error) error {
	if !r.Options.RollbackOnFailure || r.result.Deployment.ID == 0 {
		return end
	}
	failure, level := r.classify(end), Warning
	var story, hint string
	switch failure.Result {
	case diag.Failed, diag.VerificationFailed:
		if story, hint = r.formerAgain(ctx); r.result.RolledBackTo != 0 {
			level = Notice
		}
	case diag.Superseded:
		story, level = "not rolled back: what runs is another deployment's", Notice
	case diag.TimedOut:
		story = fmt.Sprintf("not rolled back: deployment %d may still succeed", r.result.Deployment.ID)
	default:
		return end
	}
	r.observe(PhaseRollback, level, "%s", story)
	return &diag.Error{Result: failure.Result, Err: fmt.Errorf("%w; %s", failure.Err, story), Hint: failure.Hint + hint}
}

// formerAgain deploys the former spicepod by a run of its own, within timeout-seconds anew, and says how it went.
func (r *run) formerAgain(ctx context.Context) (story, hint string) {
	former, before, err := r.formerVersion(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return "not rolled back: " + err.Error(), ""
	}
	defer r.span(SpanRollback)()
	r.notice(PhaseRollback, "putting the former spicepod back and deploying it, as rollback-on-failure asks")
	b := &rollback{run: r.backTo(former, before).begin(), failed: r, before: before}
	b.over = &r.result.Deployment
	if b.conclude(ctx, (*run).steps).Result == diag.Succeeded {
		r.result.RolledBackTo = b.result.Deployment.ID
	}
	return b.story(ctx)
}

// formerVersion is the spicepod that this run has replaced and the deployment that served it, or why there must be
// no rollback.
func (r *run) formerVersion(ctx context.Context) (former *spicepod.Manifest, before spicecloud.Deployment, err error) {
	switch {
	case r.result.Adopted:
		return nil, before, fmt.Errorf("deployment %d was made by another run", r.result.Deployment.ID)
	case !r.result.SpicepodSent:
		return nil, before, errors.New("this run did not change the spicepod, so what failed is not the spicepod's change (an image, a secret or the platform may be)")
	}
	former, err = spicepod.FromJSON(withoutEscapes(r.former))
	if err == nil && former == nil {
		err = errors.New("the app had no spicepod before this run")
	}
	if err == nil {
		before, err = r.untouched(ctx, r.result.Deployment)
	}
	return former, before, err
}

// untouched makes sure that nobody else has done anything to the app since a deployment of ours, and returns the
// newest one that had succeeded before it, if any.
func (r *run) untouched(ctx context.Context, ours spicecloud.Deployment) (before spicecloud.Deployment, err error) {
	ctx = spicecloud.WithPatience(ctx, patience)
	unknown := func(err error) error {
		return fmt.Errorf("it could not be told whether somebody else has deployed since: %w", err)
	}
	list, err := r.Cloud.Deployments(ctx, r.result.App.ID, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return before, unknown(err)
	}
	r.clock = clockOf(list)
	for _, d := range list.Deployments {
		switch {
		case d.ID == ours.ID:
		case newer(d, ours):
			return before, r.overtaken(d)
		case d.Status == spicecloud.Succeeded && before.ID == 0:
			before = d
		}
	}
	app, err := r.Cloud.App(ctx, r.result.App.ID)
	if err != nil {
		return before, unknown(err)
	}
	if !stores(app, r.Manifest) {
		return before, ended(diag.Conflict, "the app's spicepod is not this run's any more: somebody else has changed it since")
	}
	return before, nil
}

// overtaken is why there is no rollback after a deployment of somebody else.
func (r *run) overtaken(by spicecloud.Deployment) error {
	return ended(diag.Conflict, "%s: somebody else has deployed since", r.describe(by))
}

// stores tells whether an app has a spicepod that means the same as m.
func stores(app spicecloud.App, m *spicepod.Manifest) bool {
	stored, err := spicepod.FromJSON(app.Spicepod)
	return err == nil && stored != nil && spicepod.Compare(stored, m).Empty()
}

// backTo is the run that deploys the former spicepod: no secrets, no tags, no verification, and never over a
// deployment of somebody else. It is attributed to the commit of the deployment before ours, since that is what
// it brings back.
func (r *run) backTo(former *spicepod.Manifest, before spicecloud.Deployment) *Deployer {
	o := *r.Options
	o.AppID, o.AppName, o.CreateAppIfMissing, o.Region = r.result.App.ID, "", false, ""
	o.Tags, o.SecretsPrune, o.MissingSecrets = nil, false, "ignore"
	o.OnConflict, o.OnSuperseded, o.IfPaused, o.IfConnected = "fail", "fail", "fail", "fail"
	o.RollbackOnFailure, o.DatasetReadyTimeout = false, 0
	o.Branch, o.CommitSHA = before.Branch, before.CommitSHA
	o.CommitMessage = fmt.Sprintf("Roll back deployment %d", r.result.Deployment.ID)
	o.Debug = nil
	// Only what this run has asked for has to be taken back: naming what the service chose may need another plan.
	if o.ImageTag != "" {
		o.ImageTag = before.ImageTag
	}
	if o.Channel != "" {
		o.Channel = before.Channel
	}
	if o.Replicas != 0 {
		o.Replicas = before.Replicas
	}
	return &Deployer{Cloud: r.Cloud, Options: &o, Manifest: former, Owner: r.Owner, Observer: rollbackObserver{r}}
}

// withoutEscapes writes JSON anew, each character as it is: it is pushed as YAML, which does not know how JSON may
// escape those beyond 16 bits. What is no JSON stays as it is.
func withoutEscapes(raw json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var decoded any
	if d.Decode(&decoded) != nil {
		return raw
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(decoded) != nil {
		return raw
	}
	return b.Bytes()
}

// rollbackObserver passes on what happens in a rollback as a part of the run that is rolled back.
type rollbackObserver struct{ run *run }

// Observe passes an event on. The app is no news, and a deployment that is called by its id alone is told from ours.
func (o rollbackObserver) Observe(e Event) {
	switch e.Phase {
	case PhaseApp:
		return
	case PhaseDeployment:
		if id := fmt.Sprint(e.Result.Deployment.ID); strings.HasPrefix(e.Text, id) {
			e.Text = "deployment " + e.Text
		}
	}
	o.run.observe(PhaseRollback, e.Level, "%s", e.Text)
}

var _ Observer = rollbackObserver{}
