package deploy_test

import (
	"cmp"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

func TestVerify_refused(t *testing.T) {
	t.Parallel()
	always := func(path string, fault emulator.Fault) func(*stage) {
		return func(s *stage) {
			s.spicepod = served("ours", orders)
			fault.Path, fault.Times = path, cmp.Or(fault.Times, -1)
			s.faults(fault)
		}
	}
	const check = "check runtime-url, if it is set, and that no proxy answers in the runtime's place"
	playAll(t, []scene{
		{
			name: "key_refused", args: verifies + " --fail-on-test-error=false", given: always("/v1/datasets", emulator.Fault{Status: 401, Body: "Unauthorized"}),
			result: diag.VerificationFailed, exit: 7, reason: "deployment 1002 succeeded, but the runtime refuses to be asked: GET /v1/datasets: 401 Unauthorized", hint: check,
			log: []string{"verify: waiting for the runtime to list its datasets: GET /v1/datasets: 401 Unauthorized"}, silent: []string{"instance"},
			writes: happy, history: ours("succeeded"), took: "14s-17s",
		},
		{
			name: "key_refused_in_less_time_than_is_borne", args: "--dataset-ready-timeout-seconds 5", given: always("/v1/datasets", emulator.Fault{Status: 401, Body: "no"}),
			result: diag.VerificationFailed, exit: 7, reason: "the runtime refuses to be asked", hint: check, writes: happy, history: ours("succeeded"), took: "9s-10s",
		},
		{
			name: "key_refused_for_a_while", args: verifies, given: always("/v1/datasets", emulator.Fault{Status: 401, Body: "no", Times: 5}),
			result: diag.Succeeded, reason: "1 dataset ready", writes: happy, history: ours("succeeded"), took: "9s-11s",
		},
		{
			name: "refusals_with_something_else_between", args: "--dataset-ready-timeout-seconds 30",
			given: func(s *stage) {
				s.spicepod = served("ours", orders)
				for i := 1; i < 99; i += 4 {
					s.faults(emulator.Fault{Path: "/v1/datasets", Nth: i, Times: 3, Status: 404, Body: "no"}, emulator.Fault{Path: "/v1/datasets", Nth: i + 3, Status: 502, Body: "no"})
				}
			},
			result: diag.VerificationFailed, exit: 7, reason: "GET /v1/datasets: ", writes: happy, history: ours("succeeded"), took: "34s-35s",
		},
		{
			name: "key_refused_of_a_new_app", args: "--dataset-ready-timeout-seconds 60 --app-name new-app --create-app-if-missing --region us-east-1",
			given:  always("/v1/datasets", emulator.Fault{Status: 401, Body: "no"}),
			result: diag.VerificationFailed, exit: 7, reason: "the runtime refuses to be asked", hint: check,
			writes: []string{"POST projects", "PUT projects/102", "POST projects/102/deployments"}, history: ours("succeeded"), took: "1m4s-1m5s",
		},
		{
			name: "redirect", args: verifies, given: always("/v1/datasets", emulator.Fault{Kind: emulator.Redirect}),
			result: diag.VerificationFailed, exit: 7, reason: "the runtime refuses to be asked: GET /v1/datasets: 302 Found: redirected to https://login.example.com/, which is not followed", hint: check,
			writes: happy, history: ours("succeeded"), took: "14s-17s",
		},
		{
			name: "not_found", args: onlyReady, given: func(s *stage) {
				s.options.TestSQL = "SELECT 1"
				always("/v1/ready", emulator.Fault{Status: 404, Body: "<html><title>Nothing here</title></html>"})(s)
			},
			result: diag.VerificationFailed, exit: 7, reason: "the runtime refuses to be asked: GET /v1/ready: 404 Not Found: an HTML page titled Nothing here", hint: check,
			writes: happy, history: ours("succeeded"), took: "14s-17s",
		},
		{
			name: "not_found_is_a_warning", args: onlyReady + " --fail-on-test-error=false", given: func(s *stage) {
				s.options.TestSQL = "SELECT 1"
				always("/v1/ready", emulator.Fault{Status: 404, Body: "no"})(s)
			},
			result: diag.Succeeded, log: []string{"verify: warning: deployment 1002 succeeded, but the runtime refuses to be asked"}, writes: happy, history: ours("succeeded"), took: "14s-17s",
		},
		{
			name: "first_probe_without_any_check_before", args: probing + " --test-warmup-seconds 0", given: func(s *stage) {
				s.options.TestSQL = "[SELECT 1, SELECT 2]"
				always("/v1/sql", emulator.Fault{Status: 401, Body: "no"})(s)
			},
			result: diag.VerificationFailed, exit: 7, reason: "2 of 2 probes failed: sql (SELECT 1): POST /v1/sql: 401 Unauthorized: no", hint: check,
			writes: with("POST sql 401 ×2"), history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "one_route_that_is_not_there", args: probing, given: func(s *stage) {
				s.options.TestNSQL = "how many?"
				always("/v1/nsql", emulator.Fault{Status: 404, Body: "no"})(s)
			},
			result: diag.VerificationFailed, exit: 7, reason: "1 of 1 probe failed: nsql (how many?): POST /v1/nsql: 404 Not Found: no", hint: "text-to-SQL over HTTP needs version 2.1.0",
			writes: with("POST nsql 404"), history: ours("succeeded"), took: "4s-5s",
		},
	})
}

func TestVerify_noAccess(t *testing.T) {
	t.Parallel()
	keys := func(status int, body string) func(*stage) {
		return func(s *stage) {
			s.spicepod = served("ours", orders)
			s.faults(emulator.Fault{Path: "/api-keys", Times: -1, Status: status, Body: body})
		}
	}
	cannot := `deployment 1002 succeeded, but the runtime of app "shop-app" cannot be asked: `
	playAll(t, []scene{
		{
			name: "only_a_second_key", args: verifies, given: func(s *stage) { s.spicepod, s.app.NoPrimaryKey = served("ours", orders), true },
			result: diag.Succeeded, reason: "1 dataset ready", writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "no_keys", args: verifies + " --fail-on-test-error=false", given: keys(200, `{"api_key":null,"api_key_2":null}`),
			result: diag.VerificationFailed, exit: 7, reason: cannot + "the app has no API key", hint: "make an API key for the app in the portal", writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "keys_may_not_be_read", args: verifies, given: keys(403, `{"error":"no","code":"insufficient_scope"}`),
			result: diag.VerificationFailed, exit: 7, reason: cannot + "GET /v1/projects/101/api-keys: 403", hint: "give the token the scope apps:read", writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "keys_cannot_be_read", args: verifies, given: keys(500, `{"error":"no"}`),
			result: diag.VerificationFailed, exit: 7, reason: cannot, writes: happy, history: ours("succeeded"), took: "1m0s-1m5s",
		},
		{
			name: "probes_alone_are_a_warning", args: probing + " --fail-on-test-error=false",
			given: func(s *stage) {
				keys(404, `{}`)(s)
				s.options.TestSQL = "SELECT 1"
			},
			result: diag.Succeeded, log: []string{"verify: warning: " + cannot}, writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "endpoint_over_plain_http", args: verifies,
			given: func(s *stage) {
				s.spicepod = served("ours", orders)
				s.configure(func(st *emulator.Settings) { st.Endpoint = "http://runtime.example.com" })
			},
			result: diag.VerificationFailed, exit: 7, reason: cannot + `the app's endpoint "http://runtime.example.com": plain http would show the credentials`, hint: "set runtime-url",
			writes: happy, history: ours("succeeded"), took: "4s-5s",
			also: func(s *stage, _ ended) {
				if s.runtime != "" {
					s.Errorf("asked %s", s.runtime)
				}
			},
		},
	})
}
