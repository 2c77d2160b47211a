package simulation_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/cli"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// ending is what a run left behind.
type ending struct {
	world   *world
	cloud   *emulator.Emulator
	exit    int
	log     string
	outputs map[string]string
	summary string
	took    time.Duration // of the whole run
	stopped time.Duration // from the signal to the end; 0 without one
	sent    []sent
}

// sent is a request as it left the process.
type sent struct {
	request string // method, URL and header, but for the credential
	body    string
	path    string
	method  string
}

// bend changes how the tool behaves, to prove that the simulation notices: it may wrap the transport, and do
// something to what was left behind.
type bend struct {
	transport func(*world, http.RoundTripper) http.RoundTripper
	context   func(context.Context) context.Context
	files     func(dir string, exit int)
}

// checkout makes the folder that runs deploy from, one after the other.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "spicepod.yaml", manifest("ours"))
	put(t, dir, "event.json", `{"head_commit": {"message": "Deploy the shop"}}`)
	return dir
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// simulate lets the run of a seed happen in a checkout.
func simulate(t *testing.T, dir string, w *world, b bend) ending {
	t.Helper()
	put(t, dir, "output", "")
	put(t, dir, "summary", "")
	e := ending{world: w}
	synctest.Test(t, func(t *testing.T) { e.happen(t, w, b, dir) })
	if b.files != nil {
		b.files(dir, e.exit)
	}
	e.outputs = parseOutputs(t, filepath.Join(dir, "output"))
	summary, err := os.ReadFile(filepath.Join(dir, "summary"))
	if err != nil {
		t.Fatal(err)
	}
	e.summary = string(summary)
	return e
}

func (e *ending) happen(t *testing.T, w *world, b bend, dir string) {
	e.cloud = emulator.New(emulator.Options{Seed: w.seed, FaultFor: w.fault})
	if err := e.cloud.Apply(w.scenario); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	start := time.Now()
	var cancelled time.Time
	var timers []*time.Timer
	if w.cancel > 0 {
		timers = append(timers, time.AfterFunc(w.cancel, func() {
			cancelled = time.Now()
			cancel(diag.Interrupted{Signal: "SIGTERM", Exit: diag.ExitTerminated})
		}))
	}
	for _, other := range w.others {
		timers = append(timers, time.AfterFunc(other.after, func() {
			if apps := e.cloud.Apps(); len(apps) > 0 {
				_, _ = e.cloud.AddDeployment(apps[0].ID, other.deployment)
			}
		}))
	}
	recorder := &recorder{to: e.cloud.Transport()}
	var transport http.RoundTripper = recorder
	if b.transport != nil {
		transport = b.transport(w, recorder)
	}
	runCtx := ctx
	if b.context != nil {
		runCtx = b.context(ctx)
	}
	var log bytes.Buffer
	e.exit = cli.Main(runCtx, cli.Process{
		Environ: w.environ(e.cloud, dir), Stdin: strings.NewReader(""), Stdout: &log, Stderr: &log, Transport: transport, Seed: w.seed + 1,
	})
	for _, timer := range timers {
		timer.Stop()
	}
	e.log, e.took, e.sent = log.String(), time.Since(start), recorder.requests
	if !cancelled.IsZero() {
		e.stopped = time.Since(cancelled)
	}
	// Let what is under way at the service show: a lost request that takes effect late, a deployment that ends.
	time.Sleep(time.Hour)
}

// environ is the environment of the step, as the GitHub runner sets it.
func (w *world) environ(cloud *emulator.Emulator, dir string) []string {
	env := []string{
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=push", "GITHUB_SHA=" + ourCommit, "GITHUB_REF=refs/heads/" + ourBranch,
		"GITHUB_REF_NAME=" + ourBranch, "GITHUB_REF_TYPE=branch", "GITHUB_REPOSITORY=acme/shop", "GITHUB_REPOSITORY_OWNER=acme",
		"GITHUB_WORKSPACE=" + dir, "GITHUB_EVENT_PATH=" + filepath.Join(dir, "event.json"),
		"GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
		"INPUT_API-URL=https://api.spice.test",
	}
	for name, value := range w.inputs {
		switch {
		case value == "":
		case name == "api-token":
			value = cloud.Token()
		case name == "client-id":
			value = cloud.ClientID()
		case name == "client-secret":
			value = cloud.ClientSecret()
		}
		env = append(env, "INPUT_"+strings.ToUpper(name)+"="+value)
	}
	return env
}

// recorder notes every request that leaves the process.
type recorder struct {
	to http.RoundTripper

	mu       sync.Mutex
	requests []sent
}

// RoundTrip notes the request and passes it on.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	header := req.Header.Clone()
	header.Del("Authorization")
	s := sent{request: fmt.Sprint(req.Method, " ", req.URL, " ", header), method: req.Method, path: req.URL.Path}
	if req.Body != nil {
		var body bytes.Buffer
		if _, err := body.ReadFrom(req.Body); err != nil {
			return nil, err
		}
		s.body = body.String()
		copied := *req
		copied.Body = readCloser{bytes.NewReader(body.Bytes())}
		req = &copied
	}
	r.mu.Lock()
	r.requests = append(r.requests, s)
	r.mu.Unlock()
	return r.to.RoundTrip(req)
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// parseOutputs reads the file as the GitHub runner does (FileCommandManager.cs); the last value of a name counts.
func parseOutputs(t *testing.T, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		key, delimiter, found := strings.Cut(lines[i], "<<")
		if !found {
			continue
		}
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		outputs[key] = strings.Join(value, "\n")
	}
	return outputs
}
