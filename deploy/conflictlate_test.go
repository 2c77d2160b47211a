package deploy_test

import (
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRun_conflictAtTheCreate(t *testing.T) {
	t.Parallel()
	// between has others deploy just before the run's create arrives.
	between := func(outcome emulator.Outcome, first func(*stage)) func(*stage) {
		return func(s *stage) {
			s.before("POST", "/deployments", 1, func() {
				if first != nil {
					first(s)
				}
				s.othersDeploy(emulator.Deployment{Outcome: outcome})
			})
		}
	}
	refused := []string{"PUT app", "POST app/deployments 409"}
	playAll(t, []scene{
		{
			name: "wait", given: between(queuedFor90s, nil),
			also: func(s *stage, e ended) {
				if e.Plan.Spicepod.Empty() {
					s.Error("the plan no longer says what changed")
				}
			},
			result:  diag.Succeeded,
			log:     []string{"conflict: deployment 1002 of commit bada55e on main is queued … waiting to ask again", "conflict: deployment 1002 … in_progress", "deployment: 1003 queued"},
			writes:  append(refused, "POST app/deployments"),
			history: []string{"1002 other ours@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "2m4s-2m10s",
		},
		{
			name: "wait_in_the_other_edition", given: anyEdition(between(runningFor120s, nil)),
			result: diag.Succeeded, writes: append(refused, "POST app/deployments"),
			history: []string{"1002 other ours@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "2m4s-2m10s",
		},
		{
			name: "others_pushed_a_spicepod_too", given: between(queuedFor90s, (*stage).othersPush),
			result: diag.Succeeded, writes: append(refused, "PUT app", "POST app/deployments"),
			history: []string{"1002 other theirs@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "2m4s-2m10s",
		},
		{
			name: "secrets_are_written_again_once_others_have_deployed",
			given: func(s *stage) {
				s.secrets.Block = redact.New("PG_PASS=correct horse")
				between(queuedFor90s, func(s *stage) {
					s.othersSend("POST", "/v1/projects/101/secrets", `{"name":"PG_PASS","value":"theirs"}`)
				})(s)
			},
			result:  diag.Succeeded,
			writes:  []string{"PUT app", "POST app/secrets", "POST app/deployments 409", "POST app/secrets", "POST app/deployments"},
			history: []string{"1002 other ours@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "2m4s-2m10s",
			also: func(s *stage, _ ended) {
				if value, _ := s.cloud.SecretValue(101, "PG_PASS"); value != "correct horse" {
					s.Errorf("PG_PASS: got %q", value)
				}
			},
		},
		{
			name: "others_deleted_a_secret_that_is_needed", args: "--missing-secrets fail",
			given: func(s *stage) {
				s.spicepod, s.app.Secrets = manifest("ours", "PG_PASS"), map[string]string{"PG_PASS": "there"}
				between(queuedFor90s, func(s *stage) { s.othersSend("DELETE", "/v1/projects/101/secrets/PG_PASS", "") })(s)
			},
			result: diag.Rejected, exit: 8, reason: "neither given nor in the app: PG_PASS; the spicepod was updated", hint: "add PG_PASS",
			writes: refused, history: []string{"1002 other ours@bada55e succeeded"}, took: "2m0s-2m6s",
		},
		{
			name: "fail", args: "--on-conflict fail", given: between(queuedFor90s, nil),
			result: diag.Conflict, exit: 6, reason: "deployment 1002 of commit bada55e on main is queued … it came while this run was at work; the spicepod was updated",
			writes: refused, history: []string{"1002 other ours@bada55e queued"}, took: "0s",
		},
		{
			name: "skip", args: "--on-conflict skip", given: between(queuedFor90s, nil),
			result: diag.Skipped, reason: "it came while this run was at work; skipped as on-conflict asks; the spicepod was updated",
			writes: refused, history: []string{"1002 other ours@bada55e queued"}, took: "0s",
		},
		{
			name: "adopt_what_came_for_the_same_commit", args: "--on-conflict adopt",
			given: func(s *stage) {
				s.app.Spicepod = manifest("ours")
				s.before("POST", "/deployments", 1, func() {
					s.othersDeploy(emulator.Deployment{CommitSHA: ourCommit, Outcome: queuedFor90s})
				})
			},
			result: diag.Succeeded, reason: "deployment 1002 succeeded (made by another run", writes: []string{"POST app/deployments 409"},
			history: []string{"1002 other ours@c0ffee1 succeeded"}, took: "2m-2m10s",
		},
		{
			name: "refused_for_one_that_no_list_shows", args: "--timeout-seconds 60",
			given: func(s *stage) {
				s.faults(emulator.Fault{Method: "POST", Path: "/deployments", Times: -1, Status: 409, Body: `{"error":"A deployment is already in progress for this project"}`})
			},
			result: diag.Conflict, exit: 6, reason: "Spice Cloud refused the deployment because another one has not ended, which its list does not show, and was in the way until timeout-seconds (1m0s)",
			hint:   "on-conflict: replace",
			writes: []string{"PUT app", "POST app/deployments 409 ×*"}, took: "1m0s",
		},
		{
			name: "refused_for_another_reason",
			given: func(s *stage) {
				s.faults(emulator.Fault{Method: "POST", Path: "/deployments", Times: -1, Status: 409, Body: `{"error":"GitHub is not connected","code":"github_not_connected"}`})
			},
			result: diag.Rejected, exit: 8, reason: "github_not_connected", writes: refused, took: "0s",
		},
	})
}
