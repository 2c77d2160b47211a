package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// happy is what a run sends that has a new spicepod.
var happy = []string{"PUT app", "POST app/deployments"}

// ends is a deployment of ours that ends so.
func ends(outcome emulator.Outcome) func(*stage) {
	return func(s *stage) { s.outcomes(outcome) }
}

// ours is the history of a run's only deployment.
func ours(status string) []string { return []string{"1002 run ours@c0ffee1 " + status} }

func TestRun_follows(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{
		{
			name: "fast", given: ends(emulator.Outcome{Queued: new(time.Duration(0)), InProgress: new(time.Duration(0))}),
			result: diag.Succeeded, reason: "deployment 1002 succeeded", writes: happy, history: ours("succeeded"), took: "0s",
		},
		{
			name: "for_minutes", given: ends(emulator.Outcome{Queued: new(time.Minute), InProgress: new(6 * time.Minute)}),
			result: diag.Succeeded, log: []string{"deployment: 1002 in_progress after 1m", "deployment: 1002 succeeded after 7m"},
			writes: happy, history: ours("succeeded"), took: "7m0s-7m10s",
		},
		{
			name: "never_more_than_the_poll_interval_behind", args: "--poll-interval-seconds 1",
			given:  ends(emulator.Outcome{Queued: new(time.Minute), InProgress: new(time.Minute)}),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "2m0s-2m1s", also: looksEvery(time.Second),
		},
		{
			name: "behind_in_proportion_where_the_poll_interval_is_long", args: "--poll-interval-seconds 60",
			given:  ends(emulator.Outcome{Queued: new(time.Minute), InProgress: new(time.Minute)}),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "2m0s-2m14s", also: looksEvery(13 * time.Second),
		},
		{
			name:   "route_that_is_not_there",
			given:  func(s *stage) { s.configure(func(st *emulator.Settings) { st.NoDeploymentRoute = 404 }) },
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name:   "route_that_takes_no_get",
			given:  func(s *stage) { s.configure(func(st *emulator.Settings) { st.NoDeploymentRoute = 405 }) },
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "record_that_does_not_show_yet",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.NoDeploymentRoute, st.ListLag = 404, 8*time.Second })
			},
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "8s-11s",
		},
		{
			name:   "state_that_this_version_does_not_know",
			given:  ends(emulator.Outcome{InProgress: new(time.Minute), Words: map[string]string{"in_progress": "Provisioning"}}),
			result: diag.Succeeded,
			log:    []string{`deployment: notice: 1002 has the status "Provisioning", which this version does not know: taken as still running`, "deployment: 1002 succeeded"},
			writes: happy, history: ours("succeeded"), took: "1m1s-1m6s",
		},
		{
			name:   "other_words_for_the_states",
			given:  ends(emulator.Outcome{Words: map[string]string{"queued": "QUEUED", "in_progress": "In_Progress", "succeeded": "Completed"}}),
			result: diag.Succeeded, reason: "deployment 1002 succeeded", writes: happy, history: ours("succeeded"), took: "4s-5s",
			also: func(s *stage, e ended) {
				if e.Deployment.RawStatus != "Completed" {
					s.Errorf("got the word %q", e.Deployment.RawStatus)
				}
			},
		},
		{
			name:   "shortage_that_passes",
			given:  ends(emulator.Outcome{InProgress: new(time.Minute), Shortage: "insufficient_memory", ShortageMessage: "no room", ShortageFor: 20 * time.Second}),
			result: diag.Succeeded,
			log:    []string{"deployment: 1002 goes on, but is held up: no room (insufficient_memory)", "deployment: 1002 is no longer held up", "deployment: 1002 succeeded"},
			writes: happy, history: ours("succeeded"), took: "1m1s-1m6s",
		},
		{
			name: "created_while_a_newer_one_is_only_queued",
			given: func(s *stage) {
				s.outcomes(emulator.Outcome{Words: map[string]string{"in_progress": "created"}})
				s.after(2*time.Second, func() { s.othersDeploy(emulator.Deployment{Outcome: queuedForEver}) })
			},
			result: diag.Succeeded, writes: happy, history: append(ours("succeeded"), "1003 other ours@bada55e queued"), took: "4s-5s",
		},
		{
			name:   "created_without_a_newer_one_is_still_running",
			given:  ends(emulator.Outcome{InProgress: new(time.Minute), Words: map[string]string{"queued": "created", "in_progress": "created"}}),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "1m1s-1m6s",
		},
		{
			name: "looks_that_do_not_say_when_it_was_created",
			given: spoilt(
				create(emulator.Fault{Status: 202, Body: `{"id":1002,"status":"queued","created_at":"2000-01-01T00:00:05Z"}`}),
				emulator.Fault{Method: "GET", Path: "/deployments/*", Times: -1, Status: 200, Body: `{"id":1002,"status":"succeeded"}`},
			),
			result: diag.Succeeded, writes: happy, took: "0s",
			also: func(s *stage, e ended) {
				if got, want := e.Deployment.CreatedAt, time.Date(2000, 1, 1, 0, 0, 5, 0, time.UTC); got != want {
					s.Errorf("created: got %s, want %s", got, want)
				}
			},
		},
		{
			name: "answers_that_fail_for_a_while",
			given: func(s *stage) {
				s.outcomes(emulator.Outcome{InProgress: new(90 * time.Second)})
				s.faults(
					emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 2, Times: 3, Status: 500},
					emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 5, Times: 3, Kind: emulator.HTML},
					emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 8, Times: 3, Kind: emulator.Truncated},
					emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 11, Times: 3, Kind: emulator.Empty},
					emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 14, Times: 3, Kind: emulator.Refused},
					emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 17, Times: 2, Status: 429, Headers: emulator.Headers{"Retry-After": "7"}},
				)
			},
			result: diag.Succeeded, reason: "deployment 1002 succeeded", writes: happy, history: ours("succeeded"), took: "1m31s-1m45s",
		},
	})
}

// looksEvery checks that no pause between two requests was longer, and that the longest was about that long.
func looksEvery(want time.Duration) func(*stage, ended) {
	return func(s *stage, _ ended) {
		s.Helper()
		var longest time.Duration
		requests := s.cloud.Requests()
		for i := range requests[1:] {
			longest = max(longest, requests[i+1].ReceivedAt.Sub(requests[i].ReceivedAt))
		}
		if longest > want || longest < want*9/10 {
			s.Errorf("the longest pause was %s, want %s or a little less", longest, want)
		}
	}
}

func TestRun_deploymentThatFails(t *testing.T) {
	t.Parallel()
	fails := func(name, code, message, reason, hint string) scene {
		return scene{
			name: name, given: ends(emulator.Outcome{Status: "failed", ErrorCode: code, ErrorMessage: message}),
			result: diag.Failed, exit: 1, reason: reason, hint: hint,
			writes: happy, history: ours("failed"), took: "4s-5s",
			also: func(s *stage, e ended) {
				if e.Deployment.ErrorCode != code || e.Deployment.ErrorMessage != message {
					s.Errorf("deployment: got %+v", e.Deployment)
				}
			},
		}
	}
	playAll(t, []scene{
		fails("no_cpu", "insufficient_cpu", "no room", "deployment 1002 failed: no room (insufficient_cpu)", "run the job again in a few minutes"),
		fails("no_memory", "insufficient_memory", "no room", "(insufficient_memory)", "run the job again in a few minutes"),
		fails("no_storage", "insufficient_storage", "", "deployment 1002 failed: insufficient_storage", "run the job again in a few minutes"),
		fails("no_instances", "insufficient_instances", "no room", "(insufficient_instances)", "run the job again in a few minutes"),
		fails("too_large", "pod_exceeds_node_capacity", "too big", "deployment 1002 failed: too big (pod_exceeds_node_capacity)", "running again will not help"),
		fails("does_not_start", "unable_to_start", "boom", "deployment 1002 failed: boom (unable_to_start)", "wrong image-tag or a spicepod that the runtime cannot load"),
		fails("fault_of_the_platform", "internal_error", "oops", "deployment 1002 failed: oops (internal_error)", "Spice AI support"),
		fails("code_of_the_future", "flux_compensator", "oops", "deployment 1002 failed: oops (flux_compensator)", "the former version keeps serving"),
		fails("no_code", "", "boom", "deployment 1002 failed: boom", "the former version keeps serving"),
		fails("no_word", "", "", "deployment 1002 failed: Spice Cloud gives no reason", "the former version keeps serving"),
		{
			name: "another_word", given: ends(emulator.Outcome{Status: "cancelled", ErrorMessage: "by an operator"}),
			result: diag.Failed, exit: 1, reason: "deployment 1002 failed: by an operator",
			writes: happy, history: ours("cancelled"), took: "4s-5s",
		},
		{
			name: "message_under_its_other_name",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.ErrorField = "error" })
				s.outcomes(emulator.Outcome{Status: "failed", ErrorMessage: "boom"})
			},
			result: diag.Failed, exit: 1, reason: "deployment 1002 failed: boom",
			writes: happy, history: ours("failed"), took: "4s-5s",
		},
	})
}

func TestRun_superseded(t *testing.T) {
	t.Parallel()
	given := func(s *stage) {
		s.outcomes(runningForEver)
		s.after(20*time.Second, func() { s.othersDeploy(emulator.Deployment{}) })
		s.after(22*time.Second, func() { s.othersDeploy(emulator.Deployment{CommitSHA: "later00", Outcome: runningForEver}) })
	}
	history := append(ours("created"), "1003 other ours@bada55e created", "1004 other ours@later00 in_progress")
	reason := "deployment 1002 was replaced by the newer deployment 1003 of commit bada55e"
	by := func(s *stage, e ended) {
		if e.SupersededBy != 1003 {
			s.Errorf("superseded by: got %d", e.SupersededBy)
		}
	}
	playAll(t, []scene{
		{
			name: "is_a_failure", given: given,
			result: diag.Superseded, exit: 1, reason: reason, hint: "look at the newer deployment 1003",
			silent: []string{"1002 created"}, writes: happy, history: history, took: "21s-26s", also: by,
		},
		{
			name: "is_fine_where_that_was_said", args: "--on-superseded succeed", given: given,
			result: diag.Superseded, reason: reason,
			writes: happy, history: history, took: "21s-26s", also: by,
		},
	})
}

func TestRun_deadline(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{
		{
			name: "stuck_in_progress", given: ends(runningForEver),
			result: diag.TimedOut, exit: 4, reason: "deployment 1002 was still in_progress after 10m0s; it may still be running", hint: "missing secret … on-conflict: adopt",
			writes: happy, history: ours("in_progress"), took: "10m",
		},
		{
			name: "stuck_for_want_of_room", args: "--timeout-seconds 90",
			given:  ends(emulator.Outcome{Status: "stuck", Shortage: "insufficient_cpu", ShortageMessage: "no room"}),
			result: diag.TimedOut, exit: 4, reason: "deployment 1002 was still in_progress after 1m30s; it may still be running; Spice Cloud says: no room",
			writes: happy, history: ours("in_progress"), took: "1m30s",
		},
		{
			name: "stuck_in_the_queue", given: ends(queuedForEver),
			result: diag.TimedOut, exit: 4, reason: "deployment 1002 was still queued after 10m0s", hint: "image-tag exists for the channel and that the spicepod is valid",
			writes: happy, history: ours("queued"), took: "10m",
		},
		{
			name: "cannot_be_seen_any_more",
			given: func(s *stage) {
				s.outcomes(runningForEver)
				s.faults(emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 5, Times: -1, Status: 503})
			},
			result: diag.TimedOut, exit: 4, reason: "deployment 1002 was in_progress when it was last seen and may still be running, but could not be followed: … 503", hint: "check the network",
			writes: happy, history: ours("in_progress"), took: "10m",
		},
		{
			name: "told_to_come_back_after_it", args: "--timeout-seconds 60",
			given:  spoilt(emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 2, Times: -1, Status: 503, Headers: emulator.Headers{"Retry-After": "3600"}}),
			result: diag.TimedOut, exit: 4, reason: "deployment 1002 was queued when it was last seen and may still be running",
			writes: happy, history: ours("queued"), took: "0s-1s",
		},
		{
			name: "no_answer_at_all", args: "--timeout-seconds 100",
			given: func(s *stage) {
				s.outcomes(runningForEver)
				s.faults(emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 2, Times: -1, Kind: emulator.Lost, Delay: time.Hour})
			},
			result: diag.TimedOut, exit: 4, reason: "deployment 1002 was in_progress when it was last seen and may still be running … no complete answer within 30s", hint: "check the network … on-conflict: adopt",
			writes: happy, history: ours("in_progress"), took: "1m40s",
		},
		{
			name: "never_seen", args: "--timeout-seconds 20",
			given:  spoilt(emulator.Fault{Method: "GET", Path: "/deployments/*", Times: -1, Kind: emulator.Lost, Delay: time.Hour}),
			result: diag.TimedOut, exit: 4, hint: "check the network … on-conflict: adopt",
			reason: "deployment 1002 was queued when it was last seen and may still be running, but could not be followed: no answer showed it in the last 20s: ",
			writes: happy, history: ours("succeeded"), took: "20s",
		},
		{
			name: "never_listed", args: "--timeout-seconds 30",
			given:  spoilt(create(emulator.Fault{Status: 202, Body: `{"id":1002,"status":"queued"}`})),
			result: diag.TimedOut, exit: 4, reason: "could not be followed: no answer showed it in the last 30s: deployment 1002 of app 101: not listed",
			writes: happy, took: "30s",
		},
		{
			name: "said_to_have_succeeded_and_never_seen", args: "--timeout-seconds 30",
			given: spoilt(
				create(emulator.Fault{Status: 202, Body: `{"id":1002,"status":"succeeded"}`}),
				emulator.Fault{Method: "GET", Path: "/deployments/*", Times: -1, Status: 503},
			),
			result: diag.TimedOut, exit: 4, reason: "deployment 1002 was said to be succeeded already when it was created, but could not be followed: … 503",
			writes: happy, took: "30s",
		},
		{
			name: "app_deleted_meanwhile",
			given: func(s *stage) {
				s.outcomes(runningForEver)
				s.after(30*time.Second, func() { s.othersSend("DELETE", "/v1/projects/101", "") })
			},
			result: diag.Rejected, exit: 8, reason: "deployment 1002 was in_progress when it was last seen … 404", hint: "see who deleted or moved the app",
			writes: happy, history: ours("in_progress"), took: "30s-35s",
		},
	})
}

func TestRun_tokenThatEndsDuringTheFollow(t *testing.T) {
	t.Parallel()
	client := func(s *stage) {
		s.client.Token, s.client.Org = redact.Secret{}, ""
		s.client.ClientID, s.client.ClientSecret = s.cloud.ClientID(), redact.New(s.cloud.ClientSecret())
		s.outcomes(emulator.Outcome{InProgress: new(8 * time.Minute)})
	}
	playAll(t, []scene{
		{
			name: "is_renewed",
			given: func(s *stage) {
				client(s)
				s.configure(func(st *emulator.Settings) { st.TokenLifetime = 2 * time.Minute })
			},
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "8m1s-8m11s",
		},
		{
			name: "is_renewed_though_it_ended_sooner_than_was_said",
			given: func(s *stage) {
				client(s)
				s.configure(func(st *emulator.Settings) { st.TokenLifetime, st.AdvertisedLifetime = 2*time.Minute, time.Hour })
			},
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "8m1s-8m11s",
		},
		{
			name: "cannot_be_renewed",
			given: func(s *stage) {
				client(s)
				s.configure(func(st *emulator.Settings) { st.TokenLifetime = 2 * time.Minute })
				s.faults(emulator.Fault{Method: "POST", Path: "/api/oauth/token", Nth: 2, Times: -1, Status: 401, Body: "invalid_client"})
			},
			result: diag.AuthError, exit: 3, reason: "deployment 1002 was in_progress when it was last seen and may still be running … invalid_client", hint: "compare client-id and client-secret",
			writes: happy, history: ours("in_progress"), took: "1m0s-2m0s",
		},
		{
			name: "was_revoked",
			given: func(s *stage) {
				s.client.Token = redact.New(s.cloud.MintToken(emulator.TokenSpec{Name: "default", Lifetime: 2 * time.Minute}))
				s.outcomes(runningForEver)
			},
			result: diag.AuthError, exit: 3, reason: "deployment 1002 was in_progress when it was last seen and may still be running … 401", hint: "make a new personal access token",
			writes: happy, history: ours("in_progress"), took: "2m0s-2m10s",
		},
		{
			name: "endpoint_that_fails_for_a_while",
			given: func(s *stage) {
				client(s)
				s.configure(func(st *emulator.Settings) { st.TokenLifetime = 2 * time.Minute })
				s.faults(emulator.Fault{Method: "POST", Path: "/api/oauth/token", Nth: 2, Times: 10, Status: 503})
			},
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "8m1s-8m11s",
		},
	})
}
