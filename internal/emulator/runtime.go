package emulator

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The runtime's limits of a request body: of /health and /v1/ready, of MCP, of everything else.
const (
	maxProbeBody   = 128 << 10
	maxMCPBody     = 32 << 20
	maxRuntimeBody = 128 << 20
)

// runtimeRoute is one operation of the data plane. No path of it is one of the management API: /health is the
// runtime's and /v1/health the management's.
type runtimeRoute struct {
	method, pattern string
	limit           int // of the body
	handle          func(*state, *call, *running) reply
}

func runtimeRoutes() []runtimeRoute {
	return []runtimeRoute{
		{"GET", "/health", maxProbeBody, runtimeHealth},
		{"GET", "/v1/ready", maxProbeBody, runtimeReady},
		{"GET", "/v1/status", maxRuntimeBody, runtimeStatus},
		{"GET", "/v1/datasets", maxRuntimeBody, listDatasets},
		{"GET", "/v1/models", maxRuntimeBody, listModels},
		{"POST", "/v1/sql", maxRuntimeBody, querySQL},
		{"POST", "/v1/nsql", maxRuntimeBody, askSQL},
		{"POST", "/v1/chat/completions", maxRuntimeBody, chat},
		{"POST", "/v1/embeddings", maxRuntimeBody, embed},
		{"POST", "/v1/search", maxRuntimeBody, search},
		{"GET", "/v1/tools", maxRuntimeBody, listTools},
		{"POST", "/v1/tools/{tool}", maxRuntimeBody, invokeTool},
		{"POST", "/v1/mcp", maxMCPBody, mcpPost},
		{"DELETE", "/v1/mcp", maxMCPBody, mcpDelete},
	}
}

// bodyLimit is how large the body of a request may be.
func (e *Emulator) bodyLimit(path string) int {
	for _, rt := range e.runtimeRoutes {
		if _, ok := matchPattern(rt.pattern, path); ok {
			return rt.limit
		}
	}
	return maxBody
}

// dispatchRuntime answers a request to the data plane; ok is false where the path is none of its. The lock is
// held.
func (e *Emulator) dispatchRuntime(c *call) (r reply, ok bool) {
	var found *runtimeRoute
	var allowed []string
	for i := range e.runtimeRoutes {
		params, matches := matchPattern(e.runtimeRoutes[i].pattern, c.route)
		if !matches {
			continue
		}
		allowed = append(allowed, e.runtimeRoutes[i].method)
		if e.runtimeRoutes[i].method == c.method {
			found, c.params = &e.runtimeRoutes[i], params
		}
	}
	switch {
	case allowed == nil:
		return reply{}, false
	case found == nil:
		return reply{status: http.StatusMethodNotAllowed, header: http.Header{"Allow": {strings.Join(allowed, ", ")}}}, true
	case c.tooLarge:
		return replyText(http.StatusRequestEntityTooLarge, "length limit exceeded"), true
	}
	s := e.state
	a := s.appByKey(c.header)
	if a == nil {
		return replyText(http.StatusUnauthorized, "Unauthorized"), true
	}
	run := s.running(a, c.now)
	switch {
	case run == nil:
		// Nothing says what the service answers for an app that is paused or was never deployed.
		return replyText(http.StatusServiceUnavailable, "No instance of this project is running"), true
	case c.now.Before(run.since):
		return (&Fault{Kind: HTML}).reply(), true
	}
	return found.handle(s, c, run), true
}

// appByKey is the app that the API key selects: all apps share one host. Whether the service asks for a key on
// /health and /v1/ready as well is not documented; without one it could not know which app is meant.
func (s *state) appByKey(h http.Header) *app {
	key := h.Get("X-API-Key")
	if key == "" {
		scheme, text, _ := strings.Cut(h.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "bearer") {
			key = text
		}
	}
	if key == "" {
		return nil
	}
	for _, a := range s.apps {
		if slices.Contains(a.keys[:], key) { // a deleted app has none
			return a
		}
	}
	return nil
}

// running is the runtime of an app at a moment.
type running struct {
	app        *app
	deployment *deployment
	since      time.Time // when it is reachable
	now        time.Time
	script     Runtime
	spicepod   map[string]any
}

// running is nil where nothing serves.
func (s *state) running(a *app, now time.Time) *running {
	d, sp := s.serving(a, now)
	if d == nil {
		return nil
	}
	return s.runningAs(a, d, sp, now)
}

// runningAs is the runtime that a deployment starts, or would start once it has succeeded.
func (s *state) runningAs(a *app, d *deployment, sp span, now time.Time) *running {
	script := s.script(a, d)
	spicepod, _ := d.spicepod.(map[string]any) // checked when it was deployed; a scripted one may be none
	run := &running{app: a, deployment: d, now: now, script: script, spicepod: spicepod}
	if !sp.end.IsZero() {
		run.since = sp.end.Add(script.Gap)
	}
	return run
}

// script is how a deployment's runtime behaves.
func (s *state) script(a *app, d *deployment) Runtime {
	for _, r := range []*Runtime{d.outcome.Runtime, a.runtime, s.runtime} {
		if r != nil {
			return *r
		}
	}
	return Runtime{}
}

// serving is the newest deployment that succeeded since the last pause: a later one that failed, hangs or is
// never rolled out leaves it in place.
func (s *state) serving(a *app, now time.Time) (*deployment, span) {
	if a.paused || a.deleted {
		return nil, span{}
	}
	var serving *deployment
	var served span
	for i, sp := range a.spans() {
		d := a.deployments[i]
		if d.succeededBy(sp, now) && sp.end.After(a.pausedAt) && (serving == nil || !s.script(a, d).ServesOld) {
			serving, served = d, sp
		}
	}
	return serving, served
}

// entries is a list of the spicepod, such as its datasets: those that have a name.
func (run *running) entries(section string) []map[string]any {
	list, _ := run.spicepod[section].([]any)
	var named []map[string]any
	for _, v := range list {
		if m, ok := v.(map[string]any); ok && text(m, "name") != "" {
			named = append(named, m)
		}
	}
	return named
}

// text is a text of a mapping, "" where it is none.
func text(m map[string]any, key string) string {
	v, _ := m[key].(string)
	return v
}

// component is the state that a scripted component is in. The error is left out where it is in none.
func (run *running) component(script Component) Component {
	state := Component{Status: "Ready"}
	switch {
	case script.Status != "" && (script.For == 0 || run.now.Before(run.since.Add(script.For))):
		state = script
	case run.now.Before(run.since.Add(run.script.ReadyAfter)):
		state.Status = "Initializing"
	}
	if !state.failed() {
		state.Error, state.ErrorMessage = nil, ""
	} else {
		state.ErrorMessage = script.message()
	}
	return state
}

func (c Component) failed() bool { return strings.EqualFold(c.Status, "Error") }

// message is what the runtime says of the error.
func (c Component) message() string { return cmp.Or(c.ErrorMessage, "emulated error") }

// available tells whether it can be used.
func (c Component) available() bool {
	return strings.EqualFold(c.Status, "Ready") || strings.EqualFold(c.Status, "Refreshing")
}
