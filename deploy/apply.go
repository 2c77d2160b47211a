package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// apply makes the app what the plan says, all but the deployment. The update goes before the secrets because it
// may be refused.
func (r *run) apply(ctx context.Context, plan *Plan) error {
	if plan.CreateApp {
		if err := r.createApp(ctx, plan); err != nil {
			return err
		}
	}
	if err := r.update(ctx, plan); err != nil {
		return err
	}
	return r.writeSecrets(ctx, plan)
}

// createApp creates the app, at most once: after a lost answer it is looked for by its name, which is unique.
func (r *run) createApp(ctx context.Context, plan *Plan) error {
	name := plan.App.Name
	find := func(ctx context.Context) (spicecloud.App, bool, error) {
		apps, err := r.Cloud.Apps(ctx)
		if err != nil {
			return spicecloud.App{}, false, err
		}
		i := slices.IndexFunc(apps, func(app spicecloud.App) bool { return strings.EqualFold(app.Name, name) })
		if i < 0 {
			return spicecloud.App{}, false, nil
		}
		return apps[i], true, nil
	}
	r.claim = claim{what: "the app", hint: "run again: if the app was created, it is found by its name"}
	app, _, err := once(ctx, r, func(ctx context.Context) (spicecloud.App, error) {
		return r.Cloud.CreateApp(r.patient(ctx), spicecloud.NewApp{Name: name, Region: r.Options.Region, Visibility: r.Options.Visibility})
	}, find)
	if answer, ok := errors.AsType[*spicecloud.APIError](err); ok && answer.Status == http.StatusConflict {
		return because(diag.NameTaken, fmt.Errorf("create app %q: %w", name, err))
	}
	if err != nil {
		return fmt.Errorf("create app %q: %w", name, err)
	}
	if app.Kind != "" && app.Kind != "managed" {
		return because(diag.AppNotHosted, fmt.Errorf("app %q was created as the kind %q, which Spice Cloud does not run", name, app.Kind))
	}
	app.Name = cmp.Or(app.Name, name)
	r.changed, r.created, r.claim = true, true, claim{}
	r.result.App, plan.App = app, app
	plan.CreateApp = false
	r.info(PhaseApp, "%s created (id %d%s)", app.Name, app.ID, where(app, r.Options.Org))
	return nil
}

// update sends the spicepod and the tags in one request, where they differ.
func (r *run) update(ctx context.Context, plan *Plan) error {
	defer r.span(SpanUpdate)()
	update := spicecloud.AppUpdate{Tags: plan.Tags}
	if plan.PushSpicepod {
		source := r.Manifest.Source()
		update.Spicepod = &source
	}
	sent, err := r.send(ctx, update)
	if rest := r.withoutAutomaticTag(plan, update); refused(err) && !maps.Equal(rest.Tags, update.Tags) {
		if again, restErr := r.send(ctx, rest); !refused(restErr) {
			r.notice(PhaseUpdate, "the automatic tag %q was refused (%s): going on without it", repositoryTag, err)
			update, sent, err = rest, again, restErr
		}
	}
	if answer, ok := errors.AsType[*spicecloud.APIError](err); ok && answer.Code == "github_connected" && r.Options.IfConnected == "deploy-head" {
		r.notice(PhaseUpdate, "app %q is connected to GitHub: its spicepod is not pushed, and the head of its production branch is deployed, as if-connected asks", plan.App.Name)
		update.Spicepod, r.head = nil, true
		sent, err = r.send(ctx, update)
	}
	if err != nil {
		return fmt.Errorf("update app %q: %w", plan.App.Name, err)
	}
	if update.Spicepod != nil {
		r.former = plan.App.Spicepod
	}
	if sent != "" {
		r.info(PhaseUpdate, "%s updated", sent)
	}
	return nil
}

// send sends what there is of an update, and returns its name.
func (r *run) send(ctx context.Context, update spicecloud.AppUpdate) (sent string, err error) {
	switch {
	case update.Spicepod != nil && update.Tags != nil:
		sent = "spicepod and tags"
	case update.Spicepod != nil:
		sent = "spicepod"
	case update.Tags != nil:
		sent = "tags"
	default:
		return "", nil
	}
	_, err = r.Cloud.UpdateApp(r.patient(ctx), r.result.App.ID, update)
	if r.unanswered = ""; unanswered(err) {
		r.unanswered = sent
	}
	if err != nil {
		return "", err
	}
	r.changed = true
	r.result.SpicepodSent = r.result.SpicepodSent || update.Spicepod != nil
	r.result.TagsSent = r.result.TagsSent || update.Tags != nil
	return sent, nil
}

// unanswered tells whether an update may have been made although it failed.
func unanswered(err error) bool {
	if err == nil || errors.Is(err, spicecloud.ErrReadOnly) {
		return false
	}
	_, network := errors.AsType[*spicecloud.NetworkError](err)
	_, token := errors.AsType[*spicecloud.TokenError](err)
	_, redirect := errors.AsType[*spicecloud.RedirectError](err)
	answer, answered := errors.AsType[*spicecloud.APIError](err)
	return network || !token && !redirect && (!answered || !answer.Refused())
}

// refused tells whether the service said no to the content of a request.
func refused(err error) bool {
	answer, ok := errors.AsType[*spicecloud.APIError](err)
	return ok && answer.Code != "github_connected" &&
		(answer.Status == http.StatusBadRequest || answer.Status == http.StatusForbidden)
}

// withoutAutomaticTag is the update with the tag that nobody asked for left as it is in the app.
func (r *run) withoutAutomaticTag(plan *Plan, update spicecloud.AppUpdate) spicecloud.AppUpdate {
	if _, asked := r.Options.Tags[repositoryTag]; asked || update.Tags == nil {
		return update
	}
	tags := maps.Clone(update.Tags)
	delete(tags, repositoryTag)
	if before, ok := plan.App.Tags[repositoryTag]; ok {
		tags[repositoryTag] = before
	}
	update.Tags = tags
	if maps.Equal(tags, plan.App.Tags) {
		update.Tags = nil
	}
	return update
}

// writeSecrets writes every secret that was given: values cannot be read back, so nothing tells which differ. A
// second plan of the same run writes them again only if somebody else has deployed since.
func (r *run) writeSecrets(ctx context.Context, plan *Plan) error {
	if len(r.Secrets.Secrets) == 0 || r.written == plan.Newest && r.result.Secrets != nil {
		return nil
	}
	defer r.span(SpanSecrets)()
	outcomes, err := secretsync.Write(r.patient(ctx), r.Cloud, r.result.App.ID, r.Secrets, plan.existing)
	r.result.Secrets = outcomes
	if count(outcomes, secretsync.Created, secretsync.Updated, secretsync.Unknown) > 0 {
		r.changed = true
	}
	if err != nil {
		return fmt.Errorf("app %q: %w", plan.App.Name, err)
	}
	r.written = plan.Newest
	for _, o := range plan.Secrets {
		if o.Action == secretsync.Kept || o.Action == secretsync.Excluded {
			r.result.Secrets = append(r.result.Secrets, o)
		}
	}
	r.info(PhaseSecrets, "%d written (%d new): %s", len(r.Secrets.Secrets), count(outcomes, secretsync.Created), names(r.Secrets))
	return nil
}

func names(set secretsync.Set) string {
	list := make([]string, len(set.Secrets))
	for i, s := range set.Secrets {
		list[i] = s.Name
	}
	return strings.Join(list, ", ")
}

// prune deletes, once the new version has succeeded, the secrets that nobody gave and nobody needs. Failing to
// does not make the deployment less of a success.
func (r *run) prune(ctx context.Context, plan *Plan) error {
	var names []string
	for _, o := range plan.Secrets {
		if o.Action == secretsync.Delete {
			names = append(names, o.Name)
		}
	}
	if len(names) == 0 || r.result.Adopted {
		return nil
	}
	defer r.span(SpanPrune)()
	outcomes, err := secretsync.Prune(ctx, r.Cloud, r.result.App.ID, names)
	r.result.Secrets = append(r.result.Secrets, outcomes...)
	if err != nil {
		r.warn(PhasePrune, "the deployment succeeded, but not all secrets that are no longer given could be deleted: %s", err)
		return nil
	}
	r.info(PhasePrune, "%s deleted: %s", counted(len(names), "secret"), strings.Join(names, ", "))
	return nil
}
