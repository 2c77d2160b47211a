package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

const fullScenario = `
settings:
  list_lag: 2s
  sql_edition: rows
  scopes: ["apps:read", "deployments:write"]
orgs:
  - {name: friends, role: viewer}
users: [asmith]
repositories:
  - name: acme/shop
    branches:
      main: {commit_sha: feed, commit_message: head, spicepod: {version: v1, kind: Spicepod, name: shop}}
apps:
  - id: 7
    name: shop-app
    paused: true
    spicepod: |
      version: v1
      kind: Spicepod
      name: shop
    secrets: {PG_PASS: hunter2}
    deployments:
      - {age: 2h, status: succeeded, commit_sha: aaa}
      - {age: 10s, status: stuck, actor: portal-user, creation_source: portal}
  - name: connected-app
    repository: acme/shop
    runtime:
      gap: 9s
      ready_after: 20s
      serves_old: true
      datasets: {orders: {status: Error, error: {category: dataset, type: auth, code: dataset.auth}, error_message: no password, for: 5s}}
      models: {gpt: {missing: true}}
      sql: [{match: COUNT, rows: [{n: 1, at: 2026-01-02T03:04:05Z, 7: x}]}, {exact: SELECT 2, status: 500, error: boom}]
      nsql: [{match: how, sql: SELECT 1, rows: []}]
      chat: [{match: hi, text: hello}]
      search: [{results: [{dataset: orders, matches: {note: [late]}}]}]
      mcp: {sse: true, lose_every: 3, refuse_host: true, tools: {sql: {text: x, is_error: true, error: y}}}
runtime: {gap: 1s}
outcomes:
  - {queued: 0s, in_progress: 5m, shortage: insufficient_cpu}
  - {status: failed, error_code: unable_to_start, words: {in_progress: building}, logs: [one, two], runtime: {serves_old: true}}
faults:
  - {method: POST, path: /deployments, kind: lost, after_effect: true}
  - {path: /secrets, status: 429, headers: {Retry-After: "3"}, times: 2}
`

func TestParseScenario(t *testing.T) {
	t.Parallel()
	sc, err := emulator.ParseScenario([]byte(fullScenario))
	if err != nil {
		t.Fatal(err)
	}
	e := emulator.New(emulator.Options{Queued: time.Minute})
	if err := e.Apply(sc); err != nil {
		t.Fatal(err)
	}
	if got := e.Settings(); got.ListLag != 2*time.Second || got.Queued != time.Minute || len(got.Scopes) != 2 || got.Plan != "enterprise" {
		t.Errorf("settings %+v", got)
	}
	a := e.App(7)
	if !a.Paused || a.Deployments[0].Status != "succeeded" || a.Deployments[1].Status != "queued" || a.Deployments[1].Actor != "portal-user" {
		t.Errorf("app %+v", a)
	}
	if got, _ := e.SecretValue(7, "PG_PASS"); got != "hunter2" {
		t.Errorf("secret %q", got)
	}
	if got := e.Apps()[1]; got.Repository != "acme/shop" || got.ProductionBranch != "main" {
		t.Errorf("connected app %+v", got)
	}
}

func TestParseScenarioRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, want string }{
		{"unknown_field", "settings:\n  list_lag: 2s\n  list_lags: 3s\n", `line 3: unknown field "list_lags", expected one of queued, in_progress, scopes`},
		{"unknown_field_in_json", "{\n\"faults\": [{\"knd\": \"lost\"}]}", `line 2: unknown field "knd", expected one of method, path`},
		{"unknown_at_the_top", "app: []\n", `line 1: unknown field "app", expected one of settings, orgs, users, repositories, apps`},
		{"inline_fields_are_known", "apps:\n- name: shop\n  deployments: [{statuss: x}]\n", `line 3: unknown field "statuss", expected one of queued, in_progress, status`},
		{"duration_without_unit", "settings: {list_lag: 2}\n", "line 1: "},
		{"not_yaml", "apps: [\n", "line 2: "},
		{"kind", "faults: [{kind: los}]\n", `faults[0].kind: expected one of status, lost, slow, truncated, html, empty, redirect, refused, got "los"`},
		{"status_needed", "faults: [{kind: status}]\n", "faults[0].status: needed"},
		{"status_range", "faults: [{status: 99}]\n", "faults[0].status: expected 200 to 599, got 99"},
		{"late", "faults: [{kind: slow, delay: 1s, late: 1s}]\n", "faults[0].late: must not"},
		{"pattern", "faults: [{kind: lost, path: '[']\n", "line 1: "},
		{"glob", "faults: [{kind: lost, path: '/[a'}]\n", `faults[0].path: "/[a": syntax error in pattern`},
		{"setting", "settings: {conflict_edition: all, plan: free}\n", `conflict_edition: expected one of queued, any, got "all"`},
		{"scope", "settings: {scopes: [apps]}\n", `settings: scopes: unknown scope "apps"`},
		{"app_name", "apps: [{name: a}]\n", `apps[0].name: expected 4 to 38 letters, digits or hyphens, got "a"`},
		{"app_spicepod", "apps: [{name: shop, spicepod: 'a: [1'}]\n", "apps[0].spicepod: "},
		{"runtime_field", "runtime:\n  ready: 2s\n", `line 2: unknown field "ready", expected one of gap, ready_after, serves_old, datasets`},
		{"runtime_inline_field", "runtime: {sql: [{matches: x}]}\n", `line 1: unknown field "matches", expected one of match, exact, status, error, rows`},
		{"runtime_tool_field", "runtime: {mcp: {tools: {x: {isError: true}}}}\n", `line 1: unknown field "isError", expected one of text, is_error, error`},
		{"runtime_duration", "runtime: {gap: -1s, ready_after: -2s}\n", "runtime.ready_after: must not be negative, got -2s"},
		{"runtime_status", "apps: [{name: shop, runtime: {sql: [{match: x}, {status: 302}]}}]\n", "apps[0].runtime.sql[1].status: expected 200 or 400 to 599, got 302"},
		{"runtime_match", "outcomes: [{runtime: {chat: [{match: x, exact: y}]}}]\n", "outcomes[0].runtime.chat[0].exact: give either match or exact"},
		{"runtime_refusal", "runtime: {search: [{status: 200, error: x}]}\n", "runtime.search[0].error: a refusal cannot have the status 200"},
		{"runtime_component", "apps: [{name: shop, deployments: [{runtime: {datasets: {orders: {for: 5s}}}}]}]\n", "apps[0].deployments[0].runtime.datasets.orders.status: needed"},
		{"runtime_mcp", "runtime: {mcp: {lose_every: -1}}\n", "runtime.mcp.lose_every: must not be negative, got -1"},
		{"deployed_spicepod", "apps: [{name: shop, deployments: [{spicepod: 'a: [1'}]}]\n", "apps[0].deployments[0].spicepod: "},
		{"edition", "settings: {search_edition: old}\n", `search_edition: expected one of results, matches, got "old"`},
		{"secret_name", "apps: [{name: shop, secrets: {a-b: x}}]\n", `apps[0].secrets: "a-b" is not a valid name`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := emulator.ParseScenario([]byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
	if _, err := emulator.ParseScenario(nil); err != nil {
		t.Errorf("nothing at all: %v", err)
	}
}

func TestApplyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	e := emulator.New(emulator.Options{})
	addApp(t, e, nil)
	before, settings := e.Apps(), e.Settings()
	cases := []struct {
		scenario emulator.Scenario
		want     string
	}{
		{
			emulator.Scenario{Settings: func(st *emulator.Settings) { st.Plan = "pro" }, Apps: []emulator.App{{Name: "new-app"}, {Name: "SHOP-app"}}},
			`apps[1]: name: "SHOP-app" is taken`,
		},
		{emulator.Scenario{Apps: []emulator.App{{Name: "new-app", ID: 7}}}, "apps[0]: id: 7 is taken"},
		{emulator.Scenario{Apps: []emulator.App{{Name: "new-app", Repository: "a/b"}}}, `apps[0]: repository: "a/b" is not among the repositories`},
		{
			emulator.Scenario{Apps: []emulator.App{{Name: "new-app"}}, Settings: func(st *emulator.Settings) { st.ConflictEdition = "" }},
			`settings: conflict_edition: expected one of queued, any, got ""`,
		},
	}
	for _, tc := range cases {
		if err := e.Apply(tc.scenario); err == nil || err.Error() != tc.want {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
	if diff := cmp.Diff(before, e.Apps()); diff != "" {
		t.Errorf("apps (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(settings, e.Settings()); diff != "" {
		t.Errorf("settings (-before +after):\n%s", diff)
	}
}

func TestControlRoutes(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	anonymous := c.as("")
	post := func(path, body string) answer { return anonymous.want(http.StatusOK, "POST", "/_emulator/"+path, body) }

	if got := post("apps", `{"id": 7, "name": "shop-app", "spicepod": {"version": "v1", "kind": "Spicepod", "name": "\ud83c\udf36"}}`).id(); got != 7 {
		t.Errorf("app id %d", got)
	}
	if got := post("deployments", `{app: SHOP-app, commit_sha: abc, status: stuck, queued: 0s}`).id(); got != 1001 {
		t.Errorf("deployment id %d", got)
	}
	anonymous.want(http.StatusOK, "PATCH", "/_emulator/settings", "conflict_edition: any\n")
	c.want(http.StatusConflict, "POST", deployments, "")
	anonymous.want(http.StatusOK, "PATCH", "/_emulator/settings", `{"created_by":"null"}`)
	if got := e.Settings(); got.ConflictEdition != "any" || got.CreatedBy != "null" {
		t.Errorf("settings %+v", got)
	}

	post("faults", `[{kind: lost, times: -1, path: /v1/orgs}, {status: 503, path: /v1/limits}]`)
	post("faults", `{kind: html, path: /v1/regions}`)
	c.want(http.StatusServiceUnavailable, "GET", "/v1/limits", "")
	c.want(http.StatusBadGateway, "GET", "/v1/regions", "")
	if _, err := c.try("GET", "/v1/orgs", ""); err == nil {
		t.Error("a lost answer arrived")
	}
	anonymous.want(http.StatusOK, "DELETE", "/_emulator/faults", "")
	c.want(http.StatusOK, "GET", "/v1/orgs", "")

	post("scenario", "settings: {conflict_edition: queued}\noutcomes: [{status: failed, queued: 0s, in_progress: 0s}]\n")
	post("outcomes", "status: stuck\n")
	d := c.want(http.StatusAccepted, "POST", deployments, "")
	if d.json["status"] != "failed" || d.json["created_by"] != nil {
		t.Errorf("got %s", d.body)
	}
	minted := c.as(post("tokens", "{scopes: ['apps:read']}").json["token"].(string))
	minted.want(http.StatusForbidden, "POST", deployments, "")

	state := anonymous.want(http.StatusOK, "GET", "/_emulator/state", "")
	settings := state.json["settings"].(map[string]any)
	if settings["in_progress"] != "3s" || settings["conflict_edition"] != "queued" || state.json["outcomes"] != 1.0 || len(state.list("apps")) != 1 {
		t.Errorf("state: %s", state.body)
	}
	requests := anonymous.want(http.StatusOK, "GET", "/_emulator/requests", "").list("requests")
	if got, want := requests[3]["status"], 0.0; got != want || requests[3]["fault"] != "lost" || requests[3]["path"] != "/v1/orgs" {
		t.Errorf("requests[3]: %v", requests[3])
	}

	for _, bad := range []string{"PATCH settings {plans: x}", "PATCH settings {plan: x}", "PATCH settings {list_lag: 1s, plan: x}", "POST faults [{kind: x}]", "POST apps {name: shop-app}", "POST deployments {app: nobody}", "POST deployments {app: shop-app, runtime: {gap: -1s}}", "POST tokens {scope: x}", "POST scenario {x: y}", "POST outcomes {statuss: x}"} {
		method, rest, _ := strings.Cut(bad, " ")
		path, body, _ := strings.Cut(rest, " ")
		anonymous.want(http.StatusBadRequest, method, "/_emulator/"+path, body)
	}
	if got := e.Settings().ListLag; got != 0 {
		t.Errorf("a refused change took effect: list_lag %s", got)
	}
	anonymous.want(http.StatusNotFound, "GET", "/_emulator/settings", "")

	post("reset", "")
	if len(e.Apps()) != 0 || len(e.Requests()) != 0 {
		t.Error("reset left something behind")
	}
	c.want(http.StatusOK, "GET", "/v1/orgs", "")
	minted.want(http.StatusUnauthorized, "GET", "/v1/orgs", "")
}

// TestNothingTellsASecret looks for every secret in everything that is logged or shown.
func TestNothingTellsASecret(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log strings.Builder
	e, c := overLoopback(t, emulator.Options{Log: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line breaks: %q", line)
		}
		log.WriteString(line + "\n")
	}})
	addApp(t, e, func(a *emulator.App) { a.Secrets = map[string]string{"OLD": "old-value"} })
	c.want(http.StatusOK, "POST", "/v1/apps/7/secrets", `{"name":"NEW","value":"new-value"}`)
	c.want(http.StatusNotFound, "GET", "/v1/apps/7/secrets/X%0Ainjected", "")
	c.want(http.StatusOK, "GET", "/v1/apps/7/secrets?token=query-value", "")
	c.want(http.StatusOK, "POST", "/v1/apps/7/api-keys", "")
	c.as("wrong-token").want(http.StatusUnauthorized, "GET", "/v1/orgs", "")
	c.as("").want(http.StatusUnauthorized, "POST", "/api/oauth/token", `{"grant_type":"client_credentials","client_id":"x","client_secret":"wrong-secret"}`)
	issued := c.as("").want(http.StatusOK, "POST", "/api/oauth/token", fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, e.ClientID(), e.ClientSecret()))
	faults(t, e, emulator.Fault{Kind: "lost", AfterEffect: true})
	_, _ = c.try("POST", "/v1/apps/7/secrets", `{"name":"LOST","value":"lost-value"}`)
	state := c.want(http.StatusOK, "GET", "/_emulator/state", "").body
	requests := c.want(http.StatusOK, "GET", "/_emulator/requests", "").body
	first, second := e.APIKeys(7)
	mu.Lock()
	shown := log.String() + state + requests
	mu.Unlock()
	for _, secret := range []string{
		e.Token(), e.ClientSecret(), issued.json["access_token"].(string), first, second,
		"old-value", "new-value", "lost-value", "query-value", "wrong-token", "wrong-secret", "hunter2",
	} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is told", secret)
		}
	}
	for _, want := range []string{"POST /v1/apps/7/secrets 200", "POST /v1/apps/7/secrets cut fault=lost", "GET /v1/apps/7/secrets/X%0Ainjected 404", "GET /_emulator/state 200"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
	if e.Requests()[0].Body() != nil {
		t.Error("a body was kept without being asked for")
	}
}

func TestKeptBodies(t *testing.T) {
	t.Parallel()
	e, c := inMemory(t, emulator.Options{KeepBodies: true})
	addApp(t, e, nil)
	c.want(http.StatusOK, "POST", "/v1/apps/7/secrets", `{"name":"A","value":"b"}`)
	if got, want := string(e.Requests()[0].Body()), `{"name":"A","value":"b"}`; got != want {
		t.Errorf("body %s, want %s", got, want)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{Queued: time.Hour, Log: func(string) {}})
	addApp(t, e, nil)
	faults(t, e, emulator.Fault{Delay: time.Millisecond, Times: -1, Nth: 5})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			c.do("POST", "/v1/projects/7/secrets", fmt.Sprintf(`{"name":"S%d","value":"x"}`, i))
			c.do("POST", deployments, "")
			_ = e.Apps()
			_ = e.Requests()
			c.do("GET", "/_emulator/state", "")
		})
	}
	wg.Wait()
	if got := len(e.App(7).Secrets); got != 16 {
		t.Errorf("%d secrets, want 16", got)
	}
	if got := len(e.App(7).Deployments); got != 1 {
		t.Errorf("%d deployments were accepted while one was queued, want 1", got)
	}
}
