package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRun_interrupted(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration, then func(*stage)) func(*stage) {
		return func(s *stage) {
			s.after(d, s.interrupt)
			if then != nil {
				then(s)
			}
		}
	}
	cut := []string{"PUT app", "POST app/deployments cut"}
	playAll(t, []scene{
		{
			name: "while_planning", given: at(3*time.Second, spoilt(emulator.Fault{Method: "GET", Path: "/projects", Kind: emulator.Slow, Delay: 20 * time.Second})),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM before anything was changed", took: "3s",
		},
		{
			name: "while_nothing_answers", given: at(3*time.Second, spoilt(emulator.Fault{Times: -1, Status: 503})),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM before anything was changed", took: "3s",
		},
		{
			name: "while_waiting_for_another", given: at(time.Minute, inTheWay(queuedForEver)),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM before anything was changed",
			history: []string{"1002 other old@bada55e queued"}, took: "1m",
		},
		{
			name: "while_updating", given: at(3*time.Second, spoilt(emulator.Fault{Method: "PUT", Kind: emulator.Slow, Delay: 20 * time.Second, AfterEffect: true})),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM before a deployment was created; the spicepod may have been updated (the request was not answered)", hint: "run again",
			writes: []string{"PUT app cut"}, took: "3s",
		},
		{
			name: "while_writing_secrets",
			given: at(3*time.Second, func(s *stage) {
				s.secrets.Block = redact.New("AAA=one value\nBBB=two value")
				s.faults(emulator.Fault{Method: "POST", Path: "/secrets", Secret: "BBB", Kind: emulator.Slow, Delay: 20 * time.Second})
			}),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM before a deployment was created; the spicepod was updated, 1 secret written, 1 secret perhaps written", hint: "run again",
			writes: []string{"PUT app", "POST app/secrets", "POST app/secrets cut"}, took: "3s",
		},
		{
			name: "before_the_create_has_its_effect", given: at(3*time.Second, spoilt(create(emulator.Fault{Kind: emulator.Slow, Delay: 20 * time.Second}))),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM before the create was answered; a deployment for this commit may exist", hint: "look at the app's deployments in the portal",
			writes: cut, took: "3s-8s",
		},
		{
			name: "after_the_create_had_its_effect", given: at(3*time.Second, spoilt(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true, Delay: 20 * time.Second}))),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM while deployment 1002 was in_progress; it goes on without this run", hint: "on-conflict: adopt",
			writes: cut, history: ours("in_progress"), took: "3s-8s", also: taken,
		},
		{
			name: "after_the_create_and_no_list_to_be_had",
			given: at(3*time.Second, spoilt(
				create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true, Delay: 20 * time.Second}),
				emulator.Fault{Method: "GET", Path: "/deployments", Nth: 2, Times: -1, Kind: emulator.Lost, Delay: time.Hour},
			)),
			result: diag.Cancelled, exit: 143, reason: "before the create was answered; a deployment for this commit may exist",
			writes: cut, history: ours("succeeded"), took: "3s-8s",
		},
		{
			name: "while_looking_for_what_was_lost", given: at(5*time.Second, spoilt(create(emulator.Fault{Kind: emulator.Lost}))),
			result: diag.Cancelled, exit: 143, reason: "before the create was answered; a deployment for this commit may exist",
			writes: cut, took: "5s-10s",
		},
		{
			name: "while_following", given: at(time.Minute, ends(runningForEver)),
			result: diag.Cancelled, exit: 143, reason: "stopped by SIGTERM while deployment 1002 was in_progress; it goes on without this run", hint: "no way to cancel a deployment",
			writes: happy, history: ours("in_progress"), took: "1m",
		},
		{
			name: "while_the_app_is_created", args: "--create-app-if-missing --region us-east-1",
			given: at(3*time.Second, func(s *stage) {
				s.app = nil
				s.faults(emulator.Fault{Method: "POST", Path: "/projects", Kind: emulator.Lost, Delay: 20 * time.Second})
			}),
			result: diag.Cancelled, exit: 143, reason: "before the create was answered; the app may exist", hint: "it is found by its name",
			writes: []string{"POST projects cut"}, took: "3s-8s",
		},
	})
}

func TestRun_interruptedByTheKeyboard(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{{
		name: "while_following",
		given: func(s *stage) {
			s.outcomes(runningForEver)
			s.after(time.Minute, func() { s.cancel(diag.Interrupted{Signal: "SIGINT", Exit: diag.ExitInterrupt}) })
		},
		result: diag.Cancelled, exit: 130, reason: "stopped by SIGINT while deployment 1002 was in_progress",
		writes: happy, history: ours("in_progress"), took: "1m",
	}})
}
