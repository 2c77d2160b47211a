package deploy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// served is a spicepod with datasets, each as name=from.
func served(whose string, datasets ...string) string {
	text := manifest(whose) + "datasets:\n"
	for _, d := range datasets {
		name, from, _ := strings.Cut(d, "=")
		text += "  - name: '" + name + "'\n    from: '" + from + "'\n"
	}
	return text
}

// withDatasets has the run bring a spicepod with these datasets, and its runtime behave so.
func withDatasets(runtime emulator.Runtime, datasets ...string) func(*stage) {
	return func(s *stage) {
		s.spicepod = served("ours", datasets...)
		s.outcomes(emulator.Outcome{Runtime: &runtime})
	}
}

// runtimeRequests are the requests to the runtime and for the way to it, each once.
func (s *stage) runtimeRequests() []string {
	var lines []string
	for _, r := range s.cloud.Requests() {
		if r.Path == "/v1/ready" || r.Path == "/v1/datasets" || strings.HasSuffix(r.Path, "/api-keys") || strings.Contains(r.Path, "/instances/") ||
			r.Method == "POST" && !strings.Contains(r.Path, "/projects") {
			lines = append(lines, r.Method+" "+strings.Replace(r.Path, "/v1/projects/101", "app", 1))
		}
	}
	return slices.Compact(lines)
}

const (
	orders    = "orders=postgres:orders"
	onlyReady = "--dataset-ready-timeout-seconds 0 --test-warmup-seconds 20"
	verifies  = "--dataset-ready-timeout-seconds 300"
)

func TestVerify_served(t *testing.T) {
	t.Parallel()
	asked := func(want ...string) func(*stage, ended) {
		return func(s *stage, _ ended) {
			if diff := cmp.Diff(want, s.runtimeRequests()); diff != "" {
				s.Errorf("requests (-want, +got):\n%s", diff)
			}
		}
	}
	playAll(t, []scene{
		{
			name: "datasets_then_readiness", args: verifies, given: withDatasets(emulator.Runtime{}, orders, "Trips-EU=s3://bucket/trips/"),
			result: diag.Succeeded, reason: "deployment 1002 succeeded; 2 datasets ready",
			log: []string{
				"deployment: 1002 succeeded", "verify: dataset orders is Ready", "verify: dataset Trips-EU is Ready",
				"verify: the new version is served: 2 datasets ready", "verify: the runtime is ready",
			},
			writes: happy, history: ours("succeeded"), took: "4s-5s", also: asked("GET app/api-keys", "GET /v1/datasets", "GET /v1/ready"),
		},
		{
			name: "nothing_is_asked_where_nothing_is_checked", args: "--dataset-ready-timeout-seconds 0", given: withDatasets(emulator.Runtime{}, orders),
			result: diag.Succeeded, reason: "deployment 1002 succeeded", silent: []string{"verify:"},
			writes: happy, history: ours("succeeded"), took: "4s-5s", also: asked(),
		},
		{
			name: "no_datasets_declared", args: verifies,
			result: diag.Succeeded, log: []string{"verify: the runtime is ready"}, silent: []string{"datasets"},
			writes: happy, history: ours("succeeded"), took: "4s-5s", also: asked("GET app/api-keys", "GET /v1/ready"),
		},
		{
			name: "no_warm_up", args: verifies + " --test-warmup-seconds 0", given: withDatasets(emulator.Runtime{}, orders),
			result: diag.Succeeded, silent: []string{"ready to"}, writes: happy, history: ours("succeeded"), took: "4s-5s", also: asked("GET app/api-keys", "GET /v1/datasets"),
		},
		{
			name: "gap_between_the_versions", args: verifies, given: withDatasets(emulator.Runtime{Gap: 20 * time.Second, ReadyAfter: 10 * time.Second}, orders),
			result: diag.Succeeded,
			log:    []string{"verify: waiting for the runtime to list its datasets: GET /v1/datasets: 502 Bad Gateway", "verify: dataset orders is Initializing", "verify: dataset orders is Ready"},
			writes: happy, history: ours("succeeded"), took: "34s-37s",
		},
		{
			name: "words_in_any_case", args: verifies,
			given: withDatasets(emulator.Runtime{Datasets: map[string]emulator.Component{
				"orders": {Status: "READY"}, "trips": {Status: "refreshing"}, "old": {Status: "Disabled"},
			}}, orders, "trips=s3://b", "old=file:old.csv"),
			result: diag.Succeeded, log: []string{"verify: dataset orders is READY", "verify: dataset trips is refreshing", "verify: dataset old is Disabled"},
			writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "names_that_need_quotes_and_differ_in_case", args: verifies,
			given:  withDatasets(emulator.Runtime{}, "Orders=postgres:a", "orders=postgres:b", `or"ders=postgres:c`, "sales.orders=postgres:d"),
			result: diag.Succeeded, reason: "4 datasets ready", writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "name_in_another_case_and_a_slash_less", args: verifies,
			given: func(s *stage) {
				s.spicepod = served("ours", "Trips=s3://b/")
				listing(s, `[{"name":"trips","from":"s3://b","status":"Ready"}]`)
			},
			result: diag.Succeeded, reason: "1 dataset ready", writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "slow_is_not_stopped_by_timeout_seconds", args: verifies + " --timeout-seconds 20", given: withDatasets(emulator.Runtime{ReadyAfter: time.Minute}, orders),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "1m4s-1m7s",
		},
		{
			name: "adopted_deployment", args: verifies + " --on-conflict adopt",
			given: func(s *stage) {
				s.app.Spicepod, s.spicepod = served("ours", orders), served("ours", orders)
				s.others(emulator.Deployment{CommitSHA: ourCommit})
			},
			result: diag.Succeeded, reason: "deployment 1002 succeeded (made by another run for the same commit, and adopted); 1 dataset ready",
			history: []string{"1002 other ours@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "head_of_a_connected_app", args: verifies + " --if-connected deploy-head",
			given: func(s *stage) {
				s.must(s.cloud.Apply(emulator.Scenario{Repositories: []emulator.Repository{{
					Name: "acme/shop", Branches: map[string]emulator.Head{"main": {CommitSHA: ourCommit, Spicepod: served("head", orders)}},
				}}}))
				s.app.Repository, s.spicepod = "acme/shop", served("ours", "trips=s3://b")
			},
			result: diag.Succeeded, reason: "1 dataset ready", log: []string{"verify: dataset orders is Ready"},
			writes: []string{"PUT app 409", "POST app/deployments"}, history: []string{"1002 run head@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "spicepod_that_stays_as_it_is", args: verifies,
			given:  func(s *stage) { s.spicepod, s.app.Spicepod = "", served("old", orders) },
			result: diag.Succeeded, reason: "1 dataset ready", writes: happy[1:], history: []string{"1002 run old@c0ffee1 succeeded"}, took: "4s-5s",
		},
	})
}

func TestVerify_notReady(t *testing.T) {
	t.Parallel()
	sql := func(s *stage) { s.options.TestSQL = "SELECT 1" }
	never := func(s *stage) {
		sql(s)
		s.outcomes(emulator.Outcome{Runtime: &emulator.Runtime{ReadyAfter: time.Hour}})
	}
	playAll(t, []scene{
		{
			name: "components_that_load_for_ever", args: onlyReady, given: never,
			result: diag.VerificationFailed, exit: 7, reason: "deployment 1002 succeeded, but the runtime was not ready within 20s", hint: "raise test-warmup-seconds",
			log: []string{"verify: waiting for the runtime to be ready"}, silent: []string{"SELECT 1"}, writes: happy, history: ours("succeeded"), took: "24s-25s",
		},
		{
			name: "only_a_warning", args: onlyReady + " --fail-on-test-error=false", given: never,
			result: diag.Succeeded, reason: "deployment 1002 succeeded; 0 of 1 probe passed, some checks failed",
			log:    []string{"verify: warning: deployment 1002 succeeded, but the runtime was not ready within 20s; no failure, since fail-on-test-error is false. What to do: look at"},
			silent: []string{"SELECT 1"}, writes: happy, history: ours("succeeded"), took: "24s-25s",
		},
		{
			name: "gap_that_does_not_end", args: onlyReady,
			given: func(s *stage) {
				sql(s)
				s.outcomes(emulator.Outcome{Runtime: &emulator.Runtime{Gap: time.Hour}})
			},
			result: diag.VerificationFailed, exit: 7, reason: "the runtime was not ready within 20s: GET /v1/ready: 502 Bad Gateway: an HTML page titled 502 Bad Gateway", hint: "check runtime-url",
			writes: happy, history: ours("succeeded"), took: "24s-25s",
		},
		{
			name: "answer_that_does_not_come", args: onlyReady,
			given: func(s *stage) {
				sql(s)
				s.faults(emulator.Fault{Path: "/v1/ready", Delay: time.Hour, Times: -1})
			},
			result: diag.VerificationFailed, exit: 7, reason: "the runtime was not ready within 20s: GET /v1/ready: no complete answer within 20s", hint: "check runtime-url",
			writes: happy, history: ours("succeeded"), took: "24s-25s",
		},
		{
			name: "connections_refused_for_a_while", args: onlyReady,
			given: func(s *stage) {
				sql(s)
				s.faults(emulator.Fault{Path: "/v1/ready", Kind: emulator.Refused, Times: 3})
			},
			result: diag.Succeeded, reason: "1 of 1 probe passed", writes: append(slices.Clone(happy), "POST sql"), history: ours("succeeded"), took: "5s-10s",
		},
		{
			name: "missing_secret_shows_in_the_log_of_the_instance", args: "--dataset-ready-timeout-seconds 9 --test-warmup-seconds 20 --missing-secrets ignore",
			given:  func(s *stage) { s.spicepod = manifest("ours", "PG_PASS") },
			result: diag.VerificationFailed, exit: 7, reason: "the runtime was not ready within 20s",
			log:    []string{"verify: instance … says: secrets_preflight: 1 secret references could not be resolved", "says: ✗ ${ secrets:PG_PASS } could not be resolved"},
			silent: []string{"Starting runtime"}, writes: happy, history: ours("succeeded"), took: "24s-25s",
			also: func(s *stage, e ended) {
				if len(e.RuntimeLog) != 2 {
					s.Errorf("the result holds the lines %q", e.RuntimeLog)
				}
			},
		},
	})
}

func TestVerify_address(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, placement, args, want string }{
		{"endpoint", "endpoint", "", "https://api.spice.test"},
		{"bare_host", "host", "", "https://api.spice.test"},
		{"cname", "cname", "", "https://us-east-1-prod-aws-data.spiceai.io"},
		{"region", "region", "", "https://us-east-1-prod-aws-data.spiceai.io"},
		{"region_of_the_data_plane", "data-region", "", "https://us-east-1-prod-aws-data.spiceai.io"},
		{"region_of_the_configuration", "config-region", "", "https://us-east-1-prod-aws-data.spiceai.io"},
		{"override", "endpoint", "--runtime-url https://runtime.example.com/", "https://runtime.example.com"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				s := newStage(t, verifies+" "+tc.args)
				s.configure(func(st *emulator.Settings) { st.Placement = tc.placement })
				e := s.run()
				if e.Result.Result != diag.Succeeded || s.runtime != tc.want {
					t.Errorf("got %s (%s) from %s, want %s", e.Result.Result, e.Reason, s.runtime, tc.want)
				}
			})
		})
	}
}
