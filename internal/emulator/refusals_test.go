package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// refusal is a request that must be refused. Code "" means that the refusal must carry none.
type refusal struct {
	name, method, path, body string
	status                   int
	code, text               string
	setup                    func(t *testing.T, e *emulator.Emulator)
}

var refusals = []refusal{
	{name: "create_without_name", method: "POST", body: `{}`, status: 400, text: `"name":["Required"]`},
	{name: "create_short_name", method: "POST", body: `{"name":"abc"}`, status: 400, text: "4 to 38"},
	{name: "create_long_name", method: "POST", body: `{"name":"` + strings.Repeat("a", 39) + `"}`, status: 400, text: "4 to 38"},
	{name: "create_underscore", method: "POST", body: `{"name":"my_app"}`, status: 400, text: "hyphens"},
	{name: "create_kind", method: "POST", body: `{"name":"my-app","kind":"managed"}`, status: 400, text: `"kind"`},
	{name: "create_unknown_region", method: "POST", body: `{"name":"my-app","region":"mars-1"}`, status: 400, text: "Unknown region"},
	{name: "create_disabled_region", method: "POST", body: `{"name":"my-app","cname":"us-east-2-prod-aws-data"}`, status: 400, text: "disabled"},
	{name: "create_taken_any_case", method: "POST", body: `{"name":"SHOP-App"}`, status: 409, text: "already exists"},
	{name: "create_not_json", method: "POST", body: `name: x`, status: 400, text: "Invalid JSON"},
	{name: "create_list", method: "POST", body: `[]`, status: 400, text: "object"},
	{name: "everything_wrong_at_once", method: "POST", body: `{"name":1,"visibility":"secret","replicas":11,"tags":{"a":"b/c"},"update_channel":"beta"}`, status: 400, text: "visibility"},

	{name: "get_not_a_number", method: "GET", path: "/x", status: 400, text: "project id"},
	{name: "get_zero", method: "GET", path: "/0", status: 400, text: "project id"},
	{name: "get_unknown", method: "GET", path: "/8", status: 404, text: "Project not found"},
	{name: "put_not_an_object", method: "PUT", path: "/7", body: `"x"`, status: 400, text: "object"},
	{name: "put_replicas_0", method: "PUT", path: "/7", body: `{"replicas":0}`, status: 400, text: "from 1 to 10"},
	{name: "put_replicas_text", method: "PUT", path: "/7", body: `{"replicas":"two"}`, status: 400, text: "integer"},
	{name: "put_replicas_null", method: "PUT", path: "/7", body: `{"replicas":null}`, status: 400, text: "integer"},
	{
		name: "put_replicas_plan", method: "PUT", path: "/7", body: `{"replicas":5}`, status: 403, text: "at most 3",
		setup: set(func(st *emulator.Settings) { st.MaxReplicas = 3 }),
	},
	{name: "put_resources", method: "PUT", path: "/7", body: `{"resources":{}}`, status: 403, text: "private compute"},
	{name: "put_tag_value", method: "PUT", path: "/7", body: `{"tags":{"repository":"a/b"}}`, status: 400, text: "repository"},
	{name: "put_tag_key", method: "PUT", path: "/7", body: `{"tags":{"1a":"b"}}`, status: 400, text: "1a"},
	{name: "put_tag_number", method: "PUT", path: "/7", body: `{"tags":{"a":1}}`, status: 400, text: "strings"},
	{
		name: "put_tags_community", method: "PUT", path: "/7", body: `{"tags":{"a":"b"}}`, status: 403, text: "plan",
		setup: set(func(st *emulator.Settings) { st.Plan = "community" }),
	},
	{name: "put_spicepod_list", method: "PUT", path: "/7", body: `{"spicepod":[1]}`, status: 400, text: "YAML string or an object"},
	{name: "put_spicepod_null", method: "PUT", path: "/7", body: `{"spicepod":null}`, status: 400, text: "YAML string or an object"},
	{name: "put_spicepod_bad_yaml", method: "PUT", path: "/7", body: `{"spicepod":"a: [1"}`, status: 400, text: "Invalid YAML"},
	{name: "put_spicepod_scalar", method: "PUT", path: "/7", body: `{"spicepod":"hello"}`, status: 400, text: "mapping"},
	{name: "put_image_tag_unknown", method: "PUT", path: "/7", body: `{"image_tag":"9.9.9"}`, status: 400, code: "invalid_stable_image_tag"},
	{
		name: "put_image_tag_plan", method: "PUT", path: "/7", body: `{"image_tag":"2.3.2-models"}`, status: 403, code: "image_tag_requires_enterprise",
		setup: set(func(st *emulator.Settings) { st.Plan = "pro" }),
	},
	{name: "put_image_tag_empty", method: "PUT", path: "/7", body: `{"image_tag":""}`, status: 400, text: "empty"},
	{name: "put_too_large", method: "PUT", path: "/7", body: `{"spicepod":"` + strings.Repeat("x", 2<<20) + `"}`, status: 413, text: "1 MiB"},

	{name: "deploy_replicas", method: "POST", path: "/7/deployments", body: `{"replicas":11}`, status: 400, text: "replicas"},
	{name: "deploy_channel", method: "POST", path: "/7/deployments", body: `{"channel":"beta"}`, status: 400, text: "channel"},
	{name: "deploy_image_tag", method: "POST", path: "/7/deployments", body: `{"image_tag":"9.9.9"}`, status: 400, code: "invalid_stable_image_tag"},
	{
		name: "deploy_image_tag_plan", method: "POST", path: "/7/deployments", body: `{"image_tag":"2.3.2-models"}`, status: 403, code: "image_tag_requires_enterprise",
		setup: set(func(st *emulator.Settings) { st.Plan = "community" }),
	},
	{
		name: "deploy_paused", method: "POST", path: "/7/deployments", status: 400, code: "spicepod_paused",
		setup: func(t *testing.T, e *emulator.Emulator) {
			c := &curl{t: t, base: "http://spice.test", token: e.Token(), http: &http.Client{Transport: e.Transport()}}
			c.want(http.StatusOK, "POST", "/v1/projects/7/pause", "")
		},
	},
	{
		name: "deploy_no_spicepod", method: "POST", path: "/9/deployments", status: 400, text: "no spicepod configuration",
		setup: func(t *testing.T, e *emulator.Emulator) {
			addApp(t, e, func(a *emulator.App) { a.ID, a.Name, a.Spicepod = 9, "bare", nil })
		},
	},
	{
		name: "deploy_invalid_spicepod", method: "POST", path: "/9/deployments", status: 400, text: "row_id must be a list",
		setup: func(t *testing.T, e *emulator.Emulator) {
			addApp(t, e, func(a *emulator.App) {
				a.ID, a.Name, a.Spicepod = 9, "wrong", map[string]any{"kind": "Spicepod", "version": "v1", "name": "x", "datasets": []any{map[string]any{"row_id": "id"}}}
			})
		},
	},
	{name: "deployments_limit", method: "GET", path: "/7/deployments?limit=101", status: 400, text: "from 1 to 100"},
	{name: "deployments_offset", method: "GET", path: "/7/deployments?offset=-1", status: 400, text: "offset"},
	{name: "deployments_status", method: "GET", path: "/7/deployments?status=done", status: 400, text: "one of queued"},
	{name: "deployment_unknown", method: "GET", path: "/7/deployments/5", status: 404, text: "Deployment not found"},
	{name: "deployment_not_a_number", method: "GET", path: "/7/deployments/x", status: 400, text: "deployment id"},

	{name: "secret_dash", method: "POST", path: "/7/secrets", body: `{"name":"A-B","value":"x"}`, status: 400, text: "letter or underscore"},
	{name: "secret_digit", method: "POST", path: "/7/secrets", body: `{"name":"1A","value":"x"}`, status: 400, text: "letter or underscore"},
	{name: "secret_value_number", method: "POST", path: "/7/secrets", body: `{"name":"A","value":1}`, status: 400, text: `"value"`},
	{name: "secret_value_missing", method: "POST", path: "/7/secrets", body: `{"name":"A"}`, status: 400, text: "Required"},
	{name: "secret_unknown", method: "GET", path: "/7/secrets/NO", status: 404, text: "Secret not found"},
	{name: "secret_delete_unknown", method: "DELETE", path: "/7/secrets/NO", status: 404, text: "Secret not found"},
	{name: "key_number", method: "POST", path: "/7/api-keys", body: `{"key_number":3}`, status: 400, text: "from 0 to 2"},

	{name: "fork_unknown_field", method: "POST", path: "/7/forks", body: `{"visibility":"public"}`, status: 400, text: "Unknown field"},
	{name: "fork_scheduler", method: "POST", path: "/7/forks", body: `{"scheduler_state_location":"s3://b"}`, status: 400, code: "scheduler_state_location_not_applicable"},
	{name: "fork_taken", method: "POST", path: "/7/forks", body: `{"name":"shop-app"}`, status: 409, text: "already exists"},
	{
		name: "fork_no_spicepod", method: "POST", path: "/9/forks", status: 422, code: "fork_source_has_no_spicepod",
		setup: func(t *testing.T, e *emulator.Emulator) {
			addApp(t, e, func(a *emulator.App) { a.ID, a.Name, a.Spicepod = 9, "bare", nil })
		},
	},
	{
		name: "fork_no_placement", method: "POST", path: "/9/forks", status: 400, code: "fork_placement_required",
		setup: func(t *testing.T, e *emulator.Emulator) {
			addApp(t, e, func(a *emulator.App) { a.ID, a.Name, a.Standalone = 9, "elsewhere", true })
		},
	},
	{
		name: "fork_cluster_location", method: "POST", path: "/9/forks", status: 400, code: "scheduler_state_location_required",
		setup: func(t *testing.T, e *emulator.Emulator) {
			addApp(t, e, func(a *emulator.App) { a.ID, a.Name, a.Tags = 9, "wide", map[string]string{"kind": "cluster"} })
		},
	},
	{name: "repository_not_connected", method: "PUT", path: "/7/repository", body: `{"repository":"a/b"}`, status: 409, code: "github_not_connected"},
	{name: "repository_bad_name", method: "PUT", path: "/7/repository", body: `{"repository":"a/b/c"}`, status: 400, code: "invalid_repository"},
	{name: "repository_bad_root", method: "PUT", path: "/7/repository", body: `{"repository":"a/b","root_directory":"../x"}`, status: 400, code: "invalid_root_directory"},

	{name: "unknown_route", method: "GET", path: "/7/nothing", status: 404, text: "No such route: GET /v1/"},
	{name: "trailing_slash", method: "GET", path: "/7/", status: 404, text: "No such route"},
	{name: "method", method: "PATCH", path: "/7", status: 405, text: "PATCH is not allowed"},
	{name: "rollback_route", method: "POST", path: "/7/deployments/1/rollback", status: 404, text: "No such route"},
}

func set(change func(*emulator.Settings)) func(*testing.T, *emulator.Emulator) {
	return func(t *testing.T, e *emulator.Emulator) { configure(t, e, change) }
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range refusals {
		for _, family := range families {
			t.Run(tc.name+"/"+family, func(t *testing.T) {
				t.Parallel()
				e, c := overLoopback(t, emulator.Options{})
				addApp(t, e, nil)
				if tc.setup != nil {
					tc.setup(t, e)
				}
				before := e.App(7)
				a := c.want(tc.status, tc.method, "/v1/"+family+tc.path, tc.body)
				if a.code() != tc.code {
					t.Errorf("code %q, want %q", a.code(), tc.code)
				}
				if a.json["error"] == nil || !strings.Contains(a.body, tc.text) {
					t.Errorf("body %s, want an error with %q", a.body, tc.text)
				}
				if diff := cmp.Diff(before, e.App(7)); diff != "" {
					t.Errorf("a refused request changed the app (-before +after):\n%s", diff)
				}
			})
		}
	}
}

func TestEveryFieldErrorAtOnce(t *testing.T) {
	t.Parallel()
	_, c := overLoopback(t, emulator.Options{})
	a := c.want(http.StatusBadRequest, "POST", "/v1/projects", `{"name":1,"visibility":"secret","replicas":11,"update_channel":"beta"}`)
	fields := a.json["details"].(map[string]any)["fieldErrors"].(map[string]any)
	if got, want := len(fields), 4; got != want {
		t.Errorf("%d fields are named, want %d: %s", got, want, a.body)
	}
}
