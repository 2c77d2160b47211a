package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// create is a fault of the request for a deployment.
func create(f emulator.Fault) emulator.Fault {
	f.Method, f.Path = "POST", "/deployments"
	return f
}

// spoilt arms faults.
func spoilt(faults ...emulator.Fault) func(*stage) {
	return func(s *stage) { s.faults(faults...) }
}

// taken is a run that took over the deployment whose answer it lost.
func taken(s *stage, e ended) {
	if !e.TakenOver || e.Deployment.ID == 0 {
		s.Errorf("expected a deployment that was taken over, got %+v", e.Result)
	}
}

func TestRun_answerLostAfterTheEffect(t *testing.T) {
	t.Parallel()
	one := []string{"1002 run ours@c0ffee1 succeeded"}
	lost := []string{
		"deployment: warning: the answer was lost", "deployment: notice: the answer to the create was lost; deployment 1002 is it",
		"deployment: 1002 succeeded",
	}
	playAll(t, []scene{
		{
			name: "cut", given: spoilt(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true})),
			result: diag.Succeeded, log: lost, writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "4s-5s", also: taken,
		},
		{
			name: "cut_after_a_while", given: spoilt(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true, Delay: 25 * time.Second})),
			result: diag.Succeeded, log: lost[:2], writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "25s-26s", also: taken,
		},
		{
			name: "never_answered", given: spoilt(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true, Delay: time.Hour})),
			result: diag.Succeeded, log: lost[:2], writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "30s-31s", also: taken,
		},
		{
			name: "internal_error", given: spoilt(create(emulator.Fault{Status: 500, AfterEffect: true})),
			result: diag.Succeeded, log: lost, writes: []string{"PUT app", "POST app/deployments 500"}, history: one, took: "4s-5s", also: taken,
		},
		{
			name: "page_of_a_proxy", given: spoilt(create(emulator.Fault{Kind: emulator.HTML, AfterEffect: true})),
			result: diag.Succeeded, log: lost, writes: []string{"PUT app", "POST app/deployments 502"}, history: one, took: "4s-5s", also: taken,
		},
		{
			name: "unavailable_with_a_time_to_wait", given: spoilt(create(emulator.Fault{Status: 503, AfterEffect: true, Headers: emulator.Headers{"Retry-After": "1"}})),
			result: diag.Succeeded, log: lost, writes: []string{"PUT app", "POST app/deployments 503"}, history: one, took: "4s-5s", also: taken,
		},
		{
			name: "half_of_the_answer", given: spoilt(create(emulator.Fault{Kind: emulator.Truncated})),
			result: diag.Succeeded, log: lost, writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "4s-5s", also: taken,
		},
		{
			name: "empty_answer", given: spoilt(create(emulator.Fault{Kind: emulator.Empty, Status: 202, AfterEffect: true})),
			result: diag.Succeeded, log: lost, writes: []string{"PUT app", "POST app/deployments"}, history: one, took: "4s-5s", also: taken,
		},
		{
			name: "list_that_lags",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.ListLag = 8 * time.Second })
				s.faults(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}))
			},
			result: diag.Succeeded, log: lost[:2], writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "8s-11s", also: taken,
		},
		{
			name: "list_that_lags_so_long_that_it_is_asked_for_again",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.ListLag, st.ConflictEdition = 25*time.Second, "any" })
				s.outcomes(emulator.Outcome{InProgress: new(time.Minute)})
				s.faults(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}))
			},
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments cut", "POST app/deployments 409 ×*"}, history: one, took: "1m1s-1m6s", also: taken,
		},
		{
			name: "list_that_shows_it_only_after_the_second_request",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.ListLag, st.ConflictEdition = 11*time.Second, "any" })
				s.outcomes(emulator.Outcome{InProgress: new(time.Minute)})
				s.faults(
					create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}),
					create(emulator.Fault{Nth: 2, Kind: emulator.Slow, AfterEffect: true, Delay: 2 * time.Second}),
				)
			},
			result: diag.Succeeded, silent: []string{"conflict"}, writes: []string{"PUT app", "POST app/deployments cut", "POST app/deployments 409"}, history: one, took: "1m1s-1m6s", also: taken,
		},
		{
			name: "list_that_shows_it_only_while_the_spicepod_is_sent_again",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.ListLag = 13 * time.Second })
				s.outcomes(emulator.Outcome{Queued: new(time.Minute)})
				s.before("POST", "/deployments", 2, s.othersPush)
				s.faults(
					create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}),
					emulator.Fault{Method: "PUT", Nth: 3, Kind: emulator.Slow, Delay: 5 * time.Second},
				)
			},
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments cut", "POST app/deployments 409", "PUT app"}, history: one, took: "1m3s-1m13s", also: taken,
		},
		{
			name: "service_that_does_not_say_what_time_it_is",
			given: func(s *stage) {
				s.client.Transport = withoutDate{s.client.Transport}
				s.faults(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}))
			},
			result: diag.Succeeded, log: lost, writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "4s-5s", also: taken,
		},
		{
			name: "list_that_fails_for_a_while",
			given: spoilt(
				create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}),
				emulator.Fault{Method: "GET", Path: "/deployments", Nth: 2, Times: 20, Status: 502},
			),
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "1m0s-1m40s", also: taken,
		},
		{
			name: "list_that_cannot_be_read",
			given: spoilt(
				create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}),
				emulator.Fault{Method: "GET", Path: "/deployments", Nth: 2, Times: -1, Status: 502},
			),
			result: diag.Unavailable, exit: 5,
			reason: "it is not known whether POST /v1/projects/101/deployments was carried out … looking for it failed too … 502 … a deployment for this commit may exist",
			hint:   "look at the app's deployments in the portal before running again",
			writes: []string{"PUT app", "POST app/deployments cut"}, history: one, took: "10m0s-10m5s",
		},
		{
			name: "list_that_may_not_be_read",
			given: spoilt(
				create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}),
				emulator.Fault{Method: "GET", Path: "/deployments", Nth: 2, Times: -1, Status: 403},
			),
			result: diag.Unavailable, exit: 5, reason: "looking for it failed too … 403 … a deployment for this commit may exist",
			writes: []string{"PUT app", "POST app/deployments cut"}, history: []string{"1002 run ours@c0ffee1 queued"}, took: "0s-5s",
		},
	})
}

func TestRun_answerLostBeforeTheEffect(t *testing.T) {
	t.Parallel()
	one := []string{"1002 run ours@c0ffee1 succeeded"}
	again := []string{"deployment: warning: the answer was lost", "deployment: notice: nothing new after 10s: the request did not come through and is made again", "deployment: 1002 queued"}
	fresh := func(s *stage, e ended) {
		if e.TakenOver {
			s.Error("nothing was taken over")
		}
	}
	playAll(t, []scene{
		{
			name: "cut", given: spoilt(create(emulator.Fault{Kind: emulator.Lost})),
			result: diag.Succeeded, log: again, writes: []string{"PUT app", "POST app/deployments cut", "POST app/deployments"}, history: one, took: "14s-16s", also: fresh,
		},
		{
			name: "internal_error", given: spoilt(create(emulator.Fault{Status: 500})),
			result: diag.Succeeded, log: again, writes: []string{"PUT app", "POST app/deployments 500", "POST app/deployments"}, history: one, took: "14s-16s", also: fresh,
		},
		{
			name: "unavailable", given: spoilt(create(emulator.Fault{Status: 503, Headers: emulator.Headers{"Retry-After": "1"}})),
			result: diag.Succeeded, log: again, writes: []string{"PUT app", "POST app/deployments 503", "POST app/deployments"}, history: one, took: "14s-16s", also: fresh,
		},
		{
			name: "twice", given: spoilt(create(emulator.Fault{Kind: emulator.Lost, Times: 2})),
			result: diag.Succeeded, log: again, writes: []string{"PUT app", "POST app/deployments cut ×2", "POST app/deployments"}, history: one, took: "24s-27s", also: fresh,
		},
		{
			name: "commit_that_was_deployed_before_and_no_clock_to_go_by",
			given: func(s *stage) {
				s.client.Transport = withoutDate{s.client.Transport}
				s.app.Deployments[0].CommitSHA = ourCommit
				s.faults(create(emulator.Fault{Kind: emulator.Lost}))
			},
			result: diag.Succeeded, log: again, writes: []string{"PUT app", "POST app/deployments cut", "POST app/deployments"}, history: one, took: "14s-16s", also: fresh,
		},
		{
			name: "to_the_end", args: "--timeout-seconds 60", given: spoilt(create(emulator.Fault{Status: 503, Times: -1})),
			result: diag.Unavailable, exit: 5, reason: "a deployment for this commit may exist",
			writes: []string{"PUT app", "POST app/deployments 503 ×*"}, took: "1m",
		},
		{
			name:   "and_refused_the_second_time",
			given:  spoilt(create(emulator.Fault{Kind: emulator.Lost}), create(emulator.Fault{Nth: 2, Status: 403, Body: `{"error":"no","code":"insufficient_scope"}`})),
			result: diag.AuthError, exit: 3, reason: "insufficient_scope … the spicepod was updated; a deployment for this commit may exist", hint: "deployments:write",
			writes: []string{"PUT app", "POST app/deployments cut", "POST app/deployments 403"}, took: "10s-11s",
		},
	})
}

func TestRun_answerLostAndBothCameThrough(t *testing.T) {
	t.Parallel()
	again := []string{"PUT app", "POST app/deployments cut", "POST app/deployments"}
	playAll(t, []scene{
		{
			name: "list_that_lags_longer_than_is_waited",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.ListLag = 12 * time.Second })
				s.faults(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}))
			},
			result: diag.Succeeded, reason: "deployment 1003 succeeded",
			log:    []string{"deployment: 1003 succeeded", "deployment: warning: deployment 1002 is of this run too"},
			writes: again, history: []string{"1002 run ours@c0ffee1 succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "14s-16s",
		},
		{
			name: "the_first_comes_last_and_replaces_the_second",
			given: func(s *stage) {
				s.outcomes(emulator.Outcome{InProgress: new(time.Minute)}, emulator.Outcome{InProgress: new(time.Minute)})
				s.faults(create(emulator.Fault{Kind: emulator.Lost, Late: 20 * time.Second}))
			},
			result: diag.Superseded, exit: 1, reason: "deployment 1002 was replaced by the newer deployment 1003",
			log:    []string{"deployment: 1002 queued", "deployment: warning: deployment 1003 is of this run too"},
			writes: again, history: []string{"1002 run ours@c0ffee1 created", "1003 run ours@c0ffee1 in_progress"}, took: "20s-30s",
		},
		{
			name: "list_that_fails_at_the_end",
			given: func(s *stage) {
				s.faults(create(emulator.Fault{Kind: emulator.Lost}))
				s.before("GET", "/deployments/1002", 1, func() {
					s.faults(emulator.Fault{Method: "GET", Path: "/deployments", Times: -1, Status: 503})
				})
			},
			result: diag.Succeeded, silent: []string{"of this run too"}, writes: again, history: []string{"1002 run ours@c0ffee1 succeeded"}, took: "14s-16s",
		},
	})
}

func TestRun_answerLostAndOthersDeploy(t *testing.T) {
	t.Parallel()
	// others deploy at the moment of the create, whose answer is lost.
	at := func(fault emulator.Fault, others emulator.Deployment) func(*stage) {
		return func(s *stage) {
			s.spoil("POST", "/deployments", 1, func() *emulator.Fault {
				s.othersDeploy(others)
				fault.Kind = emulator.Lost
				return &fault
			})
		}
	}
	cut := []string{"PUT app", "POST app/deployments cut"}
	started := emulator.Outcome{Queued: new(time.Duration(0))}
	playAll(t, []scene{
		{
			name: "another_commit_is_not_ours", given: at(emulator.Fault{}, emulator.Deployment{Outcome: started}),
			result: diag.Succeeded, writes: append(cut, "POST app/deployments"),
			history: []string{"1002 other ours@bada55e succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "14s-16s",
		},
		{
			name: "another_commit_beside_ours", given: at(emulator.Fault{AfterEffect: true}, emulator.Deployment{Outcome: started}),
			result: diag.Succeeded, writes: cut, also: taken,
			history: []string{"1002 other ours@bada55e created", "1003 run ours@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "same_commit_on_another_branch_is_not_ours", given: at(emulator.Fault{}, emulator.Deployment{CommitSHA: ourCommit, Branch: "fix", Outcome: started}),
			result: diag.Succeeded, writes: append(cut, "POST app/deployments"),
			history: []string{"1002 other ours@c0ffee1 succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "14s-16s",
		},
		{
			name: "same_commit_not_made_through_the_api_is_not_ours", given: at(emulator.Fault{}, emulator.Deployment{CommitSHA: ourCommit, Source: "portal", Outcome: started}),
			result: diag.Succeeded, writes: append(cut, "POST app/deployments"),
			history: []string{"1002 other ours@c0ffee1 succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "14s-16s",
		},
		{
			name: "same_commit_made_after_ours",
			given: func(s *stage) {
				s.faults(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true, Delay: 20 * time.Second}))
				s.after(10*time.Second, func() { s.othersDeploy(emulator.Deployment{CommitSHA: ourCommit}) })
			},
			result: diag.Succeeded, writes: cut,
			log:     []string{"deployment: warning: 2 new deployments are of this commit and branch … taking 1002", "deployment: 1002 succeeded"},
			history: []string{"1002 run ours@c0ffee1 succeeded", "1003 other ours@c0ffee1 succeeded"}, took: "20s-21s", also: taken,
		},
	})
}

// TestRun_clocks has others deploy the same commit half a minute before the run asks for its deployment, when its
// plan is made already: by whichever clock the service goes, that one is not ours.
func TestRun_clocks(t *testing.T) {
	t.Parallel()
	cut := []string{"PUT app", "POST app/deployments cut"}
	var scenes []scene
	for name, skew := range map[string]time.Duration{"ahead": 10 * time.Minute, "behind": -10 * time.Minute, "right": 0} {
		early := func(s *stage, fault emulator.Fault) {
			s.configure(func(st *emulator.Settings) { st.ClockSkew = skew })
			s.before("PUT", "/projects/101", 1, func() {
				s.othersDeploy(emulator.Deployment{CommitSHA: ourCommit, Outcome: emulator.Outcome{Queued: new(time.Duration(0))}})
			})
			s.faults(emulator.Fault{Method: "PUT", Kind: emulator.Slow, AfterEffect: true, Delay: 25 * time.Second}, create(fault))
		}
		scenes = append(scenes, scene{
			name: "service_" + name + "_and_ours_did_not_come_through", given: func(s *stage) { early(s, emulator.Fault{Kind: emulator.Lost}) },
			result: diag.Succeeded, writes: append(cut, "POST app/deployments"),
			history: []string{"1002 other old@c0ffee1 succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "39s-41s",
		}, scene{
			name: "service_" + name + "_and_ours_came_through", given: func(s *stage) { early(s, emulator.Fault{Kind: emulator.Lost, AfterEffect: true}) },
			result: diag.Succeeded, writes: cut, also: taken, silent: []string{"new deployments are of this commit"},
			history: []string{"1002 other old@c0ffee1 succeeded", "1003 run ours@c0ffee1 succeeded"}, took: "29s-30s",
		})
	}
	playAll(t, scenes)
}

func TestRun_answerLostOnAConnectedApp(t *testing.T) {
	t.Parallel()
	connected := func(head string) func(*stage) {
		return func(s *stage) {
			s.must(s.cloud.Apply(emulator.Scenario{Repositories: []emulator.Repository{{
				Name: "acme/shop", Branches: map[string]emulator.Head{"main": {CommitSHA: head, Spicepod: manifest("ours")}},
			}}}))
			s.app.Repository, s.app.Spicepod = "acme/shop", manifest("ours")
			s.faults(create(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}))
		}
	}
	cut := []string{"POST app/deployments cut"}
	playAll(t, []scene{
		{
			name: "head_is_another_commit", given: connected(theirCommit),
			result: diag.Unavailable, exit: 5,
			reason: "the answer to the create was lost, and deployment 1002 of commit bada55e is new: it may be this run's", hint: "look at it in the portal before running again",
			writes: cut, history: []string{"1002 run ours@bada55e queued"}, took: "0s",
		},
		{
			name: "head_is_our_commit", given: connected(ourCommit),
			result: diag.Succeeded, writes: cut, history: []string{"1002 run ours@c0ffee1 succeeded"}, took: "4s-5s", also: taken,
		},
		{
			name: "ours_is_there_and_so_is_a_newer_one",
			given: func(s *stage) {
				s.app.ProductionBranch = "main" // a hint of a connection, no more
				s.spoil("POST", "/deployments", 1, func() *emulator.Fault {
					return &emulator.Fault{Kind: emulator.Lost, AfterEffect: true, Delay: 20 * time.Second}
				})
				s.after(10*time.Second, func() { s.othersDeploy(emulator.Deployment{}) })
			},
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments cut"},
			history: []string{"1002 run ours@c0ffee1 succeeded", "1003 other ours@bada55e succeeded"}, took: "20s-21s", also: taken,
		},
	})
}

func TestRun_createMadeAgain(t *testing.T) {
	t.Parallel()
	one := []string{"1002 run ours@c0ffee1 succeeded"}
	playAll(t, []scene{
		{
			name: "rate_limit_in_seconds", given: spoilt(create(emulator.Fault{Status: 429, Headers: emulator.Headers{"Retry-After": "20"}})),
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments 429", "POST app/deployments"}, history: one, took: "24s-25s",
		},
		{
			name: "rate_limit_as_a_date", given: spoilt(create(emulator.Fault{Status: 429, Headers: emulator.Headers{"Retry-After": "Sat, 01 Jan 2000 00:00:20 GMT"}})),
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments 429", "POST app/deployments"}, history: one, took: "24s-25s",
		},
		{
			name: "rate_limit_beyond_the_deadline", given: spoilt(create(emulator.Fault{Status: 429, Times: -1, Headers: emulator.Headers{"Retry-After": "3600"}})),
			result: diag.Unavailable, exit: 5, reason: "429 … the spicepod was updated", hint: "run fewer deployments at once",
			writes: []string{"PUT app", "POST app/deployments 429"}, took: "0s",
		},
		{
			name: "no_connection", given: spoilt(create(emulator.Fault{Kind: emulator.Refused, Times: 4})),
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/deployments cut ×4", "POST app/deployments"}, history: one, took: "6s-12s",
			silent: []string{"the answer was lost"},
		},
	})
}
