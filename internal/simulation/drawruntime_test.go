package simulation_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// probe is a check that a step may ask for, and how the right answer to it looks.
type probe struct {
	name, input, value string
	right              func(answer string) bool
}

// allProbes are what a step may ask for. The runtime's answers to them are scripted.
func allProbes() []probe {
	rows := func(answer string) bool {
		return strings.HasPrefix(answer, "[") || strings.Contains(answer, `"data":[`) || strings.Contains(answer, `"rows":[`)
	}
	const query = "SELECT sum(total) AS total FROM orders"
	return []probe{
		{"sql", "test-sql", query, rows},
		{"sql", "test-sql", `[{"sql": "` + query + `", "expect": {"value": 42}}]`, func(answer string) bool { return strings.Contains(answer, `"total":42`) }},
		{"nsql", "test-nsql", "How many orders?", rows},
		{"chat", "test-chat", "How are the orders?", func(answer string) bool {
			return strings.Contains(answer, `"content":"`) && !strings.Contains(answer, `"content":""`)
		}},
		{"search", "test-search", "late orders", func(answer string) bool {
			return strings.Contains(answer, `"results":`) || strings.Contains(answer, `"matches":`)
		}},
		{"mcp", "test-mcp-tool", "lookup", func(answer string) bool {
			return strings.Contains(answer, `"content":[`) && strings.Contains(answer, `"isError":false`)
		}},
	}
}

// routes of the runtime by the kind of a probe.
var routes = map[string]string{"sql": "/v1/sql", "nsql": "/v1/nsql", "chat": "/v1/chat/completions", "search": "/v1/search", "mcp": "/v1/mcp"}

// drawChecks draws what the user wants to have verified, and whether what fails is rolled back.
func (w *world) drawChecks(r *rand.Rand) {
	w.inputs["rollback-on-failure"] = pick(r, "", "true")
	w.datasets, w.warmup, w.probe = 300*time.Second, 60*time.Second, 30*time.Second
	if chance(r, 0.3) { // nothing is verified
		w.inputs["dataset-ready-timeout-seconds"], w.datasets = "0", 0
		return
	}
	limit := func(name string, d *time.Duration, seconds ...int) {
		if n := pick(r, seconds...); n >= 0 { // else the default
			w.inputs[name], *d = fmt.Sprint(n), time.Duration(n)*time.Second
		}
	}
	limit("dataset-ready-timeout-seconds", &w.datasets, -1, 0, 13, 97, 131)
	limit("test-warmup-seconds", &w.warmup, -1, 0, 7, 37)
	limit("test-timeout-seconds", &w.probe, -1, 3)
	w.inputs["fail-on-test-error"] = pick(r, "", "", "false")
	w.inputs["test-chat-model"] = "assistant"
	for _, p := range allProbes() {
		if w.inputs[p.input] == "" && chance(r, 0.25) {
			w.inputs[p.input] = p.value
			w.probes = append(w.probes, p)
		}
	}
}

// verifies tells whether the runtime is to be contacted.
func (w *world) verifies() bool { return w.datasets > 0 || len(w.probes) > 0 }

// script is how a runtime behaves: as it should, or in one or two ways not. What it says may hold what must never
// be shown.
func (w *world) script(r *rand.Rand) *emulator.Runtime {
	says := "refused for " + w.secrets["SECRET_0"] + " and " + keyPlace
	rt := &emulator.Runtime{
		Datasets: map[string]emulator.Component{}, Models: map[string]emulator.Component{},
		SQL:  []emulator.SQLAnswer{{When: emulator.When{Match: "total"}, Rows: []emulator.Row{{"total": 42}}}},
		MCP:  emulator.MCP{SSE: chance(r, 0.5), Tools: map[string]emulator.Tool{"lookup": {Text: "found"}}},
		Chat: []emulator.ChatAnswer{{Text: "well"}},
	}
	if chance(r, 0.4) {
		rt.Gap = upTo(r, 20*time.Second)
	}
	if chance(r, 0.4) {
		rt.ReadyAfter = upTo(r, 70*time.Second)
	}
	for range pick(r, 0, 0, 1, 2) {
		switch r.IntN(14) {
		case 0, 1:
			rt.ServesOld = true
		case 2:
			rt.Datasets["orders"] = emulator.Component{Status: "Error", ErrorMessage: says, Error: &emulator.ComponentError{Code: "dataset.auth"}}
		case 3:
			rt.Datasets["Customers-EU"] = emulator.Component{Status: "Error", ErrorMessage: says, For: upTo(r, 100*time.Second)}
		case 4:
			rt.Datasets["Customers-EU"] = emulator.Component{Missing: true}
		case 5:
			rt.Datasets["orders"] = emulator.Component{Status: pick(r, "Refreshing", "ready", "Disabled", "Initializing", "ShuttingDown", "Sleeping")}
		case 6:
			rt.Models["assistant"] = emulator.Component{Status: "Error", ErrorMessage: says, For: pick(r, 0, upTo(r, time.Minute))}
		case 7:
			rt.SQL = []emulator.SQLAnswer{{When: emulator.When{Match: "total"}, Rows: []emulator.Row{{"total": 41}}}}
		case 8:
			rt.SQL = []emulator.SQLAnswer{{When: emulator.When{Error: says, Status: pick(r, 400, 500, 503)}}}
		case 9:
			rt.NSQL = []emulator.NSQLAnswer{{When: emulator.When{Error: says}}}
		case 10:
			rt.Chat = []emulator.ChatAnswer{pick(r, emulator.ChatAnswer{}, emulator.ChatAnswer{When: emulator.When{Error: says}})}
		case 11:
			rt.Search = []emulator.SearchAnswer{{When: emulator.When{Error: says}}}
		case 12:
			rt.MCP.LoseEvery = 1 + r.IntN(3)
		case 13:
			rt.MCP.RefuseHost = chance(r, 0.3)
			rt.MCP.Tools = map[string]emulator.Tool{"lookup": pick(r, emulator.Tool{Error: says}, emulator.Tool{Text: says, IsError: true})}
		}
	}
	return rt
}

// keyPlace stands in a script where the app's API key comes, which is known only once there is an app.
const keyPlace = "{the key}"

// reveal puts the key of the app into the scripts.
func (w *world) reveal(key string) []emulator.Outcome {
	outcomes := w.scenario.Outcomes
	for _, o := range outcomes {
		rt := o.Runtime
		if rt == nil {
			continue
		}
		put := func(text *string) { *text = strings.ReplaceAll(*text, keyPlace, key) }
		for _, components := range []map[string]emulator.Component{rt.Datasets, rt.Models} {
			for name, c := range components {
				put(&c.ErrorMessage)
				components[name] = c
			}
		}
		for i := range rt.SQL {
			put(&rt.SQL[i].Error)
		}
		for i := range rt.NSQL {
			put(&rt.NSQL[i].Error)
		}
		for i := range rt.Chat {
			put(&rt.Chat[i].Error)
		}
		for i := range rt.Search {
			put(&rt.Search[i].Error)
		}
		for name, tool := range rt.MCP.Tools {
			put(&tool.Error)
			put(&tool.Text)
			rt.MCP.Tools[name] = tool
		}
	}
	return outcomes
}

// interference is something that happens shortly after a request of the run: the job is cancelled, somebody else
// deploys or pushes, or the key of the runtime is made anew.
type interference struct {
	what  string
	at    place
	nth   int // which of the requests at that place
	after time.Duration
	rival rival
}

// drawInterference draws one that hits a stage which one at any moment would hardly hit.
func (w *world) drawInterference(r *rand.Rand) {
	if !chance(r, 0.35) {
		return
	}
	w.meddler = &interference{
		what: pick(r, "cancel", "cancel", "deploy", "push", "deploy", "push", "rotate"),
		at: pick(r,
			place{"", "GET", "/projects/*/api-keys"}, place{"", "GET", "/datasets"}, place{"", "GET", "/datasets"}, place{"", "GET", "/ready"},
			place{"", "POST", "/sql"}, place{"", "POST", "/mcp"}, place{"", "GET", "/projects/*/instances"},
			place{"", "GET", "/projects/*"}, place{"", "PUT", "/projects/*"}, place{"", "POST", "/projects/*/deployments"}, place{"", "GET", "/projects/*/deployments/*"}),
		nth: 1 + r.IntN(4), after: 1 + upTo(r, pick(r, time.Second, 20*time.Second)),
		rival: rival{deployment: w.rivalDeployment(r)},
	}
}

// drawSetback makes it likely that ours is deployed, fails or does not serve, and is to be rolled back.
func (w *world) drawSetback(r *rand.Rand) {
	maps.Copy(w.inputs, map[string]string{
		"create-app-if-missing": "", "dry-run": "", "wait-for-completion": "", "missing-secrets": "ignore", "rollback-on-failure": "true",
		"on-conflict": "",
	})
	if len(w.secrets) == 0 {
		w.inputs["secrets-prune"] = ""
	}
	w.faultRate = pick(r, 0, 0, 0.02, 0.1)
	w.others, w.cancel, w.meddler = nil, 0, nil
	w.scenario.Apps = []emulator.App{{
		Name: appName, Spicepod: manifest("theirs"), Secrets: map[string]string{"SECRET_0": "an old value"},
		Deployments: []emulator.Deployment{{Age: 24 * time.Hour, CommitSHA: "01dc0de", Branch: ourBranch}},
	}}
	soon, later := upTo(r, 3*time.Second), upTo(r, 20*time.Second)
	first := &w.scenario.Outcomes[0]
	*first = emulator.Outcome{Queued: &soon, InProgress: &later, Runtime: w.script(r)}
	if chance(r, 0.3) {
		first.Status = "failed"
	}
	w.drawInterference(r)
	if w.meddler != nil && chance(r, 0.5) {
		w.meddler.rival.deployment.Outcome = emulator.Outcome{Queued: &soon, InProgress: &soon, Runtime: first.Runtime, Status: pick(r, "", "failed")}
	}
}
