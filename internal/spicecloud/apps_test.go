package spicecloud_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestApps_envelopes(t *testing.T) {
	t.Parallel()
	want := []spicecloud.App{{ID: 1, Name: "one"}, {ID: 2, Name: "two"}}
	for _, body := range []string{
		`{"projects":[{"id":1,"name":"one"},{"id":"2","name":"two"}]}`,
		`{"apps":[{"id":1,"name":"one"},{"id":2,"name":"two"}]}`,
		`[{"id":1,"name":"one"},{"id":2,"name":"two"}]`,
	} {
		got, err := client(t, plays(reply(200, body)), nil).Apps(ctx(t))
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestApps_empty(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"projects":[]}`, `[]`} {
		got, err := client(t, plays(reply(200, body)), nil).Apps(ctx(t))
		if err != nil || len(got) != 0 {
			t.Errorf("%s: expected an empty list, got %v, %v", body, got, err)
		}
	}
}

func TestLists_anything_else_is_an_error(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, body, want string }{
		{"empty", "", "GET /v1/projects: unusable answer with status 200: it is empty; expected JSON"},
		{"blank", " \n", "it is empty; expected JSON"},
		{"html", "<!doctype html><html><head><title>\n Sign   in &amp; go </title>", "it is an HTML page titled Sign in & go; expected JSON"},
		{"html_without_title", "<html>", "it is an HTML page; expected JSON"},
		{"text", "ok", "it is not JSON, or only a part of it"},
		{"truncated", `{"projects":[{"id":1,"name":"a"}`, "it is not JSON, or only a part of it"},
		{"null", "null", "not an object"},
		{"number", "1", "not an object"},
		{"no_key", `{"items":[]}`, `it has no "projects"`},
		{"empty_object", `{}`, `it has no "projects"`},
		{"key_of_null", `{"projects":null}`, `"projects" is not a list`},
		{"not_a_list", `{"projects":{}}`, `"projects" is not a list`},
		{"item_not_an_object", `{"projects":[1]}`, `number 1 of "projects": it is not the JSON expected: not an object`},
		{"item_null", `{"projects":[null]}`, `number 1 of "projects"`},
		{"item_without_id", `{"projects":[{"id":1},{"name":"a"}]}`, `number 2 of "projects": it is not the JSON expected: it has no "id"`},
		{"item_with_bad_id", `{"projects":[{"id":"x"}]}`, `it has no "id"`},
		{"item_with_negative_id", `{"projects":[{"id":-1}]}`, `it has no "id"`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := plays(reply(200, tc.body))
				_, err := client(t, network, nil).Apps(spicecloud.WithPatience(ctx(t), time.Second))
				if bad := as[*spicecloud.BadResponseError](t, err); !strings.Contains(bad.Error(), tc.want) {
					t.Errorf("expected %q in %q", tc.want, bad)
				}
			})
		})
	}
}

// many serves n apps in pages as the handler's limit and offset say; 0 for a limit that is not read.
func many(n, largest int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		size, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		if largest == 0 {
			from, size = 0, n
		}
		var items []string
		for id := from + 1; id <= min(n, from+size); id++ {
			items = append(items, fmt.Sprintf(`{"id":%d,"name":"app-%d"}`, id, id))
		}
		fmt.Fprintf(w, `{"projects":[%s]}`, strings.Join(items, ","))
	})
}

func TestApps_pages(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name            string
		apps, largest   int
		requests, found int
	}{
		{"one_page", 99, 100, 1, 99},
		{"exactly_one_page", 100, 100, 2, 100},
		{"three_pages", 250, 100, 4, 250}, // the last two at the same time
		{"many_pages", 5000, 100, 52, 5000},
		{"server_without_pages", 250, 0, 1, 250},
		{"server_without_pages_by_chance_a_page", 100, 0, 2, 100},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			c := client(t, inMemory{many(tc.apps, tc.largest)}, func(cfg *spicecloud.Config) {
				cfg.Trace = func(spicecloud.Call) { requests.Add(1) }
			})
			got, err := c.Apps(ctx(t))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(got), tc.found; got != want {
				t.Errorf("expected %d apps, got %d", want, got)
			}
			if got, want := int(requests.Load()), tc.requests; got != want {
				t.Errorf("expected %d requests, got %d", want, got)
			}
		})
	}
}

func TestApps_pages_are_read_together(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-time.After(20 * time.Millisecond)
			many(5000, 100).ServeHTTP(w, r)
		})
		start := time.Now()
		got, err := client(t, inMemory{slow}, nil).Apps(ctx(t))
		if err != nil {
			t.Fatal(err)
		}
		for i, app := range got {
			if app.ID != int64(i+1) {
				t.Fatalf("app %d is number %d of the list", app.ID, i+1)
			}
		}
		if got, want := time.Since(start), 15*20*time.Millisecond; got != want {
			t.Errorf("51 pages took %s, want %s", got, want)
		}
	})
}

func TestApps_a_list_without_end_is_an_error(t *testing.T) {
	t.Parallel()
	_, err := client(t, inMemory{many(1_000_000, 100)}, nil).Apps(ctx(t))
	if err == nil || !strings.Contains(err.Error(), "the list goes on after 10000 entries") {
		t.Errorf("expected an error, got %v", err)
	}
}

func TestApp_fields(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, body string
		want       spicecloud.App
	}{
		{
			"all",
			`{"id":7,"name":"Quick","kind":"managed","visibility":"private","endpoint":"https://x.spiceai.io","region":"us-east-1",
			  "cname":"us-east-1-prod-aws-data","production_branch":"main","tags":{"team":"data","n":3},"api_key":"7|secret","new":[1],
			  "config":{"spicepod":{"name":"quick"},"update_channel":"stable","image_tag":"2.3.2","replicas":2,"region":"us-west-2"}}`,
			spicecloud.App{
				ID: 7, Name: "Quick", Kind: "managed", Visibility: "private", Endpoint: "https://x.spiceai.io", Region: "us-east-1",
				CName: "us-east-1-prod-aws-data", ProductionBranch: "main", Tags: map[string]string{"team": "data", "n": "3"},
				Spicepod: json.RawMessage(`{"name":"quick"}`), UpdateChannel: "stable", ImageTag: "2.3.2", Replicas: 2,
			},
		},
		{
			"nulls",
			`{"id":"7","name":null,"region":null,"tags":null,"config":{"spicepod":null,"image_tag":null,"replicas":null,"region":"us-west-2"}}`,
			spicecloud.App{ID: 7, Region: "us-west-2"},
		},
		{
			"other_types",
			`{"id":7,"name":"q","region":{"id":1},"endpoint":[],"cname":5,"config":"none"}`,
			spicecloud.App{ID: 7, Name: "q", CName: "5"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(reply(200, tc.body))
			got, err := client(t, network, nil).App(ctx(t), 7)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("app (-want +got):\n%s", diff)
			}
			if got, want := network.lines(), []string{"GET /v1/projects/7"}; !slices.Equal(got, want) {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestApp_refuses_another_app_and_unreadable_tags(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"id":8,"name":"other"}`:          "it is about another app, 8",
		`{"id":7,"name":"a","tags":["x"]}`: `"tags" is not a map`,
	} {
		synctest.Test(t, func(t *testing.T) {
			_, err := client(t, plays(reply(200, body)), nil).App(spicecloud.WithPatience(ctx(t), time.Second), 7)
			if bad := as[*spicecloud.BadResponseError](t, err); !strings.Contains(bad.Error(), want) {
				t.Errorf("expected %q in %q", want, bad)
			}
		})
	}
}

func TestApp_base_url_with_a_path(t *testing.T) {
	t.Parallel()
	network := plays(reply(200, `{"id":7}`))
	c := client(t, network, func(cfg *spicecloud.Config) { cfg.BaseURL = "https://gateway.test/spice/" })
	if _, err := c.App(ctx(t), 7); err != nil {
		t.Fatal(err)
	}
	if got, want := network.lines(), []string{"GET /spice/v1/projects/7"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestCreateApp_request(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		in   spicecloud.NewApp
		want string
	}{
		{"least", spicecloud.NewApp{Name: "a", Region: "us-east-1"}, `{"name":"a","region":"us-east-1"}`},
		{
			"all",
			spicecloud.NewApp{Name: "a", Region: "us-east-1", Visibility: "public", Tags: map[string]string{"k": "v"}},
			`{"name":"a","region":"us-east-1","visibility":"public","tags":{"k":"v"}}`,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(reply(201, `{"id":7,"name":"a","endpoint":"https://e"}`))
			got, err := client(t, network, nil).CreateApp(ctx(t), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(spicecloud.App{ID: 7, Name: "a", Endpoint: "https://e"}, got); diff != "" {
				t.Errorf("app (-want +got):\n%s", diff)
			}
			if got, want := network.requests()[0].Line+" "+network.requests()[0].Body, "POST /v1/projects "+tc.want; got != want {
				t.Errorf("expected %s to be %s", got, want)
			}
		})
	}
}

func TestUpdateApp_sends_what_is_set(t *testing.T) {
	t.Parallel()
	spicepod := "name: a\nkind: Spicepod\n"
	cases := []struct {
		name string
		in   spicecloud.AppUpdate
		want string
	}{
		{"spicepod", spicecloud.AppUpdate{Spicepod: &spicepod}, `{"spicepod":"name: a\nkind: Spicepod\n"}`},
		{"tags", spicecloud.AppUpdate{Tags: map[string]string{"a": "b"}}, `{"tags":{"a":"b"}}`},
		{"no_tags_left", spicecloud.AppUpdate{Tags: map[string]string{}}, `{"tags":{}}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(reply(200, `{"id":7}`))
			if _, err := client(t, network, nil).UpdateApp(ctx(t), 7, tc.in); err != nil {
				t.Fatal(err)
			}
			if got, want := network.requests()[0].Line+" "+network.requests()[0].Body, "PUT /v1/projects/7 "+tc.want; got != want {
				t.Errorf("expected %s to be %s", got, want)
			}
		})
	}
}

func TestDeleteApp(t *testing.T) {
	t.Parallel()
	gone := reply(404, `{"error":"not found"}`)
	cases := []struct {
		name  string
		steps []step
		want  string // in the error; "" for none
	}{
		{"no_content", []step{reply(204, "")}, ""},
		{"with_a_body", []step{reply(200, `{"ok":true}`)}, ""},
		{"missing", []step{gone, reply(200, `{"projects":[]}`)}, "404 Not Found: not found"},
		{"done_by_the_attempt_before", []step{fail(syscall.ECONNRESET), gone, reply(200, `{"projects":[]}`)}, ""},
		{"missing_after_a_refusal", []step{reply(429, ""), gone, reply(200, `{"projects":[]}`)}, "404 Not Found: not found"},
		{"older_server", []step{reply(503, ""), gone, gone, gone}, "404 Not Found: not found"},
		{"html", []step{reply(200, "<html>")}, "it is an HTML page"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				err := client(t, plays(tc.steps...), nil).DeleteApp(spicecloud.WithPatience(ctx(t), 5*time.Second), 7)
				if tc.want == "" && err != nil {
					t.Error(err)
				}
				if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
					t.Errorf("expected an error with %q, got %v", tc.want, err)
				}
			})
		})
	}
}

func TestResumeApp(t *testing.T) {
	t.Parallel()
	network := plays(reply(202, `{"status":"resuming","deployment_id":"12"}`))
	got, err := client(t, network, nil).ResumeApp(ctx(t), 7)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(12); got != want {
		t.Errorf("expected %d to be %d", got, want)
	}
	if got, want := network.lines(), []string{"POST /v1/projects/7/resume"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestPaused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer step
		want   bool
		fails  bool
	}{
		{"running", reply(200, `{"instances":[{"name":"a","status":"ready"}]}`), false, false},
		{"running_bare_list", reply(200, `[]`), false, false},
		{"paused", reply(409, `{"error":"paused","code":"project_paused"}`), true, false},
		{"never_deployed", reply(409, `{"error":"not deployed","code":"project_not_deployed"}`), false, false},
		{"other_conflict", reply(409, `{"error":"project_paused"}`), false, true},
		{"no_scope", reply(403, ""), false, true},
		{"html", reply(200, "<html>"), false, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := client(t, plays(tc.answer), nil).Paused(ctx(t), 7)
			if got != tc.want || (err != nil) != tc.fails {
				t.Errorf("expected %v and an error: %v, got %v, %v", tc.want, tc.fails, got, err)
			}
		})
	}
}
