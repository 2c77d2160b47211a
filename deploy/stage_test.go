package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// The commits of the tests: the one that the run deploys, the one that the app had before, and one of others.
const (
	ourCommit   = "c0ffee1"
	oldCommit   = "01dc0de"
	theirCommit = "bada55e000000000000000000000000000000000"
)

// stage is a local Spice Cloud in a bubble of fake time, and a run that is about to begin. Unless a scene says
// otherwise there is an app, shop-app with the id 101, whose deployment 1001 succeeded a day ago with the
// spicepod "old"; the run brings the spicepod "ours".
type stage struct {
	*testing.T

	cloud      *emulator.Emulator
	app        *emulator.App // added before the run begins; nil for none
	options    *config.Options
	client     spicecloud.Config
	spicepod   string // the manifest's text, "" for none
	secrets    secretsync.Sources
	repository string
	delete     bool              // deploy.Deployer.Delete instead of Run
	verify     bool              // deploy.Deployer.Verify instead of Run
	network    http.RoundTripper // to the runtime; nil for the emulator's

	timers []func() *time.Timer
	cancel context.CancelCauseFunc

	mu      sync.Mutex // guards the two below: hooks run in the goroutines of requests
	hooks   []hook
	log     []string
	runtime string // the address that the run asked, "" for none
}

// hook is done just before a request is carried out; what it returns spoils the answer.
type hook struct {
	method, end string
	nth         int
	do          func() *emulator.Fault
}

// manifest is a spicepod that tells by its description whose it is, and refers to the secrets named.
func manifest(whose string, secrets ...string) string {
	text := "version: v1\nkind: Spicepod\nname: shop\ndescription: " + whose + "\n"
	if len(secrets) > 0 {
		text += "datasets:\n  - from: postgres:orders\n    name: orders\n    params:\n"
	}
	for i, name := range secrets {
		text += fmt.Sprintf("      pg_param_%d: ${ secrets:%s }\n", i, name)
	}
	return text
}

// newStage parses the arguments as the command line does, so that the defaults are the real ones.
func newStage(t *testing.T, args string) *stage {
	t.Helper()
	s := &stage{T: t, spicepod: manifest("ours")}
	s.cloud = emulator.New(emulator.Options{Seed: 1, FaultFor: s.faultFor})
	s.app = &emulator.App{
		Name: "shop-app", Spicepod: manifest("old"),
		Deployments: []emulator.Deployment{{Age: 24 * time.Hour, CommitSHA: oldCommit, Branch: "main"}},
	}
	all := []string{"--commit-sha", ourCommit, "--branch", "main"}
	if !strings.Contains(args, "--test-") && !strings.Contains(args, "--dataset-") {
		all = append(all, "--dataset-ready-timeout-seconds", "0") // these scenes end with the deployment
	}
	all = append(all, strings.Fields(args)...)
	if !strings.Contains(args, "--app-") {
		all = append(all, "--app-name", "shop-app")
	}
	options, err := config.Load("deploy", all, config.Env{})
	if err != nil {
		t.Fatalf("load the options: %v", err)
	}
	s.options = options
	s.client = spicecloud.Config{
		BaseURL: "https://api.spice.test", Token: redact.New(s.cloud.Token()), Org: options.Org,
		Transport: s.cloud.Transport(), ReadOnly: options.DryRun, MaxPause: options.PollInterval, Seed: 1,
	}
	return s
}

// ended is what a run left behind.
type ended struct {
	deploy.Result
	took    time.Duration
	log     []string
	writes  []string
	history []string
}

// withoutDate is a service that does not say what time it is.
type withoutDate struct{ http.RoundTripper }

func (t withoutDate) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Header.Del("Date")
	}
	return resp, err
}

// run lets the run happen.
func (s *stage) run() ended {
	s.Helper()
	if s.app != nil {
		if _, err := s.cloud.AddApp(*s.app); err != nil {
			s.Fatal(err)
		}
	}
	client, err := spicecloud.New(s.client)
	if err != nil {
		s.Fatal(err)
	}
	set, err := secretsync.Collect(s.secrets)
	if err != nil {
		s.Fatal(err)
	}
	deployer := &deploy.Deployer{
		Cloud: client, Options: s.options, Secrets: set, Repository: s.repository, Owner: "acme", Observer: s,
		Connect: s.connect,
	}
	if deployer.Probes, err = spiceruntime.ParseProbes(spiceruntime.Inputs{
		SQL: s.options.TestSQL, NSQL: s.options.TestNSQL, Chat: s.options.TestChat, ChatModel: s.options.TestChatModel,
		Search: s.options.TestSearch, MCPTool: s.options.TestMCPTool, MCPArguments: s.options.TestMCPArguments,
	}); err != nil {
		s.Fatal(err)
	}
	if s.spicepod != "" {
		if deployer.Manifest, err = spicepod.Parse("spicepod.yaml", []byte(s.spicepod)); err != nil {
			s.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancelCause(s.Context())
	defer cancel(nil)
	s.cancel = cancel
	for _, begin := range s.timers {
		defer begin().Stop()
	}
	start, do := time.Now(), deployer.Run
	switch {
	case s.delete:
		do = deployer.Delete
	case s.verify:
		do = deployer.Verify
	}
	result := do(ctx)
	e := ended{Result: result, took: time.Since(start), writes: s.writes(), history: s.history()}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.log = s.log
	return e
}

// connect makes the real client, over the emulator's transport, which every address leads to.
func (s *stage) connect(baseURL string, key redact.Secret) (deploy.Runtime, error) {
	s.runtime = baseURL
	network := s.network
	if network == nil {
		network = s.cloud.Transport()
	}
	client, err := spiceruntime.New(spiceruntime.Config{BaseURL: baseURL, Key: key, Transport: network})
	if err != nil {
		return nil, err
	}
	return client, nil
}

// Observe keeps the lines of the log.
func (s *stage) Observe(e deploy.Event) {
	level := map[deploy.Level]string{deploy.Info: "", deploy.Notice: "notice: ", deploy.Warning: "warning: "}[e.Level]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, string(e.Phase)+": "+level+e.Text)
}

// before has something done just before the nth request of a method whose path ends so.
func (s *stage) before(method, end string, nth int, do func()) {
	s.spoil(method, end, nth, func() *emulator.Fault { do(); return nil })
}

func (s *stage) spoil(method, end string, nth int, do func() *emulator.Fault) {
	s.hooks = append(s.hooks, hook{method, end, nth, do})
}

func (s *stage) faultFor(in emulator.Incoming) *emulator.Fault {
	s.mu.Lock()
	var due []hook
	for i := range s.hooks {
		h := &s.hooks[i]
		if h.method != in.Method || !strings.HasSuffix(in.Path, h.end) {
			continue
		}
		if h.nth--; h.nth == 0 {
			due = append(due, *h)
		}
	}
	s.mu.Unlock()
	for _, h := range due {
		if fault := h.do(); fault != nil {
			return fault
		}
	}
	return nil
}

// after has something done once the run has taken so long.
func (s *stage) after(d time.Duration, do func()) {
	s.timers = append(s.timers, func() *time.Timer { return time.AfterFunc(d, do) })
}

// interrupt is what main does on a signal.
func (s *stage) interrupt() { s.cancel(diag.Interrupted{Signal: "SIGTERM", Exit: diag.ExitTerminated}) }

func (s *stage) configure(change func(*emulator.Settings)) {
	s.Helper()
	s.must(s.cloud.Configure(change))
}

// outcomes are what becomes of the deployments that the run asks for, in turn.
func (s *stage) outcomes(outcomes ...emulator.Outcome) {
	s.Helper()
	s.must(s.cloud.AddOutcomes(outcomes...))
}

func (s *stage) faults(faults ...emulator.Fault) {
	s.Helper()
	s.must(s.cloud.AddFaults(faults...))
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Error(err)
	}
}

// others have a deployment of the app that began so long before the run.
func (s *stage) others(d emulator.Deployment) {
	d.CommitSHA, d.Branch, d.Actor = or(d.CommitSHA, theirCommit), or(d.Branch, "main"), "other"
	s.app.Deployments = append(s.app.Deployments, d)
}

// othersDeploy is somebody else's deployment while the run is at work.
func (s *stage) othersDeploy(d emulator.Deployment) {
	s.Helper()
	d.CommitSHA, d.Branch, d.Actor = or(d.CommitSHA, theirCommit), or(d.Branch, "main"), "other"
	_, err := s.cloud.AddDeployment(101, d)
	s.must(err)
}

// othersSend is somebody else's request while the run is at work.
func (s *stage) othersSend(method, path, body string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, "https://api.spice.test"+path, strings.NewReader(body))
	s.must(err)
	req.Header.Set("Authorization", "Bearer "+s.cloud.MintToken(emulator.TokenSpec{Name: "other"}))
	resp, err := s.cloud.Transport().RoundTrip(req)
	if err != nil {
		s.Error(err)
		return
	}
	if s.must(resp.Body.Close()); resp.StatusCode >= http.StatusMultipleChoices {
		s.Errorf("%s %s: got %s", method, path, resp.Status)
	}
}

// othersPush is somebody else's spicepod, "theirs".
func (s *stage) othersPush() {
	s.Helper()
	body, err := json.Marshal(map[string]string{"spicepod": manifest("theirs")})
	s.must(err)
	s.othersSend(http.MethodPut, "/v1/projects/101", string(body))
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// inBubble runs a test in fake time.
func inBubble(t *testing.T, do func(*testing.T)) {
	t.Helper()
	synctest.Test(t, do)
}
