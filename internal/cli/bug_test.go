package cli_test

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// bug is a transport that panics at a request, with a text that holds a secret and a command to the runner.
type bug struct {
	to           http.RoundTripper
	method, path string // path as in path.Match, without the version
}

func (b bug) RoundTrip(req *http.Request) (*http.Response, error) {
	if ok, _ := path.Match("/v1"+b.path, req.URL.Path); ok && req.Method == b.method {
		panic("no " + aSecret + "\n::error::pwned")
	}
	return b.to.RoundTrip(req)
}

// panics is a log that panics at a text.
type panics string

func (p panics) Write(line []byte) (int, error) {
	if strings.Contains(string(line), string(p)) {
		panic("no " + aSecret + "\n::error::pwned")
	}
	return len(line), nil
}

// TestMain_reportsABug holds that a bug in any goroutine of a run is its result: with the exit code 70, the outputs
// and the summary, what is known of the deployment, and no secret.
func TestMain_reportsABug(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name         string
		method, path string
		log          panics
		deployment   string // the output, of what was known
	}{
		{name: "in_the_first_request", method: "GET", path: "/projects"},
		{name: "in_one_of_the_parallel_reads", method: "GET", path: "/projects/*/secrets"},
		{name: "in_a_parallel_write", method: "POST", path: "/projects/*/secrets"},
		{name: "in_the_create", method: "POST", path: "/projects/*/deployments"},
		{name: "while_it_follows", method: "GET", path: "/projects/*/deployments/*", deployment: "1001"},
		{name: "in_the_introduction", log: "commit  "},
		{name: "in_a_sign_of_life", log: "waiting  ", deployment: "1001"},
		{name: "in_the_report", log: "result      succeeded", deployment: "1001"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			cloud := newCloud(t, emulator.Options{Queued: time.Second, InProgress: 90 * time.Second})
			s := newStep(t, cloud.Token())
			s.transport = cloud.Transport()
			if tc.path != "" {
				s.transport = bug{cloud.Transport(), tc.method, tc.path}
			}
			if tc.log != "" {
				s.stdout = tc.log
			}
			var l left
			synctest.Test(t, func(t *testing.T) { l = s.run(t.Context(), t) })

			if l.code != 70 {
				t.Errorf("expected the exit code %d to be 70\n%s%s", l.code, l.stdout, l.stderr)
			}
			if got, want := l.value("result"), "internal-error"; got != want {
				t.Errorf("result: expected %q to be %q", got, want)
			}
			if got := l.value("deployment-id"); got != tc.deployment {
				t.Errorf("deployment-id: expected %q to be %q", got, tc.deployment)
			}
			if !strings.HasPrefix(l.value("reason"), "panic: no ***") && !strings.Contains(l.value("reason"), ": panic: no ***") {
				t.Errorf("unexpected reason %q", l.value("reason"))
			}
			for _, want := range []string{"internal-error", "issues"} {
				if !strings.Contains(l.stdout, want) {
					t.Errorf("expected %q in the log:\n%s", want, l.stdout)
				}
			}
			if !strings.Contains(l.stderr, "bug_test.go") {
				t.Errorf("expected a stack in stderr:\n%s", l.stderr)
			}
			if !strings.Contains(l.summary, "💥 A bug in spice-deploy") {
				t.Errorf("expected the bug in the summary:\n%s", l.summary)
			}
			if tc.log != "result      succeeded" && !strings.Contains(l.summary, tc.deployment) {
				t.Errorf("expected deployment %s in the summary:\n%s", tc.deployment, l.summary)
			}
			if strings.Contains(l.shown(), aSecret) {
				t.Errorf("the secret is shown:\n%s", l.shown())
			}
			if strings.Contains(l.stdout+l.stderr, "\n::error::pwned") {
				t.Errorf("a command of a panic is live:\n%s%s", l.stdout, l.stderr)
			}
		})
	}
}

// newCloud is a Spice Cloud with the app shop-app.
func newCloud(t *testing.T, options emulator.Options) *emulator.Emulator {
	t.Helper()
	cloud := emulator.New(options)
	if _, err := cloud.AddApp(emulator.App{Name: "shop-app"}); err != nil {
		t.Fatal(err)
	}
	return cloud
}
