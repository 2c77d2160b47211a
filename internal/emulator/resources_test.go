package emulator_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

func TestGitHubConnection(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	if err := e.Apply(emulator.Scenario{
		Repositories: []emulator.Repository{
			{Name: "local/shop", Branches: map[string]emulator.Head{
				"main":  {CommitSHA: "feed", CommitMessage: "head", Spicepod: spicepod},
				"empty": {CommitSHA: "beef"},
			}},
			{Name: "local/down", Unavailable: true},
		},
		Apps: []emulator.App{
			{ID: 7, Name: "shop-app", Repository: "local/shop", Spicepod: spicepod},
			{ID: 8, Name: "free-app", Spicepod: spicepod},
		},
	}); err != nil {
		t.Fatal(err)
	}
	// An unchanged spicepod is accepted in any notation, a changed one is not.
	c.want(http.StatusOK, "PUT", "/v1/projects/7", fmt.Sprintf(`{"spicepod":%q,"description":"x"}`, "# the same\n"+spicepod))
	if got := c.want(http.StatusConflict, "PUT", "/v1/projects/7", `{"spicepod":{"name":"other"}}`).code(); got != "github_connected" {
		t.Errorf("got code %q", got)
	}
	c.want(http.StatusOK, "PUT", "/v1/projects/7", `{"replicas":2}`)
	// What is deployed is the head, whatever the request said.
	a := c.want(http.StatusAccepted, "POST", deployments, `{"branch":"mine","commit_sha":"mine"}`)
	if a.json["branch"] != "main" || a.json["commit_sha"] != "feed" {
		t.Errorf("deployed %v at %v", a.json["branch"], a.json["commit_sha"])
	}
	for _, tc := range []struct {
		body, code string
		status     int
	}{
		{`{"repository":"nowhere"}`, "repository_not_found", 404},
		{`{"repository":"down"}`, "github_unavailable", 503},
		{`{"repository":"shop","root_directory":"sub","production_branch":"gone"}`, "branch_not_found", 422},
		{`{"repository":"shop"}`, "root_directory_conflict", 409},
	} {
		if got := c.want(tc.status, "PUT", "/v1/projects/8/repository", tc.body).code(); got != tc.code {
			t.Errorf("%s: code %q, want %q", tc.body, got, tc.code)
		}
	}
	a = c.want(http.StatusOK, "PUT", "/v1/projects/8/repository", `{"repository":"shop","root_directory":"sub","production_branch":"empty"}`)
	if a.json["has_spicepod"] != false || a.json["production_branch"] != "empty" {
		t.Errorf("got %s", a.body)
	}
	if got := c.want(http.StatusUnprocessableEntity, "POST", "/v1/projects/8/deployments", "").code(); got != "spicepod_missing" {
		t.Errorf("got code %q", got)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	addApp(t, e, nil)
	configure(t, e, func(st *emulator.Settings) { st.SecretCreatedStatus = http.StatusCreated })
	masks := map[string]bool{}
	for _, name := range []string{"A", "B", "C", "_D", "e5"} {
		a := c.want(http.StatusCreated, "POST", "/v1/projects/7/secrets", fmt.Sprintf(`{"name":%q,"value":"line 1\nline 2 %s"}`, name, name))
		masks[a.json["value"].(string)] = true
	}
	for mask := range masks {
		if !regexp.MustCompile(`^\*{8,12}$`).MatchString(mask) {
			t.Errorf("masked as %q", mask)
		}
	}
	if len(masks) < 2 {
		t.Error("all masks have the same length")
	}
	c.want(http.StatusOK, "POST", "/v1/projects/7/secrets", `{"name":"A","value":"new"}`)
	if got, _ := e.SecretValue(7, "A"); got != "new" {
		t.Errorf("A is %q", got)
	}
	if got, _ := e.SecretValue(7, "B"); got != "line 1\nline 2 B" {
		t.Errorf("B is %q", got)
	}
	c.want(http.StatusNoContent, "DELETE", "/v1/apps/7/secrets/A", "")
	if _, ok := e.SecretValue(7, "A"); ok {
		t.Error("A is still there")
	}
	names := []any{}
	for _, s := range c.want(http.StatusOK, "GET", "/v1/apps/7/secrets", "").list("secrets") {
		names = append(names, s["name"])
	}
	if diff := cmp.Diff([]any{"B", "C", "_D", "e5"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	addApp(t, e, func(a *emulator.App) { a.NoPrimaryKey = true })
	keys := func(method, body string) (any, any) {
		a := c.want(http.StatusOK, method, "/v1/apps/7/api-keys", body)
		return a.json["api_key"], a.json["api_key_2"]
	}
	none, second := keys("GET", "")
	if none != nil || !regexp.MustCompile(`^7\|[0-9a-f]{32}$`).MatchString(second.(string)) {
		t.Errorf("keys %v and %v", none, second)
	}
	first, kept := keys("POST", "")
	if first == nil || kept != second {
		t.Errorf("rotating the default changed the secondary, or not the primary: %v %v", first, kept)
	}
	keptFirst, third := keys("POST", `{"key_number":2}`)
	if keptFirst != first || third == second {
		t.Errorf("rotating 2: %v %v", keptFirst, third)
	}
	a, b := keys("POST", `{"key_number":0}`)
	if a == first || b == third {
		t.Errorf("rotating both: %v %v", a, b)
	}
}

func TestForks(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	addApp(t, e, func(a *emulator.App) {
		a.Secrets = map[string]string{"A": "x"}
		a.Replicas = 2
		a.Visibility = "public"
	})
	a := c.want(http.StatusCreated, "POST", "/v1/projects/7/forks", "")
	if a.json["name"] != "shop-app-fork" || a.json["visibility"] != "private" || a.json["forked_from"].(map[string]any)["id"] != 7.0 {
		t.Errorf("got %s", a.body)
	}
	if got, _ := e.SecretValue(a.id(), "A"); got != "x" {
		t.Errorf("the secret was not copied: %q", got)
	}
	if got := c.want(http.StatusCreated, "POST", "/v1/projects/7/forks", "{}").json["name"]; got != "shop-app-fork-2" {
		t.Errorf("second name %v", got)
	}
	if got := len(c.want(http.StatusOK, "GET", "/v1/projects/7/forks", "").list("forks")); got != 2 {
		t.Errorf("%d forks, want 2", got)
	}
	if got := len(e.App(a.id()).Deployments); got != 0 {
		t.Errorf("the fork was deployed %d times", got)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	if err := e.Apply(emulator.Scenario{Users: []string{"asmith"}}); err != nil {
		t.Fatal(err)
	}
	a := c.want(http.StatusCreated, "POST", "/v1/members", `{"username":"JDoe"}`)
	want := map[string]any{"user_id": 2.0, "username": "jdoe", "roles": []any{"member"}, "is_owner": false, "created_at": a.json["created_at"]}
	if diff := cmp.Diff(want, a.json); diff != "" {
		t.Errorf("member (-want +got):\n%s", diff)
	}
	c.want(http.StatusCreated, "POST", "/v1/members", `{"username":"asmith","roles":["viewer","billing"]}`)
	c.want(http.StatusConflict, "POST", "/v1/members", `{"username":"jdoe"}`)
	c.want(http.StatusNotFound, "POST", "/v1/members", `{"username":"nobody"}`)
	c.want(http.StatusBadRequest, "POST", "/v1/members", `{"username":"asmith","roles":["owner"]}`)
	c.want(http.StatusBadRequest, "POST", "/v1/members", `{}`)
	if got := len(c.want(http.StatusOK, "GET", "/v1/members", "").list("members")); got != 3 {
		t.Errorf("%d members, want 3", got)
	}
	c.want(http.StatusOK, "PATCH", "/v1/members/2", `{"roles":["admin"]}`)
	if got := c.want(http.StatusOK, "GET", "/v1/members/2", "").json["roles"].([]any)[0]; got != "admin" {
		t.Errorf("role %v, want admin", got)
	}
	c.want(http.StatusBadRequest, "PATCH", "/v1/members/2", `{}`)
	c.want(http.StatusForbidden, "PATCH", "/v1/members/1", `{"roles":["member"]}`)
	c.want(http.StatusForbidden, "DELETE", "/v1/members/1", "")
	c.want(http.StatusNotFound, "DELETE", "/v1/members/99", "")
	c.want(http.StatusNoContent, "DELETE", "/v1/members/2", "")
	c.want(http.StatusNotFound, "GET", "/v1/members/2", "")
}

func TestCatalog(t *testing.T) {
	t.Parallel()
	_, c := overLoopback(t, emulator.Options{})
	a := c.as("").want(http.StatusOK, "GET", "/v1/health", "")
	if a.json["status"] != "ok" || !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(a.json["timestamp"].(string)) {
		t.Errorf("health: %s", a.body)
	}
	a = c.want(http.StatusOK, "GET", "/v1/regions", "")
	regions := a.list("regions")
	if a.json["default"] != "us-east-1" || len(regions) != 3 || regions[2]["disabled"] != true || regions[0]["providerName"] == nil {
		t.Errorf("regions: %s", a.body)
	}
	if got := c.want(http.StatusOK, "GET", "/v1/regions?env=dev", "").list("regions")[1]["cname"]; got != "us-west-2-dev-aws-data" {
		t.Errorf("cname of dev: %v", got)
	}
	a = c.want(http.StatusOK, "GET", "/v1/container-images", "")
	if a.json["default"] != a.list("images")[0]["tag"] {
		t.Errorf("images: %s", a.body)
	}
	if got := c.want(http.StatusOK, "GET", "/v1/container-images?channel=enterprise", "").list("images")[0]["channel"]; got != "enterprise" {
		t.Errorf("channel %v", got)
	}
	c.want(http.StatusBadRequest, "GET", "/v1/container-images?channel=nightly", "")
	if got := c.want(http.StatusOK, "GET", "/v1/limits", "").json["apps"]; got != -1.0 {
		t.Errorf("limits.apps %v", got)
	}
	for _, path := range []string{"/openapi.json", "/v1/docs", "/v1/docs/openapi.json"} {
		paths := c.as("").want(http.StatusOK, "GET", path, "").json["paths"].(map[string]any)
		if paths["/v1/projects/{id}"] == nil || paths["/v1/apps/{id}"].(map[string]any)["get"].(map[string]any)["deprecated"] != true {
			t.Errorf("%s lacks a family", path)
		}
	}
}

func TestPagination(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	addApp(t, e, func(a *emulator.App) {
		for i := range 25 {
			a.Deployments = append(a.Deployments, emulator.Deployment{Age: time.Duration(30-i) * time.Hour})
		}
	})
	for range 4 {
		if _, err := e.AddApp(emulator.App{Name: fmt.Sprintf("app-%d", len(e.Apps()))}); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		path string
		want []float64
	}{
		{deployments + "?limit=3", []float64{1025, 1024, 1023}},
		{deployments + "?limit=3&offset=23", []float64{1002, 1001}},
		{deployments + "?limit=3&offset=99", nil},
		{deployments + "?status=queued", nil},
		{"/v1/projects?limit=2", []float64{104, 103}},
		{"/v1/projects?limit=2&offset=3", []float64{101, 7}},
		{"/v1/apps?after_id=102", []float64{101, 7}},
	}
	for _, tc := range cases {
		a := c.want(http.StatusOK, "GET", tc.path, "")
		var got []float64
		for key := range a.json {
			for _, m := range a.list(key) {
				got = append(got, m["id"].(float64))
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.path, diff)
		}
	}
	if got := len(c.want(http.StatusOK, "GET", deployments, "").list("deployments")); got != 20 {
		t.Errorf("%d deployments by default, want 20", got)
	}
	configure(t, e, func(st *emulator.Settings) { st.AppsPageSize = 2 })
	if got := len(c.want(http.StatusOK, "GET", "/v1/projects?limit=100", "").list("projects")); got != 2 {
		t.Errorf("%d projects on a page of 2", got)
	}
}
