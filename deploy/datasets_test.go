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

// broken is a dataset in error, for ever where d is 0.
func broken(d time.Duration) emulator.Component {
	return emulator.Component{
		Status: "Error", For: d, Error: &emulator.ComponentError{Category: "dataset", Type: "auth", Code: "dataset.auth"},
		ErrorMessage: "password authentication failed",
	}
}

func datasets(of map[string]emulator.Component) emulator.Runtime {
	return emulator.Runtime{Datasets: of}
}

// listing has the runtime answer with these lists of datasets, the last one for ever.
func listing(s *stage, bodies ...string) {
	for i, body := range bodies {
		times := 1
		if i == len(bodies)-1 {
			times = -1
		}
		s.faults(emulator.Fault{Path: "/v1/datasets", Nth: i + 1, Times: times, Status: 200, Body: body})
	}
}

func TestVerify_formerVersion(t *testing.T) {
	t.Parallel()
	// The former version is served for ever; the new one has other datasets.
	hangs := func(former, now []string) func(*stage) {
		return func(s *stage) {
			s.app.Spicepod, s.spicepod = served("old", former...), served("ours", now...)
			s.outcomes(emulator.Outcome{Runtime: &emulator.Runtime{ServesOld: true}})
		}
	}
	still := "deployment 1002 succeeded, but the former version is still served after 30s: "
	const args = "--dataset-ready-timeout-seconds 30 --fail-on-test-error=false"
	scenes := []scene{
		{name: "removed_dataset", given: hangs([]string{orders, "Old-One=file:a.csv"}, []string{orders}), reason: still + "Old-One was removed and is still served"},
		{name: "another_from", given: hangs([]string{"orders=postgres:a"}, []string{"orders=postgres:b"}), reason: still + "orders comes from postgres:a instead of postgres:b"},
		{name: "new_dataset", given: hangs([]string{orders}, []string{orders, "trips=s3://b"}), reason: still + "trips is missing", also: func(s *stage, e ended) {
			if diff := cmp.Diff([]string{"trips"}, e.MissingDatasets); diff != "" || len(e.Datasets) != 1 {
				s.Errorf("missing (-want, +got):\n%s\nlisted: %v", diff, e.Datasets)
			}
		}},
		{
			name: "user_part_of_a_url", given: hangs([]string{"a=https://me:hunter2@a.example.com/x"}, []string{"a=https://me:hunter2@b.example.com/x"}),
			reason: still + "a comes from https://***@a.example.com/x instead of https://***@b.example.com/x", silent: []string{"hunter2"},
		},
		{
			name:   "many_datasets",
			given:  hangs([]string{orders}, strings.Fields("a=f:1 b=f:2 c=f:3 d=f:4 e=f:5 f=f:6 g=f:7")),
			reason: "orders was removed and is still served; a is missing; b is missing; c is missing; d is missing; and 3 more",
		},
		{
			name: "error_of_the_former_version", reason: still + "trips is missing",
			given: func(s *stage) {
				hangs([]string{orders}, []string{orders, "trips=s3://b"})(s)
				s.app.Runtime = &emulator.Runtime{Datasets: map[string]emulator.Component{"orders": broken(0)}}
			},
		},
	}
	for i := range scenes {
		scenes[i].args, scenes[i].result, scenes[i].exit = args, diag.VerificationFailed, 7
		scenes[i].hint, scenes[i].log = "the new version did not take over", []string{"verify: not the new version yet: "}
		scenes[i].writes, scenes[i].history, scenes[i].took = happy, ours("succeeded"), "34s-35s"
		scenes[i].silent = append(scenes[i].silent, "verify: dataset ")
	}
	playAll(t, append(scenes, scene{
		name: "that_takes_a_while_to_go", args: verifies,
		given: func(s *stage) {
			s.spicepod = served("ours", orders)
			listing(s, `[{"name":"gone","from":"a","status":"Ready"}]`, `[{"name":"gone","from":"a","status":"Ready"}]`, `[{"name":"orders","from":"postgres:orders","status":"Ready"}]`)
		},
		result: diag.Succeeded, log: []string{"verify: not the new version yet: orders is missing", "verify: the new version is served: 1 dataset ready"},
		writes: happy, history: ours("succeeded"), took: "5s-7s",
	}, scene{
		// The former version is in error for 100 s, and the new one for 50 s: neither is held against the new one.
		name: "error_of_the_former_version_takes_nothing_from_the_grace", args: verifies,
		given: func(s *stage) {
			s.app.Spicepod, s.spicepod = served("old", orders), served("ours", orders, "trips=s3://b")
			former := `[{"name":"orders","from":"postgres:orders","status":"Error"}]`
			now := `[{"name":"orders","from":"postgres:orders","status":"Error"},{"name":"trips","from":"s3://b","status":"Ready"}]`
			listing(s, slices.Concat(slices.Repeat([]string{former}, 50), slices.Repeat([]string{now}, 25), []string{strings.ReplaceAll(now, "Error", "Ready")})...)
		},
		result: diag.Succeeded, log: []string{"verify: not the new version yet: trips is missing", "verify: dataset orders is Error", "verify: dataset orders is Ready"},
		writes: happy, history: ours("succeeded"), took: "2m0s-2m50s",
	}, scene{
		name: "all_datasets_are_removed", args: args,
		given: func(s *stage) {
			hangs([]string{orders}, nil)(s)
			s.spicepod = manifest("ours")
		},
		result: diag.VerificationFailed, exit: 7, reason: still + "orders was removed and is still served", writes: happy, history: ours("succeeded"), took: "34s-35s",
	}, scene{
		name: "goes_with_its_datasets", args: args, given: func(s *stage) { s.app.Spicepod = served("old", orders) },
		result: diag.Succeeded, reason: "deployment 1002 succeeded", log: []string{"verify: the new version is served: the removed datasets are gone"},
		writes: happy, history: ours("succeeded"), took: "4s-5s",
	}, scene{
		name: "lists_no_from", args: args,
		given: func(s *stage) {
			s.spicepod = served("ours", orders)
			listing(s, `[{"name":"orders","status":"Ready"}]`)
		},
		result: diag.VerificationFailed, exit: 7, reason: still + "orders is listed without a from instead of with postgres:orders", writes: happy, history: ours("succeeded"), took: "34s-35s",
	}))
}

func TestVerify_datasetErrors(t *testing.T) {
	t.Parallel()
	one := func(c emulator.Component) func(*stage) {
		return withDatasets(datasets(map[string]emulator.Component{"orders": c}), orders, "trips=s3://b")
	}
	failed := "deployment 1002 succeeded, but 1 dataset failed: orders is Error: password authentication failed (dataset.auth)"
	playAll(t, []scene{
		{
			name: "lasting", args: verifies + " --fail-on-test-error=false", given: one(broken(0)),
			result: diag.VerificationFailed, exit: 7, reason: failed, hint: "correct the dataset's source",
			log: []string{
				"verify: dataset orders is Error: password authentication failed (dataset.auth)", "verify: dataset trips is Ready",
				"verify: instance … says: Failed to load dataset orders: password authentication failed",
			},
			silent: []string{"Starting runtime", "says: secrets_preflight"},
			writes: happy, history: ours("succeeded"), took: "1m19s-1m21s",
		},
		{
			name: "lasting_longer_than_there_is_time", args: "--dataset-ready-timeout-seconds 20", given: one(broken(0)),
			result: diag.VerificationFailed, exit: 7, reason: failed, writes: happy, history: ours("succeeded"), took: "24s-25s",
		},
		{
			name: "passing_within_the_grace", args: verifies, given: one(broken(70 * time.Second)),
			result: diag.Succeeded, reason: "2 datasets ready", log: []string{"dataset orders is Error", "dataset orders is Ready"},
			writes: happy, history: ours("succeeded"), took: "1m14s-1m16s",
		},
		{
			name: "after_it_was_ready", args: verifies,
			given: func(s *stage) {
				s.spicepod = served("ours", orders, "trips=s3://b")
				list := `[{"name":"orders","from":"postgres:orders","status":"%"},{"name":"trips","from":"s3://b","status":"Initializing"}]`
				listing(s, strings.Replace(list, "%", "Ready", 1), strings.Replace(list, "%", "Error", 1))
			},
			result: diag.VerificationFailed, exit: 7, reason: "1 dataset failed: orders is Error",
			log:    []string{"verify: dataset orders is Ready", "verify: dataset trips is Initializing", "verify: dataset orders is Error"},
			writes: happy, history: ours("succeeded"), took: "1m20s-1m22s",
		},
		{
			name: "that_comes_back_has_its_grace_anew", args: verifies,
			given: func(s *stage) {
				s.spicepod = served("ours", orders, "trips=s3://b")
				list := `[{"name":"orders","from":"postgres:orders","status":"%"},{"name":"trips","from":"s3://b","status":"Initializing"}]`
				ready, failed := strings.Replace(list, "%", "Ready", 1), strings.Replace(list, "%", "Error", 1)
				lists := slices.Concat(slices.Repeat([]string{failed}, 25), []string{ready}, slices.Repeat([]string{failed}, 25), []string{strings.Replace(ready, "Initializing", "Ready", 1)})
				listing(s, lists...)
			},
			result: diag.Succeeded, log: []string{"dataset orders is Error", "dataset orders is Ready", "dataset orders is Error", "dataset orders is Ready"},
			writes: happy, history: ours("succeeded"), took: "1m30s-1m50s",
		},
		{
			name: "none_of_one_that_refreshes_again_and_again", args: verifies,
			given: func(s *stage) {
				s.spicepod = served("ours", orders, "trips=s3://b")
				list := `[{"name":"orders","from":"postgres:orders","status":"%"},{"name":"trips","from":"s3://b","status":"Initializing"}]`
				ready, refreshing := strings.Replace(list, "%", "Ready", 1), strings.Replace(list, "%", "Refreshing", 1)
				listing(s, ready, refreshing, ready, refreshing, strings.Replace(ready, "Initializing", "Ready", 1))
			},
			result: diag.Succeeded, silent: []string{"Refreshing"}, log: []string{"verify: dataset orders is Ready", "verify: dataset trips is Ready"},
			writes: happy, history: ours("succeeded"), took: "7s-11s",
		},
		{
			name: "of_a_spicepod_that_this_one_depends_on", args: verifies,
			given: func(s *stage) {
				s.spicepod = served("ours", orders)
				listing(s, `[{"name":"orders","from":"postgres:orders","status":"Ready"},{"name":"base","from":"file:b","status":"Error","error_message":"no such file"}]`)
			},
			result: diag.VerificationFailed, exit: 7, reason: "1 dataset failed: base is Error: no such file", writes: happy, history: ours("succeeded"), took: "1m19s-1m21s",
		},
		{
			name: "loading_for_ever", args: "--dataset-ready-timeout-seconds 30", given: one(emulator.Component{Status: "Initializing"}),
			result: diag.VerificationFailed, exit: 7, reason: "not all datasets were ready within 30s: orders is Initializing", hint: "raise dataset-ready-timeout-seconds",
			writes: happy, history: ours("succeeded"), took: "34s-35s",
		},
		{
			name: "without_a_status", args: "--dataset-ready-timeout-seconds 30",
			given: func(s *stage) {
				s.spicepod = served("ours", orders)
				listing(s, `[{"name":"orders","from":"postgres:orders"}]`)
			},
			result: diag.VerificationFailed, exit: 7, reason: "not all datasets were ready within 30s: orders is without a status", writes: happy, history: ours("succeeded"), took: "34s-35s",
		},
		{
			name: "none_listed", args: "--dataset-ready-timeout-seconds 30", given: one(emulator.Component{Missing: true}),
			result: diag.VerificationFailed, exit: 7, reason: "the former version is still served after 30s: orders is missing", writes: happy, history: ours("succeeded"), took: "34s-35s",
		},
		{
			name: "empty_list", args: "--dataset-ready-timeout-seconds 30 --fail-on-test-error=false",
			given: func(s *stage) {
				s.spicepod = served("ours", orders)
				listing(s, `[]`)
			},
			result: diag.VerificationFailed, exit: 7, reason: "the runtime lists no datasets after 30s: orders is missing", hint: "raise dataset-ready-timeout-seconds",
			writes: happy, history: ours("succeeded"), took: "34s-35s",
		},
		{
			name: "list_that_is_none", args: "--dataset-ready-timeout-seconds 30",
			given: func(s *stage) {
				s.spicepod = served("ours", orders)
				listing(s, `{"message":"hello"}`)
			},
			result: diag.VerificationFailed, exit: 7, reason: "what answers does not look like the runtime: GET /v1/datasets: unusable answer with status 200", hint: "check runtime-url",
			writes: happy, history: ours("succeeded"), took: "14s-16s",
		},
		{
			name: "list_that_does_not_come", args: "--dataset-ready-timeout-seconds 20",
			given: func(s *stage) {
				s.spicepod = served("ours", orders)
				s.faults(emulator.Fault{Path: "/v1/datasets", Delay: time.Hour, Times: -1})
			},
			result: diag.VerificationFailed, exit: 7, reason: "did not list its datasets within 20s: GET /v1/datasets: no complete answer within 20s", hint: "check runtime-url", writes: happy, history: ours("succeeded"), took: "24s-25s",
		},
		{
			name: "last_look_is_cut_short", args: "--dataset-ready-timeout-seconds 20",
			given: func(s *stage) {
				one(emulator.Component{Status: "Initializing"})(s)
				s.faults(emulator.Fault{Path: "/v1/datasets", Nth: 3, Delay: time.Hour, Times: -1})
			},
			result: diag.VerificationFailed, exit: 7, reason: "not all datasets were ready within 20s: orders is Initializing", writes: happy, history: ours("succeeded"), took: "24s-25s",
		},
	})
}

func TestVerify_explains(t *testing.T) {
	t.Parallel()
	given := func(more func(*stage)) func(*stage) {
		return func(s *stage) {
			withDatasets(datasets(map[string]emulator.Component{"orders": broken(0)}), orders)(s)
			more(s)
		}
	}
	logs := func(lines ...string) func(*stage) {
		return func(s *stage) {
			s.faults(emulator.Fault{Path: "/logs", Status: 200, Body: `{"lines":["` + strings.Join(lines, `","`) + `"]}`})
		}
	}
	scenes := []scene{
		{name: "plan_with_fewer_lines", given: given(func(s *stage) { s.configure(func(st *emulator.Settings) { st.MaxLogTail = 5 }) }), log: []string{"says: Failed to load dataset orders"}},
		{
			name: "newest_instance_that_says_something", given: given(func(s *stage) { s.app.Replicas = 2 }),
			log: []string{"-1 says: Failed to load dataset orders"}, also: func(s *stage, e ended) {
				if len(e.RuntimeLog) != 1 {
					s.Errorf("the result holds the lines %q", e.RuntimeLog)
				}
			},
		},
		{name: "no_list_of_instances", given: given(func(s *stage) { s.faults(emulator.Fault{Path: "/instances", Nth: 2, Times: -1, Status: 500}) }), log: []string{"verify: the logs of the instances could not be read: … 500"}},
		{name: "no_log", given: given(func(s *stage) { s.faults(emulator.Fault{Path: "/logs", Status: 403, Body: `{"error":"no"}`}) }), log: []string{"verify: the log of instance … could not be read: … 403"}},
		{name: "log_that_hangs", given: given(func(s *stage) { s.faults(emulator.Fault{Path: "/logs", Delay: time.Hour}) }), log: []string{"verify: the log of instance … could not be read: "}, took: "1m29s-1m31s"},
		{
			name: "lines_that_name_the_dataset_as_a_word", given: given(logs("reorders done", "ORDERS: waits", "orders_2 done", "all is well", "ORDERS: waits", "it was Refused")),
			log: []string{"says: ORDERS: waits", "says: it was Refused"}, silent: []string{"reorders", "orders_2", "all is well"},
		},
		{name: "last_ten_lines", given: given(logs(strings.Split("error 0,error 1,error 2,error 3,error 4,error 5,error 6,error 7,error 8,error 9,error a", ",")...)), log: []string{"says: error 1", "says: error a"}, silent: []string{"error 0"}},
	}
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.exit, sc.reason = verifies, diag.VerificationFailed, 7, "1 dataset failed: orders is Error"
		sc.writes, sc.history, sc.took = happy, ours("succeeded"), or(sc.took, "1m19s-1m21s")
	}
	playAll(t, scenes)
}
