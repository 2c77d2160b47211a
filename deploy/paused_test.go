package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRun_paused(t *testing.T) {
	t.Parallel()
	paused := func(s *stage) {
		s.app.Paused = true
		s.secrets.Block = redact.New("PG_PASS=correct horse")
	}
	noHint := func(then func(*stage)) func(*stage) {
		return func(s *stage) {
			then(s)
			s.faults(emulator.Fault{Method: "GET", Path: "/instances", Times: -1, Status: 404})
		}
	}
	// What a resumption deploys has no commit of ours.
	resumed := []string{"1002 run ours succeeded"}
	written := []string{"PUT app", "POST app/secrets"}
	playAll(t, []scene{
		{
			name: "fail", given: paused,
			result: diag.Rejected, exit: 8, reason: `app "shop-app" is paused; nothing was changed`, hint: "set if-paused: resume", took: "0s",
		},
		{
			name: "fail_where_nothing_tells_beforehand", given: noHint(paused),
			result: diag.Rejected, exit: 8, reason: `app "shop-app" is paused; the spicepod was updated, 1 secret written`, hint: "set if-paused: resume",
			writes: append(written, "POST app/deployments 400"), took: "0s",
		},
		{
			name: "resume", args: "--if-paused resume", given: paused,
			result: diag.Succeeded, reason: "deployment 1002 succeeded",
			log:    []string{"plan: update the spicepod, write 1 secret, resume the app, which deploys", `deployment: notice: app "shop-app" is paused: resuming it, as if-paused asks, which deploys`},
			writes: append(written, "POST app/resume"), history: resumed, took: "4s-5s",
		},
		{
			name: "resume_where_nothing_tells_beforehand", args: "--if-paused resume", given: noHint(paused),
			result: diag.Succeeded, writes: append(written, "POST app/deployments 400", "POST app/resume"), history: resumed, took: "4s-5s",
		},
		{
			name: "resume_whose_answer_is_cut_after_the_effect", args: "--if-paused resume",
			given: func(s *stage) {
				paused(s)
				s.faults(emulator.Fault{Method: "POST", Path: "/resume", Kind: emulator.Lost, AfterEffect: true})
			},
			result: diag.Succeeded, log: []string{"deployment: notice: the answer to the resumption was lost; deployment 1002 is what it made"},
			writes: append(written, "POST app/resume cut"), history: resumed, took: "4s-5s", also: taken,
		},
		{
			name: "resume_whose_answer_is_cut_before_the_effect", args: "--if-paused resume",
			given: func(s *stage) {
				paused(s)
				s.faults(emulator.Fault{Method: "POST", Path: "/resume", Kind: emulator.Lost})
			},
			result: diag.Succeeded, writes: append(written, "POST app/resume cut", "POST app/resume"), history: resumed, took: "14s-16s",
		},
		{
			name: "resumed_by_others_meanwhile", args: "--if-paused resume",
			given: func(s *stage) {
				paused(s)
				s.before("POST", "/resume", 1, func() { s.othersSend("POST", "/v1/projects/101/resume", "") })
			},
			result: diag.Succeeded, writes: append(written, "POST app/resume 409", "POST app/secrets", "POST app/deployments"),
			history: []string{"1002 other ours succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "8s-10s",
		},
		{
			name: "paused_by_others_meanwhile", args: "--if-paused resume",
			given: func(s *stage) {
				s.before("POST", "/deployments", 1, func() { s.othersSend("POST", "/v1/projects/101/pause", "") })
			},
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments 400", "POST app/resume"}, history: resumed, took: "4s-5s",
		},
	})
}

func TestRun_connected(t *testing.T) {
	t.Parallel()
	connected := func(deployed string) func(*stage) {
		return func(s *stage) {
			s.must(s.cloud.Apply(emulator.Scenario{Repositories: []emulator.Repository{{
				Name: "acme/shop", Branches: map[string]emulator.Head{"main": {CommitSHA: "beef001", Spicepod: manifest("head")}},
			}}}))
			s.app.Repository, s.app.Spicepod = "acme/shop", manifest(deployed)
		}
	}
	head := []string{"1002 run head@beef001 succeeded"}
	playAll(t, []scene{
		{
			name: "fail", given: connected("old"),
			result: diag.Rejected, exit: 8, reason: `update app "shop-app": … github_connected`, hint: "set if-connected: deploy-head",
			writes: []string{"PUT app 409"}, took: "0s",
		},
		{
			name: "spicepod_that_did_not_change", given: connected("ours"),
			result: diag.Succeeded, writes: []string{"POST app/deployments"}, history: head, took: "4s-5s",
		},
		{
			name: "deploy_head", args: "--if-connected deploy-head", given: connected("old"),
			result: diag.Succeeded,
			log:    []string{"plan: update the spicepod (not if the app is connected to GitHub), create a deployment", `update: notice: app "shop-app" is connected to GitHub: its spicepod is not pushed, and the head of its production branch is deployed, as if-connected asks`},
			writes: []string{"PUT app 409", "POST app/deployments"}, history: head, took: "4s-5s",
			also: func(s *stage, e ended) {
				if e.SpicepodSent || e.Deployment.CommitSHA != "beef001" {
					s.Errorf("got %+v", e.Result)
				}
			},
		},
		{
			name: "deploy_head_with_tags", args: `--if-connected deploy-head --tags {"team":"data"}`, given: connected("old"),
			result: diag.Succeeded, log: []string{"update: notice: app", "update: tags updated"},
			writes: []string{"PUT app 409", "PUT app", "POST app/deployments"}, history: head, took: "4s-5s",
			also: func(s *stage, _ ended) {
				if got := s.cloud.App(101).Tags["team"]; got != "data" {
					s.Errorf("tag: got %q", got)
				}
			},
		},
		{
			name: "deploy_head_after_waiting_for_another", args: "--if-connected deploy-head",
			given: func(s *stage) {
				connected("old")(s)
				s.others(emulator.Deployment{Age: 10 * time.Second, Outcome: runningFor120s})
			},
			result: diag.Succeeded, writes: []string{"PUT app 409", "POST app/deployments"},
			history: []string{"1002 other old@bada55e succeeded", "1003 run head@beef001 succeeded"}, took: "1m50s-2m0s",
		},
		{
			name: "head_without_a_spicepod", args: "--if-connected deploy-head",
			given: func(s *stage) {
				connected("old")(s)
				s.must(s.cloud.Apply(emulator.Scenario{Repositories: []emulator.Repository{{Name: "acme/shop", Branches: map[string]emulator.Head{"main": {CommitSHA: "beef001"}}}}}))
			},
			result: diag.Rejected, exit: 8, reason: "spicepod_missing", writes: []string{"PUT app 409", "POST app/deployments 422"}, took: "0s",
		},
	})
}
