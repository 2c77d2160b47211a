package deploy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// listed is an entry of the runtime's list of datasets.
type listed struct {
	Name         string `json:"name"`
	From         string `json:"from,omitempty"`
	Status       string `json:"status,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
}

func listOf(s *stage, list ...listed) {
	s.Helper()
	raw, err := json.Marshal(list)
	s.must(err)
	listing(s, string(raw))
}

// TestVerify_hostileRuntime has the runtime, which is anybody's if runtime-url says so, give names that are made to
// get into a log.
func TestVerify_hostileRuntime(t *testing.T) {
	t.Parallel()
	const evil = "a\n::error::gotcha\r\x1b[31m\u202e\u2028b"
	plain := func(s *stage, e ended) {
		for _, text := range append(append([]string{e.Reason, e.Hint}, e.log...), e.RuntimeLog...) {
			if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 || len(text) > 5000 {
				s.Errorf("%d bytes, and a character that does not show at %d: %q", len(text), i, text)
			}
		}
	}
	list := func(list ...listed) func(*stage) {
		return func(s *stage) {
			s.app.Spicepod, s.spicepod = served("old", orders, "gone=a"), served("ours", orders)
			listOf(s, list...)
		}
	}
	huge := make([]listed, 20)
	for i := range huge {
		huge[i] = listed{Name: fmt.Sprintf("%d%s", i, strings.Repeat("x", 200<<10)), Status: "Error"}
	}
	good := listed{Name: "orders", From: "postgres:orders", Status: "Ready"}
	scenes := []scene{
		{name: "name", given: list(good, listed{Name: evil, Status: "Error", ErrorMessage: evil}), reason: `1 dataset failed: a ::error::gotcha b is Error: a ::error::gotcha b`},
		{name: "name_of_what_is_pending", given: list(good, listed{Name: evil, Status: evil}), reason: `not all datasets were ready within 10s: a ::error::gotcha`},
		{name: "from", given: list(listed{Name: "orders", From: evil, Status: "Ready"}), reason: `orders comes from a ::error::gotcha b instead of postgres:orders`},
		{name: "long", given: list(good, listed{Name: strings.Repeat("é", 1<<17), Status: strings.Repeat("x", 1<<17), ErrorMessage: strings.Repeat("y", 1<<17)}), reason: "not all datasets were ready"},
		{name: "long_and_in_error", given: list(good, listed{Name: strings.Repeat(`"`, 1<<17), Status: "error"}), reason: "1 dataset failed"},
		{name: "many_long_and_in_error", given: list(append(huge, good)...), reason: "20 datasets failed"},
		{name: "one_name_many_times", given: list(good, listed{Name: "orders", From: "postgres:other", Status: "Error"}), reason: "orders comes from postgres:other"},
		{name: "lines_of_the_log", given: func(s *stage) {
			list(good, listed{Name: "base", Status: "Error"})(s)
			raw, err := json.Marshal(map[string]any{"lines": []string{"error " + evil, "error\n\n"}})
			s.must(err)
			s.faults(emulator.Fault{Path: "/logs", Status: 200, Body: string(raw), Times: -1})
		}, reason: "1 dataset failed", log: []string{"says: error a ::error::gotcha"}},
	}
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.exit, sc.also = "--dataset-ready-timeout-seconds 10", diag.VerificationFailed, 7, plain
		sc.reason = "deployment 1002 succeeded, but " + " … " + sc.reason
		sc.writes, sc.history, sc.took = happy, ours("succeeded"), "14s-15s"
	}
	playAll(t, scenes)
}

// TestVerify_manyDatasets has a spicepod with 5,000 of them: whatever becomes of them, the log and the reason can be
// read.
func TestVerify_manyDatasets(t *testing.T) {
	t.Parallel()
	const many = 5000
	var declared []string
	for i := range many {
		declared = append(declared, fmt.Sprintf("d%d=file:%d", i, i))
	}
	list := func(status string) []listed {
		all := make([]listed, many)
		for i := range all {
			all[i] = listed{Name: fmt.Sprintf("d%d", i), From: fmt.Sprintf("file:%d", i), Status: status}
		}
		return all
	}
	given := func(lists ...[]listed) func(*stage) {
		return func(s *stage) {
			s.spicepod = served("ours", declared...)
			var bodies []string
			for _, l := range lists {
				raw, err := json.Marshal(l)
				s.must(err)
				bodies = append(bodies, string(raw))
			}
			listing(s, bodies...)
		}
	}
	readable := func(s *stage, e ended) {
		if len(e.log) > 150 || len(e.Reason) > 1000 {
			s.Errorf("%d lines of log, and a reason of %d characters", len(e.log), len(e.Reason))
		}
	}
	failed := func(sc scene) scene {
		sc.args, sc.result, sc.exit, sc.took = "--dataset-ready-timeout-seconds 10", diag.VerificationFailed, 7, "14s-15s"
		sc.writes, sc.history, sc.also = happy, ours("succeeded"), readable
		return sc
	}
	playAll(t, []scene{
		{
			name: "ready", args: verifies, given: given(list("Initializing"), list("Initializing"), list("Ready")), result: diag.Succeeded, reason: "5000 datasets ready",
			log: []string{
				"verify: dataset d0 is Initializing", "verify: dataset d49 is Initializing", "verify: there are 5000 datasets; those beyond the first 50 are not shown here",
				"verify: dataset d0 is Ready", "verify: dataset d49 is Ready", "verify: the new version is served",
			},
			silent: []string{"d50 "}, writes: happy, history: ours("succeeded"), took: "5s-6s", also: readable,
		},
		failed(scene{name: "in_error", given: given(list("Error")), reason: "5000 datasets failed: d0 is Error; d1 is Error; d2 is Error; d3 is Error; d4 is Error; and 4995 more"}),
		failed(scene{name: "loading", given: given(list("Initializing")), reason: "not all datasets were ready within 10s: d0 is Initializing; … and 4995 more"}),
		failed(scene{name: "missing", given: given([]listed{}), reason: "the runtime lists no datasets after 10s: d0 is missing; … and 4995 more"}),
	})
}
