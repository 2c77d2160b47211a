package emulator_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{Token: "my-own-token"})
	if got, want := e.Token(), "my-own-token"; got != want {
		t.Errorf("token %q, want %q", got, want)
	}
	cases := []struct {
		name, header string
		want         int
	}{
		{"right", "Bearer my-own-token", 200},
		{"scheme_in_lower_case", "bearer my-own-token", 200},
		{"missing", "", 401},
		{"no_scheme", "my-own-token", 401},
		{"basic", "Basic my-own-token", 401},
		{"wrong", "Bearer other", 401},
		{"empty", "Bearer ", 401},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			anonymous := c.as("")
			anonymous.t = t
			var headers []string
			if tc.header != "" {
				headers = []string{"Authorization", tc.header}
			}
			a := anonymous.want(tc.want, "GET", "/v1/projects", "", headers...)
			if strings.Contains(a.body, "my-own-token") {
				t.Errorf("the answer repeats the token: %s", a.body)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	cases := []struct{ scope, method, path, body, required string }{
		{"apps:read", "GET", "/v1/projects/7", "", ""},
		{"apps:write", "GET", "/v1/projects/7", "", ""},
		{"apps:delete", "GET", "/v1/projects/7", "", "apps:read"},
		{"apps:read", "PUT", "/v1/projects/7", "{}", "apps:write"},
		{"apps:write", "DELETE", "/v1/projects/7", "", "apps:delete"},
		{"deployments:read", "POST", "/v1/apps/7/deployments", "", "deployments:write"},
		{"deployments:write", "GET", "/v1/apps/7/deployments", "", ""},
		{"apps:write", "GET", "/v1/apps/7/secrets", "", "secrets:read"},
		{"secrets:read", "POST", "/v1/apps/7/secrets", `{"name":"A","value":"b"}`, "secrets:write"},
		{"*", "DELETE", "/v1/projects/7", "", ""},
		{"apps:write", "GET", "/v1/members", "", "members:read"},
	}
	for _, tc := range cases {
		t.Run(tc.scope+" "+tc.method+" "+tc.path, func(t *testing.T) {
			t.Parallel()
			e, c := overLoopback(t, emulator.Options{})
			addApp(t, e, nil)
			a := c.as(e.MintToken(emulator.TokenSpec{Scopes: []string{tc.scope}})).do(tc.method, tc.path, tc.body)
			if tc.required == "" {
				if a.status >= 300 {
					t.Errorf("got %d: %s", a.status, a.body)
				}
				return
			}
			want := map[string]any{"error": "Insufficient scope. Required: " + tc.required, "code": "insufficient_scope"}
			if diff := cmp.Diff(want, a.json); a.status != http.StatusForbidden || diff != "" {
				t.Errorf("got %d (-want +got):\n%s", a.status, diff)
			}
		})
	}
}

func TestViewer(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	addApp(t, e, nil)
	viewer := c.as(e.MintToken(emulator.TokenSpec{Role: "viewer"}))
	viewer.want(http.StatusOK, "GET", "/v1/projects/7", "")
	for _, request := range []string{"PUT /v1/projects/7", "POST /v1/projects/7/deployments", "GET /v1/projects/7/secrets", "POST /v1/projects"} {
		method, path, _ := strings.Cut(request, " ")
		if got := viewer.want(http.StatusForbidden, method, path, "").code(); got != "forbidden" {
			t.Errorf("%s: code %q", request, got)
		}
	}
	configure(t, e, func(st *emulator.Settings) { st.Role, st.Scopes = "viewer", []string{"apps:write"} })
	if got := c.want(http.StatusForbidden, "PUT", "/v1/projects/7", "{}").code(); got != "forbidden" {
		t.Errorf("code %q", got)
	}
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{Org: "Acme"})
	if err := e.Apply(emulator.Scenario{
		Orgs: []emulator.Org{{Name: "friends", Role: "viewer"}},
		Apps: []emulator.App{{ID: 7, Name: "ours"}, {ID: 8, Name: "theirs", Org: "friends"}},
	}); err != nil {
		t.Fatal(err)
	}
	machine := c.as(e.MintToken(emulator.TokenSpec{Machine: true}))
	cases := []struct {
		name, org, method, path string
		machine                 bool
		status                  int
		code                    string
	}{
		{name: "own", org: "Acme", method: "GET", path: "/7", status: 200},
		{name: "own_other_case", org: "aCME", method: "GET", path: "/7", status: 200},
		{name: "machine_own_other_case", org: "acme", method: "GET", path: "/7", machine: true, status: 200},
		{name: "other", org: "FRIENDS", method: "GET", path: "/8", status: 200},
		{name: "other_sees_not_ours", org: "friends", method: "GET", path: "/7", status: 404},
		{name: "ours_sees_not_theirs", org: "acme", method: "GET", path: "/8", status: 404},
		{name: "role_of_the_other", org: "friends", method: "PUT", path: "/8", status: 403, code: "forbidden"},
		{name: "blank", org: "", method: "GET", path: "/7", status: 400, code: "invalid_org_assertion"},
		{name: "not_a_handle", org: "a b", method: "GET", path: "/7", status: 400, code: "invalid_org_assertion"},
		{name: "foreign", org: "strangers", method: "GET", path: "/7", status: 403, code: "org_forbidden"},
		{name: "machine_foreign", org: "friends", method: "GET", path: "/8", machine: true, status: 403, code: "org_assertion_mismatch"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			who := *c
			if tc.machine {
				who = *machine
			}
			who.t = t
			if got := who.want(tc.status, tc.method, "/v1/projects"+tc.path, "", "X-Org-Name", tc.org).code(); got != tc.code {
				t.Errorf("code %q, want %q", got, tc.code)
			}
		})
	}
	for org, want := range map[string]float64{"acme": 7, "friends": 8} {
		list := c.want(http.StatusOK, "GET", "/v1/projects", "", "X-Org-Name", org).list("projects")
		if len(list) != 1 || list[0]["id"] != want {
			t.Errorf("projects of %s: %v", org, list)
		}
	}
	names := func(c *curl) string {
		var list []string
		for _, o := range c.want(http.StatusOK, "GET", "/v1/orgs", "").list("orgs") {
			list = append(list, fmt.Sprint(o["name"], ":", o["role"]))
		}
		return strings.Join(list, " ")
	}
	if got, want := names(c), "Acme:owner friends:viewer"; got != want {
		t.Errorf("orgs %q, want %q", got, want)
	}
	if got, want := names(machine), "Acme:owner"; got != want {
		t.Errorf("orgs of a machine %q, want %q", got, want)
	}
}

func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{ClientID: "id one", ClientSecret: "s3cret/+&"})
	c = c.as("")
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {e.ClientID()}, "client_secret": {e.ClientSecret()}}.Encode()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(e.ClientID())+":"+url.QueryEscape(e.ClientSecret())))
	json := `{"grant_type":"client_credentials","client_id":"id one","client_secret":"s3cret/+&"%s}`
	cases := []struct {
		name, body, basic string
		status            int
		want              string // the scope, or the bare text
	}{
		{"json", fmt.Sprintf(json, ""), "", 200, "*"},
		{"json_with_scope", fmt.Sprintf(json, `,"scope":"apps:write secrets:write"`), "", 200, "apps:write secrets:write"},
		{"form", form, "", 200, "*"},
		{"form_with_scope", form + "&scope=apps%3Aread", "", 200, "apps:read"},
		{"basic", "grant_type=client_credentials", basic, 200, "*"},
		{"wrong_secret", strings.Replace(form, "s3cret", "wrong", 1), "", 401, "invalid_client"},
		{"wrong_client", strings.Replace(form, "one", "two", 1), "", 401, "invalid_client"},
		{"no_client", "grant_type=client_credentials", "", 401, "invalid_client"},
		{"grant", strings.Replace(form, "client_credentials", "password", 1), "", 400, "unsupported_grant_type"},
		{"unknown_scope", form + "&scope=apps:everything", "", 400, "invalid_scope"},
		{"not_json", `{"grant_type":1}`, "", 400, "invalid_request"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			who := *c
			who.t = t
			var headers []string
			if tc.basic != "" {
				headers = []string{"Authorization", tc.basic}
			}
			a := who.want(tc.status, "POST", "/api/oauth/token", tc.body, headers...)
			if tc.status != http.StatusOK {
				if a.body != tc.want {
					t.Errorf("body %q, want %q", a.body, tc.want)
				}
				return
			}
			if a.json["scope"] != tc.want || a.json["token_type"] != "Bearer" || a.json["expires_in"] != 3600.0 {
				t.Errorf("got %s", a.body)
			}
			machine := who.as(a.json["access_token"].(string))
			machine.want(http.StatusOK, "GET", "/v1/projects", "")
		})
	}
}

func TestSameSeedSameCredentials(t *testing.T) {
	t.Parallel()
	first, second, other := emulator.New(emulator.Options{Seed: 1}), emulator.New(emulator.Options{Seed: 1}), emulator.New(emulator.Options{Seed: 2})
	if first.Token() != second.Token() || first.ClientSecret() != second.ClientSecret() {
		t.Error("the same seed gives other credentials")
	}
	if first.Token() == other.Token() {
		t.Error("another seed gives the same token")
	}
}
