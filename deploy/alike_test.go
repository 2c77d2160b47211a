package deploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// TestVerify_alike has the former version be served for ever, and nothing tell it from the new one.
func TestVerify_alike(t *testing.T) {
	t.Parallel()
	hangs := func(former string, then func(*stage)) func(*stage) {
		return func(s *stage) {
			s.app.Spicepod, s.spicepod = served("old", former), served("ours", orders)
			s.outcomes(emulator.Outcome{Runtime: &emulator.Runtime{ServesOld: true}})
			if then != nil {
				then(s)
			}
		}
	}
	scenes := []scene{
		{name: "same_datasets", given: hangs(orders, nil)},
		{name: "same_but_for_a_slash", given: hangs("ORDERS=postgres:orders/", nil)},
		{name: "from_that_a_secret_tells", given: hangs("orders=${secrets:FROM}", func(s *stage) {
			s.app.Secrets = map[string]string{"FROM": "postgres:orders"}
			listing(s, `[{"name":"orders","from":"postgres:orders","status":"Ready"}]`)
		}), args: " --missing-secrets ignore"},
		{name: "same_spicepod", given: hangs(orders, func(s *stage) { s.spicepod = served("old", orders) }), writes: happy[1:], history: []string{"1002 run old@c0ffee1 succeeded"}},
		{
			name: "what_was_stored_was_never_served", history: append([]string{"1002 other old@bada55e failed"}, "1003 run ours@c0ffee1 succeeded"),
			given: hangs("orders=postgres:other", func(s *stage) {
				s.others(emulator.Deployment{Age: time.Hour, Outcome: boom})
				listing(s, `[{"name":"orders","from":"postgres:orders","status":"Ready"}]`)
			}),
		},
	}
	const told = "1 dataset ready; whether the new version answers cannot be told, since its datasets are not known to differ in name or from"
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.reason, sc.took = "--dataset-ready-timeout-seconds 30"+sc.args, diag.Succeeded, " succeeded; "+told, "4s-5s"
		sc.log, sc.silent = []string{"verify: " + told}, []string{"is served"}
		if sc.writes == nil {
			sc.writes = happy
		}
		if sc.history == nil {
			sc.history = ours("succeeded")
		}
	}
	playAll(t, scenes)
}

// TestVerify_listedTwice has the runtime list a name more than once.
func TestVerify_listedTwice(t *testing.T) {
	t.Parallel()
	lists := func(statuses ...string) func(*stage) {
		return func(s *stage) {
			s.spicepod = served("ours", orders)
			bodies := make([]string, len(statuses))
			for i, both := range statuses {
				a, b, _ := strings.Cut(both, "+")
				bodies[i] = `[{"name":"orders","from":"postgres:orders","status":"` + a + `"},{"name":"orders","from":"postgres:orders","status":"` + b + `"}]`
			}
			listing(s, bodies...)
		}
	}
	onlyOnce := func(s *stage, e ended) {
		said := 0
		for _, line := range e.log {
			if strings.HasPrefix(line, "verify: dataset orders is ") {
				said++
			}
		}
		if said != 1 || len(e.Datasets) != 1 {
			s.Errorf("%d lines about it, and %d entries", said, len(e.Datasets))
		}
	}
	playAll(t, []scene{
		{
			name: "in_error_and_ready", args: verifies, given: lists("Error+Ready"), also: onlyOnce,
			result: diag.VerificationFailed, exit: 7, reason: "1 dataset failed: orders is Error", writes: happy, history: ours("succeeded"), took: "1m19s-1m21s",
		},
		{
			name: "ready_and_in_error", args: verifies, given: lists("Ready+Error"), also: onlyOnce,
			result: diag.VerificationFailed, exit: 7, reason: "1 dataset failed: orders is Error", writes: happy, history: ours("succeeded"), took: "1m19s-1m21s",
		},
		{
			name: "loading_and_ready", args: "--dataset-ready-timeout-seconds 30", given: lists("Initializing+Ready"), also: onlyOnce,
			result: diag.VerificationFailed, exit: 7, reason: "not all datasets were ready within 30s: orders is Initializing", writes: happy, history: ours("succeeded"), took: "34s-35s",
		},
		{
			name: "ready", args: verifies, given: lists("Ready+Ready"), also: onlyOnce,
			result: diag.Succeeded, reason: "deployment 1002 succeeded; 1 dataset ready", writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
	})
}
