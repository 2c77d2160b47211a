package deploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// lasts is a deployment that is over after d.
func lasts(d time.Duration) emulator.Outcome {
	return emulator.Outcome{Queued: new(time.Duration(0)), InProgress: new(d)}
}

// usually has the app's former deployment, and the next one of ours, take so long.
func usually(former, next time.Duration) func(*stage) {
	return func(s *stage) {
		s.app.Deployments[0].Outcome = lasts(former)
		s.outcomes(lasts(next))
	}
}

// looksAtMost checks how often our deployment was read.
func looksAtMost(want int) func(*stage, ended) {
	return func(s *stage, _ ended) {
		s.Helper()
		looks := 0
		for _, r := range s.cloud.Requests() {
			if r.Method == "GET" && strings.Contains(r.Path, "/deployments/") {
				looks++
			}
		}
		if looks > want || looks == 0 {
			s.Errorf("looked %d times at the deployment, want at most %d", looks, want)
		}
	}
}

func TestRun_looksAroundTheUsualEnd(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{
		{
			name: "as_long_as_the_last_one", given: usually(5*time.Minute, 5*time.Minute),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "5m0s-5m3s", also: looksAtMost(40),
		},
		{
			name: "much_sooner", given: usually(5*time.Minute, 10*time.Second),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "10s-15s", also: looksAtMost(10),
		},
		{
			name: "much_later", given: usually(10*time.Second, 5*time.Minute),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "5m0s-5m10s", also: looksAtMost(60),
		},
		{
			name: "a_failure_says_nothing_of_the_usual_end",
			given: func(s *stage) {
				usually(5*time.Minute, 16*time.Second)(s)
				s.app.Deployments[0].Status = "failed"
			},
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "16s-17s",
		},
		{
			name: "one_that_was_adopted_began_earlier", args: "--on-conflict adopt",
			given: func(s *stage) {
				usually(5*time.Minute, 0)(s)
				s.app.Spicepod = manifest("ours")
				s.others(emulator.Deployment{Age: 290 * time.Second, CommitSHA: ourCommit, Outcome: lasts(5 * time.Minute)})
			},
			result: diag.Succeeded, history: []string{"1002 other ours@c0ffee1 succeeded"}, took: "10s-13s", also: looksAtMost(8),
		},
		{
			name: "one_that_was_adopted_from_a_service_whose_clock_is_wrong", args: "--on-conflict adopt",
			given: func(s *stage) {
				usually(5*time.Minute, 0)(s)
				s.configure(func(st *emulator.Settings) { st.ClockSkew = time.Hour })
				s.app.Spicepod = manifest("ours")
				s.others(emulator.Deployment{Age: 290 * time.Second, CommitSHA: ourCommit, Outcome: lasts(5 * time.Minute)})
			},
			result: diag.Succeeded, history: []string{"1002 other ours@c0ffee1 succeeded"}, took: "10s-13s", also: looksAtMost(8),
		},
		{
			name: "seen_just_before_the_deadline", args: "--timeout-seconds 60 --poll-interval-seconds 60",
			given:  usually(time.Hour, 58800*time.Millisecond),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "59s",
		},
		{
			name: "retry_after_wins",
			given: func(s *stage) {
				usually(10*time.Second, 10*time.Second)(s)
				s.faults(emulator.Fault{Method: "GET", Path: "/deployments/*", Nth: 3, Status: 429, Headers: emulator.Headers{"Retry-After": "60"}})
			},
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "1m0s-1m5s", also: looksAtMost(4),
		},
	})
}
