package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// TestVerify_successor has somebody else deploy while our deployment is being verified.
func TestVerify_successor(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration, then emulator.Outcome, given func(*stage)) func(*stage) {
		return func(s *stage) {
			given(s)
			then.Queued = new(time.Duration(0))
			s.after(d, func() { s.othersDeploy(emulator.Deployment{Outcome: then}) })
		}
	}
	soon := emulator.Outcome{InProgress: new(time.Second)}
	loading := func(d time.Duration) func(*stage) {
		return func(s *stage) {
			withDatasets(datasets(map[string]emulator.Component{"orders": {Status: "Initializing", For: d}}), orders)(s)
			s.app.Secrets = map[string]string{"OLD": "correct horse"}
			s.secrets.Block = redact.New("NEW=battery staple")
		}
	}
	alike := soon
	alike.Runtime = new(datasets(map[string]emulator.Component{"orders": {Status: "Initializing"}}))
	written := []string{"PUT app", "POST app/secrets", "POST app/deployments"}
	theirs := func(status string) []string { return append(ours("succeeded"), "1003 other ours@bada55e "+status) }
	const replaced = "deployment 1002 succeeded, and was replaced by 1003 while it was being verified"
	by := func(s *stage, e ended) {
		if e.SupersededBy != 1003 || e.RolledBackTo != 0 {
			s.Errorf("superseded by %d, rolled back to %d", e.SupersededBy, e.RolledBackTo)
		}
	}
	playAll(t, []scene{
		{
			name: "and_all_is_well", args: verifies + " --secrets-prune", given: at(10*time.Second, soon, loading(20*time.Second)),
			result: diag.Superseded, exit: 1, reason: replaced, hint: "look at the newer deployment 1003", silent: []string{"prune:"}, also: by,
			writes: written, history: theirs("succeeded"), took: "10s-40s",
		},
		{
			name: "and_all_is_not_well", args: "--dataset-ready-timeout-seconds 30 --rollback-on-failure", given: at(10*time.Second, alike, loading(0)),
			result: diag.Superseded, exit: 1, reason: replaced + "; not rolled back: what runs is another deployment's", also: by,
			log:    []string{"verify: notice: deployment 1002 succeeded, but not all datasets were ready within 30s: orders is Initializing; what answered may be deployment 1003"},
			writes: written, history: theirs("succeeded"), took: "34s-35s",
		},
		{
			name: "and_that_is_fine", args: verifies + " --on-superseded succeed", given: at(10*time.Second, soon, loading(20*time.Second)),
			result: diag.Superseded, reason: replaced, also: by, writes: written, history: theirs("succeeded"), took: "10s-40s",
		},
		{
			name: "and_has_not_ended", args: verifies, given: at(10*time.Second, runningForEver, loading(20*time.Second)),
			result: diag.Succeeded, log: []string{"verify: notice: deployment 1003 of commit bada55e on main is in_progress, created … ago: it takes the place of deployment 1002 once it has succeeded"},
			writes: written, history: theirs("in_progress"), took: "20s-30s",
		},
		{
			name: "and_has_failed", args: verifies, given: at(10*time.Second, emulator.Outcome{InProgress: new(time.Second), Status: "failed"}, loading(20*time.Second)),
			result: diag.Succeeded, silent: []string{"1003"}, writes: written, history: theirs("failed"), took: "20s-30s",
		},
		{
			name: "and_the_list_cannot_be_read", args: verifies,
			given: at(10*time.Second, soon, func(s *stage) {
				loading(20 * time.Second)(s)
				s.faults(emulator.Fault{Method: "GET", Path: "/deployments", Nth: 2, Times: -1, Status: 503})
			}),
			result: diag.Succeeded, writes: written, history: theirs("succeeded"), took: "10s-40s",
		},
	})
}
