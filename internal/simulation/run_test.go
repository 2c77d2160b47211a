package simulation_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/cli"
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

	former string // the spicepod that the app had before ours took its place
	atEnd  truth
	keys   []string // of the runtime, all that there were
}

// truth is how things are with the service at the moment that a run ends, asked for without any fault.
type truth struct {
	stored   string // the app's spicepod
	serving  int64  // the deployment whose spicepod is served; 0 for none
	datasets string // as the runtime lists them
	keys     []string
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
	var sound atomic.Bool // what others and this test ask meets no fault
	e.cloud = emulator.New(emulator.Options{Seed: w.seed, FaultFor: func(in emulator.Incoming) *emulator.Fault {
		if sound.Load() {
			return nil
		}
		return w.fault(in)
	}})
	e.prepare(t, w)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	start := time.Now()
	others := &others{cloud: e.cloud, sound: &sound, cancel: cancel}
	if w.cancel > 0 {
		others.later(w.cancel, others.stop)
	}
	for _, other := range w.others {
		others.later(other.after, func() { others.deploy(other) })
	}
	witness := &witness{to: e.cloud.Transport(), cloud: e.cloud, meddler: others.meddler(w.meddler)}
	var transport http.RoundTripper = witness
	if b.transport != nil {
		transport = b.transport(w, witness)
	}
	runCtx := ctx
	if b.context != nil {
		runCtx = b.context(ctx)
	}
	var log bytes.Buffer
	e.exit = cli.Main(runCtx, cli.Process{
		Environ: w.environ(e.cloud, dir), Stdin: strings.NewReader(""), Stdout: &log, Stderr: &log, Transport: transport, Seed: w.seed + 1,
	})
	cancelled := others.rest()
	e.log, e.took, e.sent, e.former = log.String(), time.Since(start), witness.noted(), witness.former
	if !cancelled.IsZero() {
		e.stopped = time.Since(cancelled)
	}
	sound.Store(true)
	e.atEnd = look(e.cloud)
	e.keys = append(e.keys, e.atEnd.keys...)
	// Let what is under way at the service show: a lost request that takes effect late, a deployment that ends.
	time.Sleep(time.Hour)
}

// prepare brings the service to where the world begins. The outcomes come last, since what the runtime says may
// hold the key that the app has got.
func (e *ending) prepare(t *testing.T, w *world) {
	scenario := w.scenario
	scenario.Outcomes = nil
	if err := e.cloud.Apply(scenario); err != nil {
		t.Fatal(err)
	}
	key := "no key yet"
	if apps := e.cloud.Apps(); len(apps) > 0 {
		var second string
		key, second = e.cloud.APIKeys(apps[0].ID)
		e.keys = append(e.keys, key, second)
	}
	if err := e.cloud.AddOutcomes(w.reveal(key)...); err != nil {
		t.Fatal(err)
	}
}

// look asks the service itself how things are.
func look(cloud *emulator.Emulator) truth {
	now := truth{}
	for _, app := range cloud.Apps() {
		primary, secondary := cloud.APIKeys(app.ID)
		now.keys = append(now.keys, primary, secondary)
		now.stored, now.serving = string(app.Spicepod), app.Serving
		req, err := http.NewRequest(http.MethodGet, "https://runtime.spice.test/v1/datasets?status=true", nil)
		if err != nil {
			continue
		}
		req.Header.Set("X-API-Key", primary)
		if resp, err := cloud.Transport().RoundTrip(req); err == nil {
			now.datasets, _ = read(resp)
		}
	}
	return now
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
