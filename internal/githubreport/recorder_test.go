package githubreport_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/githubreport"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

const (
	logURL = "https://github.com/acme/shop/actions/runs/7"
	appURL = "https://spice.ai/acme/shop"
)

func recording() githubreport.Recording {
	return githubreport.Recording{Commit: commit, LogURL: logURL, Cover: func(s string) string { return s }}
}

// event is what an observer is told in a phase; a status of "" means that there is no deployment yet.
func event(phase deploy.Phase, status spicecloud.Status) deploy.Event {
	e := deploy.Event{Phase: phase, Text: "text", Result: deploy.Result{
		Org: "acme", App: spicecloud.App{ID: 7, Name: "shop"}, Plan: &deploy.Plan{},
	}}
	if status != "" {
		e.Result.Deployment = spicecloud.Deployment{ID: 86, Status: status, RawStatus: string(status)}
	}
	return e
}

func planned() deploy.Event { return event(deploy.PhasePlan, "") }

func ended(result diag.Result, reason string) deploy.Result {
	r := event(deploy.PhaseDeployment, spicecloud.InProgress).Result
	r.Result, r.Reason = result, reason
	return r
}

func succeeded() deploy.Result { return ended(diag.Succeeded, "deployment 86 succeeded") }

// line is the state and the description of each status, as one line.
func (g *gitHub) lines() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var lines []string
	for _, s := range g.statuses {
		lines = append(lines, s["state"].(string)+": "+s["description"].(string))
	}
	return lines
}

func TestRecorder(t *testing.T) {
	t.Parallel()

	for _, prefix := range []string{"", "/api/v3"} {
		g := (&gitHub{prefix: prefix, granted: allPermissions()}).start(t)
		r := g.client(t).Record(t.Context(), recording())
		for _, e := range []deploy.Event{
			{Phase: deploy.PhaseApp, Text: "shop (id 7)"},
			planned(), planned(), event(deploy.PhaseUpdate, ""), event(deploy.PhaseSecrets, ""),
			event(deploy.PhaseDeployment, spicecloud.Queued), event(deploy.PhaseDeployment, spicecloud.InProgress),
			event(deploy.PhaseDeployment, spicecloud.Succeeded), event(deploy.PhaseVerify, spicecloud.Succeeded),
		} {
			r.Observe(e)
		}
		if err := r.Finish(succeeded()); err != nil {
			t.Fatal(err)
		}
		deployments := []map[string]any{{
			"ref": commit, "task": "deploy:shop", "environment": "shop", "description": "app shop of Spice.ai Cloud",
			"auto_merge": false, "required_contexts": []any{},
		}}
		if diff := cmp.Diff(deployments, g.deployments); diff != "" {
			t.Errorf("deployments (-want, +got):\n%s", diff)
		}
		status := func(state, description string) map[string]any {
			return map[string]any{
				"state": state, "description": description, "log_url": logURL, "environment_url": appURL, "auto_inactive": false,
			}
		}
		statuses := []map[string]any{
			status("queued", "about to deploy"), status("in_progress", "deployment 86 is in_progress"),
			status("success", "deployment 86 succeeded"),
		}
		if diff := cmp.Diff(statuses, g.statuses); diff != "" {
			t.Errorf("statuses (-want, +got):\n%s", diff)
		}
	}
}

// TestRecorder_ofAnAppToBeCreated: the GitHub Deployment is begun before there is the app, and bears its name all the same.
func TestRecorder_ofAnAppToBeCreated(t *testing.T) {
	t.Parallel()

	g := (&gitHub{granted: allPermissions()}).start(t)
	what := recording()
	what.App = "shop-pr-7"
	r := g.client(t).Record(t.Context(), what)
	e := planned()
	e.Result.App = spicecloud.App{}
	r.Observe(e)
	if err := r.Finish(succeeded()); err != nil {
		t.Fatal(err)
	}
	if len(g.deployments) != 1 || g.deployments[0]["environment"] != "shop-pr-7" || g.deployments[0]["task"] != "deploy:shop-pr-7" {
		t.Errorf("expected a GitHub Deployment in the environment shop-pr-7, got %v", g.deployments)
	}
	if url, there := g.statuses[0]["environment_url"]; there {
		t.Errorf("expected no address of an app that is not there yet, got %v", url)
	}
}

func TestRecorder_ends(t *testing.T) {
	t.Parallel()

	cases := map[diag.Result]string{
		diag.Succeeded: "success", diag.Submitted: "in_progress", diag.Planned: "error", diag.Skipped: "inactive",
		diag.Failed: "failure", diag.VerificationFailed: "failure", diag.Superseded: "inactive",
		diag.InvalidInput: "error", diag.AuthError: "error", diag.TimedOut: "error", diag.Unavailable: "error",
		diag.Conflict: "error", diag.Rejected: "error", diag.InternalError: "error", diag.Cancelled: "error",
	}
	for result, want := range cases {
		t.Run(string(result), func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{granted: allPermissions()}).start(t)
			r := g.client(t).Record(t.Context(), recording())
			r.Observe(event(deploy.PhaseDeployment, spicecloud.InProgress))
			if err := r.Finish(ended(result, "the reason")); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"in_progress: deployment 86 is in_progress", want + ": the reason"}, g.lines()); diff != "" {
				t.Errorf("statuses (-want, +got):\n%s", diff)
			}
		})
	}
}

func TestRecorder_observes(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name   string
		events []deploy.Event
		want   []string // nil: no GitHub Deployment at all
	}{
		{"nothing", nil, nil},
		{"looking_around", []deploy.Event{{Phase: deploy.PhaseApp}, {Phase: deploy.PhasePlan}, {Phase: deploy.PhaseSecrets}}, nil},
		{"waiting_for_another", []deploy.Event{event(deploy.PhaseConflict, "")}, nil},
		{"adopted", []deploy.Event{event(deploy.PhaseConflict, ""), event(deploy.PhaseDeployment, spicecloud.InProgress)}, []string{"in_progress"}},
		{"unknown_word", []deploy.Event{event(deploy.PhaseDeployment, spicecloud.Unknown)}, []string{"in_progress"}},
		{"goes_back", []deploy.Event{
			event(deploy.PhaseDeployment, spicecloud.InProgress), event(deploy.PhaseDeployment, spicecloud.Queued), event(deploy.PhaseDeployment, spicecloud.InProgress),
		}, []string{"in_progress", "queued", "in_progress"}},
		{"ended_before_it_was_seen_to_run", []deploy.Event{planned(), event(deploy.PhaseDeployment, spicecloud.Succeeded), event(deploy.PhaseVerify, spicecloud.Succeeded)}, []string{"queued", "in_progress"}},
		{"rolled_back", []deploy.Event{planned(), event(deploy.PhaseDeployment, spicecloud.Failed), event(deploy.PhaseRollback, spicecloud.Failed)}, []string{"queued", "in_progress"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{granted: allPermissions()}).start(t)
			r := g.client(t).Record(t.Context(), recording())
			for _, e := range tc.events {
				r.Observe(e)
			}
			if err := r.Finish(succeeded()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, line := range g.lines() {
				state, _, _ := strings.Cut(line, ":")
				got = append(got, state)
			}
			want := tc.want
			if want != nil {
				want = append(want, "success")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("states (-want, +got):\n%s", diff)
			}
			if want == nil && len(g.requests()) > 0 {
				t.Errorf("expected no request, got %q", g.requests())
			}
		})
	}
}

func TestRecorder_coversBeforeItCuts(t *testing.T) {
	t.Parallel()

	const secret = "s3cr3t"
	g := (&gitHub{granted: allPermissions()}).start(t)
	what := recording()
	what.Environment, what.LogURL = "production", ""
	what.Cover = func(s string) string { return strings.ReplaceAll(s, secret, "***") }
	r := g.client(t).Record(t.Context(), what)
	r.Observe(planned())
	result := succeeded()
	result.App.Name = "" // as it is not known of a run that ends before it was found
	result.Reason = "first\nline " + strings.Repeat("ä", 125) + secret
	if err := r.Finish(result); err != nil {
		t.Fatal(err)
	}
	last := g.statuses[len(g.statuses)-1]
	if got, want := last["description"], "first line "+strings.Repeat("ä", 125)+"***"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	for _, field := range []string{"log_url", "environment_url"} {
		if value, there := last[field]; there {
			t.Errorf("expected no %s, got %v", field, value)
		}
	}
	if got, want := g.deployments[0]["environment"], "production"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}

	r = g.client(t).Record(t.Context(), what)
	r.Observe(planned())
	result.Reason = strings.Repeat("ä", 1000)
	if err := r.Finish(result); err != nil {
		t.Fatal(err)
	}
	if got, want := g.statuses[len(g.statuses)-1]["description"], strings.Repeat("ä", 139)+"…"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestRecorder_failures(t *testing.T) {
	t.Parallel()

	fail := func(path string, nth int, status int) func(http.ResponseWriter, *http.Request) bool {
		seen := 0
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, path) {
				return false
			}
			if seen++; seen != nth {
				return false
			}
			refuse(w, status, "no")
			return true
		}
	}
	cases := []struct {
		name     string
		before   func(http.ResponseWriter, *http.Request) bool
		want     string // "" for none
		requests int
	}{
		{"create_refused", fail("/deployments", 1, 422), "create a GitHub Deployment of acme/shop for commit " + commit + ": 422 no", 1},
		{"create_lost", fail("/deployments", 1, 502), "create a GitHub Deployment of acme/shop for commit " + commit + ": 502 no", 1},
		{"create_without_an_id", func(w http.ResponseWriter, r *http.Request) bool {
			reply(w, http.StatusCreated, map[string]any{})
			return true
		}, "create a GitHub Deployment of acme/shop for commit " + commit + ": the answer has no id", 1},
		{"a_status_lost_in_between", fail("/statuses", 2, 502), "", 4},
		{"a_status_refused_in_between", fail("/statuses", 2, 404), "set GitHub Deployment 501 of acme/shop to in_progress: 404 no; it is not there, or the token lacks deployments: write, which the job's permissions grant; GitHub goes on showing it as queued", 3},
		{"the_last_status_lost", fail("/statuses", 3, 502), "set GitHub Deployment 501 of acme/shop to success: 502 no; GitHub goes on showing it as in_progress", 4},
		{"the_first_status_refused", fail("/statuses", 1, 422), "set GitHub Deployment 501 of acme/shop to queued: 422 no; GitHub goes on showing it as pending", 2},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{granted: allPermissions(), before: tc.before}).start(t)
			r := g.client(t).Record(t.Context(), recording())
			r.Observe(planned())
			r.Observe(event(deploy.PhaseDeployment, spicecloud.InProgress))
			got := ""
			if err := r.Finish(succeeded()); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
			if got := len(g.requests()); got != tc.requests {
				t.Errorf("expected %d requests to be %d: %q", got, tc.requests, g.requests())
			}
		})
	}
}

func TestRecorder_neverWaitsForASlowServer(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name   string
		result deploy.Result
		after  time.Duration // of the run
		want   time.Duration // that the end of the run is held up
		text   string
	}{
		{"the_create_is_given_up_at_once", succeeded(), time.Minute, 0, "create a GitHub Deployment of acme/shop for commit " + commit + ": no complete answer within 5s"},
		{"the_create_is_waited_for", succeeded(), 0, 5 * time.Second, "no complete answer within 5s"},
		{"cancelled", ended(diag.Cancelled, "stopped by SIGTERM"), 0, 2 * time.Second, "gave up 2s after the end of the run"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newClient(t, "", inMemory(hangs)).Record(t.Context(), recording())
				start := time.Now()
				for range 100 { // more than there is room for
					r.Observe(planned())
					r.Observe(event(deploy.PhaseDeployment, spicecloud.InProgress))
				}
				if got := time.Since(start); got != 0 {
					t.Errorf("expected the run to be held up for no time, got %s", got)
				}
				time.Sleep(tc.after)
				start = time.Now()
				err := r.Finish(tc.result)
				if err == nil || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("expected %v to contain %q", err, tc.text)
				}
				if got := time.Since(start); got != tc.want {
					t.Errorf("expected %s to be %s", got, tc.want)
				}
			})
		})
	}
}

// TestRecorder_givesUpOnASlowEnd has statuses that take four seconds each, of which three wait at the end of the run.
func TestRecorder_givesUpOnASlowEnd(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := &gitHub{granted: allPermissions()}
		answers := g.transport(t)
		r := newClient(t, "", inMemory(func(req *http.Request) (*http.Response, error) {
			timer := time.NewTimer(4 * time.Second)
			defer timer.Stop()
			select {
			case <-req.Context().Done():
				return nil, req.Context().Err()
			case <-timer.C:
				return answers.RoundTrip(req)
			}
		})).Record(t.Context(), recording())
		r.Observe(planned())
		r.Observe(event(deploy.PhaseDeployment, spicecloud.InProgress))
		start := time.Now()
		err := r.Finish(succeeded())
		want := "set GitHub Deployment 501 of acme/shop to success: gave up 10s after the end of the run; GitHub goes on showing it as queued"
		if err == nil || err.Error() != want {
			t.Errorf("expected %v to be %q", err, want)
		}
		if got, want := time.Since(start), 10*time.Second; got != want {
			t.Errorf("expected %s to be %s", got, want)
		}
	})
}

func TestRecorder_outlivesItsContext(t *testing.T) {
	t.Parallel()

	g := (&gitHub{granted: allPermissions()}).start(t)
	ctx, cancel := stopped(t)
	r := g.client(t).Record(ctx, recording())
	r.Observe(planned())
	cancel()
	if err := r.Finish(ended(diag.Cancelled, "stopped by SIGTERM")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"queued: about to deploy", "error: stopped by SIGTERM"}, g.lines()); diff != "" {
		t.Errorf("statuses (-want, +got):\n%s", diff)
	}
}

// TestRecorder_aBugIsNoDeadlock has the goroutine end before the queue does.
func TestRecorder_aBugIsNoDeadlock(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		r := newClient(t, "", inMemory(func(*http.Request) (*http.Response, error) { panic("a bug") })).Record(t.Context(), recording())
		for range 100 {
			r.Observe(planned())
			r.Observe(event(deploy.PhaseDeployment, spicecloud.InProgress))
		}
		synctest.Wait()
		for range 100 {
			r.Observe(planned())
			r.Observe(event(deploy.PhaseDeployment, spicecloud.InProgress))
		}
		if _, ok := errors.AsType[*diag.Panic](r.Finish(succeeded())); !ok {
			t.Error("expected the bug to be reported")
		}
	})
}
