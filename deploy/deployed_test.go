package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestVerify_stopped(t *testing.T) {
	t.Parallel()
	slowly := func(path string) func(*stage) {
		return func(s *stage) {
			s.spicepod, s.options.TestSQL = served("ours", orders), "SELECT 1"
			s.faults(emulator.Fault{Path: path, Delay: time.Hour})
			s.after(10*time.Second, s.interrupt)
		}
	}
	waiting := func(runtime emulator.Runtime) func(*stage) {
		return func(s *stage) {
			withDatasets(runtime, orders)(s)
			s.after(10*time.Second, s.interrupt)
		}
	}
	scenes := []scene{
		{name: "while_the_keys_are_read", given: slowly("/api-keys")},
		{name: "while_the_datasets_are_awaited", given: waiting(datasets(map[string]emulator.Component{"orders": {Status: "Initializing"}}))},
		{name: "while_the_datasets_are_listed", given: slowly("/v1/datasets")},
		{name: "while_readiness_is_awaited", args: onlyReady, given: waiting(emulator.Runtime{ReadyAfter: time.Hour})},
		{name: "while_readiness_is_asked", given: slowly("/v1/ready")},
		{name: "while_a_probe_is_made", given: slowly("/v1/sql"), writes: with("POST sql cut")},
		{name: "before_a_probe_is_made_again", writes: with("POST sql 503 ×3"), given: func(s *stage) {
			s.options.TestSQL = "SELECT 1"
			s.faults(emulator.Fault{Path: "/v1/sql", Status: 503, Body: "no", Times: -1})
			s.after(10*time.Second+time.Millisecond, s.interrupt)
		}},
	}
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.exit = or(sc.args, verifies)+" --rollback-on-failure", diag.Cancelled, diag.ExitTerminated
		if sc.name == "while_readiness_is_awaited" {
			given := sc.given
			sc.given = func(s *stage) { given(s); s.options.TestSQL = "SELECT 1" }
		}
		sc.reason = "stopped by SIGTERM after deployment 1002 had succeeded, before it was verified; rollback-on-failure was not carried out"
		sc.hint = "which version serves, and whether it does so well, was not found out"
		sc.silent, sc.history, sc.took = []string{"instance", "failed", "stopped while"}, ours("succeeded"), "10s-11s"
		if sc.writes == nil {
			sc.writes = happy
		}
	}
	playAll(t, append(scenes, scene{
		name: "while_the_logs_are_read", args: "--dataset-ready-timeout-seconds 5 --rollback-on-failure",
		given: func(s *stage) {
			withDatasets(datasets(map[string]emulator.Component{"orders": broken(0)}), orders)(s)
			s.faults(emulator.Fault{Path: "/logs", Delay: time.Hour})
			s.after(10*time.Second, s.interrupt)
		},
		// What was found out stands, and nothing new is begun.
		result: diag.VerificationFailed, exit: 7, reason: "1 dataset failed: orders is Error: … ; not rolled back: stopped by SIGTERM",
		writes: happy, history: ours("succeeded"), took: "10s",
	}))
}

// TestVerify_prunes has secrets deleted only where the new version is known to serve.
func TestVerify_prunes(t *testing.T) {
	t.Parallel()
	given := func(c emulator.Component) func(*stage) {
		return func(s *stage) {
			withDatasets(datasets(map[string]emulator.Component{"orders": c}), orders)(s)
			s.app.Secrets = map[string]string{"OLD": "correct horse"}
			s.secrets.Block = redact.New("NEW=battery staple")
		}
	}
	written := []string{"PUT app", "POST app/secrets", "POST app/deployments"}
	playAll(t, []scene{
		{
			name: "served", args: verifies + " --secrets-prune", given: given(emulator.Component{}),
			result: diag.Succeeded, log: []string{"verify: the runtime is ready", "prune: 1 secret deleted: OLD"},
			writes: append(written, "DELETE app/secrets/OLD"), history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "not_served", args: "--dataset-ready-timeout-seconds 10 --secrets-prune", given: given(broken(0)),
			result: diag.VerificationFailed, exit: 7, silent: []string{"prune:"}, writes: written, history: ours("succeeded"), took: "14s-15s",
		},
	})
}

func TestVerifyCommand(t *testing.T) {
	t.Parallel()
	deployed := func(runtime emulator.Runtime) func(*stage) {
		return func(s *stage) {
			s.verify, s.spicepod = true, ""
			s.app.Spicepod, s.app.Runtime = served("old", orders), &runtime
		}
	}
	also := func(then func(*stage)) func(*stage) {
		return func(s *stage) {
			deployed(emulator.Runtime{})(s)
			then(s)
		}
	}
	playAll(t, []scene{
		{
			name: "served", args: verifies, given: deployed(emulator.Runtime{}),
			result: diag.Succeeded, reason: `the runtime of app "shop-app" is healthy; 1 dataset ready`,
			log: []string{"app: shop-app (id 101, us-east-1)", "verify: 1 dataset ready", "verify: the runtime is ready"}, silent: []string{"new version"}, took: "0s",
		},
		{
			name: "served_and_probed", args: verifies, given: also(func(s *stage) { s.options.TestSQL = "SELECT 1" }),
			result: diag.Succeeded, reason: `the runtime of app "shop-app" is healthy; 1 dataset ready, 1 of 1 probe passed`, writes: []string{"POST sql"}, took: "0s",
		},
		{
			name: "another_spicepod_than_the_one_that_is_given", args: "--dataset-ready-timeout-seconds 10",
			given: also(func(s *stage) { s.spicepod = served("ours", "orders=s3://b") }), result: diag.VerificationFailed, exit: 7,
			reason: "deployment 1001 succeeded, but the former version is still served after 10s: orders comes from postgres:orders instead of s3://b", took: "10s",
		},
		{
			name: "dataset_in_error", args: verifies, given: deployed(datasets(map[string]emulator.Component{"orders": broken(0)})),
			result: diag.VerificationFailed, exit: 7, reason: "deployment 1001 succeeded, but 1 dataset failed: orders is Error", log: []string{"says: Failed to load dataset orders"}, took: "1m15s-1m17s",
		},
		{
			name: "not_ready", args: onlyReady + " --timeout-seconds 10",
			given: func(s *stage) {
				deployed(emulator.Runtime{ReadyAfter: 48 * time.Hour})(s)
				s.options.TestSQL = "SELECT 1"
			},
			result: diag.VerificationFailed, exit: 7, reason: "deployment 1001 succeeded, but the runtime was not ready within 20s", took: "20s",
		},
		{
			name: "never_deployed", args: verifies, given: also(func(s *stage) { s.app.Deployments = nil }),
			result: diag.InvalidInput, exit: 2, reason: `no deployment of app "shop-app" has succeeded, so there is nothing to verify`, hint: "deploy it first", took: "0s",
		},
		{
			name: "paused", args: verifies + " --if-paused resume", given: also(func(s *stage) { s.app.Paused = true }),
			result: diag.Rejected, exit: 8, reason: `app "shop-app" is paused, so there is nothing to verify`, hint: "resume it in the portal", took: "0s",
		},
		{
			name: "no_such_app", args: verifies + " --app-name other-app", given: also(func(*stage) {}),
			result: diag.InvalidInput, exit: 2, reason: `there is no app "other-app"; it has shop-app`, took: "0s",
		},
		{
			name: "no_such_app_and_it_would_be_created", args: verifies + " --app-name other-app --create-app-if-missing --region us-east-1", given: also(func(*stage) {}),
			result: diag.InvalidInput, exit: 2, reason: `there is no app "other-app", so there is nothing to verify`, took: "0s",
		},
		{
			name: "deployment_in_progress", args: verifies, given: also(func(s *stage) { s.others(runningFor(time.Minute)) }),
			result: diag.Succeeded, reason: `the runtime of app "shop-app" is healthy; 1 dataset ready; the newer deployment 1002 is queued`,
			log:     []string{"verify: notice: deployment 1002 of commit bada55e on main is queued … it may take over while this run looks"},
			history: []string{"1002 other old@bada55e queued"}, took: "0s",
		},
		{
			name: "newer_deployment_has_failed", args: verifies, given: also(func(s *stage) { s.others(emulator.Deployment{Age: time.Hour, Outcome: boom}) }),
			result: diag.Succeeded, reason: `the runtime of app "shop-app" is healthy; 1 dataset ready; the newer deployment 1002 is failed`,
			log:     []string{"verify: notice: deployment 1002 of commit bada55e on main is failed, created 1h0m0s ago: what an earlier one deployed is verified"},
			history: []string{"1002 other old@bada55e failed"}, took: "0s",
			also: func(s *stage, e ended) {
				if !e.Verify || e.Request.CommitSHA != oldCommit || e.Request.Branch != "main" {
					s.Errorf("verify %t, of %+v", e.Verify, e.Request)
				}
			},
		},
		{
			name: "only_warnings", args: onlyReady + " --fail-on-test-error=false",
			given: func(s *stage) {
				deployed(emulator.Runtime{ReadyAfter: 48 * time.Hour})(s)
				s.options.TestSQL = "SELECT 1"
			},
			result: diag.Succeeded, reason: `the runtime of app "shop-app" was asked; 0 of 1 probe passed, some checks failed, see the warnings`, took: "20s",
		},
		{
			name: "stopped_while_the_app_is_looked_for", args: verifies,
			given: also(func(s *stage) {
				s.faults(emulator.Fault{Method: "GET", Path: "/v1/projects", Delay: time.Hour})
				s.after(time.Second, s.interrupt)
			}),
			result: diag.Cancelled, exit: diag.ExitTerminated, reason: "stopped by SIGTERM before anything was changed", took: "1s",
		},
		{
			name: "deadline_while_the_app_is_looked_for", args: verifies + " --timeout-seconds 20",
			given:  also(func(s *stage) { s.faults(emulator.Fault{Method: "GET", Path: "/deployments", Status: 503, Times: -1}) }),
			result: diag.Unavailable, exit: 5, reason: "read the deployments of app 101", took: "20s",
		},
	})
}

func runningFor(d time.Duration) emulator.Deployment {
	return emulator.Deployment{Outcome: emulator.Outcome{InProgress: &d}}
}
