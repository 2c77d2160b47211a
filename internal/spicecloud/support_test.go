package spicecloud_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// step is what the network does with one request.
type step func(*http.Request) (*http.Response, error)

// reply answers with a body and headers, given as name, value, name, value.
func reply(status int, body string, header ...string) step {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// fail ends the exchange without an answer.
func fail(err error) step {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// cut answers with a body that breaks off.
func cut(status int, body string) step {
	return func(r *http.Request) (*http.Response, error) {
		broken := io.MultiReader(strings.NewReader(body), brokenReader{})
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(broken), Request: r}, nil
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// hang never answers.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// script is a network that does one step after another, and the last one for ever. It remembers the requests.
type script struct {
	mu    sync.Mutex
	steps []step
	sent  []sent
}

type sent struct {
	Line string // method, path and query
	Body string
	http.Header
	At time.Time
}

func plays(steps ...step) *script { return &script{steps: steps} }

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.sent = append(s.sent, sent{Line: r.Method + " " + r.URL.RequestURI(), Body: string(body), Header: r.Header, At: time.Now()})
	next := s.steps[0]
	if len(s.steps) > 1 {
		s.steps = s.steps[1:]
	}
	s.mu.Unlock()
	return next(r)
}

func (s *script) requests() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

func (s *script) lines() []string {
	var lines []string
	for _, r := range s.requests() {
		lines = append(lines, r.Line)
	}
	return lines
}

// inMemory serves requests by a handler, without sockets.
type inMemory struct{ http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	m.ServeHTTP(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := recorder.Result()
	response.Request = r
	return response, nil
}

const token = "spice-pat-1234567890"

// client makes a client with a token; change may be nil.
func client(t testing.TB, network http.RoundTripper, change func(*spicecloud.Config)) *spicecloud.Client {
	t.Helper()
	cfg := spicecloud.Config{BaseURL: "https://api.spice.test", Token: redact.New(token), Transport: network, Seed: 1}
	if change != nil {
		change(&cfg)
	}
	c, err := spicecloud.New(cfg)
	if err != nil {
		t.Fatalf("new client: %v", err)
	}
	return c
}

// oauthClient makes a client with OAuth credentials.
func oauthClient(t testing.TB, network http.RoundTripper, change func(*spicecloud.Config)) *spicecloud.Client {
	t.Helper()
	return client(t, network, func(cfg *spicecloud.Config) {
		cfg.Token = redact.Secret{}
		cfg.ClientID, cfg.ClientSecret = "client-1", redact.New("client-secret-1234")
		if change != nil {
			change(cfg)
		}
	})
}

// as is the error of that type within err, and fails the test where there is none.
func as[E error](t *testing.T, err error) E {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("expected an error of type %T, got %T: %v", e, err, err)
	}
	return e
}

func ctx(t testing.TB) context.Context { return t.Context() }

// quiet drops what a server says about the connections that a test breaks.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
