package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// Delete deletes the app with its deployments, keys and secrets. An app that is not there is skipped: cleaning
// up twice, or after a preview that was never made, is no failure.
func (d *Deployer) Delete(ctx context.Context) Result {
	return d.begin().conclude(ctx, (*run).delete)
}

func (r *run) delete(ctx context.Context) error { return r.inTime(ctx, r.deleteApp) }

func (r *run) deleteApp(ctx context.Context) error {
	ctx, r.result.Delete = r.patient(ctx), true
	id, err := r.appID(ctx)
	if end, ok := errors.AsType[*diag.Error](err); ok && end.Result == diag.InvalidInput {
		return ended(diag.Skipped, "%w: nothing to delete", end.Err)
	}
	if err != nil {
		return err
	}
	if id == 0 { // one that a deployment would create
		return ended(diag.Skipped, "there is no app %q%s: nothing to delete", r.Options.AppName, ofOrg(r.Options.Org))
	}
	app, err := r.Cloud.App(ctx, id)
	if notFound(err) {
		return ended(diag.Skipped, "there is no app with the id %d%s: nothing to delete", id, ofOrg(r.Options.Org))
	}
	if err != nil {
		return fmt.Errorf("read app %d: %w", id, err)
	}
	if name := r.Options.AppName; name != "" && !strings.EqualFold(name, app.Name) {
		return ended(diag.InvalidInput, "app-id %d is the app %q, not %q: nothing is deleted where the two disagree; remove one of them", id, app.Name, name)
	}
	if err := r.accept(&Plan{App: app}); err != nil {
		return err
	}
	err = r.Cloud.DeleteApp(ctx, id)
	if notFound(err) {
		return ended(diag.Skipped, "app %q (id %d) was deleted by somebody else meanwhile: nothing to delete", app.Name, id)
	}
	if err != nil {
		return fmt.Errorf("delete app %q: %w", app.Name, err)
	}
	return ended(diag.Succeeded, "app %q (id %d) was deleted with its deployments, keys and secrets", app.Name, id)
}

func notFound(err error) bool {
	answer, ok := errors.AsType[*spicecloud.APIError](err)
	return ok && answer.Status == http.StatusNotFound
}
