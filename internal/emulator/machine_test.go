package emulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

const deployments = "/v1/projects/7/deployments"

// see is what a client sees of a deployment: status, code, message, image tag.
func see(c *curl, id int64) string {
	c.t.Helper()
	a := c.want(http.StatusOK, "GET", fmt.Sprintf("%s/%d", deployments, id), "")
	return fmt.Sprint(a.json["status"], " ", a.json["error_code"], " ", a.json["error_message"], " ", a.json["image_tag"])
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	type look struct {
		at   time.Duration
		want string
	}
	cases := []struct {
		name    string
		outcome emulator.Outcome
		looks   []look
	}{
		{
			name: "happy",
			looks: []look{
				{0, "queued <nil> <nil> <nil>"},
				{999 * time.Millisecond, "queued <nil> <nil> <nil>"},
				{time.Second, "in_progress <nil> <nil> <nil>"},
				{4 * time.Second, "succeeded <nil> <nil> 2.3.2-enterprise-models"},
				{24 * time.Hour, "succeeded <nil> <nil> 2.3.2-enterprise-models"},
			},
		},
		{
			name:    "shortage_that_clears",
			outcome: emulator.Outcome{Shortage: "insufficient_memory", ShortageMessage: "no room", ShortageFor: time.Second, ImageTag: "2.4.0-models"},
			looks: []look{
				{0, "queued <nil> <nil> <nil>"},
				{time.Second, "in_progress insufficient_memory no room <nil>"},
				{2 * time.Second, "in_progress <nil> <nil> <nil>"},
				{4 * time.Second, "succeeded <nil> <nil> 2.4.0-models"},
			},
		},
		{
			name:    "shortage_that_ends_in_failure",
			outcome: emulator.Outcome{Shortage: "insufficient_cpu", ShortageMessage: "no room", Status: "failed", ErrorCode: "insufficient_cpu", ErrorMessage: "gave up"},
			looks:   []look{{2 * time.Second, "in_progress insufficient_cpu no room <nil>"}, {4 * time.Second, "failed insufficient_cpu gave up <nil>"}},
		},
		{
			name:    "failed_with_a_code",
			outcome: emulator.Outcome{Status: "failed", ErrorCode: "unable_to_start", ErrorMessage: "boom"},
			looks:   []look{{3 * time.Second, "in_progress <nil> <nil> <nil>"}, {4 * time.Second, "failed unable_to_start boom <nil>"}},
		},
		{
			name:    "failed_with_a_message_only",
			outcome: emulator.Outcome{Status: "failed", ErrorMessage: "boom"},
			looks:   []look{{4 * time.Second, "failed <nil> boom <nil>"}},
		},
		{
			name:    "stuck_in_progress",
			outcome: emulator.Outcome{Status: "stuck"},
			looks:   []look{{time.Second, "in_progress <nil> <nil> <nil>"}, {1000 * time.Hour, "in_progress <nil> <nil> <nil>"}},
		},
		{
			name:    "stuck_in_the_queue",
			outcome: emulator.Outcome{Status: "queued"},
			looks:   []look{{1000 * time.Hour, "queued <nil> <nil> <nil>"}},
		},
		{
			name:    "durations_of_its_own",
			outcome: emulator.Outcome{Queued: new(time.Duration(0)), InProgress: new(time.Minute)},
			looks:   []look{{0, "in_progress <nil> <nil> <nil>"}, {time.Minute, "succeeded <nil> <nil> 2.3.2-enterprise-models"}},
		},
		{
			name:    "unknown_words",
			outcome: emulator.Outcome{Status: "cancelled", Words: map[string]string{"in_progress": "Provisioning"}},
			looks:   []look{{time.Second, "Provisioning <nil> <nil> <nil>"}, {4 * time.Second, "cancelled <nil> <nil> <nil>"}},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, c := inMemory(t, emulator.Options{})
				addApp(t, e, nil)
				outcomes(t, e, tc.outcome)
				start := time.Now()
				id := c.want(http.StatusAccepted, "POST", deployments, "{}").id()
				for _, look := range tc.looks {
					time.Sleep(time.Until(start.Add(look.at)))
					if got := see(c, id); got != look.want {
						t.Errorf("after %s: got %q, want %q", look.at, got, look.want)
					}
				}
			})
		})
	}
}

// statuses is the app's history, oldest first.
func statuses(e *emulator.Emulator) []string {
	list := []string{}
	for _, d := range e.App(7).Deployments {
		list = append(list, d.Status)
	}
	return list
}

func TestSuperseding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		outcomes(t, e, emulator.Outcome{}, emulator.Outcome{Status: "stuck"})
		look := func(want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, statuses(e)); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		}
		c.want(http.StatusAccepted, "POST", deployments, "")
		time.Sleep(time.Minute)
		look("succeeded")
		c.want(http.StatusAccepted, "POST", deployments, "")
		time.Sleep(time.Minute)
		look("succeeded", "in_progress")
		c.want(http.StatusAccepted, "POST", deployments, "")
		// The stuck one becomes created only once the next one starts, and what succeeded stays what it was.
		time.Sleep(999 * time.Millisecond)
		look("succeeded", "in_progress", "queued")
		time.Sleep(time.Millisecond)
		look("succeeded", "created", "in_progress")
		time.Sleep(time.Minute)
		look("succeeded", "created", "succeeded")

		history := e.App(7).Deployments
		if got, want := history[1].FinishedAt, history[2].StartedAt; !got.Equal(want) {
			t.Errorf("the superseded one finished at %s, want %s", got, want)
		}
	})
}

func TestSupersedingOfAQueuedOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		outcomes(t, e, emulator.Outcome{Queued: new(time.Hour)})
		c.want(http.StatusAccepted, "POST", deployments, "")
		if _, err := e.AddDeployment(7, emulator.Deployment{CommitSHA: "other"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if diff := cmp.Diff([]string{"created", "succeeded"}, statuses(e)); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
	})
}

func TestConflict(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, edition string
		at            time.Duration
		want          int
	}{
		{"queued", "queued", 500 * time.Millisecond, http.StatusConflict},
		{"in_progress_is_replaced", "queued", 2 * time.Second, http.StatusAccepted},
		{"ended", "queued", 4 * time.Second, http.StatusAccepted},
		{"any_queued", "any", 500 * time.Millisecond, http.StatusConflict},
		{"any_in_progress", "any", 2 * time.Second, http.StatusConflict},
		{"any_ended", "any", 4 * time.Second, http.StatusAccepted},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, c := inMemory(t, emulator.Options{})
				addApp(t, e, nil)
				configure(t, e, func(st *emulator.Settings) { st.ConflictEdition = tc.edition })
				c.want(http.StatusAccepted, "POST", deployments, "{}")
				time.Sleep(tc.at)
				a := c.want(tc.want, "POST", deployments, "{}")
				if tc.want == http.StatusConflict {
					if diff := cmp.Diff(map[string]any{"error": "A deployment is already in progress for this project"}, a.json); diff != "" {
						t.Errorf("the code of this refusal is not documented (-want +got):\n%s", diff)
					}
				}
			})
		})
	}
}

func TestStuckKeepsThePreviousServing(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"stuck", "failed"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, c := inMemory(t, emulator.Options{})
				addApp(t, e, nil)
				outcomes(t, e, emulator.Outcome{}, emulator.Outcome{Status: status})
				first := c.want(http.StatusAccepted, "POST", deployments, "").id()
				time.Sleep(time.Minute)
				c.want(http.StatusOK, "PUT", "/v1/projects/7", `{"spicepod":"version: v1\nkind: Spicepod\nname: other\n"}`)
				c.want(http.StatusAccepted, "POST", deployments, "")
				time.Sleep(time.Minute)
				if got := e.App(7).Serving; got != first {
					t.Errorf("serving %d, want %d", got, first)
				}
				if got, want := string(e.App(7).Deployments[1].Spicepod), `{"kind":"Spicepod","name":"other","version":"v1"}`; got != want {
					t.Errorf("deployed %s, want %s", got, want)
				}
			})
		})
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		c.want(http.StatusConflict, "POST", "/v1/projects/7/resume", "")
		c.want(http.StatusAccepted, "POST", deployments, "")
		time.Sleep(time.Minute)
		c.want(http.StatusOK, "POST", "/v1/projects/7/pause", "")
		if got := e.App(7).Serving; got != 0 {
			t.Errorf("a paused app serves %d", got)
		}
		if got := c.want(http.StatusBadRequest, "POST", deployments, "").code(); got != "spicepod_paused" {
			t.Errorf("deploy while paused: got code %q", got)
		}
		if got := c.want(http.StatusConflict, "GET", "/v1/projects/7/instances", "").code(); got != "project_paused" {
			t.Errorf("instances while paused: got code %q", got)
		}
		// A refused resumption leaves it paused, with the error that a deployment would give.
		c.want(http.StatusOK, "PUT", "/v1/projects/7", `{"spicepod":{"kind":"Spicepod"}}`)
		c.want(http.StatusBadRequest, "POST", "/v1/projects/7/resume", "")
		if !e.App(7).Paused {
			t.Error("resumed although the deployment was refused")
		}
		c.want(http.StatusOK, "PUT", "/v1/projects/7", `{"spicepod":{"kind":"Spicepod","version":"v1","name":"shop"}}`)
		a := c.want(http.StatusOK, "POST", "/v1/projects/7/resume", "")
		id := int64(a.json["deployment_id"].(float64))
		if got := e.App(7).Serving; got != 0 {
			t.Errorf("serves %d before the resumption's deployment is through", got)
		}
		time.Sleep(time.Minute)
		if got := e.App(7).Serving; got != id {
			t.Errorf("serves %d, want %d", got, id)
		}
	})
}

func TestListLag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		configure(t, e, func(st *emulator.Settings) { st.ListLag = 8 * time.Second })
		id := c.want(http.StatusAccepted, "POST", deployments, "").id()
		listed := func() int { return len(c.want(http.StatusOK, "GET", deployments, "").list("deployments")) }
		time.Sleep(7 * time.Second)
		if got := listed(); got != 0 {
			t.Errorf("%d listed after 7s, want 0", got)
		}
		c.want(http.StatusOK, "GET", fmt.Sprintf("%s/%d", deployments, id), "")
		time.Sleep(time.Second)
		if got := listed(); got != 1 {
			t.Errorf("%d listed after 8s, want 1", got)
		}
	})
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		configure(t, e, func(st *emulator.Settings) { st.ClockSkew = -5 * time.Minute })
		a := c.want(http.StatusAccepted, "POST", deployments, "")
		want := time.Now().Add(-5 * time.Minute).UTC()
		if got := a.json["created_at"]; got != want.Format("2006-01-02T15:04:05.000Z") {
			t.Errorf("created_at %v, want %s", got, want)
		}
		if got := a.header.Get("Date"); got != want.Format(http.TimeFormat) {
			t.Errorf("Date %s, want %s", got, want)
		}
	})
}

func TestTokenThatExpiresMidPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		configure(t, e, func(st *emulator.Settings) { st.TokenLifetime, st.AdvertisedLifetime = 2*time.Second, time.Hour })
		body := fmt.Sprintf(`{"grant_type":"client_credentials","client_id":%q,"client_secret":%q}`, e.ClientID(), e.ClientSecret())
		issue := func() *curl {
			a := c.as("").want(http.StatusOK, "POST", "/api/oauth/token", body)
			if got := a.json["expires_in"]; got != 3600.0 {
				t.Errorf("expires_in %v, want 3600", got)
			}
			return c.as(a.json["access_token"].(string))
		}
		first := issue()
		id := first.want(http.StatusAccepted, "POST", deployments, "").id()
		time.Sleep(2 * time.Second)
		first.want(http.StatusUnauthorized, "GET", fmt.Sprintf("%s/%d", deployments, id), "")
		issue().want(http.StatusOK, "GET", fmt.Sprintf("%s/%d", deployments, id), "")
		if got, want := e.App(7).Deployments[0].Actor, e.ClientID(); got != want {
			t.Errorf("created by %q, want %q", got, want)
		}
	})
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, want string }{
		{"seconds", "1"},
		{"date", "Sat, 01 Jan 2000 00:00:01 GMT"}, // a synctest bubble begins at the start of 2000
		{"absent", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, c := inMemory(t, emulator.Options{})
				configure(t, e, func(st *emulator.Settings) { st.RateLimit, st.RetryAfter = 2, tc.name })
				c.want(http.StatusOK, "GET", "/v1/orgs", "")
				if got := c.want(http.StatusOK, "GET", "/v1/orgs", "").header.Get("X-RateLimit-Remaining"); got != "0" {
					t.Errorf("X-RateLimit-Remaining %q, want 0", got)
				}
				a := c.want(http.StatusTooManyRequests, "GET", "/v1/orgs", "")
				if got := a.header.Get("Retry-After"); got != tc.want {
					t.Errorf("Retry-After %q, want %q", got, tc.want)
				}
				if got := a.header.Get("X-RateLimit-Reset"); got != "946684801" {
					t.Errorf("X-RateLimit-Reset %q, want 946684801", got)
				}
				c.want(http.StatusOK, "GET", "/v1/health", "") // needs no token and counts for nobody
				time.Sleep(time.Second)
				c.want(http.StatusOK, "GET", "/v1/orgs", "")
			})
		})
	}
}

func TestInstancesAndLogs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		if got := c.want(http.StatusConflict, "GET", "/v1/apps/7/instances", "").code(); got != "project_not_deployed" {
			t.Errorf("got code %q", got)
		}
		outcomes(t, e, emulator.Outcome{}, emulator.Outcome{Status: "stuck", Logs: []string{"Failed to load LLM gpt"}})
		c.want(http.StatusOK, "POST", "/v1/projects/7/secrets", `{"name":"PG_PASS","value":"x"}`)
		c.want(http.StatusAccepted, "POST", deployments, `{"replicas":2}`)
		time.Sleep(time.Minute)
		c.want(http.StatusNoContent, "DELETE", "/v1/projects/7/secrets/PG_PASS", "")
		second := c.want(http.StatusAccepted, "POST", deployments, "").id()
		time.Sleep(time.Minute)
		got := []string{}
		list := c.want(http.StatusOK, "GET", "/v1/projects/7/instances", "").list("instances")
		for _, in := range list {
			got = append(got, fmt.Sprint(in["name"], " ", in["status"]))
		}
		want := []string{"app-7-1002-1 starting", "app-7-1001-1 ready", "app-7-1001-2 ready"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("instances (-want +got):\n%s", diff)
		}
		lines := func(instance, query string) []any {
			return c.want(http.StatusOK, "GET", "/v1/projects/7/instances/"+instance+"/logs"+query, "").json["lines"].([]any)
		}
		if diff := cmp.Diff([]any{
			"Starting runtime", "secrets_preflight: 1 secret references could not be resolved",
			"✗ ${ secrets:PG_PASS } could not be resolved", "Failed to load LLM gpt",
		}, lines("app-7-1002-1", "")); diff != "" {
			t.Errorf("log of the stuck one (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]any{"All components are loaded. Spice runtime is ready!"}, lines("app-7-1001-2", "?tail=1")); diff != "" {
			t.Errorf("end of the serving one's log (-want +got):\n%s", diff)
		}
		a := c.want(http.StatusForbidden, "GET", "/v1/projects/7/instances/app-7-1001-1/logs?tail=1001", "")
		if a.code() != "plan_limit" || a.json["max_tail"] != 1000.0 {
			t.Errorf("got %s", a.body)
		}
		if got := c.want(http.StatusNotFound, "GET", "/v1/projects/7/instances/nobody/logs", "").code(); got != "instance_not_found" {
			t.Errorf("got code %q", got)
		}
		logs := c.want(http.StatusOK, "GET", fmt.Sprintf("%s/%d/logs?limit=1", deployments, second), "").list("logs")
		if len(logs) != 1 || logs[0]["message"] != "Starting runtime" {
			t.Errorf("deployment logs: %v", logs)
		}
		if got := c.want(http.StatusOK, "GET", "/v1/projects/7/metrics?window=5m", "").json["metrics"].(map[string]any); len(got) != 2 {
			t.Errorf("metrics of %d instances, want 2", len(got))
		}
	})
}
