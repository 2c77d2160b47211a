package deploy_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRun(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{
		{
			name:   "spicepod_that_changed",
			result: diag.Succeeded, reason: "deployment 1002 succeeded",
			log: []string{
				"app: shop-app (id 101, us-east-1)", "plan: spicepod: … description",
				"plan: update the spicepod, create a deployment", "update: spicepod updated",
				"deployment: 1002 queued", "deployment: 1002 in_progress after 2s", "deployment: 1002 succeeded after 4s",
			},
			writes:  []string{"PUT app", "POST app/deployments"},
			history: []string{"1002 run ours@c0ffee1 succeeded"},
			took:    "4s-5s",
			also: func(s *stage, e ended) {
				if e.Deployment.ImageTag == "" || e.App.ID != 101 || e.AppURL() != "https://spice.ai/acme/shop-app" || !e.SpicepodSent {
					s.Errorf("got %+v", e.Result)
				}
			},
		},
		{
			name: "spicepod_that_did_not_change",
			given: func(s *stage) {
				s.spicepod = "# another comment\nkind: 'Spicepod'\nname: shop\n\ndescription: old\nversion: v1"
			},
			result: diag.Succeeded, reason: "deployment 1002 succeeded",
			log:     []string{"plan: create a deployment"},
			silent:  []string{"update"},
			writes:  []string{"POST app/deployments"},
			history: []string{"1002 run old@c0ffee1 succeeded"},
			took:    "4s-5s",
		},
		{
			name:   "no_spicepod_deploys_what_the_app_has",
			given:  func(s *stage) { s.spicepod = "" },
			result: diag.Succeeded, reason: "deployment 1002 succeeded",
			log:     []string{"plan: warning: no spicepod here, so the one that the app has is deployed again"},
			writes:  []string{"POST app/deployments"},
			history: []string{"1002 run old@c0ffee1 succeeded"},
			took:    "4s-5s",
		},
		{
			name:   "no_spicepod_here_nor_there",
			given:  func(s *stage) { s.spicepod, s.app.Spicepod, s.app.Deployments = "", nil, nil },
			result: diag.Rejected, exit: 8,
			reason: "Project has no spicepod configuration", hint: "actions/checkout",
			writes: []string{"POST app/deployments 400"},
			took:   "0s",
		},
		{
			name: "spicepod_that_the_service_refuses",
			given: func(s *stage) {
				s.spicepod += "datasets:\n  - from: s3://b/o\n    name: orders\n    columns:\n      - name: id\n        row_id: id\n"
			},
			result: diag.Rejected, exit: 8,
			reason: `create deployment of app "shop-app": … 400 … row_id must be a list … ; the spicepod was updated`, hint: "correct the spicepod … The running version stays as it is",
			writes: []string{"PUT app", "POST app/deployments 400"},
			took:   "0s",
		},
		{
			name:   "request_carries_what_was_asked_for",
			args:   "--replicas 2 --channel stable --image-tag 2.3.1-models --debug --commit-message hello",
			result: diag.Succeeded, reason: "deployment 1002 succeeded",
			writes:  []string{"PUT app", "POST app/deployments"},
			history: []string{"1002 run ours@c0ffee1 succeeded"},
			took:    "4s-5s",
			also: func(s *stage, _ ended) {
				d := s.cloud.App(101).Deployments[1]
				got := []any{d.Replicas, d.Channel, d.ImageTag, d.Debug, d.CommitMessage, d.Branch}
				if diff := cmp.Diff([]any{2, "stable", "2.3.1-models", true, "hello", "main"}, got); diff != "" {
					s.Errorf("request (-want, +got):\n%s", diff)
				}
			},
		},
		{
			name:   "not_waited_for",
			args:   "--wait-for-completion=false",
			result: diag.Submitted, reason: "deployment 1002 was created; it was not waited for",
			writes:  []string{"PUT app", "POST app/deployments"},
			history: []string{"1002 run ours@c0ffee1 queued"},
			took:    "0s",
		},
		{
			name:   "only_the_old_routes",
			given:  func(s *stage) { s.configure(func(st *emulator.Settings) { st.NoProjectsRoute = true }) },
			result: diag.Succeeded, reason: "deployment 1002 succeeded",
			writes:  []string{"PUT apps/101", "POST apps/101/deployments"},
			history: []string{"1002 run ours@c0ffee1 succeeded"},
			took:    "4s-5s",
		},
	})
}

func TestRun_order(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{
		{
			name: "spicepod_then_secrets_then_deployment",
			given: func(s *stage) {
				s.app.Secrets = map[string]string{"PG_PASS": "before"}
				s.secrets.Block = redact.New("PG_PASS=correct horse\nTOKEN_FOR_S3=battery staple")
			},
			result: diag.Succeeded, reason: "deployment 1002 succeeded",
			log:     []string{"plan: update the spicepod, write 2 secrets, create a deployment", "secrets: 2 written (1 new): PG_PASS, TOKEN_FOR_S3"},
			silent:  []string{"correct horse", "battery staple"},
			writes:  []string{"PUT app", "POST app/secrets ×2", "POST app/deployments"},
			history: []string{"1002 run ours@c0ffee1 succeeded"},
			took:    "4s-5s",
			also: func(s *stage, e ended) {
				if value, _ := s.cloud.SecretValue(101, "PG_PASS"); value != "correct horse" {
					s.Errorf("PG_PASS: got %q", value)
				}
				wantSecrets(s, e, "PG_PASS updated", "TOKEN_FOR_S3 created")
			},
		},
		{
			name: "spicepod_that_is_refused_goes_before_any_secret",
			given: func(s *stage) {
				s.secrets.Block = redact.New("PG_PASS=correct horse")
				s.faults(emulator.Fault{Method: "PUT", Status: 400, Body: `{"error":"dataset component source is retired"}`})
			},
			result: diag.Rejected, exit: 8,
			reason: `update app "shop-app" … source is retired`, hint: "correct the spicepod",
			writes: []string{"PUT app 400"},
			took:   "0s",
		},
	})
}

func TestRun_tags(t *testing.T) {
	t.Parallel()
	tags := func(want map[string]string) func(*stage, ended) {
		return func(s *stage, _ ended) {
			got := maps.Clone(s.cloud.App(101).Tags)
			if diff := cmp.Diff(want, got); diff != "" {
				s.Errorf("tags (-want, +got):\n%s", diff)
			}
		}
	}
	refuseTags := func(s *stage) { s.configure(func(st *emulator.Settings) { st.Plan = "community" }) }
	one := []string{"1002 run ours@c0ffee1 succeeded"}
	playAll(t, []scene{
		{
			name: "merged_with_those_of_the_app_and_the_repository",
			args: `--tags {"team":"data","tier":"gold"}`,
			given: func(s *stage) {
				s.repository, s.app.Tags = "acme/shop.io", map[string]string{"owner": "jo", "tier": "silver"}
			},
			result: diag.Succeeded,
			log:    []string{"plan: update the spicepod, set tags repository=acme_shop_io, team=data, tier=gold, create a deployment", "update: spicepod and tags updated"},
			writes: []string{"PUT app", "POST app/deployments"}, history: one, took: "4s-5s",
			also: tags(map[string]string{"owner": "jo", "tier": "gold", "team": "data", "repository": "acme_shop_io"}),
		},
		{
			name: "as_they_are",
			args: `--tags {"team":"data"}`,
			given: func(s *stage) {
				s.spicepod, s.repository = manifest("old"), "acme/shop"
				s.app.Tags = map[string]string{"team": "data", "repository": "acme_shop"}
			},
			result: diag.Succeeded, silent: []string{"tags"},
			writes: []string{"POST app/deployments"}, history: []string{"1002 run old@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name:   "repository_of_ones_own",
			args:   `--tags {"repository":"mine"}`,
			given:  func(s *stage) { s.repository = "acme/shop" },
			result: diag.Succeeded,
			writes: []string{"PUT app", "POST app/deployments"}, history: one, took: "4s-5s",
			also: tags(map[string]string{"repository": "mine"}),
		},
		{
			name: "automatic_tag_refused",
			given: func(s *stage) {
				refuseTags(s)
				s.repository = "acme/shop"
			},
			result: diag.Succeeded,
			log:    []string{`update: notice: the automatic tag "repository" was refused … Tags are not available on your plan … going on without it`, "update: spicepod updated"},
			writes: []string{"PUT app 403", "PUT app", "POST app/deployments"}, history: one, took: "4s-5s",
			also: tags(nil),
		},
		{
			name: "automatic_tag_refused_and_nothing_else_to_send",
			given: func(s *stage) {
				refuseTags(s)
				s.spicepod, s.repository = "", "acme/shop"
			},
			result: diag.Succeeded,
			log:    []string{`update: notice: the automatic tag "repository" was refused`},
			silent: []string{"updated"},
			writes: []string{"PUT app 403", "POST app/deployments"}, history: []string{"1002 run old@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "automatic_tag_refused_beside_tags_that_are_accepted",
			args: `--tags {"team":"data"}`,
			given: func(s *stage) {
				s.repository = "acme/shop"
				s.faults(emulator.Fault{Method: "PUT", Status: 400, Body: `{"error":"repository is reserved"}`})
			},
			result: diag.Succeeded,
			log:    []string{`update: notice: the automatic tag "repository" was refused … repository is reserved`, "update: spicepod and tags updated"},
			writes: []string{"PUT app 400", "PUT app", "POST app/deployments"}, history: one, took: "4s-5s",
			also: tags(map[string]string{"team": "data"}),
		},
		{
			name: "tags_that_were_asked_for_are_refused",
			args: `--tags {"team":"data"}`,
			given: func(s *stage) {
				refuseTags(s)
				s.repository = "acme/shop"
			},
			result: diag.Rejected, exit: 8, reason: "Tags are not available on your plan", hint: "change the plan",
			writes: []string{"PUT app 403 ×2"}, took: "0s",
		},
	})
}

func TestRun_dryRun(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{
		{
			name: "changes",
			args: `--dry-run --tags {"team":"data"} --secrets-prune`,
			given: func(s *stage) {
				s.repository, s.app.Secrets = "acme/shop", map[string]string{"OLD_KEY": "x1234", "PG_PASS": "y1234"}
				s.secrets.Block = redact.New("PG_PASS=correct horse\nNEW_KEY=battery staple")
			},
			result: diag.Planned,
			reason: "dry run: update the spicepod, set tags repository=acme_shop, team=data, write 2 secrets, delete 1 secret at the end, create a deployment; nothing was changed",
			took:   "0s",
			also: func(s *stage, e ended) {
				wantSecrets(s, e, "NEW_KEY create", "OLD_KEY delete", "PG_PASS update")
				if !e.Plan.Changes() || e.Plan.Spicepod.Unified == "" {
					s.Errorf("plan: got %+v", e.Plan)
				}
			},
		},
		{
			name:   "nothing_but_a_deployment",
			args:   "--dry-run",
			given:  func(s *stage) { s.spicepod = manifest("old") },
			result: diag.Planned, reason: "dry run: nothing to change but to make a deployment; nothing was changed",
			took: "0s",
			also: func(s *stage, e ended) {
				if e.Plan.Changes() {
					s.Errorf("plan: got %+v", e.Plan)
				}
			},
		},
		{
			name:   "app_that_is_not_there",
			args:   "--dry-run --create-app-if-missing --region us-west-2",
			given:  func(s *stage) { s.app = nil },
			result: diag.Planned, reason: `dry run: create app "shop-app" in us-west-2, update the spicepod, create a deployment; nothing was changed`,
			took: "0s",
		},
		{
			name:   "paused_app",
			args:   "--dry-run --if-paused resume",
			given:  func(s *stage) { s.app.Paused = true },
			result: diag.Planned, reason: "dry run: update the spicepod, resume the app, which deploys; nothing was changed",
			took: "0s",
		},
		{
			name: "deployment_in_the_way",
			args: "--dry-run --on-conflict fail",
			given: func(s *stage) {
				s.others(emulator.Deployment{Age: time.Minute, Outcome: emulator.Outcome{Status: "stuck"}})
			},
			result: diag.Planned, reason: "dry run: … nothing was changed",
			history: []string{"1002 other old@bada55e in_progress"},
			took:    "0s",
			also: func(s *stage, e ended) {
				if e.Plan.InTheWay == nil || e.Plan.InTheWay.ID != 1002 {
					s.Errorf("in the way: got %v", e.Plan.InTheWay)
				}
			},
		},
	})
}

// wantSecrets compares the names and actions of the result.
func wantSecrets(s *stage, e ended, want ...string) {
	s.Helper()
	got := []string{}
	for _, o := range e.Secrets {
		got = append(got, o.Name+" "+string(o.Action))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("secrets (-want, +got):\n%s", diff)
	}
}
