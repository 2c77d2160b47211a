package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// maxBody is the documented limit of a request body of the management API.
	maxBody = 1 << 20
	// drained is how much more is read and thrown away, so that the 413 reaches a client that is still sending.
	drained = 16 << 20
	// keptRequests bounds the memory of an emulator that is left running.
	keptRequests = 10_000
)

// call is one request on its way through the handlers.
type call struct {
	method    string
	path      string // as it came, escaped: safe to print on one line
	route     string // decoded and in the canonical /v1/projects form
	family    string // "projects", "apps", or "" for all other routes
	query     url.Values
	header    http.Header
	body      []byte
	tooLarge  bool
	base      string // scheme and host that the client used
	params    []string
	now       time.Time
	requestID string

	caller *token // who asks; nil on public routes
	org    string // which organization it is about
}

// Incoming identifies a request for the choice of a fault.
type Incoming struct {
	Method string
	Path   string
	Secret string // the name of the secret that is written, read or deleted; "" otherwise
	// Attempt counts the requests with this method, path and secret from 1.
	Attempt int
}

// Request is a request that was received.
type Request struct {
	ID         string    `json:"id"`
	ReceivedAt time.Time `json:"received_at"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`   // without the query
	Status     int       `json:"status"` // 0 while it runs and where the connection was cut
	DurationMS int64     `json:"duration_ms"`
	Fault      string    `json:"fault,omitempty"` // the kind of the fault that was injected
	Actor      string    `json:"actor,omitempty"` // the name of the token that was accepted

	body []byte
}

// Body is the request's body where Options.KeepBodies is set. It holds secrets: for tests.
func (r Request) Body() []byte { return r.body }

// Requests is what was received since the last reset, in the order of arrival, at most the latest 10,000.
// Control requests are not among them.
func (e *Emulator) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]Request, len(e.state.requests))
	for i, r := range e.state.requests {
		list[i] = *r
	}
	return list
}

// ServeHTTP answers the API, the token endpoint and the control routes.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if strings.HasPrefix(r.URL.Path, "/_emulator/") {
		status := e.serveControl(w, r)
		e.log(r.Method, r.URL.EscapedPath(), fmt.Sprint(status), start, "-")
		return
	}
	limit := e.bodyLimit(r.URL.Path)
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away in the middle of its request
	}
	c := newCall(r, body, limit)
	if c.tooLarge {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, drained))
	}
	record, in := e.arrive(c)
	fault := e.pick(in)
	status := 0
	defer func() {
		e.mu.Lock()
		record.Status, record.DurationMS = status, time.Since(start).Milliseconds()
		if fault != nil {
			record.Fault = fault.Kind
		}
		if c.caller != nil {
			record.Actor = c.caller.name
		}
		e.mu.Unlock()
		e.log(c.method, c.path, outcomeWord(status, fault), start, c.requestID)
	}()
	status = e.answer(r.Context(), w, c, fault)
}

func newCall(r *http.Request, body []byte, limit int) *call {
	c := &call{
		method: r.Method, path: r.URL.EscapedPath(), route: r.URL.Path, query: r.URL.Query(), header: r.Header,
		body: body, tooLarge: len(body) > limit, now: time.Now(), base: "http://" + r.Host,
	}
	if r.TLS != nil || r.URL.Scheme == "https" {
		c.base = "https://" + r.Host
	}
	for _, family := range []string{"projects", "apps"} {
		rest, ok := strings.CutPrefix(c.route, "/v1/"+family)
		if ok && (rest == "" || rest[0] == '/') {
			c.family, c.route = family, "/v1/projects"+rest
		}
	}
	return c
}

// secretName is the secret that a request is about, so that parallel writes of secrets can be told apart.
func (c *call) secretName() string {
	_, rest, ok := strings.Cut(c.route, "/secrets")
	if !ok || c.family == "" {
		return ""
	}
	if rest != "" {
		return strings.TrimPrefix(rest, "/")
	}
	var write struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(c.body, &write) // a body that is no JSON names no secret
	return write.Name
}

// arrive records a request and gives it its id.
func (e *Emulator) arrive(c *call) (*Request, Incoming) {
	in := Incoming{Method: c.method, Path: c.path, Secret: c.secretName()}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.state
	key := in.Method + " " + in.Path + " " + in.Secret
	s.seen[key]++
	in.Attempt = s.seen[key]
	c.requestID = "req_" + s.derive(16, "request", key, in.Attempt)
	record := &Request{ID: c.requestID, ReceivedAt: c.now, Method: c.method, Path: c.path}
	if e.opts.KeepBodies {
		record.body = c.body
	}
	if len(s.requests) >= keptRequests {
		s.requests = append([]*Request(nil), s.requests[keptRequests/2:]...)
	}
	s.requests = append(s.requests, record)
	return record, in
}

// carryOut lets the request have its effect.
func (e *Emulator) carryOut(c *call) reply {
	e.enter()
	defer e.mu.Unlock()
	c.now = time.Now()
	return e.dispatch(c)
}

// postpone has a request carried out later, when nobody waits for its answer any more.
func (e *Emulator) postpone(c *call, by time.Duration) {
	e.enter()
	defer e.mu.Unlock()
	late := *c
	late.now = time.Now().Add(by)
	e.state.postponed = append(e.state.postponed, &late)
	slices.SortStableFunc(e.state.postponed, func(x, y *call) int { return x.now.Compare(y.now) })
}

// enter takes the lock and carries out what had been postponed to a moment that has passed, as of that moment.
func (e *Emulator) enter() {
	e.mu.Lock()
	for now := time.Now(); len(e.state.postponed) > 0 && reached(e.state.postponed[0].now, now); {
		c := e.state.postponed[0]
		e.state.postponed = e.state.postponed[1:]
		e.dispatch(c)
	}
}

// answer carries the request out, spoils it as the fault says, and returns the status that was sent. Where the
// client is to see no complete answer it panics with http.ErrAbortHandler, which net/http takes for "cut the
// connection".
func (e *Emulator) answer(ctx context.Context, w http.ResponseWriter, c *call, f *Fault) int {
	if f == nil {
		return e.send(w, c, e.carryOut(c))
	}
	var r reply
	if f.AfterEffect {
		r = e.carryOut(c)
	}
	if !pause(ctx, f.Delay) {
		panic(http.ErrAbortHandler)
	}
	switch f.Kind {
	case Slow, Truncated:
		if !f.AfterEffect {
			r = e.carryOut(c)
		}
	case Lost:
		if f.Late > 0 {
			e.postpone(c, f.Late)
		}
		panic(http.ErrAbortHandler)
	case Refused:
		if m, ok := w.(*memoryWriter); ok {
			m.refused = true
		}
		panic(http.ErrAbortHandler)
	default:
		r = f.reply()
	}
	if f.Kind == Truncated {
		e.sendHalf(w, c, r)
	}
	return e.send(w, c, r)
}

// pause waits and tells whether the client is still there.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (e *Emulator) send(w http.ResponseWriter, c *call, r reply) int {
	e.sendHeader(w, c, r)
	_, _ = w.Write(r.body) // a client that has gone is no concern of ours
	return r.status
}

// sendHalf promises the whole body, sends half of it and cuts the connection.
func (e *Emulator) sendHalf(w http.ResponseWriter, c *call, r reply) {
	if len(r.body) > 1 {
		e.sendHeader(w, c, r)
		_, _ = w.Write(r.body[:len(r.body)/2])
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

func (e *Emulator) sendHeader(w http.ResponseWriter, c *call, r reply) {
	h := w.Header()
	maps.Copy(h, r.header)
	h.Set("Date", time.Now().Add(e.Settings().ClockSkew).UTC().Format(http.TimeFormat))
	h.Set("X-Request-Id", c.requestID)
	if r.status != http.StatusNoContent {
		h.Set("Content-Length", fmt.Sprint(len(r.body)))
	}
	w.WriteHeader(r.status)
}

func outcomeWord(status int, f *Fault) string {
	word := "cut"
	if status != 0 {
		word = fmt.Sprint(status)
	}
	if f != nil {
		word += " fault=" + f.Kind
	}
	return word
}

func (e *Emulator) log(method, path, outcome string, start time.Time, id string) {
	if e.opts.Log != nil {
		e.opts.Log(fmt.Sprintf("%s %s %s %s %s", method, path, outcome, time.Since(start).Round(time.Millisecond), id))
	}
}
