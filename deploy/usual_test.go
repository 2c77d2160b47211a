package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// TestRun_usual: whoever shows a progress bar is told since when our deployment runs and how long it may take.
func TestRun_usual(t *testing.T) {
	t.Parallel()

	knows := func(began, usual time.Duration) func(*stage, ended) {
		return func(s *stage, e ended) {
			s.Helper()
			if e.Usual != usual {
				s.Errorf("usually: got %s, want %s", e.Usual, usual)
			}
			if got := time.Since(e.Began); got < began || got > began+5*time.Second {
				s.Errorf("it began %s ago, want %s", got, began)
			}
		}
	}
	playAll(t, []scene{
		{
			name: "as_the_last_one", given: usually(5*time.Minute, 10*time.Second),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "10s-15s", also: knows(10*time.Second, 5*time.Minute),
		},
		{
			name: "adopted", args: "--on-conflict adopt",
			given: func(s *stage) {
				usually(5*time.Minute, 0)(s)
				s.app.Spicepod = manifest("ours")
				s.others(emulator.Deployment{Age: 4 * time.Minute, CommitSHA: ourCommit, Outcome: lasts(5 * time.Minute)})
			},
			result: diag.Succeeded, history: []string{"1002 other ours@c0ffee1 succeeded"}, took: "1m0s-1m5s", also: knows(5*time.Minute, 5*time.Minute),
		},
		{
			name: "nothing_before", given: func(s *stage) { s.app.Deployments = nil },
			result: diag.Succeeded, writes: happy, history: []string{"1001 run ours@c0ffee1 succeeded"}, took: "4s-5s", also: knows(4*time.Second, 0),
		},
	})
}
