package spicecloud_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// edition serves the routes given and answers everything else as a server that has no such route does.
type edition struct {
	routes  map[string]string // method and path to body
	unknown int               // status
	text    string
	seen    []string
}

func (e *edition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	line := r.Method + " " + r.URL.Path
	e.seen = append(e.seen, line)
	body, found := e.routes[line]
	if !found {
		w.WriteHeader(e.unknown)
		fmt.Fprint(w, e.text)
		return
	}
	if status, text, refused := strings.Cut(body, " refused "); refused {
		var code int
		fmt.Sscan(status, &code)
		w.WriteHeader(code)
		body = text
	}
	fmt.Fprint(w, body)
}

const notFound = `404 refused {"error":"Project not found"}`

func TestRoutes_older_server(t *testing.T) {
	t.Parallel()
	for _, unknown := range []edition{
		{unknown: 404, text: "<html><title>404</title></html>"},
		{unknown: 404, text: `{"error":"Not found"}`},
		{unknown: 405, text: ""},
	} {
		t.Run(fmt.Sprint(unknown.unknown, unknown.text), func(t *testing.T) {
			t.Parallel()
			old := &edition{unknown: unknown.unknown, text: unknown.text, routes: map[string]string{
				"GET /v1/apps":   `{"apps":[{"id":7,"name":"a"}]}`,
				"GET /v1/apps/7": `{"id":7,"name":"a"}`,
			}}
			c := client(t, inMemory{old}, nil)
			list, err := c.Apps(ctx(t))
			if err != nil || len(list) != 1 {
				t.Fatalf("expected one app, got %v, %v", list, err)
			}
			if _, err := c.App(ctx(t), 7); err != nil {
				t.Fatal(err)
			}
			if got, want := old.seen, []string{"GET /v1/projects", "GET /v1/apps", "GET /v1/apps/7"}; !slices.Equal(got, want) {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestRoutes_older_server_by_id_alone(t *testing.T) {
	t.Parallel()
	old := &edition{unknown: 404, text: `{"error":"Not found"}`, routes: map[string]string{
		"GET /v1/apps":           `{"apps":[]}`,
		"GET /v1/apps/7":         `{"id":7,"name":"a"}`,
		"GET /v1/apps/7/secrets": `{"secrets":[]}`,
	}}
	c := client(t, inMemory{old}, nil)
	if _, err := c.App(ctx(t), 7); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Secrets(ctx(t), 7); err != nil {
		t.Fatal(err)
	}
	want := []string{"GET /v1/projects/7", "GET /v1/projects", "GET /v1/apps/7", "GET /v1/apps/7/secrets"}
	if got := old.seen; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestRoutes_missing_app_on_either_server(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		routes map[string]string
		path   string
		want   []string
	}{
		{
			"new_server",
			map[string]string{"GET /v1/projects": `{"projects":[]}`, "GET /v1/projects/7": notFound},
			"/v1/projects/7",
			[]string{"GET /v1/projects/7", "GET /v1/projects"},
		},
		{
			"old_server",
			map[string]string{"GET /v1/apps": `{"apps":[]}`, "GET /v1/apps/7": notFound},
			"/v1/apps/7",
			[]string{"GET /v1/projects/7", "GET /v1/projects", "GET /v1/apps/7"},
		},
		{
			"list_not_allowed",
			map[string]string{"GET /v1/projects": `403 refused {"code":"insufficient_scope"}`, "GET /v1/projects/7": notFound},
			"/v1/projects/7",
			[]string{"GET /v1/projects/7", "GET /v1/projects"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := &edition{unknown: 404, routes: tc.routes}
			_, err := client(t, inMemory{server}, nil).App(ctx(t), 7)
			refused := as[*spicecloud.APIError](t, err)
			if refused.Status != 404 || refused.Path != tc.path || refused.Message != "Project not found" {
				t.Errorf("expected the 404 of %s, got %v", tc.path, refused)
			}
			if got, want := server.seen, tc.want; !slices.Equal(got, want) {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestRoutes_known_after_one_success(t *testing.T) {
	t.Parallel()
	server := &edition{unknown: 404, routes: map[string]string{"GET /v1/projects/7/secrets": `{"secrets":[]}`}}
	c := client(t, inMemory{server}, nil)
	if _, err := c.Secrets(ctx(t), 7); err != nil {
		t.Fatal(err)
	}
	if _, err := c.App(ctx(t), 8); err == nil {
		t.Error("expected an error")
	}
	if got, want := server.seen, []string{"GET /v1/projects/7/secrets", "GET /v1/projects/8"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestRoutes_create_on_an_older_server(t *testing.T) {
	t.Parallel()
	old := &edition{unknown: 404, routes: map[string]string{
		"GET /v1/apps":                `{"apps":[]}`,
		"POST /v1/apps/7/deployments": `{"id":9}`,
	}}
	got, err := client(t, inMemory{old}, nil).CreateDeployment(ctx(t), 7, spicecloud.NewDeployment{})
	if err != nil || got.ID != 9 {
		t.Fatalf("expected deployment 9, got %v, %v", got, err)
	}
}

func TestRoutes_neither_is_there(t *testing.T) {
	t.Parallel()
	nothing := &edition{unknown: 404, text: "404 page not found"}
	_, err := client(t, inMemory{nothing}, nil).Apps(ctx(t))
	if got, want := err.Error(), "GET /v1/apps: 404 Not Found: 404 page not found"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestRoutes_no_answer_to_judge_by(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := plays(reply(404, ""), hang)
		_, err := client(t, network, nil).App(spicecloud.WithPatience(ctx(t), time.Minute), 7)
		if gaveUp := as[*spicecloud.GaveUpError](t, err); gaveUp.Attempts < 2 {
			t.Errorf("expected several attempts, got %v", gaveUp)
		}
	})
}
