package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

const rollsBack = "--rollback-on-failure"

var (
	boom       = emulator.Outcome{Status: "failed", ErrorMessage: "boom"}
	twice      = []string{"PUT app", "POST app/deployments", "PUT app", "POST app/deployments"}
	rolledBack = []string{"1002 run ours@c0ffee1 failed", "1003 run old@01dc0de succeeded"}
)

// failing has our deployment fail, and then what is given.
func failing(then func(*stage), next ...emulator.Outcome) func(*stage) {
	return func(s *stage) {
		s.outcomes(append([]emulator.Outcome{boom}, next...)...)
		if then != nil {
			then(s)
		}
	}
}

// onRollback has something done just before the nth request of the rollback's own that is so.
func onRollback(method, end string, do func(s *stage)) func(*stage) {
	return func(s *stage) { s.before(method, end, 2, func() { do(s) }) }
}

func to(id int64) func(*stage, ended) {
	return func(s *stage, e ended) {
		if e.RolledBackTo != id {
			s.Errorf("rolled back to %d, want %d", e.RolledBackTo, id)
		}
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	unwell := func(runtime emulator.Runtime) func(*stage) {
		return func(s *stage) {
			s.app.Spicepod = served("old", "orders=postgres:former")
			withDatasets(runtime, orders)(s)
		}
	}
	afterwards := []string{"1002 run ours@c0ffee1 succeeded", "1003 run old@01dc0de succeeded"}
	playAll(t, []scene{
		{
			name: "deployment_failed", args: rollsBack, given: failing(nil),
			result: diag.Failed, exit: 1, reason: "deployment 1002 failed: boom; rolled back: deployment 1003 runs the former spicepod (its runtime was not verified)", hint: "the command verify does that",
			log: []string{
				"deployment: 1002 failed", "rollback: notice: putting the former spicepod back and deploying it, as rollback-on-failure asks",
				"rollback: update the spicepod, create a deployment", "rollback: spicepod updated", "rollback: deployment 1003 succeeded",
				"rollback: notice: rolled back: deployment 1003 runs the former spicepod",
			},
			silent: []string{"warning", "secret"}, writes: twice, history: rolledBack, took: "8s-10s", also: to(1003),
		},
		{
			name: "dataset_in_error", args: "--dataset-ready-timeout-seconds 20 " + rollsBack, given: unwell(datasets(map[string]emulator.Component{"orders": broken(0)})),
			result: diag.VerificationFailed, exit: 7, reason: "deployment 1002 succeeded, but 1 dataset failed: orders is Error: … (dataset.auth); rolled back: deployment 1003 runs the former spicepod",
			hint: "correct the dataset's source", writes: twice, history: afterwards, took: "28s-30s", also: to(1003),
		},
		{
			name: "former_version_served", args: "--dataset-ready-timeout-seconds 20 " + rollsBack, given: unwell(emulator.Runtime{ServesOld: true}),
			result: diag.VerificationFailed, exit: 7, reason: "the former version is still served after 20s: … rolled back: deployment 1003", writes: twice, history: afterwards, took: "28s-30s", also: to(1003),
		},
		{
			name: "probe_failed", args: probing + " " + rollsBack, given: func(s *stage) { s.options.TestSQL = "SELECT x FROM y" },
			result: diag.VerificationFailed, exit: 7, reason: "1 of 1 probe failed: … ; rolled back: deployment 1003", hint: "compare the probe",
			writes: append(with("POST sql 400"), happy...), history: afterwards, took: "8s-10s", also: to(1003),
		},
		{
			name: "not_ready", args: onlyReady + " " + rollsBack,
			given: func(s *stage) {
				s.options.TestSQL = "SELECT 1"
				s.outcomes(emulator.Outcome{Runtime: &emulator.Runtime{ReadyAfter: time.Hour}})
			},
			result: diag.VerificationFailed, exit: 7, reason: "the runtime was not ready within 20s; rolled back", writes: twice, history: afterwards, took: "28s-30s", also: to(1003),
		},
		{
			name: "warning_only", args: onlyReady + " --fail-on-test-error=false " + rollsBack,
			given: func(s *stage) {
				s.options.TestSQL = "SELECT 1"
				s.outcomes(emulator.Outcome{Runtime: &emulator.Runtime{ReadyAfter: time.Hour}})
			},
			result: diag.Succeeded, silent: []string{"rollback:"}, writes: happy, history: ours("succeeded"), took: "24s-25s", also: to(0),
		},
		{
			name: "secrets_stay", args: rollsBack,
			given: failing(func(s *stage) {
				s.app.Secrets = map[string]string{"A": "correct horse"}
				s.secrets.Block = redact.New("A=battery staple\nB=battery staple")
			}),
			result: diag.Failed, exit: 1, reason: "boom; rolled back: deployment 1003 runs the former spicepod (its runtime was not verified); 2 secrets that this run wrote cannot be rolled back, since former values cannot be read",
			writes: []string{"PUT app", "POST app/secrets ×2", "POST app/deployments", "PUT app", "POST app/deployments"}, history: rolledBack, took: "8s-10s", also: to(1003),
		},
		{
			name: "the_deadline_is_anew", args: rollsBack + " --timeout-seconds 60",
			given:  failing(nil, emulator.Outcome{InProgress: new(50 * time.Second)}),
			result: diag.Failed, exit: 1, reason: "rolled back: deployment 1003", writes: twice, history: rolledBack, took: "55s-1m6s", also: to(1003),
		},
		{
			name: "nothing_of_the_kind_was_asked_for", given: failing(nil),
			result: diag.Failed, exit: 1, silent: []string{"rollback:"}, writes: happy, history: ours("failed"), took: "4s-5s", also: to(0),
		},
		{
			name: "secrets_are_neither_pruned_nor_missed", args: rollsBack + " --secrets-prune --missing-secrets fail",
			given: failing(func(s *stage) {
				s.app.Spicepod = manifest("old", "GONE")
				s.app.Secrets = map[string]string{"OLD": "correct horse"}
				s.secrets.Block = redact.New("NEW=battery staple")
			}),
			result: diag.Failed, exit: 1, reason: "rolled back: deployment 1003", silent: []string{"GONE"},
			writes: []string{"PUT app", "POST app/secrets", "POST app/deployments", "PUT app", "POST app/deployments"}, history: rolledBack, took: "8s-10s", also: to(1003),
		},
		{
			name: "newest_that_had_succeeded", args: rollsBack,
			given: failing(func(s *stage) {
				s.others(emulator.Deployment{Age: 3 * time.Hour})
				s.others(emulator.Deployment{Age: 2 * time.Hour, CommitSHA: "fa11ed0", Outcome: boom})
			}, emulator.Outcome{}),
			result: diag.Failed, exit: 1, reason: "deployment 1004 failed: boom; rolled back: deployment 1005", writes: twice, took: "8s-10s", also: to(1005),
			history: []string{"1002 other old@bada55e succeeded", "1003 other old@fa11ed0 failed", "1004 run ours@c0ffee1 failed", "1005 run old@bada55e succeeded"},
		},
		{
			name: "nothing_had_succeeded_before", args: rollsBack, given: failing(func(s *stage) { s.app.Deployments = nil }),
			result: diag.Failed, exit: 1, reason: "rolled back: deployment 1002", writes: twice,
			history: []string{"1001 run ours@c0ffee1 failed", "1002 run old succeeded"}, took: "8s-10s", also: to(1002),
		},
	})
}

func TestRollback_refused(t *testing.T) {
	t.Parallel()
	others := func(o emulator.Outcome) func(*stage) {
		o.Queued = new(time.Duration(0))
		return func(s *stage) {
			s.before("GET", "/deployments", 2, func() { s.othersDeploy(emulator.Deployment{Outcome: o}) })
		}
	}
	scenes := []scene{
		{name: "spicepod_stays_as_it_is", given: failing(func(s *stage) { s.app.Spicepod = manifest("ours") }), reason: "not rolled back: this run did not change the spicepod", writes: happy[1:]},
		{name: "app_without_a_spicepod", given: failing(func(s *stage) { s.app.Spicepod, s.app.Deployments = nil, nil }), reason: "not rolled back: the app had no spicepod before this run", history: []string{"1001 run ours@c0ffee1 failed"}},
		{
			name: "new_app", args: " --app-name new-app --create-app-if-missing --region us-east-1", given: failing(nil), reason: "not rolled back: the app had no spicepod before this run",
			writes: []string{"POST projects", "PUT projects/102", "POST projects/102/deployments"},
		},
		{
			name: "others_deploy", given: failing(others(emulator.Outcome{Status: "stuck"})), reason: "not rolled back: deployment 1003 of commit bada55e on main is in_progress … : somebody else has deployed since",
			history: append(ours("failed"), "1003 other ours@bada55e in_progress"),
		},
		{
			name: "others_have_deployed", given: failing(others(emulator.Outcome{InProgress: new(time.Duration(0))})), reason: "not rolled back: deployment 1003 of commit bada55e on main is succeeded … : somebody else has deployed since",
			history: append(ours("failed"), "1003 other ours@bada55e succeeded"),
		},
		{
			name: "others_push", given: failing(func(s *stage) { s.before("GET", "/deployments", 2, s.othersPush) }),
			reason: "not rolled back: the app's spicepod is not this run's any more: somebody else has changed it since",
		},
		{
			name: "deployments_cannot_be_read", given: failing(func(s *stage) {
				s.faults(emulator.Fault{Method: "GET", Path: "/deployments", Nth: 2, Times: -1, Status: 503})
			}),
			reason: "not rolled back: it could not be told whether somebody else has deployed since: … 503", took: "1m0s-1m5s",
		},
		{
			name: "stopped_before_it_begins", reason: "boom; not rolled back: stopped by SIGTERM",
			given: failing(func(s *stage) {
				s.faults(emulator.Fault{Method: "GET", Path: "/deployments", Nth: 2, Delay: time.Hour})
				s.after(7*time.Second, s.interrupt)
			}), took: "7s",
		},
		{
			name: "connected_app", args: " --if-connected deploy-head", reason: "not rolled back: this run did not change the spicepod",
			given: failing(func(s *stage) {
				s.must(s.cloud.Apply(emulator.Scenario{Repositories: []emulator.Repository{{
					Name: "acme/shop", Branches: map[string]emulator.Head{"main": {CommitSHA: ourCommit, Spicepod: manifest("head")}},
				}}}))
				s.app.Repository = "acme/shop"
			}), writes: []string{"PUT app 409", "POST app/deployments"}, history: []string{"1002 run head@c0ffee1 failed"},
		},
		{
			name: "adopted", args: " --on-conflict adopt", reason: "not rolled back: deployment 1002 was made by another run",
			given: func(s *stage) {
				s.app.Spicepod = manifest("ours")
				s.others(emulator.Deployment{CommitSHA: ourCommit, Outcome: boom})
			}, writes: []string{}, history: []string{"1002 other ours@c0ffee1 failed"},
		},
	}
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.exit, sc.also = rollsBack+sc.args, diag.Failed, 1, to(0)
		sc.log, sc.took = []string{"rollback: warning: not rolled back: "}, or(sc.took, "4s-5s")
		if sc.writes == nil {
			sc.writes = happy
		}
		if sc.history == nil {
			sc.history = ours("failed")
		}
	}
	playAll(t, append(scenes, scene{
		name: "timed_out", args: rollsBack + " --timeout-seconds 60", given: ends(runningForEver),
		result: diag.TimedOut, exit: 4, reason: "deployment 1002 was still in_progress after 1m0s; it may still be running; not rolled back: deployment 1002 may still succeed",
		log: []string{"rollback: warning: not rolled back"}, writes: happy, history: ours("in_progress"), took: "1m",
	}, scene{
		name: "superseded", args: rollsBack,
		given: func(s *stage) {
			s.outcomes(runningForEver)
			s.after(10*time.Second, func() { s.othersDeploy(emulator.Deployment{Outcome: emulator.Outcome{Queued: new(time.Duration(0))}}) })
		},
		result: diag.Superseded, exit: 1, reason: "not rolled back: what runs is another deployment's", log: []string{"rollback: notice: not rolled back"},
		writes: happy, history: []string{"1002 run ours@c0ffee1 created", "1003 other ours@bada55e in_progress"}, took: "10s-15s",
	}, scene{
		name: "not_waited_for", args: rollsBack + " --wait-for-completion=false", given: failing(nil),
		result: diag.Submitted, silent: []string{"rollback:"}, writes: happy, history: ours("queued"), took: "0s",
	}, scene{
		name: "stopped", args: rollsBack,
		given: func(s *stage) {
			s.outcomes(runningForEver)
			s.after(10*time.Second, s.interrupt)
		},
		result: diag.Cancelled, exit: diag.ExitTerminated, silent: []string{"rollback:"}, writes: happy, history: ours("in_progress"), took: "10s",
	}))
}
