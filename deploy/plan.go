package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// Plan is what a run is going to do. A dry run shows it, a deployment applies it.
type Plan struct {
	App       spicecloud.App
	CreateApp bool // App does not exist yet: only its name is known
	Paused    bool

	Spicepod     spicepod.Difference
	PushSpicepod bool
	Tags         map[string]string // all tags as they will be, nil where they stay
	TagChanges   []string          // in words: repository=acme_shop

	Secrets        []secretsync.Outcome // what happens to each, in words of a plan
	MissingSecrets []secretsync.MissingSecret

	Request  spicecloud.NewDeployment
	InTheWay *spicecloud.Deployment // the newest deployment of others that has not ended

	// Known is every deployment that was there when the plan was made.
	Known  map[int64]bool
	Newest int64

	existing      []string // names of the app's secrets
	secretsUnread bool     // the token may not list them
	published     []string // image tags, empty where none is asked for or the token may not list them
}

// Changes tells whether applying the plan changes anything but make a deployment.
func (p *Plan) Changes() bool {
	if p.CreateApp || p.PushSpicepod || p.Tags != nil {
		return true
	}
	return count(p.Secrets, secretsync.Create, secretsync.Update, secretsync.Delete) > 0
}

// plan reads what is there and compares it with what is wanted. Nothing is changed, and whatever can be refused
// before a change is refused here.
func (r *run) plan(ctx context.Context) (*Plan, error) {
	id, err := r.appID(ctx)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Request: r.result.Request, Known: map[int64]bool{}, Newest: -1}
	if id == 0 {
		plan.CreateApp = true
		plan.App = spicecloud.App{Name: r.Options.AppName, Region: r.Options.Region, Visibility: r.Options.Visibility}
	}
	if err := r.readTogether(ctx, id, plan); err != nil {
		return nil, err
	}
	if err := r.accept(plan); err != nil {
		return nil, err
	}
	if err := r.checkImage(plan); err != nil {
		return nil, err
	}
	r.compare(plan)
	return plan, r.checkSecrets(plan)
}

// appID finds the app by its id or name; 0 is an app that is to be created.
func (r *run) appID(ctx context.Context) (int64, error) {
	o := r.Options
	if r.result.App.ID != 0 {
		return r.result.App.ID, nil
	}
	if o.AppID != 0 {
		return o.AppID, nil
	}
	apps, err := r.Cloud.Apps(ctx)
	if err != nil {
		return 0, fmt.Errorf("find app %q: %w", o.AppName, err)
	}
	names := make([]string, 0, len(apps))
	for _, app := range apps {
		if strings.EqualFold(app.Name, o.AppName) {
			return app.ID, nil
		}
		names = append(names, app.Name)
	}
	if o.CreateAppIfMissing {
		return 0, nil
	}
	return 0, because(diag.AppNotFound, fmt.Errorf("there is no app %q%s; %s", o.AppName, ofOrg(o.Org), thereAre(names)))
}

// readTogether reads side by side what does not depend on each other. Where several fail, the first of them in
// this order is what the user hears of, whichever failed first.
func (r *run) readTogether(ctx context.Context, id int64, plan *Plan) error {
	var reads []func() error
	if id != 0 {
		reads = append(reads,
			func() (err error) {
				if plan.App, err = r.Cloud.App(ctx, id); err != nil {
					return fmt.Errorf("read app %d: %w", id, err)
				}
				return nil
			},
			func() error { return r.readDeployments(ctx, id, plan) },
			func() error { return r.readSecrets(ctx, id, plan) },
			func() error {
				plan.Paused, _ = r.Cloud.Paused(ctx, id) // a hint; the create says it again
				return nil
			})
	}
	reads = append(reads,
		func() error { return r.checkRegion(ctx) },
		func() error { return r.readImages(ctx, plan) })
	errs := make([]error, len(reads))
	var all sync.WaitGroup
	for i, read := range reads {
		all.Go(func() { errs[i] = read() })
	}
	all.Wait()
	return cmp.Or(errs...)
}

func (r *run) readDeployments(ctx context.Context, id int64, plan *Plan) error {
	list, err := r.Cloud.Deployments(ctx, id, spicecloud.DeploymentQuery{Limit: 100})
	if err != nil {
		return fmt.Errorf("read the deployments of app %d: %w", id, err)
	}
	r.clock = clockOf(list)
	for _, d := range list.Deployments {
		plan.Known[d.ID] = true
	}
	if len(list.Deployments) > 0 {
		plan.Newest = list.Deployments[0].ID
	}
	plan.InTheWay = inTheWay(list.Deployments)
	return nil
}

func (r *run) readSecrets(ctx context.Context, id int64, plan *Plan) error {
	if len(r.Secrets.Secrets) == 0 && !r.Options.SecretsPrune && (r.Manifest == nil || len(r.Manifest.References()) == 0) {
		return nil
	}
	names, err := r.Cloud.Secrets(ctx, id)
	needed := len(r.Secrets.Secrets) > 0 || r.Options.SecretsPrune || r.Options.MissingSecrets == "fail"
	if mayNotRead(err) && !needed {
		plan.secretsUnread = true // a token for deployments alone is enough to deploy
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the names of the secrets of app %d: %w", id, err)
	}
	plan.existing = names
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

// accept looks at the app itself: is it the one that is meant, and does Spice Cloud run it?
func (r *run) accept(plan *Plan) error {
	o, app := r.Options, plan.App
	if plan.CreateApp {
		return nil
	}
	first := r.result.App.ID == 0
	r.result.App = app
	if first {
		r.info(PhaseApp, "%s (id %d%s)", app.Name, app.ID, where(app, o.Org))
	}
	if o.AppName != "" && !strings.EqualFold(o.AppName, app.Name) {
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

// compare fills in what differs between the app and what is wanted.
func (r *run) compare(plan *Plan) {
	if r.Manifest != nil {
		deployed, err := spicepod.FromJSON(plan.App.Spicepod)
		if err != nil {
			r.notice(PhasePlan, "the spicepod that the app has cannot be read, so it will be replaced: %s", err)
		}
		plan.Spicepod = spicepod.Compare(deployed, r.Manifest)
		plan.PushSpicepod = !plan.Spicepod.Empty()
	}
	tags := maps.Clone(plan.App.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	if r.Repository != "" && r.Options.Tags[repositoryTag] == "" {
		tags[repositoryTag] = tagValue(r.Repository)
	}
	maps.Copy(tags, r.Options.Tags)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if old, ok := plan.App.Tags[key]; !ok || old != tags[key] {
			plan.TagChanges = append(plan.TagChanges, key+"="+tags[key])
		}
	}
	if len(plan.TagChanges) > 0 {
		plan.Tags = tags
	}
	plan.Secrets = secretsync.Plan(r.Secrets, plan.existing, r.Options.SecretsPrune, r.references(true))
}

// repositoryTag is the tag that the vendor's action adds to every app it deploys.
const repositoryTag = "repository"

var notInTagValue = regexp.MustCompile(`[^A-Za-z0-9_@-]`)

// tagValue makes a value that Spice Cloud takes as a tag: letters, digits, "_", "@" and "-".
func tagValue(s string) string { return notInTagValue.ReplaceAllString(s, "_") }

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

// checkSecrets compares the spicepod's needs with what is given and what the app has.
func (r *run) checkSecrets(plan *Plan) error {
	policy := r.Options.MissingSecrets
	plan.MissingSecrets = secretsync.Missing(r.references(false), r.Secrets, plan.existing)
	if len(plan.MissingSecrets) == 0 || policy == "ignore" {
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
	err := fmt.Errorf("the spicepod refers to secrets that are neither given nor in the app: %s", strings.Join(said, ", "))
	if policy == "fail" {
		return because(diag.SecretsMissing, err, "names", strings.Join(names, ", "))
	}
	r.warn(PhaseSecrets, "%s; unless an organization secret of that name is linked to the app, the new version will not become ready", err)
	return nil
}

// planned ends a dry run.
func (r *run) planned(plan *Plan) error {
	r.observePlan(plan)
	r.result.Secrets = plan.Secrets
	if plan.Changes() {
		return ended(diag.Planned, "dry run: %s; nothing was changed", plan.summary())
	}
	return ended(diag.Planned, "dry run: nothing to change but to make a deployment; nothing was changed")
}

// observePlan tells what is going to be done, a line for each kind of change.
func (r *run) observePlan(plan *Plan) {
	if !r.news(strings.Join(plan.Spicepod.Changes, "\n") + plan.summary()) {
		return
	}
	if r.Manifest == nil {
		r.info(PhasePlan, "no spicepod here: the one that the app has is deployed")
	}
	const most = 20 // the summary and the difference show the rest
	for i, change := range plan.Spicepod.Changes {
		if i == most {
			r.info(PhasePlan, "spicepod: and %d more changes", len(plan.Spicepod.Changes)-most)
			break
		}
		r.info(PhasePlan, "spicepod: %s", change)
	}
	r.info(PhasePlan, "%s", plan.summary())
}

// summary is the plan in one line.
func (p *Plan) summary() string {
	var parts []string
	if p.CreateApp {
		parts = append(parts, fmt.Sprintf("create app %q in %s", p.App.Name, p.App.Region))
	}
	if p.PushSpicepod {
		parts = append(parts, "update the spicepod")
	}
	if len(p.TagChanges) > 0 {
		parts = append(parts, "set tags "+strings.Join(p.TagChanges, ", "))
	}
	if n := count(p.Secrets, secretsync.Create, secretsync.Update); n > 0 {
		parts = append(parts, fmt.Sprintf("write %s", counted(n, "secret")))
	}
	if n := count(p.Secrets, secretsync.Delete); n > 0 {
		parts = append(parts, fmt.Sprintf("delete %s at the end", counted(n, "secret")))
	}
	if p.Paused {
		parts = append(parts, "resume the app, which deploys")
	} else {
		parts = append(parts, "create a deployment")
	}
	return strings.Join(parts, ", ")
}

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func where(app spicecloud.App, org string) string {
	var b strings.Builder
	if app.Region != "" {
		b.WriteString(", " + app.Region)
	}
	if org != "" {
		b.WriteString(", organization " + org)
	}
	return b.String()
}

func ofOrg(org string) string {
	if org == "" {
		return ""
	}
	return fmt.Sprintf(" in organization %q", org)
}

// thereAre names what exists, so that a typo is seen at once.
func thereAre(names []string) string {
	const most = 10
	if len(names) == 0 {
		return "the organization has no apps"
	}
	slices.Sort(names)
	if len(names) > most {
		return fmt.Sprintf("it has %d apps, among them %s", len(names), strings.Join(names[:most], ", "))
	}
	return "it has " + strings.Join(names, ", ")
}
