package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

const fullSpicepod = `
version: v1
kind: Spicepod
name: shop
datasets:
  - {from: "postgres:orders", name: orders, acceleration: {enabled: true}}
  - {from: "s3://bucket/Daily-Sales/", name: Daily-Sales}
  - {from: "postgres:c", name: shop.customers, acceleration: {enabled: false}}
views:
  - {name: totals, sql: SELECT 1}
models:
  - {from: "openai:gpt-4o", name: gpt, datasets: [orders]}
embeddings:
  - {from: "openai:small", name: embed}
workers:
  - {name: router}
`

// deployedApp adds an app, id 7, that serves the full spicepod since an hour ago, and returns a client with its key.
func deployedApp(t *testing.T, e *emulator.Emulator, c *curl, change func(*emulator.App)) *curl {
	t.Helper()
	addApp(t, e, func(a *emulator.App) {
		a.Spicepod, a.Deployments = fullSpicepod, []emulator.Deployment{{Age: time.Hour}}
		if change != nil {
			change(a)
		}
	})
	key, _ := e.APIKeys(7)
	return c.as(key)
}

// statesOf is what the list of datasets says: name, from and status of each.
func statesOf(c *curl) []string {
	c.t.Helper()
	var list []map[string]any
	a := c.want(http.StatusOK, "GET", "/v1/datasets?status=true", "")
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		c.t.Fatalf("%v: %s", err, a.body)
	}
	states := []string{}
	for _, d := range list {
		states = append(states, fmt.Sprint(d["name"], " ", d["from"], " ", d["status"]))
	}
	return states
}

func TestRuntimeKeySelectsTheApp(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	shop := deployedApp(t, e, c, nil)
	if _, err := e.AddApp(emulator.App{ID: 8, Name: "other-app", NoPrimaryKey: true, Spicepod: "{version: v1, kind: Spicepod, name: other, datasets: [{from: 'x:y', name: z}]}", Deployments: []emulator.Deployment{{Age: time.Hour}}}); err != nil {
		t.Fatal(err)
	}
	_, second := e.APIKeys(8)
	if got, want := statesOf(c.as(second)), []string{"z x:y Ready"}; !cmp.Equal(got, want) {
		t.Errorf("other-app has %q, want %q", got, want)
	}
	first, _ := e.APIKeys(7)
	c.as("").want(http.StatusOK, "GET", "/v1/ready", "", "X-API-Key", first)
	c.want(http.StatusOK, "GET", "/v1/ready", "", "x-api-key", first) // a management token beside it does no harm
	for _, path := range []string{"/health", "/v1/ready", "/v1/datasets", "/v1/models", "/v1/status", "/v1/tools"} {
		for _, token := range []string{"", "7|wrong", e.Token()} {
			if got, want := c.as(token).want(http.StatusUnauthorized, "GET", path, "").body, "Unauthorized"; got != want {
				t.Errorf("%s with %q: got %q, want %q", path, token, got, want)
			}
		}
	}
	c.as("").want(http.StatusUnauthorized, "GET", "/v1/ready", "", "X-API-Key", "") // other-app has no primary key
	shop.want(http.StatusUnauthorized, "GET", "/v1/projects", "")
	shop.want(http.StatusMethodNotAllowed, "GET", "/v1/sql", "")
	if got := c.as("").want(http.StatusOK, "GET", "/v1/health", "").json["status"]; got != "ok" {
		t.Errorf("the management API's health: %v", got)
	}
	if got, want := shop.want(http.StatusOK, "GET", "/health", "").body, "ok\n"; got != want {
		t.Errorf("health %q, want %q", got, want)
	}
	shop.want(http.StatusRequestEntityTooLarge, "GET", "/v1/ready", strings.Repeat("x", 128<<10+1))
	shop.want(http.StatusOK, "POST", "/v1/sql", "SELECT 1 -- "+strings.Repeat("x", 2<<20))

	c.want(http.StatusOK, "POST", "/v1/projects/7/api-keys", "")
	shop.want(http.StatusUnauthorized, "GET", "/v1/ready", "")
	_, second = e.APIKeys(7)
	c.want(http.StatusOK, "POST", "/v1/projects/7/pause", "")
	c.as(second).want(http.StatusServiceUnavailable, "GET", "/v1/ready", "")
	c.want(http.StatusNoContent, "DELETE", "/v1/projects/7", "")
	c.as(second).want(http.StatusUnauthorized, "GET", "/v1/ready", "")
}

func TestPreviousSpicepodIsServedUntilTheNewOneHasSucceeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, func(a *emulator.App) {
			a.Spicepod = "{version: v1, kind: Spicepod, name: shop, datasets: [{from: 'a:1', name: one}]}"
			a.Runtime = &emulator.Runtime{Gap: 9 * time.Second, ReadyAfter: 20 * time.Second}
		})
		key, _ := e.APIKeys(7)
		run := c.as(key)
		run.want(http.StatusServiceUnavailable, "GET", "/health", "") // never deployed
		c.want(http.StatusAccepted, "POST", deployments, "")
		time.Sleep(time.Minute)
		c.want(http.StatusOK, "PUT", "/v1/projects/7", `{"spicepod":{"version":"v1","kind":"Spicepod","name":"shop","datasets":[{"from":"a:2","name":"one"}]}}`)
		c.want(http.StatusAccepted, "POST", deployments, "")
		start := time.Now()
		look := func(at time.Duration, want string) {
			t.Helper()
			time.Sleep(time.Until(start.Add(at)))
			got := fmt.Sprint(run.do("GET", "/v1/ready", "").status, " ")
			if a := run.do("GET", "/v1/datasets", ""); a.status == http.StatusOK {
				got += strings.Join(statesOf(run), ", ")
			} else {
				got += a.header.Get("Content-Type")
			}
			if got != want {
				t.Errorf("after %s: got %q, want %q", at, got, want)
			}
		}
		look(0, "200 one a:1 Ready")
		look(4*time.Second-1, "200 one a:1 Ready") // 1 s in the queue, 3 s in progress
		look(4*time.Second, "502 text/html; charset=utf-8")
		look(13*time.Second-1, "502 text/html; charset=utf-8")
		look(13*time.Second, "503 one a:2 Initializing")
		if got, want := run.do("GET", "/v1/ready", "").body, "not ready"; got != want {
			t.Errorf("body %q, want %q", got, want)
		}
		look(33*time.Second-1, "503 one a:2 Initializing")
		look(33*time.Second, "200 one a:2 Ready")
		if got, want := run.do("GET", "/v1/ready", "").body, "ready"; got != want {
			t.Errorf("body %q, want %q", got, want)
		}
		// One that fails or hangs changes nothing.
		outcomes(t, e, emulator.Outcome{Status: "failed"}, emulator.Outcome{Status: "stuck"})
		c.want(http.StatusOK, "PUT", "/v1/projects/7", `{"spicepod":{"version":"v1","kind":"Spicepod","name":"shop"}}`)
		for range 2 {
			c.want(http.StatusAccepted, "POST", deployments, "")
			time.Sleep(time.Minute)
			if got, want := strings.Join(statesOf(run), ", "), "one a:2 Ready"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestSucceededAndNeverServed(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Deployments = []emulator.Deployment{
			{Age: 2 * time.Hour, Spicepod: "{version: v1, kind: Spicepod, name: shop, datasets: [{from: old, name: orders}]}"},
			{Age: time.Hour, Outcome: emulator.Outcome{Runtime: &emulator.Runtime{ServesOld: true}}},
		}
	})
	if got, want := strings.Join(statesOf(run), ", "), "orders old Ready"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := e.App(7).Serving, int64(1001); got != want {
		t.Errorf("serving %d, want %d", got, want)
	}
	list := c.want(http.StatusOK, "GET", "/v1/projects/7/instances", "").list("instances")
	if len(list) != 2 || list[0]["status"] != "starting" || list[1]["status"] != "ready" {
		t.Errorf("instances %v", list)
	}
	if got := c.want(http.StatusOK, "GET", "/v1/projects/7/instances/app-7-1002-1/logs", "").body; strings.Contains(got, "All components are loaded") {
		t.Errorf("the log of what never served says that it does: %s", got)
	}
	if _, err := e.AddDeployment(7, emulator.Deployment{Spicepod: "[]"}); err == nil {
		t.Error("a spicepod that is none was deployed")
	}
	if err := e.Apply(emulator.Scenario{Runtime: &emulator.Runtime{ServesOld: true}, Apps: []emulator.App{{ID: 8, Name: "first-app", Spicepod: fullSpicepod, Deployments: []emulator.Deployment{{Age: time.Hour}}}}}); err != nil {
		t.Fatal(err)
	}
	if got := e.App(8).Serving; got == 0 {
		t.Error("the first deployment of an app is not served although nothing else is")
	}
}

// TestWhichScriptCounts: the deployment's, then the app's, then the scenario's, each as a whole.
func TestWhichScriptCounts(t *testing.T) {
	t.Parallel()
	say := func(status string) *emulator.Runtime {
		return &emulator.Runtime{Datasets: map[string]emulator.Component{"orders": {Status: status}}}
	}
	cases := []struct {
		name                      string
		deployment, app, scenario *emulator.Runtime
		want                      string
	}{
		{"none", nil, nil, nil, "Ready"},
		{"scenario", nil, nil, say("C"), "C"},
		{"app", nil, say("B"), say("C"), "B"},
		{"deployment", say("A"), say("B"), say("C"), "A"},
		{"not_merged", &emulator.Runtime{}, say("B"), say("C"), "Ready"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, c := inMemory(t, emulator.Options{})
			run := deployedApp(t, e, c, func(a *emulator.App) {
				a.Runtime, a.Deployments[0].Runtime = tc.app, tc.deployment
			})
			if err := e.Apply(emulator.Scenario{Runtime: tc.scenario}); err != nil {
				t.Fatal(err)
			}
			if got, want := statesOf(run)[0], "orders postgres:orders "+tc.want; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestDatasets(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Runtime = &emulator.Runtime{Datasets: map[string]emulator.Component{
			"orders":      {Status: "Error", Error: &emulator.ComponentError{Category: "dataset", Type: "auth", Code: "dataset.auth"}, ErrorMessage: "no password"},
			"Daily-Sales": {Status: "Refreshing"},
		}}
	})
	a := run.want(http.StatusOK, "GET", "/v1/datasets?status=true&format=json", "")
	var got any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	want := []any{
		map[string]any{
			"from": "postgres:orders", "name": "orders", "replication_enabled": false, "acceleration_enabled": true, "status": "Error",
			"error": map[string]any{"category": "dataset", "type": "auth", "code": "dataset.auth"}, "error_message": "no password",
		},
		map[string]any{
			"from": "s3://bucket/Daily-Sales/", "name": `"Daily-Sales"`, "replication_enabled": false, "acceleration_enabled": false,
			"status": "Refreshing", "error": nil, "error_message": nil,
		},
		map[string]any{
			"from": "postgres:c", "name": `"shop.customers"`, "replication_enabled": false, "acceleration_enabled": false,
			"status": "Ready", "error": nil, "error_message": nil,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("datasets; views are not listed (-want +got):\n%s", diff)
	}
	cases := []struct{ query, want string }{
		{"?source=postgres:orders", `[{"from":"postgres:orders","name":"orders","replication_enabled":false,"acceleration_enabled":true}]` + "\n"},
		{"?source=nowhere&status=true", "[]\n"},
		{"?source=postgres:orders&status=true&format=csv", "from,name,replication_enabled,acceleration_enabled,status,error_message\npostgres:orders,orders,false,true,Error,no password\n"},
	}
	for _, tc := range cases {
		if got := run.want(http.StatusOK, "GET", "/v1/datasets"+tc.query, "").body; got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.query, got, tc.want)
		}
	}
	run.want(http.StatusBadRequest, "GET", "/v1/datasets?format=xml", "")
	run.want(http.StatusOK, "GET", "/v1/ready", "") // the state of a dataset has no say in it
	if got := run.want(http.StatusOK, "GET", "/v1/status", "").body; strings.Contains(got, "orders") || !strings.HasPrefix(got, `[{"name":"http","endpoint":`) {
		t.Errorf("status: %s", got)
	}
	if got := run.want(http.StatusOK, "GET", "/v1/status?format=csv", "").body; !strings.HasPrefix(got, "name,endpoint,status\nhttp,") {
		t.Errorf("status: %s", got)
	}
}

func TestDatasetStatesInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, func(a *emulator.App) {
			a.Spicepod = fullSpicepod
			a.Runtime = &emulator.Runtime{ReadyAfter: 2 * time.Second, Datasets: map[string]emulator.Component{
				"orders":         {Status: "Error", For: 5 * time.Second},
				"Daily-Sales":    {Status: "disabled"},
				"shop.customers": {Missing: true},
			}}
		})
		key, _ := e.APIKeys(7)
		c.want(http.StatusAccepted, "POST", deployments, "")
		start := time.Now().Add(4 * time.Second)
		for _, look := range []struct {
			at   time.Duration
			want string
		}{{0, "Error"}, {5*time.Second - 1, "Error"}, {5 * time.Second, "Ready"}, {24 * time.Hour, "Ready"}} {
			time.Sleep(time.Until(start.Add(look.at)))
			want := []string{"orders postgres:orders " + look.want, `"Daily-Sales" s3://bucket/Daily-Sales/ disabled`}
			if diff := cmp.Diff(want, statesOf(c.as(key))); diff != "" {
				t.Errorf("after %s (-want +got):\n%s", look.at, diff)
			}
		}
	})
}

func TestReadinessAndLogs(t *testing.T) {
	t.Parallel()
	const marker = "All components are loaded. Spice runtime is ready!"
	resolved := "secrets_preflight: all secret references resolved"
	cases := []struct {
		name   string
		app    func(*emulator.App)
		change func(*emulator.Settings)
		ready  string
		logs   []any
	}{
		{"ready", nil, nil, "200 ready", []any{"Starting runtime", resolved, marker}},
		{
			"model_fails", func(a *emulator.App) {
				a.Runtime = &emulator.Runtime{Models: map[string]emulator.Component{"gpt": {Status: "Error", ErrorMessage: "bad key"}}}
			}, nil, "503 not ready",
			[]any{"Starting runtime", resolved, "Failed to load LLM gpt: bad key"},
		},
		{
			"embedding_fails", func(a *emulator.App) {
				a.Runtime = &emulator.Runtime{Models: map[string]emulator.Component{"embed": {Status: "Error"}}}
			}, nil, "503 not ready",
			[]any{"Starting runtime", resolved, "Failed to load embedding embed: emulated error"},
		},
		{
			"dataset_failed_for_a_while", func(a *emulator.App) {
				a.Runtime = &emulator.Runtime{Datasets: map[string]emulator.Component{"orders": {Status: "Error", ErrorMessage: "away", For: time.Second}}}
			}, nil, "200 ready",
			[]any{"Starting runtime", resolved, "Failed to load dataset orders: away", marker},
		},
		{
			"dataset_fails", func(a *emulator.App) {
				a.Runtime = &emulator.Runtime{Datasets: map[string]emulator.Component{"orders": {Status: "Error", ErrorMessage: "away"}}}
			}, nil, "200 ready",
			[]any{"Starting runtime", resolved, "Failed to load dataset orders: away"},
		},
		{
			"secret_is_missing", func(a *emulator.App) { a.Spicepod = spicepod }, nil, "503 not ready",
			[]any{"Starting runtime", "secrets_preflight: 1 secret references could not be resolved", "✗ ${ secrets:PG_PASS } could not be resolved"},
		},
		{
			"environment_is_missing", func(a *emulator.App) {
				a.Spicepod = "{version: v1, kind: Spicepod, name: shop, datasets: [{from: a, name: orders, params: {x: '${env:pg_user}', y: '${ secrets:pg_pass }', z: '${ env:gone }'}}]}"
				a.Secrets = map[string]string{"PG_USER": "x", "PG_PASS": "y"}
			}, nil, "503 not ready",
			[]any{"Starting runtime", "secrets_preflight: 1 secret references could not be resolved", "✗ ${ env:gone } could not be resolved"},
		},
		{
			"secret_is_there", func(a *emulator.App) { a.Spicepod, a.Secrets = spicepod, map[string]string{"PG_PASS": "x"} }, nil, "200 ready",
			[]any{"Starting runtime", resolved, marker},
		},
		{
			"missing_secret_does_not_matter", func(a *emulator.App) { a.Spicepod = spicepod },
			func(st *emulator.Settings) { st.ReadyWithoutSecrets = true }, "200 ready",
			[]any{"Starting runtime", "secrets_preflight: 1 secret references could not be resolved", "✗ ${ secrets:PG_PASS } could not be resolved", marker},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, c := overLoopback(t, emulator.Options{})
			run := deployedApp(t, e, c, tc.app)
			if tc.change != nil {
				configure(t, e, tc.change)
			}
			a := run.do("GET", "/v1/ready", "")
			if got := fmt.Sprint(a.status, " ", a.body); got != tc.ready {
				t.Errorf("got %q, want %q", got, tc.ready)
			}
			verbose := run.do("GET", "/v1/ready?verbose=true", "")
			if verbose.status != a.status || !strings.HasPrefix(verbose.body, a.body+"\ndataset orders: ") {
				t.Errorf("verbose: got %d %q", verbose.status, verbose.body)
			}
			run.want(http.StatusBadRequest, "GET", "/v1/ready?min_ready_executors=1", "")
			logs := c.want(http.StatusOK, "GET", "/v1/projects/7/instances/app-7-1001-1/logs", "").json["lines"]
			if diff := cmp.Diff(any(tc.logs), logs); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRuntimeTellsNoKey looks for keys, queries and prompts in everything that is logged or shown.
func TestRuntimeTellsNoKey(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	e := emulator.New(emulator.Options{Log: func(line string) { log.WriteString(line + "\n") }})
	c := &curl{t: t, base: "http://spice.test", http: &http.Client{Transport: e.Transport()}}
	run := deployedApp(t, e, c, nil)
	run.want(http.StatusOK, "POST", "/v1/sql", "SELECT 'told-query'")
	run.want(http.StatusOK, "POST", "/v1/chat/completions", `{"model":"gpt","messages":[{"role":"user","content":"told-prompt"}]}`, "Content-Type", "application/json")
	run.want(http.StatusOK, "GET", "/v1/datasets?source=told-source", "")
	session := run.session()
	state := c.want(http.StatusOK, "GET", "/_emulator/state", "").body
	shown := log.String() + state + c.want(http.StatusOK, "GET", "/_emulator/requests", "").body
	for _, secret := range []string{run.token, "told-", session.id} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is told", secret)
		}
	}
	if want := "POST /v1/sql 200"; !strings.Contains(shown, want) {
		t.Errorf("the log lacks %q", want)
	}
}

func TestFaultsStrikeTheRuntimeToo(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, nil)
	faults(t, e, emulator.Fault{Path: "/v1/ready", Kind: "html", Times: 2})
	run.want(http.StatusBadGateway, "GET", "/v1/ready", "")
	run.want(http.StatusBadGateway, "GET", "/v1/ready", "")
	run.want(http.StatusOK, "GET", "/v1/ready", "")
}
