package deploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRollback_fails(t *testing.T) {
	t.Parallel()
	const again, still = "; the app has the former spicepod again", "; the app still has this run's spicepod"
	ourFailure := "1002 run ours@c0ffee1 failed"
	scenes := []scene{
		{
			name: "its_deployment_fails", given: failing(nil, emulator.Outcome{Status: "failed", ErrorMessage: "bang"}),
			reason:  "deployment 1002 failed: boom; THE ROLLBACK FAILED TOO: deployment 1003 failed: bang" + again + "; deployment 1001 is the last one that succeeded, and serves on",
			hint:    "the former version keeps serving. … . About the rollback: see to what the message names, then deploy again",
			history: []string{ourFailure, "1003 run old@01dc0de failed"}, took: "8s-10s",
		},
		{
			name: "its_deployment_hangs", args: " --timeout-seconds 60", given: failing(nil, runningForEver),
			reason: "THE ROLLBACK HAS NOT ENDED: deployment 1003 was still in_progress after 1m0s" + " … " + again + "; deployment 1001 is the last one that succeeded, and serves on",
			hint:   "About the rollback: look at deployment 1003 in the portal: once it has succeeded, the former version runs", history: []string{ourFailure, "1003 run old@01dc0de in_progress"}, took: "1m4s-1m5s",
		},
		{
			name: "its_deployment_is_replaced", reason: "THE ROLLBACK FAILED TOO: deployment 1003 was replaced by the newer deployment 1004 of commit bada55e" + again, hint: "About the rollback: see in the portal what the others have deployed",
			given: failing(func(s *stage) {
				s.after(6*time.Second, func() { s.othersDeploy(emulator.Deployment{Outcome: emulator.Outcome{Queued: new(time.Duration(0))}}) })
			}), history: []string{ourFailure, "1003 run old@01dc0de created", "1004 other old@bada55e in_progress"}, took: "6s-9s",
		},
		{
			name: "its_spicepod_is_refused", given: failing(func(s *stage) { s.faults(emulator.Fault{Method: "PUT", Nth: 2, Status: 400, Body: `{"error":"no"}`}) }),
			reason: "THE ROLLBACK FAILED TOO: update app \"shop-app\": … 400" + " … " + still, hint: "About the rollback: put the former spicepod back by hand", writes: []string{"PUT app", "POST app/deployments", "PUT app 400"}, history: []string{ourFailure}, took: "4s-5s",
		},
		{
			name: "others_come_first", reason: "THE ROLLBACK FAILED TOO: deployment 1003 of commit bada55e on main is queued … it came while this run was at work; the spicepod was updated" + again,
			given:  failing(onRollback("POST", "/deployments", func(s *stage) { s.othersDeploy(emulator.Deployment{}) })),
			writes: []string{"PUT app", "POST app/deployments", "PUT app", "POST app/deployments 409"}, history: []string{ourFailure, "1003 other old@bada55e queued"}, took: "4s-5s",
		},
		{
			name: "stopped_while_it_deploys", reason: "THE ROLLBACK HAS NOT ENDED: stopped by SIGTERM while deployment 1003 was in_progress; it goes on without this run" + again,
			hint:    "About the rollback: look at deployment 1003 in the portal",
			given:   failing(func(s *stage) { s.after(7*time.Second, s.interrupt) }, runningForEver),
			history: []string{ourFailure, "1003 run old@01dc0de in_progress"}, took: "7s",
		},
		{
			name: "stopped_while_it_updates", reason: "THE ROLLBACK HAS NOT ENDED: stopped by SIGTERM before a deployment was created; the spicepod may have been updated (the request was not answered); which spicepod the app has is not known",
			hint: "About the rollback: put the former spicepod back by hand, unless the app has it",
			given: failing(func(s *stage) {
				s.faults(emulator.Fault{Method: "PUT", Nth: 2, Status: 503, Times: -1})
				s.after(10*time.Second, s.interrupt)
			}), writes: []string{"PUT app", "POST app/deployments", "PUT app 503 ×*"}, history: []string{ourFailure}, took: "10s",
		},
		{
			name: "answer_to_its_create_is_lost_for_good", reason: "THE ROLLBACK FAILED TOO: create deployment of app \"shop-app\": it is not known whether POST … was carried out … a deployment for this commit may exist" + again, hint: "About the rollback: look at the newest deployment in the portal",
			given: failing(onRollback("POST", "/deployments", func(s *stage) {
				s.faults(emulator.Fault{Method: "POST", Path: "/deployments", Kind: emulator.Lost, AfterEffect: true}, emulator.Fault{Method: "GET", Path: "/deployments", Times: -1, Status: 403})
			})), writes: []string{"PUT app", "POST app/deployments", "PUT app", "POST app/deployments cut"}, history: []string{ourFailure, "1003 run old@01dc0de queued"}, took: "4s-8s",
		},
	}
	scenes = append(scenes, scene{
		name: "others_have_deployed_meanwhile", reason: "THE ROLLBACK FAILED TOO: create deployment of app \"shop-app\": deployment 1003 of commit bada55e on main is succeeded: somebody else has deployed since" + again,
		hint:   "About the rollback: see in the portal what the others have deployed",
		given:  failing(onRollback("PUT", "/projects/101", deployQuickly)),
		writes: twice[:3:3], history: []string{ourFailure, "1003 other ours@bada55e succeeded"}, took: "4s-5s",
	}, scene{
		name: "others_push_meanwhile", reason: "the app's spicepod is not this run's any more: somebody else has changed it since; the app has a spicepod of somebody else now",
		given:  failing(func(s *stage) { s.before("GET", "/projects/101", 4, s.othersPush) }),
		writes: twice[:3:3], history: []string{ourFailure}, took: "4s-5s",
	}, scene{
		name: "others_deploy_before_it_updates", reason: "THE ROLLBACK FAILED TOO: deployment 1003 of commit bada55e on main is succeeded … : somebody else has deployed since" + still,
		given:  failing(func(s *stage) { s.before("GET", "/deployments", 3, func() { deployQuickly(s) }) }),
		writes: happy, history: []string{ourFailure, "1003 other ours@bada55e succeeded"}, took: "4s-5s",
	}, scene{
		name: "answer_to_its_update_is_lost_for_good", reason: "THE ROLLBACK FAILED TOO: update app \"shop-app\": … the spicepod may have been updated (the request was not answered)" + again,
		given: failing(func(s *stage) {
			s.faults(emulator.Fault{Method: "PUT", Nth: 2, Times: -1, Kind: emulator.Lost, AfterEffect: true})
		}),
		writes: []string{"PUT app", "POST app/deployments", "PUT app cut ×*"}, history: []string{ourFailure}, took: "1m0s-1m20s",
	}, scene{
		name: "secrets_stay", reason: "deployment 1003 failed: bang" + again + "; deployment 1001 is the last one that succeeded, and serves on; 1 secret that this run wrote cannot be rolled back",
		given:  failing(func(s *stage) { s.secrets.Block = redact.New("A=battery staple") }, emulator.Outcome{Status: "failed", ErrorMessage: "bang"}),
		writes: []string{"PUT app", "POST app/secrets", "POST app/deployments", "PUT app", "POST app/deployments"}, history: []string{ourFailure, "1003 run old@01dc0de failed"}, took: "8s-10s",
	}, scene{
		name: "nothing_has_ever_succeeded", reason: "THE ROLLBACK FAILED TOO: deployment 1002 failed: bang" + again + "; no deployment of the app has succeeded",
		given:   failing(func(s *stage) { s.app.Deployments = nil }, emulator.Outcome{Status: "failed", ErrorMessage: "bang"}),
		history: []string{"1001 run ours@c0ffee1 failed", "1002 run old failed"}, took: "8s-10s",
	})
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.exit = rollsBack+sc.args, diag.Failed, 1
		sc.log = []string{"rollback: warning: THE ROLLBACK "}
		sc.also = func(s *stage, e ended) {
			to(0)(s, e)
			if _, hint, told := strings.Cut(e.Hint, "About the rollback: "); !told || strings.Contains(hint, "adopt") || strings.Contains(hint, "former version keeps") {
				s.Errorf("hint: %s", e.Hint)
			}
		}
		if sc.writes == nil {
			sc.writes = twice
		}
	}
	playAll(t, append(scenes, scene{
		name: "after_a_verification", args: probing + " " + rollsBack,
		given: func(s *stage) {
			s.options.TestSQL = "SELECT x FROM y"
			s.outcomes(emulator.Outcome{}, emulator.Outcome{Status: "failed", ErrorMessage: "bang"})
		},
		result: diag.VerificationFailed, exit: 7, reason: "THE ROLLBACK FAILED TOO: deployment 1003 failed: bang" + again + "; deployment 1002 is the last one that succeeded, and serves on as the verification found it",
		writes: append(with("POST sql 400"), happy...), history: []string{"1002 run ours@c0ffee1 succeeded", "1003 run old@01dc0de failed"}, took: "8s-10s", also: to(0),
	}))
}

func deployQuickly(s *stage) {
	s.othersDeploy(emulator.Deployment{Outcome: emulator.Outcome{Queued: new(time.Duration(0)), InProgress: new(time.Duration(0))}})
}
