package emulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// families are the two spellings of every project route.
var families = []string{"projects", "apps"}

func TestProjectLifeOnBothFamilies(t *testing.T) {
	t.Parallel()
	for _, family := range families {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			e, c := overLoopback(t, emulator.Options{Queued: time.Nanosecond, InProgress: time.Nanosecond})
			root := "/v1/" + family
			a := c.want(http.StatusCreated, "POST", root, `{"name":"my-app","region":"us-west-2","tags":{"team":"a_b-1"}}`)
			if got := a.json["endpoint"]; got != c.base {
				t.Errorf("endpoint %v, want %s", got, c.base)
			}
			if got, ok := a.json["config"]; ok {
				t.Errorf("create shows a config: %v", got)
			}
			app := fmt.Sprintf("%s/%d", root, a.id())

			list := c.want(http.StatusOK, "GET", root, "")
			if len(list.json) != 1 || len(list.list(family)) != 1 {
				t.Errorf("envelope: %s", list.body)
			}
			if _, ok := list.list(family)[0]["config"]; ok {
				t.Error("the list shows a config")
			}

			a = c.want(http.StatusOK, "PUT", app, `{"spicepod":"version: v1\nkind: Spicepod\nname: shop\nport: 0x10\n","replicas":3}`)
			config := a.json["config"].(map[string]any)
			want := map[string]any{"version": "v1", "kind": "Spicepod", "name": "shop", "port": 16.0}
			if diff := cmp.Diff(want, config["spicepod"]); diff != "" {
				t.Errorf("spicepod (-want +got):\n%s", diff)
			}
			if config["replicas"] != 3.0 || a.json["tags"].(map[string]any)["team"] != "a_b-1" {
				t.Errorf("what was omitted changed: %s", a.body)
			}

			c.want(http.StatusOK, "POST", app+"/secrets", `{"name":"PG_PASS","value":"s3cret"}`)
			d := c.want(http.StatusAccepted, "POST", app+"/deployments", `{"branch":"main","commit_sha":"abc","commit_message":"m","debug":true}`)
			time.Sleep(time.Millisecond)
			got := c.want(http.StatusOK, "GET", app+"/deployments?limit=1", "").list("deployments")[0]
			for field, want := range map[string]any{
				"id": float64(d.id()), "status": "succeeded", "branch": "main", "commit_sha": "abc", "commit_message": "m",
				"creation_source": "api", "created_by": 1.0, "replicas": 3.0, "channel": "stable",
			} {
				if got[field] != want {
					t.Errorf("%s: got %v, want %v", field, got[field], want)
				}
			}
			c.want(http.StatusNoContent, "DELETE", app+"/secrets/PG_PASS", "")
			c.want(http.StatusNoContent, "DELETE", app, "")
			c.want(http.StatusNotFound, "GET", app, "")
			if !e.App(a.id()).Deleted {
				t.Error("the app is not deleted")
			}
			c.want(http.StatusCreated, "POST", root, `{"name":"my-app"}`)
		})
	}
}

func TestCreateWithoutPlacementIsNotManaged(t *testing.T) {
	t.Parallel()
	_, c := overLoopback(t, emulator.Options{})
	cases := map[string]bool{`{"name":"none"}`: false, `{"name":"region","region":"us-east-1"}`: true, `{"name":"cname","cname":"us-west-2"}`: true, `{"name":"cluster","cluster_name":"big"}`: true}
	for body, managed := range cases {
		a := c.want(http.StatusCreated, "POST", "/v1/projects", body)
		if got := a.json["kind"] == "managed"; got != managed {
			t.Errorf("%s: kind %v", body, a.json["kind"])
		}
	}
}

func TestImageTagPin(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	addApp(t, e, nil)
	pin := func(body string) any {
		return c.want(http.StatusOK, "PUT", "/v1/projects/7", body).json["config"].(map[string]any)["image_tag"]
	}
	if got := pin(`{"image_tag":"2.3.2-models"}`); got != "2.3.2-models" {
		t.Errorf("pinned: %v", got)
	}
	if got := pin(`{"description":"x"}`); got != "2.3.2-models" {
		t.Errorf("omitted: %v", got)
	}
	if got := pin(`{"image_tag":null,"update_channel":"nightly"}`); got != nil {
		t.Errorf("cleared: %v", got)
	}
	if got := pin(`{"image_tag":"2026-11-01"}`); got != "2026-11-01" {
		t.Errorf("another channel: %v", got)
	}
	c.want(http.StatusBadRequest, "PUT", "/v1/projects/7", `{"update_channel":"stable"}`)

	configure(t, e, func(st *emulator.Settings) { st.AcceptUnknownImageTags = true })
	c.want(http.StatusOK, "PUT", "/v1/projects/7", `{"update_channel":"stable"}`)
	c.want(http.StatusAccepted, "POST", deployments, "")
	if got := e.App(7).Deployments[0]; got.Status != "queued" {
		t.Errorf("with an image that nobody published: %s, want queued", got.Status)
	}
}

func TestSpicepodForms(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, body, want string }{
		{"yaml", `{"spicepod":"name: shop\nwhen: 2024-01-02\n1: one\nbig: .inf\nyes: no\n"}`, `{"1":"one","big":"+Inf","name":"shop","when":"2024-01-02T00:00:00Z","yes":"no"}`},
		{"json", `{"spicepod":{"name":"shop","n":1.5,"emoji":"\ud83c\udf36"}}`, `{"emoji":"🌶","n":1.5,"name":"shop"}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, c := overLoopback(t, emulator.Options{})
			addApp(t, e, nil)
			c.want(http.StatusOK, "PUT", "/v1/apps/7", tc.body)
			if got := string(e.App(7).Spicepod); got != tc.want {
				t.Errorf("stored %s, want %s", got, tc.want)
			}
		})
	}
}

func TestPlacements(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, endpoint, region, cname, configRegion string }{
		{"endpoint", "https://data.example.com", "us-east-1", "", "us-east-1"},
		{"host", "data.example.com", "us-east-1", "", "us-east-1"},
		{"cname", "", "", "us-east-1-prod-aws-data", "us-east-1"},
		{"region", "", "us-east-1", "", "us-east-1"},
		{"data-region", "", "us-east-1-prod-aws-data", "", "us-east-1"},
		{"config-region", "", "", "", "us-east-1"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, c := overLoopback(t, emulator.Options{})
			addApp(t, e, nil)
			configure(t, e, func(st *emulator.Settings) { st.Placement, st.Endpoint = tc.name, "https://data.example.com" })
			a := c.want(http.StatusOK, "GET", "/v1/projects/7", "")
			got := map[string]any{"config": a.json["config"].(map[string]any)["region"]}
			want := map[string]any{"config": tc.configRegion}
			for name, value := range map[string]string{"endpoint": tc.endpoint, "region": tc.region, "cname": tc.cname} {
				if v, ok := a.json[name]; ok {
					got[name] = v
				}
				if value != "" {
					want[name] = value
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditions(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	addApp(t, e, func(a *emulator.App) {
		a.Deployments = []emulator.Deployment{{Age: time.Hour, Outcome: emulator.Outcome{Status: "failed", ErrorMessage: "boom"}}}
	})
	one := func() map[string]any {
		return c.want(http.StatusOK, "GET", deployments, "").list("deployments")[0]
	}
	for by, want := range map[string]any{"int": 2.0, "string": "somebody-else@example.com", "null": nil} {
		configure(t, e, func(st *emulator.Settings) { st.CreatedBy = by })
		id, err := e.AddDeployment(7, emulator.Deployment{})
		if err != nil {
			t.Fatal(err)
		}
		if got := one()["created_by"]; got != want {
			t.Errorf("created_by %s of %d: got %v, want %v", by, id, got, want)
		}
	}
	configure(t, e, func(st *emulator.Settings) { st.ErrorField = "error" })
	failed := c.want(http.StatusOK, "GET", deployments+"?status=failed", "").list("deployments")[0]
	if failed["error"] != "boom" || failed["error_message"] != nil {
		t.Errorf("error field: %v", failed)
	}
	for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed} {
		configure(t, e, func(st *emulator.Settings) { st.NoDeploymentRoute = status })
		c.want(status, "GET", deployments+"/1001", "")
		c.want(http.StatusOK, "GET", deployments, "")
	}
	configure(t, e, func(st *emulator.Settings) { st.NoProjectsRoute = true })
	c.want(http.StatusNotFound, "GET", "/v1/projects", "")
	c.want(http.StatusNotFound, "GET", "/v1/projects/7/secrets", "")
	c.want(http.StatusOK, "GET", "/v1/apps/7/secrets", "")
}
