package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	connected    bool              // the app may be connected to GitHub, and then takes no spicepod
	Tags         map[string]string // all tags as they will be, nil where they stay
	TagChanges   []string          // in words: repository=acme_shop

	Secrets        []secretsync.Outcome // what happens to each, in words of a plan
	MissingSecrets []secretsync.MissingSecret

	Request  spicecloud.NewDeployment
	InTheWay *spicecloud.Deployment // the newest deployment of others that has not ended

	OnConflict string // what a deployment would do about InTheWay; only a dry run says it

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
	defer r.span(SpanPlan)()
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
	return 0, because(diag.AppNotFound, fmt.Errorf("there is no app %q%s; %s", o.AppName, ofOrg(o.Org), thereAre(names)), "create", ". To create it, set create-app-if-missing: true and region")
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
		all.Go(func() { errs[i] = diag.Guard(read) })
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
		r.predecessor = &list.Deployments[0]
	}
	plan.InTheWay = inTheWay(list.Deployments)
	r.before = durations(list.Deployments)
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

// compare fills in what differs between the app and what is wanted.
func (r *run) compare(plan *Plan) {
	if r.Manifest != nil {
		deployed, err := spicepod.FromJSON(plan.App.Spicepod)
		if err != nil {
			r.notice(PhasePlan, "the spicepod that the app has cannot be read, so it will be replaced: %s", err)
		}
		plan.Spicepod = spicepod.Compare(deployed, r.Manifest)
		plan.PushSpicepod = !plan.Spicepod.Empty()
		plan.connected = !plan.CreateApp && (r.Options.IfConnected == "deploy-head" || plan.App.ProductionBranch != "")
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

// planned ends a dry run: it tells all that a deployment would do.
func (r *run) planned(plan *Plan) error {
	r.observePlan(plan)
	for _, action := range []secretsync.Action{secretsync.Create, secretsync.Update, secretsync.Delete, secretsync.Kept, secretsync.Excluded} {
		if names := namesOf(plan.Secrets, action); names != "" {
			r.info(PhaseSecrets, "%s: %s", action, names)
		}
	}
	if body, err := json.Marshal(plan.Request); err == nil {
		with := string(body)
		if with == "{}" {
			with = "the app's own settings"
		}
		r.info(PhaseDeployment, "would be created with %s", with)
	}
	if plan.InTheWay != nil {
		plan.OnConflict = onConflict[r.Options.OnConflict]
		r.notice(PhaseConflict, "%s; on-conflict is %s, so %s", r.describe(*plan.InTheWay), r.Options.OnConflict, plan.OnConflict)
	}
	r.result.Secrets = plan.Secrets
	if plan.Changes() {
		return ended(diag.Planned, "dry run: %s; nothing was changed", plan.summary())
	}
	return ended(diag.Planned, "dry run: nothing to change but to make a deployment; nothing was changed")
}

// onConflict says what a deployment would do about another one.
var onConflict = map[string]string{
	"wait":    "a deployment would wait for it",
	"replace": "a deployment would replace it, once it is no longer queued",
	"adopt":   "a deployment of the same commit and spicepod would follow it, another one wait for it",
	"fail":    "a deployment would fail",
	"skip":    "a deployment would be skipped",
}

func namesOf(outcomes []secretsync.Outcome, action secretsync.Action) string {
	var names []string
	for _, o := range outcomes {
		if o.Action == action {
			names = append(names, o.Name)
		}
	}
	return strings.Join(names, ", ")
}

// observePlan tells what is going to be done, a line for each kind of change.
func (r *run) observePlan(plan *Plan) {
	if !r.news(fmt.Sprint(plan.Spicepod.Changes) + plan.summary()) {
		return
	}
	if r.Manifest == nil && plan.App.ProductionBranch == "" { // a connected app has it from its branch
		r.warn(PhasePlan, "no spicepod here, so the one that the app has is deployed again: check out the repository before this step, or name the file in spicepod")
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
		part := "update the spicepod"
		if p.connected {
			part += " (not if the app is connected to GitHub)"
		}
		parts = append(parts, part)
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
