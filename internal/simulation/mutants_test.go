package simulation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mutant is the tool, broken in one way.
type mutant struct {
	name string
	bend bend
	want string // what the simulation says
}

// TestMutants breaks the tool on purpose, each time in one way that somebody could break it, and holds that the
// simulation notices. The breaks stand around the real thing, between it and the service or its files, where
// each behaves to the service and to the next step just as the broken code would.
func TestMutants(t *testing.T) {
	t.Parallel()

	mutants := []mutant{
		{"the_create_is_repeated_blindly", over(repeatCreate), "made 2 deployments"},
		{"the_newest_deployment_is_ours_whoever_made_it", over(claimNewest), "of commit bada55e for ours"},
		{"created_means_still_running", over(rewrite(`"status":"created"`, `"status":"in_progress"`)), ""},
		{"a_failure_counts_as_success", over(rewrite(`"status":"failed"`, `"status":"succeeded"`)), "but deployment"},
		{"in_progress_counts_as_success", over(rewrite(`"status":"in_progress"`, `"status":"succeeded"`)), "but deployment"},
		{"a_token_is_never_renewed", over(firstToken), ""},
		{"a_list_that_fails_counts_as_empty", over(emptyList), "made 2 deployments"},
		{"a_secret_that_was_not_written_counts_as_written", over(swallow(http.MethodPost, "/secrets", `{"name":"x"}`)), "succeeded without the secret"},
		{"an_update_that_was_not_made_counts_as_made", over(swallowUpdate), "succeeded with another spicepod"},
		{"the_deadline_ends_no_request", over(noDeadline), "it took"},
		{"a_signal_is_not_heeded", bend{context: context.WithoutCancel}, "after the signal"},
		{"outputs_are_written_on_success_only", bend{files: onSuccessOnly}, "there is no result"},
		{"a_secret_goes_into_a_query", over(leakInQuery), "left the process"},
		{"the_summary_forgets_the_deployment", bend{files: emptySummary}, "no summary"},
		{"a_dry_run_writes", over(writeFirst), "was sent"},
	}
	for _, m := range slices.Concat(mutants, verifyMutants()) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()

			dir := checkout(t)
			for seed := range uint64(4000) {
				e := simulate(t, dir, draw(seed), m.bend)
				wrong := e.broken()
				if m.want == "" && len(wrong) == 0 && e.worseThan(simulate(t, dir, draw(seed), bend{})) {
					t.Logf("seed %d shows it: %s", seed, e.outputs["reason"])
					return
				}
				for _, said := range wrong {
					if m.want != "" && strings.Contains(said, m.want) {
						t.Logf("seed %d shows it: %s", seed, said)
						return
					}
				}
			}
			t.Error("no seed shows it")
		})
	}
}

// worseThan tells whether the broken run failed its user where the sound one, in the same world, did not: it
// waited to the deadline, or was turned away, where there was an answer.
func (e *ending) worseThan(sound ending) bool {
	bad := map[string]bool{"timed-out": true, "auth-error": true, "unavailable": true}
	return bad[e.outputs["result"]] && !bad[sound.outputs["result"]]
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// over makes a bend of something around the transport.
func over(wrap func(*world, http.RoundTripper) roundTrip) bend {
	return bend{transport: func(w *world, next http.RoundTripper) http.RoundTripper { return wrap(w, next) }}
}

func isCreate(req *http.Request) bool {
	return req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/deployments")
}

func isList(req *http.Request) bool {
	return req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/deployments")
}

// answer is a response with a body of our own.
func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
		Body:   io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// read takes the body of an answer out, and puts a copy back.
func read(resp *http.Response) (string, error) {
	data, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return string(data), err
}

func again(req *http.Request, body []byte) *http.Request {
	copied := req.Clone(req.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	return copied
}

func repeatCreate(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if !isCreate(req) {
			return next.RoundTrip(req)
		}
		body, _ := io.ReadAll(req.Body)
		for range 5 {
			resp, err := next.RoundTrip(again(req, body))
			if err == nil && resp.StatusCode < http.StatusInternalServerError {
				if text, cut := read(resp); cut == nil && json.Valid([]byte(text)) {
					return resp, nil
				}
			}
			time.Sleep(20 * time.Second)
		}
		return next.RoundTrip(again(req, body))
	}
}

func claimNewest(_ *world, next http.RoundTripper) roundTrip {
	var mu sync.Mutex
	lost := false
	return func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		mu.Lock()
		defer mu.Unlock()
		if isCreate(req) {
			lost = err != nil || resp.StatusCode >= http.StatusInternalServerError
		}
		if err != nil || !lost || !isList(req) || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		text, cut := read(resp)
		if cut != nil {
			return resp, nil
		}
		text = strings.NewReplacer(`"bada55e"`, `"`+ourCommit+`"`, `"portal"`, `"api"`).Replace(text)
		return answer(req, http.StatusOK, text), nil
	}
}

func rewrite(from, to string) func(*world, http.RoundTripper) roundTrip {
	return func(_ *world, next http.RoundTripper) roundTrip {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(req.URL.Path, "/deployments") {
				return resp, err
			}
			text, cut := read(resp)
			if cut != nil || !strings.Contains(text, from) {
				return resp, nil
			}
			return answer(req, http.StatusOK, strings.ReplaceAll(text, from, to)), nil
		}
	}
}

func firstToken(_ *world, next http.RoundTripper) roundTrip {
	var mu sync.Mutex
	first := ""
	return func(req *http.Request) (*http.Response, error) {
		if bearer := req.Header.Get("Authorization"); bearer != "" {
			mu.Lock()
			if first == "" {
				first = bearer
			}
			req = req.Clone(req.Context())
			req.Header.Set("Authorization", first)
			mu.Unlock()
		}
		return next.RoundTrip(req)
	}
}

func emptyList(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if !isList(req) || err == nil && resp.StatusCode == http.StatusOK {
			return resp, err
		}
		return answer(req, http.StatusOK, `{"deployments":[]}`), nil
	}
}

func swallow(method, end, body string) func(*world, http.RoundTripper) roundTrip {
	return func(_ *world, next http.RoundTripper) roundTrip {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if req.Method == method && strings.HasSuffix(req.URL.Path, end) && (err != nil || resp.StatusCode >= http.StatusBadRequest) {
				return answer(req, http.StatusOK, body), nil
			}
			return resp, err
		}
	}
}

func swallowUpdate(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodPut {
			return next.RoundTrip(req)
		}
		get := req.Clone(req.Context())
		get.Method, get.Body, get.ContentLength = http.MethodGet, nil, 0
		return next.RoundTrip(get)
	}
}

func noDeadline(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
		if err == nil && isList(req) {
			time.Sleep(2 * time.Minute) // what a retry that does not look at the clock does
		}
		return resp, err
	}
}

func leakInQuery(w *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if value := w.secrets["SECRET_0"]; value != "" && req.Method == http.MethodGet {
			req = req.Clone(req.Context())
			req.URL.RawQuery = "q=" + value
		}
		// The recorder stands behind every bend, so that it sees what a bend sends.
		return next.RoundTrip(req)
	}
}

func writeFirst(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/secrets") {
			put := req.Clone(req.Context())
			put.Method, put.URL.Path = http.MethodPut, strings.TrimSuffix(req.URL.Path, "/secrets")
			put.Body, put.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
			put.Header.Set("Content-Type", "application/json")
			if resp, err := next.RoundTrip(put); err == nil {
				resp.Body.Close()
			}
		}
		return next.RoundTrip(req)
	}
}

func onSuccessOnly(dir string, exit int) {
	if exit != 0 {
		_ = os.WriteFile(filepath.Join(dir, "output"), nil, 0o600)
	}
}

func emptySummary(dir string, _ int) {
	_ = os.WriteFile(filepath.Join(dir, "summary"), nil, 0o600)
}
