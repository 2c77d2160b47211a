package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// The deployments of others that can be in the way. One that is not stuck in some state ends after two minutes.
var (
	queuedFor90s   = emulator.Outcome{Queued: new(90 * time.Second), InProgress: new(30 * time.Second)}
	queuedForEver  = emulator.Outcome{Status: "queued"}
	runningFor120s = emulator.Outcome{Queued: new(time.Duration(0)), InProgress: new(2 * time.Minute)}
	runningForEver = emulator.Outcome{Queued: new(time.Duration(0)), Status: "stuck"}
)

// inTheWay is a deployment of others that began ten seconds before the run, with a spicepod other than ours.
func inTheWay(outcome emulator.Outcome) func(*stage) {
	return func(s *stage) { s.others(emulator.Deployment{Age: 10 * time.Second, Outcome: outcome}) }
}

// anyEdition is the service that refuses a deployment while another has not ended; the other edition refuses it
// only while another is queued.
func anyEdition(then func(*stage)) func(*stage) {
	return func(s *stage) {
		s.configure(func(st *emulator.Settings) { st.ConflictEdition = "any" })
		then(s)
	}
}

func TestRun_waitsForAnother(t *testing.T) {
	t.Parallel()
	happy := []string{"PUT app", "POST app/deployments"}
	both := []string{"1002 other old@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}
	waits := []string{
		"conflict: deployment 1002 of commit bada55e on main is queued, created 10s ago: waiting for it",
		"conflict: deployment 1002 of commit bada55e on main is in_progress, created 1m3",
		"plan: update the spicepod, create a deployment", "deployment: 1003 queued",
	}
	playAll(t, []scene{
		{
			name: "queued", given: inTheWay(queuedFor90s),
			result: diag.Succeeded, log: waits, writes: happy, history: both, took: "1m50s-2m0s",
		},
		{
			name: "queued_in_the_other_edition", given: anyEdition(inTheWay(queuedFor90s)),
			result: diag.Succeeded, log: waits, writes: happy, history: both, took: "1m50s-2m0s",
		},
		{
			name: "in_progress", args: "--region us-west-2", given: inTheWay(runningFor120s),
			log:    []string{`app: notice: app "shop-app" is in us-east-1`},
			result: diag.Succeeded, writes: happy, history: both, took: "1m50s-2m0s",
		},
		{
			name: "in_progress_in_the_other_edition", given: anyEdition(inTheWay(runningFor120s)),
			result: diag.Succeeded, writes: happy, history: both, took: "1m50s-2m0s",
		},
		{
			name: "in_progress_for_ever_is_given_half_of_the_time", given: inTheWay(runningForEver),
			result: diag.Succeeded,
			log: []string{
				"conflict: deployment 1002 of commit bada55e on main is in_progress, created 10s ago: waiting for it",
				"conflict: notice: deployment 1002 of commit bada55e on main is in_progress, created 5m1 … has had half of timeout-seconds: creating ours anyway",
				"deployment: 1003 queued",
			},
			writes: happy, history: []string{"1002 other old@bada55e created", "1003 run ours@c0ffee1 succeeded"}, took: "5m4s-5m15s",
		},
		{
			name: "in_progress_for_ever_and_not_to_be_replaced", given: anyEdition(inTheWay(runningForEver)),
			log: []string{
				"conflict: deployment 1002 … in_progress, created 10s ago: waiting for it",
				"conflict: notice: deployment 1002 … creating ours anyway",
				"plan: update the spicepod, create a deployment", "update: spicepod updated",
				"conflict: deployment 1002 … waiting to ask again",
				"plan: create a deployment",
			},
			also: func(s *stage, e ended) {
				if len(e.log) > 8 {
					s.Errorf("%d lines say that nothing changes", len(e.log)-8)
				}
			},
			result: diag.Conflict, exit: 6,
			reason: "deployment 1002 of commit bada55e on main is in_progress, created 10m … ago, and was in the way until timeout-seconds (10m0s) had passed; the spicepod was updated",
			hint:   "on-conflict: replace",
			writes: []string{"PUT app", "POST app/deployments 409 ×*"}, history: []string{"1002 other old@bada55e in_progress"}, took: "10m",
		},
		{
			name: "queued_for_ever", given: inTheWay(queuedForEver),
			result: diag.Conflict, exit: 6,
			reason:  "deployment 1002 of commit bada55e on main is queued, created 10m … ago, and was in the way until timeout-seconds (10m0s) had passed; nothing was changed",
			hint:    "or raise timeout-seconds; on-conflict: replace does not help here",
			history: []string{"1002 other old@bada55e queued"}, took: "10m",
		},
		{
			name:   "state_that_this_version_does_not_know",
			given:  inTheWay(emulator.Outcome{Queued: new(time.Duration(0)), InProgress: new(2 * time.Minute), Words: map[string]string{"in_progress": "provisioning"}}),
			result: diag.Succeeded, log: []string{"conflict: deployment 1002 … is provisioning"},
			writes: happy, history: both, took: "1m50s-2m0s",
		},
		{
			name: "one_after_the_other",
			given: func(s *stage) {
				inTheWay(runningFor120s)(s)
				s.after(60*time.Second, func() { s.othersDeploy(emulator.Deployment{Outcome: runningFor120s}) })
			},
			result: diag.Succeeded, log: []string{"conflict: deployment 1002", "conflict: deployment 1003", "deployment: 1004 queued"},
			writes:  happy,
			history: []string{"1002 other old@bada55e created", "1003 other old@bada55e succeeded", "1004 run ours@c0ffee1 succeeded"}, took: "3m0s-3m10s",
		},
		{
			name: "spicepod_is_read_again_after_the_wait",
			given: func(s *stage) {
				inTheWay(runningFor120s)(s)
				s.spicepod = manifest("old")
				s.after(30*time.Second, s.othersPush)
			},
			result: diag.Succeeded, writes: happy,
			history: []string{"1002 other old@bada55e succeeded", "1003 run old@c0ffee1 succeeded"}, took: "1m50s-2m0s",
		},
		{
			name: "spicepod_that_was_brought_by_the_other_is_not_sent_again",
			given: func(s *stage) {
				s.app.Spicepod = manifest("ours")
				inTheWay(runningFor120s)(s)
			},
			result: diag.Succeeded, writes: []string{"POST app/deployments"},
			history: []string{"1002 other ours@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "1m50s-2m0s",
			also: func(s *stage, e ended) {},
		},
		{
			name: "older_record_that_was_never_closed_is_not_in_the_way",
			given: func(s *stage) {
				open := emulator.Outcome{Status: "stuck", Words: map[string]string{"created": "in_progress"}}
				s.app.Deployments = append([]emulator.Deployment{{Age: 48 * time.Hour, CommitSHA: theirCommit, Actor: "other", Outcome: open}}, s.app.Deployments...)
			},
			result: diag.Succeeded, writes: happy,
			history: []string{"1001 other old@bada55e created", "1002 somebody-else old@01dc0de succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "no_answers_at_the_deadline", args: "--timeout-seconds 60",
			given: func(s *stage) {
				inTheWay(queuedForEver)(s)
				s.after(30*time.Second, func() { s.faults(emulator.Fault{Method: "GET", Times: -1, Status: 503}) })
			},
			result: diag.Conflict, exit: 6, reason: "deployment 1002 … is queued, created 1m … nothing was changed (wait for another deployment: … 503",
			history: []string{"1002 other old@bada55e queued"}, took: "1m0s",
		},
		{
			name: "gives_up_where_nothing_was_changed_and_no_answers_come",
			given: func(s *stage) {
				inTheWay(queuedForEver)(s)
				s.after(30*time.Second, func() { s.faults(emulator.Fault{Method: "GET", Times: -1, Status: 503}) })
			},
			result: diag.Unavailable, exit: 5, reason: "wait for another deployment: gave up after", hint: "check the network",
			history: []string{"1002 other old@bada55e queued"}, took: "1m25s-1m40s",
		},
	})
}

func TestRun_onConflict(t *testing.T) {
	t.Parallel()
	happy := []string{"PUT app", "POST app/deployments"}
	playAll(t, []scene{
		{
			name: "fail_where_one_is_queued", args: "--on-conflict fail", given: inTheWay(queuedFor90s),
			result: diag.Conflict, exit: 6,
			reason:  "deployment 1002 of commit bada55e on main is queued, created 10s ago; nothing was changed",
			history: []string{"1002 other old@bada55e queued"}, took: "0s",
		},
		{
			name: "fail_where_one_is_in_progress", args: "--on-conflict fail", given: inTheWay(runningForEver),
			result: diag.Conflict, exit: 6,
			reason: "deployment 1002 of commit bada55e on main is in_progress, created 10s ago; nothing was changed", hint: "on-conflict: replace",
			history: []string{"1002 other old@bada55e in_progress"}, took: "0s",
		},
		{
			name: "fail_in_the_other_edition", args: "--on-conflict fail", given: anyEdition(inTheWay(runningForEver)),
			result: diag.Conflict, exit: 6, reason: "nothing was changed",
			history: []string{"1002 other old@bada55e in_progress"}, took: "0s",
		},
		{
			name: "skip_where_one_is_queued", args: "--on-conflict skip", given: inTheWay(queuedForEver),
			result: diag.Skipped, reason: "deployment 1002 of commit bada55e on main is queued, created 10s ago; skipped as on-conflict asks; nothing was changed",
			history: []string{"1002 other old@bada55e queued"}, took: "0s",
		},
		{
			name: "skip_where_one_is_in_progress", args: "--on-conflict skip", given: anyEdition(inTheWay(runningForEver)),
			result: diag.Skipped, reason: "in_progress … nothing was changed",
			history: []string{"1002 other old@bada55e in_progress"}, took: "0s",
		},
		{
			name: "replace_where_one_is_in_progress", args: "--on-conflict replace", given: inTheWay(runningForEver),
			result: diag.Succeeded,
			log:    []string{"conflict: notice: deployment 1002 of commit bada55e on main is in_progress, created 10s ago: it will be replaced where Spice Cloud allows it"},
			writes: happy, history: []string{"1002 other old@bada55e created", "1003 run ours@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "replace_where_one_is_queued", args: "--on-conflict replace", given: inTheWay(queuedFor90s),
			result:  diag.Succeeded,
			log:     []string{"conflict: deployment 1002 … is queued … waiting to ask again"},
			writes:  []string{"PUT app", "POST app/deployments 409", "POST app/deployments"},
			history: []string{"1002 other old@bada55e created", "1003 run ours@c0ffee1 succeeded"}, took: "1m24s-1m30s",
		},
		{
			name: "replace_where_one_is_in_progress_and_not_to_be_replaced", args: "--on-conflict replace", given: anyEdition(inTheWay(runningFor120s)),
			result:  diag.Succeeded,
			writes:  []string{"PUT app", "POST app/deployments 409 ×*", "POST app/deployments"},
			history: []string{"1002 other old@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "1m54s-2m5s",
		},
		{
			name: "replace_where_one_is_in_progress_for_ever_and_not_to_be_replaced", args: "--on-conflict replace --timeout-seconds 120", given: anyEdition(inTheWay(runningForEver)),
			result: diag.Conflict, exit: 6, reason: "deployment 1002 … is in_progress, created 2m … ago … the spicepod was updated",
			writes: []string{"PUT app", "POST app/deployments 409 ×*"}, history: []string{"1002 other old@bada55e in_progress"}, took: "2m0s",
			also: func(s *stage, e ended) {
				if len(e.log) > 7 {
					s.Errorf("%d lines say that nothing changes", len(e.log)-7)
				}
			},
		},
		{
			name: "replace_where_one_is_queued_for_ever", args: "--on-conflict replace", given: inTheWay(queuedForEver),
			result: diag.Conflict, exit: 6, reason: "deployment 1002 … is queued, created 10m … ago … the spicepod was updated", hint: "on-conflict: replace does not help here",
			writes: []string{"PUT app", "POST app/deployments 409"}, history: []string{"1002 other old@bada55e queued"}, took: "10m",
		},
		{
			name: "adopt_the_same_commit_with_the_same_spicepod", args: `--on-conflict adopt --tags {"team":"data"} --secrets-prune`,
			given: func(s *stage) {
				s.app.Spicepod, s.app.Secrets = manifest("ours"), map[string]string{"OLD_KEY": "x1234"}
				s.secrets.Block = redact.New("PG_PASS=correct horse")
				s.others(emulator.Deployment{Age: 10 * time.Second, CommitSHA: ourCommit, Outcome: runningFor120s})
			},
			result: diag.Succeeded, reason: "deployment 1002 succeeded (made by another run for the same commit, and adopted)",
			log:     []string{"conflict: notice: deployment 1002 of commit c0ffee1 … nothing is written", "deployment: 1002 succeeded after 1m5"},
			history: []string{"1002 other ours@c0ffee1 succeeded"}, took: "1m50s-2m",
			also: func(s *stage, e ended) {
				if !e.Adopted || e.Deployment.ID != 1002 {
					s.Errorf("got %+v", e.Result)
				}
			},
		},
		{
			name: "adopt_one_that_fails", args: "--on-conflict adopt",
			given: func(s *stage) {
				s.app.Spicepod = manifest("ours")
				s.others(emulator.Deployment{CommitSHA: ourCommit, Outcome: emulator.Outcome{Status: "failed", ErrorCode: "unable_to_start", ErrorMessage: "boom"}})
			},
			result: diag.Failed, exit: 1, reason: "deployment 1002 failed: boom (unable_to_start)",
			history: []string{"1002 other ours@c0ffee1 failed"}, took: "4s-5s",
		},
		{
			name: "adopt_without_waiting_for_it", args: "--on-conflict adopt --wait-for-completion=false",
			given: func(s *stage) {
				s.app.Spicepod = manifest("ours")
				s.others(emulator.Deployment{CommitSHA: ourCommit, Outcome: runningFor120s})
			},
			result: diag.Submitted, reason: "deployment 1002 was made by another run for the same commit, and adopted; it was not waited for",
			history: []string{"1002 other ours@c0ffee1 in_progress"}, took: "0s",
		},
		{
			name: "adopt_is_wait_where_the_commit_is_another", args: "--on-conflict adopt",
			given: func(s *stage) {
				s.app.Spicepod = manifest("ours")
				inTheWay(runningFor120s)(s)
			},
			result: diag.Succeeded, writes: []string{"POST app/deployments"},
			history: []string{"1002 other ours@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "1m50s-2m0s",
		},
		{
			name: "adopt_is_wait_where_the_spicepod_is_another", args: "--on-conflict adopt",
			given: func(s *stage) {
				s.others(emulator.Deployment{Age: 10 * time.Second, CommitSHA: ourCommit, Outcome: runningFor120s})
			},
			result: diag.Succeeded, writes: happy,
			history: []string{"1002 other old@c0ffee1 succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "1m50s-2m0s",
		},
	})
}
