package spiceruntime_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

const key = "spice-key-0123456789"

// sent is a request as the server got it.
type sent struct {
	Line, Body string
	http.Header
}

// runtime is a server that behaves as its routes say and remembers what it was asked.
type runtime struct {
	*httptest.Server
	mu   sync.Mutex
	seen []sent
}

// serve starts a server with the routes of an [http.ServeMux].
func serve(t testing.TB, routes map[string]http.HandlerFunc) *runtime {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, handler := range routes {
		mux.HandleFunc(pattern, handler)
	}
	r := &runtime{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(strings.NewReader(string(body)))
		r.mu.Lock()
		r.seen = append(r.seen, sent{Line: req.Method + " " + req.URL.RequestURI(), Body: string(body), Header: req.Header})
		r.mu.Unlock()
		mux.ServeHTTP(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *runtime) requests() []sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]sent(nil), r.seen...)
}

func (r *runtime) lines() []string {
	var lines []string
	for _, s := range r.requests() {
		lines = append(lines, s.Line)
	}
	return lines
}

// client is a client of the server; change may be nil.
func (r *runtime) client(t testing.TB, change func(*spiceruntime.Config)) *spiceruntime.Client {
	t.Helper()
	cfg := spiceruntime.Config{BaseURL: r.URL, Key: redact.New(key), Transport: r.Client().Transport}
	if change != nil {
		change(&cfg)
	}
	c, err := spiceruntime.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run makes the one probe of the inputs and runs it.
func (r *runtime) run(t testing.TB, in spiceruntime.Inputs) spiceruntime.Outcome {
	t.Helper()
	return r.client(t, nil).Run(t.Context(), one(t, in))
}

func one(t testing.TB, in spiceruntime.Inputs) spiceruntime.Probe {
	t.Helper()
	probes, err := spiceruntime.ParseProbes(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(probes) != 1 {
		t.Fatalf("expected one probe, got %d", len(probes))
	}
	return probes[0]
}

// says answers with a JSON body.
func says(status int, body string) http.HandlerFunc { return typed(status, "application/json", body) }

// text answers with plain text, as the runtime does for most errors.
func text(status int, body string) http.HandlerFunc {
	return typed(status, "text/plain; charset=utf-8", body)
}

func typed(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func ctx(t testing.TB) context.Context { return t.Context() }

func contains(t *testing.T, what, got, want string) {
	t.Helper()
	if want == "" && got != "" {
		t.Errorf("expected %s to be empty, got %q", what, got)
	}
	if !strings.Contains(got, want) {
		t.Errorf("expected %s with %q, got %q", what, want, got)
	}
}
