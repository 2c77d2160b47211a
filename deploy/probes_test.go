package deploy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

const probing = "--dataset-ready-timeout-seconds 0"

// withModel is a spicepod whose model can be asked.
const withModel = "version: v1\nkind: Spicepod\nname: shop\ndescription: ours\nmodels:\n  - {from: 'openai:gpt', name: assistant}\ndatasets:\n  - {from: 'postgres:orders', name: orders}\n"

// probes has the run bring a runtime that behaves so, and ask it these queries.
func probes(sql string, runtime emulator.Runtime) func(*stage) {
	return func(s *stage) {
		s.options.TestSQL = sql
		s.outcomes(emulator.Outcome{Runtime: &runtime})
	}
}

// with is what the run asks to be changed, and then asks the runtime.
func with(asked ...string) []string { return append(slices.Clone(happy), asked...) }

func TestVerify_probes(t *testing.T) {
	t.Parallel()
	all := func(runtime emulator.Runtime) func(*stage) {
		return func(s *stage) {
			o := s.options
			s.spicepod, o.TestSQL, o.TestNSQL, o.TestChat, o.TestChatModel = withModel, "SELECT 1", "how many?", "hi", "assistant"
			o.TestSearch, o.TestMCPTool = "words", "list_datasets"
			s.outcomes(emulator.Outcome{Runtime: &runtime})
		}
	}
	kinds := with("POST sql", "POST nsql", "POST chat/completions", "POST search", "POST mcp ×3", "DELETE mcp")
	playAll(t, []scene{
		{
			name: "every_kind", args: probing, given: all(emulator.Runtime{MCP: emulator.MCP{SSE: true}}),
			result: diag.Succeeded, reason: "deployment 1002 succeeded; 5 of 5 probes passed",
			log: []string{
				"verify: the runtime is ready", "verify: sql: SELECT 1 passed in 0s: 1 row(s)", "verify: nsql: how many? passed in 0s: ",
				"verify: chat: hi passed in 0s: ", "verify: search: words passed in 0s: 1 result(s)", "verify: mcp: list_datasets passed in 0s: ",
			},
			writes: kinds, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "some_fail_and_all_are_made", args: probing,
			given: all(emulator.Runtime{
				Chat: []emulator.ChatAnswer{{Text: " "}}, MCP: emulator.MCP{RefuseHost: true},
				NSQL: []emulator.NSQLAnswer{{When: emulator.When{Error: "no model"}}},
			}),
			result: diag.VerificationFailed, exit: 7,
			reason:  "deployment 1002 succeeded, but 3 of 5 probes failed: nsql (how many?): POST /v1/nsql: 500 Internal Server Error: no model; chat (hi): the model gave an empty answer; mcp (list_datasets): POST /v1/mcp: 403",
			hint:    `compare the probe with what the new version serves; the runtime serves MCP only to the hosts it was told: set runtime.mcp.allowed_hosts: ["*"] in the spicepod. Where that is no failure, set fail-on-test-error: false`,
			log:     []string{"verify: nsql: how many? failed after 0s: POST /v1/nsql: 500", "verify: chat: hi failed", "verify: search: words passed", "verify: mcp: list_datasets failed"},
			writes:  with("POST sql", "POST nsql 500 ×*", "POST chat/completions", "POST search", "POST mcp 403"),
			history: ours("succeeded"), took: "1m0s-1m4s",
		},
		{
			name: "only_a_warning", args: probing + " --fail-on-test-error=false",
			given:  probes("[SELECT 1, SELECT x FROM y]", emulator.Runtime{}),
			result: diag.Succeeded, reason: "deployment 1002 succeeded; 1 of 2 probes passed, some checks failed, see the warnings",
			log: []string{"verify: warning: deployment 1002 succeeded, but 1 of 2 probes failed: sql (SELECT x FROM y): POST /v1/sql: 400 Bad Request: … no failure, since fail-on-test-error is false. What to do: compare"}, silent: []string{"set fail-on-test-error"},
			writes: with("POST sql", "POST sql 400"), history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "several_of_a_kind_with_expectations", args: probing,
			given: probes("- {sql: SELECT a, expect: rows > 1}\n- {sql: SELECT a, expect: 42}\n- {sql: SELECT a, expect: {column: b, equals: x}}\n- {sql: SELECT a, expect: rows = 1}", emulator.Runtime{
				SQL: []emulator.SQLAnswer{{Rows: []emulator.Row{{"a": 42, "b": "x"}, {"a": 43}}}},
			}),
			result: diag.VerificationFailed, exit: 7, reason: "1 of 4 probes failed: sql (SELECT a): expected rows =1, got 2",
			log:    []string{"passed in 0s: 2 row(s)", "passed in 0s: 2 row(s); a is 42", "passed in 0s: 2 row(s); b is \"x\""},
			writes: with("POST sql ×4"), history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "no_answer_within_the_warm_up", args: probing,
			given: func(s *stage) {
				probes("SELECT 1", emulator.Runtime{})(s)
				s.faults(emulator.Fault{Path: "/v1/sql", Kind: emulator.HTML}, emulator.Fault{Path: "/v1/sql", Nth: 2, Kind: emulator.Lost}, emulator.Fault{Path: "/v1/sql", Nth: 3, Status: 503, Body: "no"})
			},
			result: diag.Succeeded, log: []string{"verify: notice: sql: SELECT 1 was not answered well (POST /v1/sql: 502 Bad Gateway", "notice: sql: SELECT 1 was not answered well", "notice: sql: SELECT 1 was not answered well", "SELECT 1 passed"},
			writes: with("POST sql 502", "POST sql cut", "POST sql 503", "POST sql"), history: ours("succeeded"), took: "10s-11s",
		},
		{
			name: "no_answer_at_all", args: probing + " --test-warmup-seconds 10",
			given: func(s *stage) {
				probes("SELECT 1", emulator.Runtime{})(s)
				s.faults(emulator.Fault{Path: "/v1/sql", Status: 503, Body: "Runtime is shutting down", Times: -1})
			},
			result: diag.VerificationFailed, exit: 7, reason: "1 of 1 probe failed: sql (SELECT 1): POST /v1/sql: 503 Service Unavailable: Runtime is shutting down",
			writes: with("POST sql 503 ×5"), history: ours("succeeded"), took: "12s-13s",
		},
		{
			name: "no_answer_without_a_warm_up", args: probing + " --test-warmup-seconds 0",
			given: func(s *stage) {
				probes("SELECT 1", emulator.Runtime{})(s)
				s.faults(emulator.Fault{Path: "/v1/sql", Status: 503, Body: "no", Times: -1})
			},
			result: diag.VerificationFailed, exit: 7, reason: "503 Service Unavailable: no", writes: with("POST sql 503"), history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "all_of_its_time_is_taken_once", args: probing + " --test-timeout-seconds 20",
			given: func(s *stage) {
				probes("SELECT 1", emulator.Runtime{})(s)
				s.faults(emulator.Fault{Path: "/v1/sql", Delay: time.Hour, Times: -1})
			},
			result: diag.VerificationFailed, exit: 7, reason: "POST /v1/sql: no complete answer within 20s", writes: with("POST sql cut"), history: ours("succeeded"), took: "24s-25s",
		},
		{
			name: "lost_sessions", args: probing,
			given: func(s *stage) {
				s.options.TestMCPTool = "list_datasets"
				s.outcomes(emulator.Outcome{Runtime: &emulator.Runtime{MCP: emulator.MCP{LoseEvery: 1}}})
			},
			result: diag.VerificationFailed, exit: 7, reason: "6 MCP sessions in a row were lost (404)", hint: "MCP sessions live in one instance of the runtime: set replicas to 1",
			writes:  with("POST mcp ×2", "POST mcp 404", "POST mcp ×2", "POST mcp 404", "POST mcp ×2", "POST mcp 404", "POST mcp ×2", "POST mcp 404", "POST mcp ×2", "POST mcp 404", "POST mcp ×2", "POST mcp 404"),
			history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "many_that_fail", args: probing,
			given:  probes("[a, b, c, d, e, f, g]", emulator.Runtime{SQL: []emulator.SQLAnswer{{When: emulator.When{Error: "no"}}}}),
			result: diag.VerificationFailed, exit: 7, reason: "7 of 7 probes failed: sql (a): … sql (e): … ; and 2 more",
			writes: with("POST sql 400 ×7"), history: ours("succeeded"), took: "4s-5s",
		},
	})
}
