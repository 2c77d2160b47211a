package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// accept looks at the app itself: is it the one that is meant, and does Spice Cloud run it?
func (r *run) accept(plan *Plan) error {
	o, app := r.Options, plan.App
	if plan.CreateApp {
		return nil
	}
	if o.AppID == 0 && app.Name == "" { // it was found by its name, whatever a single read shows
		app.Name = o.AppName
		plan.App = app
	}
	first := r.result.App.ID == 0
	r.result.App = app
	if first {
		r.info(PhaseApp, "%s (id %d%s)", app.Name, app.ID, where(app, o.Org))
	}
	if o.AppID != 0 && o.AppName != "" && app.Name != "" && !strings.EqualFold(o.AppName, app.Name) {
		r.warn(PhaseApp, "app-id %d is the app %q, not %q: the id wins; remove app-name or correct it", app.ID, app.Name, o.AppName)
	}
	if app.Kind != "" && app.Kind != "managed" {
		return because(diag.AppNotHosted, fmt.Errorf("app %q is of the kind %q, which Spice Cloud does not run", app.Name, app.Kind))
	}
	if o.Region != "" && app.Region != "" && !strings.HasPrefix(app.Region, o.Region) && !strings.HasPrefix(o.Region, app.Region) {
		r.notice(PhaseApp, "app %q is in %s and stays there: region counts only when an app is created", app.Name, app.Region)
	}
	if plan.Paused {
		return r.mayResume(plan)
	}
	return nil
}

// checkRegion refuses a region that is not offered, where the token may read the list.
func (r *run) checkRegion(ctx context.Context) error {
	wanted := r.Options.Region
	if wanted == "" {
		return nil
	}
	regions, err := r.Cloud.Regions(ctx)
	if mayNotRead(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the regions: %w", err)
	}
	var offered []string
	for _, region := range regions.Regions {
		if region.Disabled {
			continue
		}
		if wanted == region.ID {
			return nil
		}
		offered = append(offered, region.ID)
	}
	return because(diag.RegionUnknown, fmt.Errorf("region %q is not offered", wanted), "choices", strings.Join(offered, ", "))
}

// readImages reads which image tags are published, where one is asked for and the token may read the list.
func (r *run) readImages(ctx context.Context, plan *Plan) error {
	if r.Options.ImageTag == "" {
		return nil
	}
	for _, channel := range []string{"stable", "enterprise"} { // the channels that Spice Cloud documents for this list
		images, err := r.Cloud.Images(ctx, channel)
		if mayNotRead(err) {
			plan.published = nil
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the container images: %w", err)
		}
		for _, image := range images.Images {
			plan.published = append(plan.published, image.Tag)
		}
	}
	return nil
}

// checkImage refuses an image tag that is not published. Tags of other channels than stable are in no list.
func (r *run) checkImage(plan *Plan) error {
	wanted, channel := r.Options.ImageTag, cmp.Or(r.Options.Channel, plan.App.UpdateChannel, "stable")
	if channel != "stable" || len(plan.published) == 0 || slices.Contains(plan.published, wanted) {
		return nil
	}
	return because(diag.ImageUnknown, fmt.Errorf("image-tag %q is not published", wanted), "choices", strings.Join(plan.published, ", "))
}

func mayNotRead(err error) bool {
	answer, ok := errors.AsType[*spicecloud.APIError](err)
	return ok && (answer.Status == http.StatusForbidden || answer.Status == http.StatusNotFound)
}

// references are the secrets of the app that the spicepod refers to. Those that another store can serve as well
// count only where that is no matter: they are never pruned, but may well be absent.
func (r *run) references(elsewhereToo bool) []string {
	if r.Manifest == nil {
		return nil
	}
	var names []string
	for _, ref := range r.Manifest.References() {
		if ref.Managed && (elsewhereToo || !ref.Elsewhere) {
			names = append(names, ref.Key)
		}
	}
	return names
}

// SecretsAreMissing begins what a run says about [Plan.MissingSecrets], as a warning or as the error that ends it.
const SecretsAreMissing = "the spicepod refers to secrets that are neither given nor in the app"

// firstTheSecrets puts the likeliest cause of a new version that does not serve before a remedy: a secret that nobody has.
func (r *run) firstTheSecrets(hint string) string {
	if r.result.Plan == nil || r.Options.MissingSecrets == "ignore" || len(r.result.Plan.MissingSecrets) == 0 {
		return hint
	}
	d := r.result.Deployment
	if d.Status == spicecloud.Queued || d.Status == spicecloud.Failed && d.ErrorCode != "" && d.ErrorCode != "unable_to_start" {
		return hint // no instance was started that could have missed one
	}
	names := make([]string, len(r.result.Plan.MissingSecrets))
	for i, m := range r.result.Plan.MissingSecrets {
		names[i] = m.Name
	}
	return fmt.Sprintf("add %s to secrets or secrets-from-env: the spicepod refers to what is neither given nor in the app. If that is not it: %s",
		strings.Join(names, ", "), hint)
}

// checkSecrets compares the spicepod's needs with what is given and what the app has.
func (r *run) checkSecrets(plan *Plan) error {
	policy := r.Options.MissingSecrets
	missing := secretsync.Missing(r.references(false), r.Secrets, plan.existing)
	if !plan.secretsUnread {
		plan.MissingSecrets = missing
	}
	if len(missing) == 0 || policy == "ignore" {
		return nil
	}
	if plan.secretsUnread {
		r.notice(PhaseSecrets, "whether the app has the secrets that the spicepod refers to was not checked: the token lacks the scope secrets:read")
		return nil
	}
	names := make([]string, len(plan.MissingSecrets))
	said := make([]string, len(plan.MissingSecrets))
	for i, m := range plan.MissingSecrets {
		names[i], said[i] = m.Name, m.Name
		if m.StoredAs != "" {
			said[i] = fmt.Sprintf("%s (there is %s, but the runtime looks for upper case)", m.Name, m.StoredAs)
		}
	}
	err := fmt.Errorf("%s: %s", SecretsAreMissing, strings.Join(said, ", "))
	if policy == "fail" {
		return because(diag.SecretsMissing, err, "names", strings.Join(names, ", "))
	}
	r.warn(PhaseSecrets, "%s; unless an organization secret of that name is linked to the app, the new version will not become ready", err)
	return nil
}
