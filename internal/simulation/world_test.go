package simulation_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// The commit and the branch that every simulated run deploys, and the app it deploys to.
const (
	ourCommit = "c0ffee1c0ffee1c0ffee1c0ffee1c0ffee1c0ffe"
	ourBranch = "main"
	appName   = "shop-app"
)

// mostDelayed is how late an effect may show in the list; the tool waits for ten seconds before it asks again.
const mostDelayed = 8 * time.Second

// world is everything that a seed decides: what is there, what the user asks for, who else is at work and what
// goes wrong. The same seed makes the same world.
type world struct {
	seed     uint64
	scenario emulator.Scenario
	inputs   map[string]string // of the step, by name
	secrets  map[string]string // what the step is given, by name
	timeout  time.Duration

	datasets, warmup, probe time.Duration // the limits of the checks: of the datasets, of readiness, of each probe
	probes                  []probe

	others  []rival       // deployments of others, by the time they begin
	meddler *interference // nil for none
	cancel  time.Duration // when the job is cancelled; 0 for never

	faultRate float64       // how many of 1 requests go wrong
	lag       time.Duration // how late the list shows a deployment
	pinned    bool          // the token endpoint says that its tokens live longer than they do
}

// rival is a deployment that somebody else begins while ours is at work, perhaps of a spicepod of theirs.
type rival struct {
	after      time.Duration
	pushes     bool
	deployment emulator.Deployment
}

// draw makes the world of a seed.
func draw(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	w := &world{seed: seed, inputs: map[string]string{}, secrets: map[string]string{}}
	w.drawInputs(r)
	w.drawChecks(r)
	w.drawService(r)
	w.drawApp(r)
	w.drawOthers(r)
	w.drawInterference(r)
	w.faultRate = pick(r, 0, 0.02, 0.1, 0.3, 0.6)
	if chance(r, 0.25) {
		w.drawSetback(r)
	}
	if chance(r, 0.15) {
		w.cancel = 1 + upTo(r, w.lasts())
	}
	return w
}

func (w *world) drawInputs(r *rand.Rand) {
	w.timeout = time.Duration(pick(r, 31, 127, 611)) * time.Second // at no instant of another timer
	w.inputs["timeout-seconds"] = fmt.Sprint(int(w.timeout.Seconds()))
	w.inputs["poll-interval-seconds"] = fmt.Sprint(pick(r, 2, 5, 10, 30)) // not 1: the last look is a second before a deadline
	w.inputs["app-name"] = appName
	w.inputs["region"] = pick(r, "", "us-east-1")
	if chance(r, 0.3) {
		w.inputs["create-app-if-missing"], w.inputs["region"] = "true", "us-east-1"
	}
	w.inputs["on-conflict"] = pick(r, "", "wait", "replace", "adopt", "fail", "skip")
	w.inputs["on-superseded"] = pick(r, "", "", "succeed")
	w.inputs["missing-secrets"] = pick(r, "", "fail", "ignore")
	w.inputs["if-paused"] = pick(r, "", "resume")
	w.inputs["dry-run"] = pick(r, "", "", "", "", "", "", "", "true")
	w.inputs["wait-for-completion"] = pick(r, "", "", "", "", "", "false")
	w.inputs["verbose"] = pick(r, "", "true")
	var block strings.Builder
	for i := range r.IntN(5) {
		name := fmt.Sprintf("SECRET_%d", i)
		w.secrets[name] = fmt.Sprintf("hidden-%d-%x", i, r.Uint64())
		fmt.Fprintf(&block, "%s=%s\n", name, w.secrets[name])
	}
	w.inputs["secrets"] = block.String()
	if len(w.secrets) > 0 && chance(r, 0.3) {
		w.inputs["secrets-prune"] = "true"
	}
	if chance(r, 0.5) {
		w.inputs["api-token"] = "a token" // the emulator's own takes its place
	} else {
		w.inputs["client-id"], w.inputs["client-secret"] = "a client", "a secret"
	}
}

func (w *world) drawService(r *rand.Rand) {
	edition := pick(r, "queued", "any")
	skew := time.Duration(pick(r, 0, -600, -7, 7, 600)) * time.Second
	w.lag = upTo(r, mostDelayed)
	lag := w.lag
	noRoute := pick(r, 0, 0, 404, 405)
	old := chance(r, 0.2)
	created := pick(r, "int", "string", "null")
	lifetime := time.Hour
	w.pinned = chance(r, 0.3)
	if w.pinned {
		lifetime = 20*time.Second + upTo(r, 2*time.Minute)
	}
	placement := pick(r, "endpoint", "host", "cname", "region", "data-region", "config-region")
	rows, found, trap := pick(r, "array", "rows"), pick(r, "results", "matches"), chance(r, 0.5)
	w.scenario.Settings = func(s *emulator.Settings) {
		s.ConflictEdition, s.ClockSkew, s.ListLag, s.NoDeploymentRoute, s.NoProjectsRoute = edition, skew, lag, noRoute, old
		s.CreatedBy, s.TokenLifetime = created, lifetime
		s.Placement, s.SQLEdition, s.SearchEdition, s.ChatCompressionTrap = placement, rows, found, trap
		if w.pinned {
			s.AdvertisedLifetime = time.Hour
		}
	}
	for range 3 {
		o := outcome(r)
		if chance(r, 0.7) {
			o.Runtime = w.script(r)
		}
		w.scenario.Outcomes = append(w.scenario.Outcomes, o)
	}
}

// outcome is how a deployment goes.
func outcome(r *rand.Rand) emulator.Outcome {
	queued, working := upTo(r, 20*time.Second), upTo(r, 3*time.Minute)
	o := emulator.Outcome{Queued: &queued, InProgress: &working}
	switch r.IntN(9) {
	case 0, 4:
		o.Status, o.ErrorCode, o.ErrorMessage = "failed", pick(r, "", "unable_to_start", "insufficient_memory"), "it did not start"
	case 1:
		o.Status = "stuck"
	case 2:
		o.Shortage, o.ShortageFor = "insufficient_cpu", upTo(r, working)
	case 3:
		o.Words = map[string]string{"in_progress": "provisioning"}
	}
	return o
}

func (w *world) drawApp(r *rand.Rand) {
	if w.inputs["create-app-if-missing"] != "" && chance(r, 0.6) || chance(r, 0.03) {
		return // there is no app
	}
	app := emulator.App{
		Name: pick(r, appName, "Shop-App"), Paused: chance(r, 0.07),
		Spicepod:    pick(r, manifest("ours"), manifest("theirs")),
		Secrets:     map[string]string{"OLD_SECRET": "an old value"},
		Deployments: []emulator.Deployment{{Age: 24 * time.Hour, CommitSHA: "01dc0de", Branch: ourBranch}},
	}
	if chance(r, 0.4) {
		app.Deployments = append(app.Deployments, emulator.Deployment{
			Outcome: outcome(r), Age: upTo(r, 2*time.Minute), CommitSHA: pick(r, ourCommit, "bada55e"), Branch: ourBranch,
		})
	}
	w.scenario.Apps = []emulator.App{app}
}

func (w *world) drawOthers(r *rand.Rand) {
	if len(w.scenario.Apps) == 0 || chance(r, 0.6) {
		return
	}
	for range 1 + r.IntN(2) {
		w.others = append(w.others, rival{
			after: upTo(r, w.lasts()), pushes: chance(r, 0.4), deployment: w.rivalDeployment(r),
		})
	}
}

func (w *world) rivalDeployment(r *rand.Rand) emulator.Deployment {
	return emulator.Deployment{
		Outcome: outcome(r), CommitSHA: pick(r, ourCommit, "bada55e", "bada55e"), Branch: ourBranch, Source: pick(r, "api", "api", "portal"),
	}
}

// lasts is how long the run may be at work on most days.
func (w *world) lasts() time.Duration {
	if w.verifies() {
		return w.timeout + 30*time.Second
	}
	return w.timeout
}

// fault decides what goes wrong with a request, from the seed and the request alone and not from the order in
// which parallel requests come in.
func (w *world) fault(in emulator.Incoming) *emulator.Fault {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %s %d", in.Method, in.Path, in.Secret, in.Attempt)
	r := rand.New(rand.NewPCG(w.seed, h.Sum64()))
	if !chance(r, w.faultRate) {
		return nil
	}
	after := chance(r, 0.5)
	if ofRuntime(in.Path) && chance(r, 0.1) {
		return &emulator.Fault{Kind: emulator.Status, Status: pick(r, 401, 403, 404)}
	}
	switch r.IntN(11) {
	case 0:
		return &emulator.Fault{Kind: emulator.Lost, AfterEffect: after}
	case 1:
		return &emulator.Fault{Kind: emulator.Lost, Late: upTo(r, mostDelayed-w.lag)}
	case 2:
		return &emulator.Fault{Kind: emulator.Slow, AfterEffect: after, Delay: upTo(r, 45*time.Second)}
	case 3:
		return &emulator.Fault{Kind: emulator.Status, Status: http.StatusTooManyRequests, Headers: pick(r, nil, emulator.Headers{"Retry-After": "2"})}
	case 4:
		return &emulator.Fault{Kind: emulator.Status, Status: pick(r, 500, 502, 503, 504), AfterEffect: after}
	case 5:
		return &emulator.Fault{Kind: emulator.HTML, Status: pick(r, 0, 200), AfterEffect: after}
	case 6:
		return &emulator.Fault{Kind: emulator.Truncated}
	case 7:
		return &emulator.Fault{Kind: emulator.Empty, AfterEffect: after}
	case 8:
		return &emulator.Fault{Kind: emulator.Refused}
	case 9:
		return &emulator.Fault{Kind: emulator.Status, Status: http.StatusServiceUnavailable, Headers: emulator.Headers{"Retry-After": "1"}, AfterEffect: after}
	default:
		return &emulator.Fault{Kind: emulator.Slow, Delay: upTo(r, 5*time.Second)}
	}
}

// manifest is a spicepod that tells by its description whose it is, and by where its datasets come from.
func manifest(whose string) string {
	second := "legacy"
	if whose == "ours" {
		second = "Customers-EU"
	}
	return "version: v1\nkind: Spicepod\nname: shop\ndescription: " + whose + "\ndatasets:\n" +
		"  - from: postgres:orders_of_" + whose + "\n    name: orders\n    params:\n      pg_pass: ${ secrets:SECRET_0 }\n" +
		"  - from: s3://" + whose + "/customers/\n    name: " + second + "\n" +
		"models:\n  - from: openai:small\n    name: assistant\n"
}

func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

func pick[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

func upTo(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d) + 1)) }
