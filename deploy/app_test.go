package deploy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRun_findsTheApp(t *testing.T) {
	t.Parallel()
	happy := []string{"PUT app", "POST app/deployments"}
	ours := []string{"1002 run ours@c0ffee1 succeeded"}
	playAll(t, []scene{
		{
			name: "by_a_name_in_another_case", args: "--app-name SHOP-App",
			result: diag.Succeeded, log: []string{"app: shop-app (id 101, us-east-1)"},
			writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "by_its_id", args: "--app-id 101",
			result: diag.Succeeded, log: []string{"app: shop-app (id 101, us-east-1)"},
			writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "by_an_id_that_the_name_does_not_fit", args: "--app-id 101 --app-name stock-app",
			result: diag.Succeeded,
			log:    []string{`app: warning: app-id 101 is the app "shop-app", not "stock-app": the id wins; remove app-name or correct it`},
			writes: happy, history: ours, took: "4s-5s",
			also: func(s *stage, e ended) {
				if len(e.Warnings) != 1 {
					s.Errorf("warnings: got %q", e.Warnings)
				}
			},
		},
		{
			name: "by_name_where_its_record_has_none",
			given: func(s *stage) {
				s.faults(emulator.Fault{Method: "GET", Path: "/projects/101", Status: 200, Body: `{"id":101}`})
			},
			result: diag.Succeeded, log: []string{"app: shop-app (id 101)"}, silent: []string{"app-id"}, writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "by_id_where_its_record_has_no_name", args: "--app-id 101 --app-name shop-app",
			given: func(s *stage) {
				s.faults(emulator.Fault{Method: "GET", Path: "/projects/101", Status: 200, Body: `{"id":101}`})
			},
			result: diag.Succeeded, silent: []string{"app-id"}, writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "not_by_an_id_that_nobody_has", args: "--app-id 102",
			result: diag.InvalidInput, exit: 2, reason: "read app 102: … 404", hint: "check app-id or app-name", took: "0s",
			also: func(s *stage, e ended) {
				if strings.Contains(e.Hint, "create-app-if-missing") {
					s.Errorf("an app cannot be created by its id: %q", e.Hint)
				}
			},
		},
		{
			name: "not_by_a_name_that_nobody_has", args: "--app-name shopp-app --org local",
			given: func(s *stage) {
				_, err := s.cloud.AddApp(emulator.App{ID: 50, Name: "stock-app"})
				s.must(err)
				s.app.Deployments = nil
			},
			result: diag.InvalidInput, exit: 2,
			reason: `there is no app "shopp-app" in organization "local"; it has shop-app, stock-app`, hint: "create-app-if-missing: true and region",
			took: "0s",
		},
		{
			name:   "not_among_none",
			given:  func(s *stage) { s.app = nil },
			result: diag.InvalidInput, exit: 2, reason: `there is no app "shop-app"; the organization has no apps`,
			took: "0s",
		},
		{
			name: "not_among_many",
			given: func(s *stage) {
				s.app = nil
				for i := range 120 {
					_, err := s.cloud.AddApp(emulator.App{Name: fmt.Sprintf("app-%03d", i)})
					s.must(err)
				}
			},
			result: diag.InvalidInput, exit: 2, reason: `there is no app "shop-app"; it has 120 apps, among them app-000, app-001`,
			took: "0s",
		},
		{
			name: "not_by_an_id_that_nobody_has", args: "--app-id 4711",
			result: diag.InvalidInput, exit: 2, reason: "read app 4711: … 404", hint: "an app of another organization looks as if it did not exist",
			took: "0s",
		},
		{
			name: "not_in_another_organization", args: "--app-id 101 --org acme",
			given: func(s *stage) {
				s.must(s.cloud.Apply(emulator.Scenario{Orgs: []emulator.Org{{Name: "acme"}}}))
			},
			result: diag.InvalidInput, exit: 2, reason: "read app 101: … 404", hint: "check app-id or app-name and the org input",
			took: "0s",
		},
		{
			name:   "not_one_that_spice_cloud_does_not_run",
			given:  func(s *stage) { s.app.Standalone = true },
			result: diag.Rejected, exit: 8, reason: `app "shop-app" is of the kind "standalone", which Spice Cloud does not run`, hint: "managed",
			took: "0s",
		},
		{
			name: "gone_while_the_run_was_at_work",
			given: func(s *stage) {
				s.before("POST", "/deployments", 1, func() { s.othersSend("DELETE", "/v1/projects/101", "") })
			},
			result: diag.Rejected, exit: 8, reason: "404 … the spicepod was updated", hint: "see who deleted or moved the app",
			writes: []string{"PUT app", "POST app/deployments 404"}, took: "0s",
		},
	})
}

func TestRun_createsTheApp(t *testing.T) {
	t.Parallel()
	const create = "--create-app-if-missing --region us-west-2 --visibility public"
	none := func(s *stage) { s.app = nil }
	first := []string{"1001 run ours@c0ffee1 succeeded"}
	oneApp := func(s *stage, e ended) {
		apps := s.cloud.Apps()
		if len(apps) != 1 || apps[0].Region != "us-west-2" || apps[0].Kind != "managed" || apps[0].Visibility != "public" {
			s.Errorf("apps: got %+v", apps)
		}
		if e.App.ID != 101 || e.App.Name != "shop-app" {
			s.Errorf("app: got %+v", e.App)
		}
	}
	playAll(t, []scene{
		{
			name: "missing", args: create,
			given: func(s *stage) {
				none(s)
				s.repository = "acme/shop"
				s.secrets.Block = redact.New("PG_PASS=correct horse")
			},
			result: diag.Succeeded,
			log:    []string{`plan: create app "shop-app" in us-west-2, update the spicepod, set tags repository=acme_shop, write 1 secret, create a deployment`, "app: shop-app created (id 101, us-west-2)"},
			writes: []string{"POST projects", "PUT app", "POST app/secrets", "POST app/deployments"}, history: first, took: "4s-5s",
			also: oneApp,
		},
		{
			name: "there_already_in_another_case", args: create + " --app-name SHOP-APP",
			result: diag.Succeeded,
			log:    []string{`app: notice: app "shop-app" is in us-east-1 and stays there: region counts only when an app is created`},
			writes: []string{"PUT app", "POST app/deployments"}, history: []string{"1002 run ours@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "answer_cut_before_the_effect", args: create,
			given: func(s *stage) {
				none(s)
				s.faults(emulator.Fault{Method: "POST", Path: "/projects", Kind: emulator.Lost})
			},
			result: diag.Succeeded,
			writes: []string{"POST projects cut", "POST projects", "PUT app", "POST app/deployments"}, history: first, took: "14s-16s",
			also: oneApp,
		},
		{
			name: "answer_cut_after_the_effect", args: create,
			given: func(s *stage) {
				none(s)
				s.faults(emulator.Fault{Method: "POST", Path: "/projects", Kind: emulator.Lost, AfterEffect: true})
			},
			result: diag.Succeeded, log: []string{"app: shop-app created (id 101"},
			writes: []string{"POST projects cut", "PUT app", "POST app/deployments"}, history: first, took: "4s-5s",
			also: oneApp,
		},
		{
			name: "proxy_error_after_the_effect", args: create,
			given: func(s *stage) {
				none(s)
				s.faults(emulator.Fault{Method: "POST", Path: "/projects", Kind: emulator.HTML, AfterEffect: true})
			},
			result: diag.Succeeded,
			writes: []string{"POST projects 502", "PUT app", "POST app/deployments"}, history: first, took: "4s-5s",
			also: oneApp,
		},
		{
			name: "nothing_is_created_where_a_check_fails", args: create + " --missing-secrets fail",
			given: func(s *stage) {
				none(s)
				s.spicepod = manifest("ours", "PG_PASS")
			},
			result: diag.InvalidInput, exit: 2, reason: "PG_PASS", took: "0s",
		},
		{
			name: "name_taken_by_an_app_that_is_not_shown", args: create,
			given: func(s *stage) {
				none(s)
				s.faults(emulator.Fault{Method: "POST", Path: "/projects", Status: 409, Body: `{"error":"A project with this name already exists"}`})
			},
			result: diag.Rejected, exit: 8, reason: `create app "shop-app": … already exists`, hint: "choose another app-name",
			writes: []string{"POST projects 409"}, took: "0s",
		},
		{
			name: "made_by_the_service_as_one_that_it_does_not_run", args: create,
			given: func(s *stage) {
				none(s)
				s.faults(emulator.Fault{Method: "POST", Path: "/projects", Status: 201, Body: `{"id":101,"name":"shop-app","kind":"standalone"}`})
			},
			result: diag.Rejected, exit: 8, reason: `app "shop-app" was created as the kind "standalone"`,
			writes: []string{"POST projects"}, took: "0s",
		},
		{
			name: "answer_lost_and_no_list_to_be_had", args: create + " --timeout-seconds 100",
			given: func(s *stage) {
				none(s)
				s.faults(
					emulator.Fault{Method: "POST", Path: "/projects", Kind: emulator.Lost},
					emulator.Fault{Method: "GET", Path: "/projects", Nth: 2, Times: -1, Status: 503},
				)
			},
			result: diag.Unavailable, exit: 5, reason: "it is not known … looking for it failed too … 503 … the app may exist", hint: "run again: if the app was created, it is found by its name",
			writes: []string{"POST projects cut"}, took: "1m40s-1m45s",
		},
	})
}

func TestRun_checksBeforehand(t *testing.T) {
	t.Parallel()
	happy := []string{"PUT app", "POST app/deployments"}
	ours := []string{"1002 run ours@c0ffee1 succeeded"}
	mayNot := func(path string) func(*stage) {
		return func(s *stage) {
			s.faults(emulator.Fault{Method: "GET", Path: path, Times: -1, Status: 403, Body: `{"error":"Insufficient scope","code":"insufficient_scope"}`})
		}
	}
	playAll(t, []scene{
		{
			name: "region_that_is_not_offered", args: "--region mars-1",
			result: diag.InvalidInput, exit: 2,
			reason: `region "mars-1" is not offered`, hint: "set region to one of us-east-1, us-west-2", took: "0s",
		},
		{
			name: "region_that_is_disabled", args: "--region us-east-2",
			result: diag.InvalidInput, exit: 2,
			reason: `region "us-east-2" is not offered`, hint: "set region to one of us-east-1, us-west-2", took: "0s",
		},
		{
			name: "regions_that_the_token_may_not_read", args: "--region mars-1",
			given:  mayNot("/regions"),
			result: diag.Succeeded, writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "image_tag_that_is_not_published", args: "--image-tag 9.9.9",
			result: diag.InvalidInput, exit: 2,
			reason: `image-tag "9.9.9" is not published`,
			hint:   "set image-tag to one of 2.3.2-models, 2.3.1-models, 2.2.4-models, 1.5.0-models, 2.3.2-enterprise-models", took: "0s",
		},
		{
			name: "images_that_the_token_may_not_read", args: "--image-tag 2.3.1-models",
			given:  mayNot("/container-images"),
			result: diag.Succeeded, writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "image_tag_that_the_service_refuses", args: "--image-tag 9.9.9",
			given:  mayNot("/container-images"),
			result: diag.Rejected, exit: 8, reason: "invalid_stable_image_tag … the spicepod was updated", hint: "container-images",
			writes: []string{"PUT app", "POST app/deployments 400"}, took: "0s",
		},
		{
			name: "image_tag_of_a_channel_whose_tags_are_not_listed", args: "--image-tag 9.9.9-nightly --channel nightly",
			result: diag.Succeeded, writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "image_tag_where_the_app_is_on_such_a_channel", args: "--image-tag 9.9.9-nightly",
			given:  func(s *stage) { s.app.UpdateChannel = "nightly" },
			result: diag.Succeeded, writes: happy, history: ours, took: "4s-5s",
		},
		{
			name: "image_tag_that_the_plan_does_not_include", args: "--image-tag 2.3.1-models",
			given:  func(s *stage) { s.configure(func(st *emulator.Settings) { st.Plan = "developer" }) },
			result: diag.Rejected, exit: 8, reason: "image_tag_requires_enterprise", hint: "change the plan",
			writes: []string{"PUT app", "POST app/deployments 403"}, took: "0s",
		},
		{
			name: "several_at_once_and_slow",
			args: "--region us-east-1 --image-tag 2.3.1-models",
			given: func(s *stage) {
				for _, path := range []string{"/regions", "/container-images", "/projects/101", "/deployments", "/instances"} {
					s.faults(emulator.Fault{Method: "GET", Path: path, Kind: emulator.Slow, Delay: 2 * time.Second})
				}
			},
			result: diag.Succeeded, writes: happy, history: ours, took: "6s-7s",
		},
	})
}
