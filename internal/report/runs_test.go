package report_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

const logURL = "https://github.com/acme/shop/actions/runs/7/attempts/1"

// hostile is what a deployment's error message could try: a command, markup, HTML, a mention, a table's bar.
const hostile = "::error::pwned\n## heading <img src=x onerror=alert(1)> @everyone [a](http://evil) | `code`"

// shop is the app of all runs.
func shop() spicecloud.App { return spicecloud.App{ID: 7, Name: "shop", Region: "us-east-1"} }

// ours is the deployment of a run.
func ours(status spicecloud.Status) spicecloud.Deployment {
	return spicecloud.Deployment{
		ID: 86, Status: status, RawStatus: string(status), ImageTag: "2.3.2-models",
		CreatedAt: time.Date(2026, 11, 23, 18, 30, 0, 0, time.UTC),
	}
}

// manifest reads a spicepod.
func manifest(t *testing.T, components string) *spicepod.Manifest {
	t.Helper()
	m, err := spicepod.Parse("spicepod.yaml", []byte("version: v2\nkind: Spicepod\nname: shop\n"+components))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// changed is a plan that has a bit of everything in it, the password of a colleague among it.
func changed(t *testing.T) *deploy.Plan {
	t.Helper()
	deployed := manifest(t, `
datasets:
  - name: orders
    from: postgres:public.orders
    acceleration: {enabled: true, refresh_check_interval: 10m}
    params: {pg_pass: hunter2, pg_connection_string: "postgresql://ada:hunter2@db.example.com/orders"}
`)
	wanted := manifest(t, `
datasets:
  - name: orders
    from: postgres:public.orders
    acceleration: {enabled: true, refresh_check_interval: 5m}
    params: {pg_pass: hunter3, pg_connection_string: "postgresql://ada:hunter3@db.example.com/orders"}
models:
  - name: llm
    from: openai:gpt-4o-mini
    params: {openai_api_key: "${ secrets:OPENAI_API_KEY }"}
`)
	return &deploy.Plan{
		App: shop(), PushSpicepod: true, Spicepod: spicepod.Compare(deployed, wanted),
		Tags: map[string]string{"repository": "acme_shop"}, TagChanges: []string{"repository=acme_shop"},
	}
}

// run makes a run from what most have in common.
func run(result diag.Result, reason string, change func(*deploy.Result)) deploy.Result {
	r := deploy.Result{
		Result: result, Reason: reason, ExitCode: result.ExitCode(), Org: "acme", App: shop(), Duration: 14200 * time.Millisecond,
		Request: spicecloud.NewDeployment{
			Branch: "orders", CommitSHA: "3f2c1ab9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3", CommitMessage: "Add the orders dataset",
		},
	}
	if r.ExitCode != 0 {
		r.Err = errors.New(reason)
	}
	change(&r)
	return r
}

// timeline is spans one after the other: names and how many milliseconds each took.
func timeline(spans ...any) []deploy.Span {
	var line []deploy.Span
	at := time.Date(2026, 11, 23, 18, 30, 0, 0, time.UTC)
	for i := 0; i < len(spans); i += 2 {
		end := at.Add(time.Duration(spans[i+1].(int)) * time.Millisecond)
		line = append(line, deploy.Span{Name: spans[i].(string), Start: at, End: end})
		at = end
	}
	return line
}

// runs is a run for each result, and those that look like none of them.
func runs(t *testing.T) map[string]deploy.Result {
	t.Helper()
	all := map[string]deploy.Result{}
	maps.Copy(all, ends(t))
	maps.Copy(all, plans(t))
	maps.Copy(all, rollbacks())
	maps.Copy(all, others(t))
	return all
}

// ends is one run for each result but that of a plan.
func ends(t *testing.T) map[string]deploy.Result {
	t.Helper()
	another := &deploy.Plan{App: shop(), InTheWay: &spicecloud.Deployment{ID: 85, RawStatus: "in_progress", CommitSHA: "c0ffee0123"}}
	list := []deploy.Result{
		run(diag.Succeeded, "deployment 86 succeeded; 2 datasets ready, 1 of 1 probe passed", func(r *deploy.Result) {
			r.Deployment, r.Plan, r.SpicepodSent, r.TagsSent = ours(spicecloud.Succeeded), changed(t), true, true
			r.Secrets = []secretsync.Outcome{{Name: "OPENAI_API_KEY", Action: secretsync.Created}, {Name: "PG_PASS", Action: secretsync.Updated}}
			r.Datasets = []spiceruntime.Dataset{{Name: "orders", Status: "Ready", From: "postgres:public.orders"}, {Name: "trips", Status: "Ready"}}
			r.Probes = []deploy.ProbeResult{{Probe: "SELECT 1", Outcome: spiceruntime.Outcome{Name: "sql", OK: true, Duration: 12 * time.Millisecond, Detail: "1 row"}}}
			r.Warnings = []string{`app-id 7 is the app "shop", not "shopp": the id wins; remove app-name or correct it`}
			r.Timeline = timeline("plan", 412, "update", 230, "secrets", 340, "create", 180, "queued", 2100, "in progress", 8400, "datasets", 1800, "readiness", 120, "probes", 12)
		}),
		run(diag.Submitted, "deployment 86 was created; it was not waited for", func(r *deploy.Result) { r.Deployment = ours(spicecloud.Queued) }),
		run(diag.Skipped, "deployment 85 is in the way, and on-conflict is skip", func(r *deploy.Result) { r.Plan = another }),
		run(diag.Failed, "deployment 86 failed: "+hostile, func(r *deploy.Result) {
			r.Hint = diag.Hint(diag.UnableToStart, "former", "the former version keeps serving")
			r.Request.Branch, r.Request.CommitMessage = "a`b|c", hostile
			r.Deployment = ours(spicecloud.Failed)
			r.Deployment.ErrorCode, r.Deployment.ErrorMessage = "unable_to_start", hostile
			r.Timeline = timeline("plan", 412, "create", 180, "queued", 65000, "in progress", 840000)
		}),
		run(diag.Superseded, "deployment 86 was replaced by deployment 87", func(r *deploy.Result) {
			r.Deployment, r.SupersededBy, r.Hint = ours(spicecloud.Created), 87, diag.Hint(diag.DeploymentSuperseded)
		}),
		deploy.Refused(diag.Problems{
			{Option: "replicas", Message: "11 is too many", Hint: "give 1 to 10"},
			{Option: "spicepod", File: "spicepod.yaml", Line: 3, Column: 5, Text: "    - name: a", Message: "duplicate name"},
		}),
		run(diag.AuthError, "list apps: 401 unauthorized", func(r *deploy.Result) {
			r.App, r.Hint = spicecloud.App{}, diag.Hint(diag.TokenRefused)
		}),
		run(diag.TimedOut, "deployment 86 was still in_progress after 10m0s; it may still be running", func(r *deploy.Result) {
			r.Deployment, r.Hint, r.Duration = ours(spicecloud.InProgress), diag.Hint(diag.StuckInProgress), 10*time.Minute
			r.Timeline = timeline("plan", 1000, "wait for others", 299000, "create", 5, "queued", 120000, "in progress", 180000)
		}),
		run(diag.Unavailable, "list apps: no complete answer within 30s", func(r *deploy.Result) { r.App = spicecloud.App{} }),
		run(diag.Conflict, "deployment 85 has been in progress for 12m", func(r *deploy.Result) {
			r.Plan, r.Hint = another, diag.Hint(diag.DeploymentInTheWay)
		}),
		unwell(),
		run(diag.Rejected, "create deployment of app \"shop\": 402 payment required", func(r *deploy.Result) { r.Hint = diag.Hint(diag.PaymentRequired) }),
		run(diag.InternalError, "panic: index out of range", func(r *deploy.Result) { r.Hint = diag.Hint(diag.Bug) }),
		run(diag.Cancelled, "stopped by SIGTERM; deployment 86 goes on", func(r *deploy.Result) { r.Deployment = ours(spicecloud.InProgress) }),
	}
	byResult := map[string]deploy.Result{}
	for _, r := range list {
		byResult[string(r.Result)] = r
	}
	return byResult
}

// plans is dry runs.
func plans(t *testing.T) map[string]deploy.Result {
	t.Helper()
	plan := func(reason string, change func(*deploy.Plan)) deploy.Result {
		return run(diag.Planned, reason, func(r *deploy.Result) {
			r.Plan, r.Duration = changed(t), 300*time.Millisecond
			change(r.Plan)
			r.Plan.Request, r.Secrets = r.Request, r.Plan.Secrets
		})
	}
	debug := true
	full := plan("dry run: update the spicepod, set tags repository=acme_shop, write 2 secrets, delete 1 secret at the end, create a deployment; nothing was changed", func(p *deploy.Plan) {
		p.Secrets = []secretsync.Outcome{
			{Name: "CI_ONLY", Action: secretsync.Excluded},
			{Name: "OLD", Action: secretsync.Delete},
			{Name: "OPENAI_API_KEY", Action: secretsync.Create},
			{Name: "PG_PASS", Action: secretsync.Update},
			{Name: "S3_KEY", Action: secretsync.Kept},
		}
	})
	full.Request = spicecloud.NewDeployment{
		Branch: "main", CommitSHA: full.Request.CommitSHA, CommitMessage: "Add a model", ImageTag: "2.3.2-models", Channel: "stable", Replicas: 2, Debug: &debug,
	}
	conflict := plan("dry run: update the spicepod, set tags repository=acme_shop, create a deployment; nothing was changed", func(p *deploy.Plan) {
		p.InTheWay = &spicecloud.Deployment{ID: 85, RawStatus: "queued", CommitSHA: "c0ffee0123"}
		p.OnConflict = "a deployment would wait for it"
		p.MissingSecrets = []secretsync.MissingSecret{{Name: "OPENAI_API_KEY"}, {Name: "PG_PASS", StoredAs: "pg_pass"}}
	})
	conflict.Warnings = []string{"the spicepod refers to secrets that are neither given nor in the app: OPENAI_API_KEY, PG_PASS (there is pg_pass, but the runtime looks for upper case); unless an organization secret of that name is linked to the app, the new version will not become ready"}
	nothing := plan("dry run: nothing to change but to make a deployment; nothing was changed", func(p *deploy.Plan) {
		*p = deploy.Plan{App: shop(), Secrets: []secretsync.Outcome{{Name: "PG_PASS", Action: secretsync.Kept}}}
	})
	first := plan("dry run: create app \"shop\" in us-east-1, update the spicepod, create a deployment; nothing was changed", func(p *deploy.Plan) {
		*p = deploy.Plan{
			App: spicecloud.App{Name: "shop", Region: "us-east-1"}, CreateApp: true, PushSpicepod: true,
			Spicepod: spicepod.Compare(nil, manifest(t, "datasets: [{name: orders, from: \"s3://orders/\"}]\n")),
		}
	})
	first.App = spicecloud.App{}
	offline := deploy.Refused(&diag.Error{Result: diag.Planned, Err: errors.New("the spicepod and the secrets are in order; what a deployment would change was not looked up, since there are no credentials")})
	return map[string]deploy.Result{
		"planned": full, "planned-conflict": conflict, "planned-nothing": nothing, "planned-first": first, "planned-offline": offline,
	}
}

// rollbacks is deployments that were rolled back, or were to be.
func rollbacks() map[string]deploy.Result {
	failed := func(story string, change func(*deploy.Result)) deploy.Result {
		return run(diag.Failed, "deployment 86 failed: the new version did not become ready; "+story, func(r *deploy.Result) {
			r.Hint, r.Deployment = diag.Hint(diag.UnableToStart, "former", "the former version keeps serving"), ours(spicecloud.Failed)
			r.Deployment.ErrorCode = "unable_to_start"
			r.Duration = 3 * time.Minute
			change(r)
		})
	}
	return map[string]deploy.Result{
		"rollback-done": failed("rolled back: deployment 87 runs the former spicepod (its runtime was not verified)", func(r *deploy.Result) {
			r.RolledBackTo = 87
			r.Timeline = timeline("plan", 400, "update", 200, "create", 150, "queued", 3000, "in progress", 92000, "rollback", 84000)
		}),
		"rollback-failed": failed("THE ROLLBACK FAILED TOO: deployment 87 failed: out of capacity; the app has the former spicepod again; deployment 85 is the last one that succeeded, and serves on", func(r *deploy.Result) {
			r.Hint += ". About the rollback: " + diag.Hint(diag.RollbackUndeployed)
			r.Timeline = timeline("plan", 400, "update", 200, "create", 150, "queued", 3000, "in progress", 92000, "rollback", 84000)
		}),
	}
}

// others is what else may come together.
func others(t *testing.T) map[string]deploy.Result {
	t.Helper()
	return map[string]deploy.Result{
		"forty": forty(),
		"verified": run(diag.Succeeded, `the runtime of app "shop" is healthy; 1 dataset ready; the newer deployment 87 is failed`, func(r *deploy.Result) {
			r.Verify, r.Deployment = true, ours(spicecloud.Succeeded)
			r.Datasets = []spiceruntime.Dataset{{Name: "orders", From: "postgres:orders", Status: "Ready"}}
		}),
		"verified-with-warnings": run(diag.Succeeded, `the runtime of app "shop" was asked; 0 of 1 probe passed, some checks failed, see the warnings`, func(r *deploy.Result) {
			r.Verify, r.Unproven, r.Deployment = true, true, ours(spicecloud.Succeeded)
			r.Warnings = []string{"deployment 86 succeeded, but the runtime was not ready within 1m0s"}
		}),
		"adopted": run(diag.Succeeded, "deployment 86 succeeded (made by another run for the same commit, and adopted)", func(r *deploy.Result) {
			r.Deployment, r.Adopted = ours(spicecloud.Succeeded), true
		}),
		"taken-over": run(diag.Succeeded, "deployment 86 succeeded", func(r *deploy.Result) {
			r.Deployment, r.TakenOver = ours(spicecloud.Succeeded), true
		}),
		"secrets-missing": run(diag.InvalidInput, "the spicepod refers to secrets that are neither given nor in the app: OPENAI_API_KEY", func(r *deploy.Result) {
			r.Plan, r.Hint = changed(t), diag.Hint(diag.SecretsMissing, "names", "OPENAI_API_KEY")
			r.Plan.MissingSecrets = []secretsync.MissingSecret{{Name: "OPENAI_API_KEY"}}
		}),
		"secrets-partly-written": run(diag.Unavailable, "write secret B of app 7: no answer; 1 of 3 secrets was written, no deployment was made", func(r *deploy.Result) {
			r.Hint = diag.Hint(diag.SecretsPartlyWritten)
			r.Secrets = []secretsync.Outcome{
				{Name: "A", Action: secretsync.Updated},
				{Name: "B", Action: secretsync.Unknown, Err: errors.New("no answer within 30s: " + hostile)},
				{Name: "C", Action: secretsync.NotWritten},
			}
		}),
	}
}

// forty is a run that did a lot.
func forty() deploy.Result {
	return run(diag.VerificationFailed, "deployment 86 succeeded, but 2 datasets failed: dataset_07 is Error: no such table; dataset_31 is Error: no such table", func(r *deploy.Result) {
		r.Hint, r.Deployment, r.SpicepodSent = diag.Hint(diag.DatasetFailed), ours(spicecloud.Succeeded), true
		r.Plan = &deploy.Plan{App: shop(), TagChanges: []string{"repository=acme_shop", "team=data"}}
		for i := range 30 {
			name := fmt.Sprintf("dataset_%02d", i)
			r.Plan.Spicepod.Changes = append(r.Plan.Spicepod.Changes, spicepod.Change{Kind: "dataset", Name: name, Path: "acceleration.refresh_check_interval", What: "10m → 5m"})
			r.Plan.Spicepod.Unified += fmt.Sprintf("@@ -%d +%d @@\n   - name: %s\n-    refresh_check_interval: 10m\n+    refresh_check_interval: 5m\n", 9*i, 9*i, name)
		}
		for i := range 40 {
			r.Secrets = append(r.Secrets, secretsync.Outcome{Name: fmt.Sprintf("SOURCE_%02d_PASSWORD", i), Action: []secretsync.Action{secretsync.Updated, secretsync.Created}[i%8/7]})
		}
		for i := range 60 {
			r.Datasets = append(r.Datasets, spiceruntime.Dataset{Name: fmt.Sprintf("dataset_%02d", i), From: fmt.Sprintf("postgres:public.table_%02d", i), Status: "Ready"})
		}
		for _, i := range []int{7, 31} {
			r.Datasets[i].Status, r.Datasets[i].Error, r.Datasets[i].ErrorMessage = "Error", "dataset.load", "no such table"
		}
		r.Timeline = timeline("plan", 900, "update", 400, "secrets", 2300, "create", 200, "queued", 4000, "in progress", 38000, "datasets", 12000)
	})
}
