package simulation_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

var update = flag.Bool("update", false, "write the table of faults into docs/reliability.md")

// place is a request of a run at which something goes wrong, the first time that it is made.
type place struct{ name, method, path string }

func places() []place {
	return []place{
		{"finding the app", "GET", "/projects"},
		{"updating it", "PUT", "/projects/*"},
		{"writing a secret", "POST", "/projects/*/secrets"},
		{"creating the deployment", "POST", "/projects/*/deployments"},
		{"following it", "GET", "/projects/*/deployments/*"},
		{"reading the runtime's key", "GET", "/projects/*/api-keys"},
		{"asking for its datasets", "GET", "/datasets"},
	}
}

// trouble is a row of the table: what goes wrong at a place.
type trouble struct {
	name     string
	fault    emulator.Fault
	settings func(*emulator.Settings)
	bend     func(place) bend
}

func troubles() []trouble {
	lost := emulator.Fault{Kind: emulator.Lost, AfterEffect: true}
	clock := func(skew time.Duration) func(*emulator.Settings) {
		return func(s *emulator.Settings) { s.ClockSkew = skew }
	}
	return []trouble{
		{name: "nothing"},
		{name: "lost before it had an effect", fault: emulator.Fault{Kind: emulator.Lost}},
		{name: "lost after it had its effect", fault: lost},
		{name: "lost, and carried out 7 s later", fault: emulator.Fault{Kind: emulator.Lost, Late: 7 * time.Second}},
		{name: "429 with `Retry-After: 7`", fault: emulator.Fault{Status: 429, Headers: emulator.Headers{"Retry-After": "7"}}},
		{name: "429 without it", fault: emulator.Fault{Status: 429}},
		{name: "500", fault: emulator.Fault{Status: 500}},
		{name: "502, a proxy's HTML page", fault: emulator.Fault{Kind: emulator.HTML}},
		{name: "200, a proxy's HTML page", fault: emulator.Fault{Kind: emulator.HTML, Status: 200}},
		{name: "503 after it had its effect", fault: emulator.Fault{Status: 503, AfterEffect: true}},
		{name: "500 again and again", fault: emulator.Fault{Status: 500, Times: -1}},
		{name: "truncated answer", fault: emulator.Fault{Kind: emulator.Truncated}},
		{name: "empty answer", fault: emulator.Fault{Kind: emulator.Empty, AfterEffect: true}},
		{name: "answer after 45 s, past the timeout of 30 s", fault: emulator.Fault{Kind: emulator.Slow, Delay: 45 * time.Second}},
		{name: "no answer, ever", fault: emulator.Fault{Kind: emulator.Slow, Delay: 24 * time.Hour, Times: -1}},
		{name: "the token has expired (401)", fault: emulator.Fault{Status: 401}},
		{name: "lost after its effect, the list lags by 8 s", fault: lost, settings: func(s *emulator.Settings) { s.ListLag = mostDelayed }},
		{name: "lost after its effect, the clock 10 min ahead", fault: lost, settings: clock(10 * time.Minute)},
		{name: "lost after its effect, the clock 10 min behind", fault: lost, settings: clock(-10 * time.Minute)},
		{name: "no route to one deployment", settings: func(s *emulator.Settings) { s.NoDeploymentRoute = http.StatusNotFound }},
		{name: "somebody else deploys at that moment", bend: rivalAt},
		{name: "the job is cancelled at that moment", bend: cancelAt},
	}
}

// ordinary is a world in which all goes well: a changed spicepod, one secret, a deployment of 22 seconds.
func ordinary() *world {
	queued, working := 2*time.Second, 20*time.Second
	return &world{
		seed: 1, timeout: 10 * time.Minute, datasets: 5 * time.Minute, warmup: time.Minute, secrets: map[string]string{"SECRET_0": "hidden-0-value"},
		inputs: map[string]string{
			"app-name": appName, "secrets": "SECRET_0=hidden-0-value", "client-id": "a client", "client-secret": "a secret",
		},
		scenario: emulator.Scenario{
			Outcomes: []emulator.Outcome{{Queued: &queued, InProgress: &working}, {Queued: &queued, InProgress: &working}},
			Apps:     []emulator.App{{Name: appName, Spicepod: manifest("theirs"), Deployments: []emulator.Deployment{{Age: time.Hour}}}},
		},
	}
}

// TestTableOfFaults lets one run happen for each fault and place, holds every promise after each, and holds the table
// in docs/reliability.md against what came out.
//
//	go test ./internal/simulation -run TestTableOfFaults -update
func TestTableOfFaults(t *testing.T) {
	t.Parallel()

	const page, begin, end = "../../docs/reliability.md", "<!-- table of faults -->\n", "<!-- end of the table -->"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(data), begin)
	before, tail, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		t.Fatalf("%s has no place for the table", page)
	}
	table := tableOfFaults(t)
	if *update {
		if err := os.WriteFile(page, []byte(head+begin+table+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(before, table); diff != "" {
		t.Errorf("the table of faults (-written, +now); write it anew with -update:\n%s", diff)
	}
}

func tableOfFaults(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| what goes wrong |")
	for _, at := range places() {
		fmt.Fprintf(&b, " %s |", at.name)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(places())) + "\n")
	dir := checkout(t)
	for _, wrong := range troubles() {
		fmt.Fprintf(&b, "| %s |", wrong.name)
		for _, at := range places() {
			w, how := ordinary(), bend{}
			if wrong.fault.Kind != "" || wrong.fault.Status != 0 {
				f := wrong.fault
				f.Method, f.Path = at.method, at.path
				if f.Kind == "" {
					f.Kind = emulator.Status
				}
				w.scenario.Faults = append(w.scenario.Faults, f)
			}
			w.scenario.Settings = wrong.settings
			if wrong.bend != nil {
				how = wrong.bend(at)
			}
			e := simulate(t, dir, w, how)
			for _, broken := range e.broken() {
				t.Errorf("%s, %s: %s\n%s", wrong.name, at.name, broken, e.history())
			}
			made := 0
			for _, d := range e.deployments() {
				if ours(d) {
					made++
				}
			}
			fmt.Fprintf(&b, " %s, %d, %d s |", e.outputs["result"], made, int(e.took.Round(time.Second).Seconds()))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// once calls do before the first request at a place goes out.
func once(at place, do func(next http.RoundTripper, req *http.Request)) bend {
	var first sync.Once
	return over(func(_ *world, next http.RoundTripper) roundTrip {
		return func(req *http.Request) (*http.Response, error) {
			if req.Method == at.method && matches(at.path, req.URL.Path) {
				first.Do(func() { do(next, req) })
			}
			return next.RoundTrip(req)
		}
	})
}

// matches compares a path, below the version, with a pattern in which * is one segment.
func matches(pattern, path string) bool {
	want, got := strings.Split("/v1"+pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != "*" && want[i] != got[i] {
			return false
		}
	}
	return true
}

func rivalAt(at place) bend {
	return once(at, func(next http.RoundTripper, req *http.Request) {
		other := req.Clone(context.WithoutCancel(req.Context()))
		other.Header = http.Header{}
		other.Method, other.URL.Path, other.URL.RawQuery = http.MethodPost, "/_emulator/deployments", ""
		body := `{"app": "` + appName + `", "commit_sha": "bada55e", "branch": "main", "queued": "5s", "in_progress": "60s"}`
		other.Body, other.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		if resp, err := next.RoundTrip(other); err == nil {
			resp.Body.Close()
		}
	})
}

func cancelAt(at place) bend {
	var stop context.CancelCauseFunc
	b := once(at, func(http.RoundTripper, *http.Request) {
		stop(diag.Interrupted{Signal: "SIGTERM", Exit: diag.ExitTerminated})
	})
	b.context = func(ctx context.Context) context.Context {
		ctx, stop = context.WithCancelCause(ctx)
		return ctx
	}
	return b
}
