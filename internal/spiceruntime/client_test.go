package spiceruntime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*spiceruntime.Config)
		want   string
	}{
		{"no_url", func(c *spiceruntime.Config) { c.BaseURL = "" }, "expected https://HOST"},
		{"plain_http", func(c *spiceruntime.Config) { c.BaseURL = "http://data.example.com" }, "plain http would show the credentials"},
		{"plain_http_lookalike", func(c *spiceruntime.Config) { c.BaseURL = "http://127.0.0.1.example.com" }, "plain http"},
		{"query", func(c *spiceruntime.Config) { c.BaseURL = "https://a.example.com?b=c" }, "must not have a query"},
		{"no_key", func(c *spiceruntime.Config) { c.Key = redact.Secret{} }, "no API key"},
		{"key_with_line_break", func(c *spiceruntime.Config) { c.Key = redact.New("a\r\nHost: b") }, "a line break"},
		{"no_transport", func(c *spiceruntime.Config) { c.Transport = nil }, "no transport"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := spiceruntime.Config{BaseURL: "https://a.example.com", Key: redact.New(key), Transport: http.DefaultTransport}
			tc.change(&cfg)
			_, err := spiceruntime.New(cfg)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("expected an error with %q, got %v", tc.want, err)
			}
		})
	}
}

func TestNew_hides_a_password(t *testing.T) {
	t.Parallel()
	_, err := spiceruntime.New(spiceruntime.Config{BaseURL: "https://me:hunter2@a.example.com", Key: redact.New(key), Transport: http.DefaultTransport})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("expected an error without the password, got %v", err)
	}
}

func TestRun_hides_the_secret_half_of_a_key(t *testing.T) {
	t.Parallel()
	const half = "0f3a9b77c1d24e55"
	r := serve(t, map[string]http.HandlerFunc{"POST /v1/sql": text(400, "no 101|"+half+", "+half+", 101%7c"+half+" and 101&#124;"+half)})
	c := r.client(t, func(cfg *spiceruntime.Config) { cfg.Key = redact.New("101|" + half) })
	if o := c.Run(ctx(t), one(t, spiceruntime.Inputs{SQL: "SELECT 1"})); o.Error != "POST /v1/sql: 400 Bad Request: no ***, ***, *** and ***" {
		t.Errorf("got %q", o.Error)
	}
}

func TestHidden(t *testing.T) {
	t.Parallel()
	for given, want := range map[string][]string{
		"101|0f3a9b77": {"101|0f3a9b77", "0f3a9b77"},
		"101|a":        {"101|a"},
		"0f3a9b77":     {"0f3a9b77"},
	} {
		var got []string
		for _, secret := range spiceruntime.Hidden(redact.New(given)) {
			got = append(got, secret.Reveal())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", given, diff)
		}
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, override, endpoint, cname, region, want string }{
		{"override_first", "http://127.0.0.1:8090/", "https://e.example.com", "c-prod-aws-data", "us-east-1", "http://127.0.0.1:8090"},
		{"endpoint_second", "", "https://e.example.com/", "c-prod-aws-data", "us-east-1", "https://e.example.com"},
		{"endpoint_as_host", "", "us-west-2-prod-aws-data.spiceai.io", "", "us-east-1", "https://us-west-2-prod-aws-data.spiceai.io"},
		{"override_as_host_with_port", "data.example.com:8443", "", "", "", "https://data.example.com:8443"},
		{"cname_third", "", "", "us-west-2-prod-aws-data", "us-east-1", "https://us-west-2-prod-aws-data.spiceai.io"},
		{"cname_as_region", "", "", "us-west-2", "", "https://us-west-2-prod-aws-data.spiceai.io"},
		{"cname_as_host", "", "", "data.example.com", "us-east-1", "https://data.example.com"},
		{"region", "", "", "", "us-east-1", "https://us-east-1-prod-aws-data.spiceai.io"},
		{"region_in_data_form", " ", "", "", "us-east-1-prod-aws-data", "https://us-east-1-prod-aws-data.spiceai.io"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := spiceruntime.BaseURL(tc.override, tc.endpoint, tc.cname, tc.region)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestBaseURL_refuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, override, endpoint, cname, region, want string }{
		{"nothing", "", "", "", "", "set runtime-url"},
		{"plain_http", "", "http://data.example.com", "", "", "the app's endpoint"},
		{"scheme", "grpc://data.example.com", "", "", "", "runtime-url"},
		{"region_with_at", "", "", "", "me@evil", "expected a region"},
		{"endpoint_with_user", "", "https://a:hunter2@b.example.com", "", "", "credentials do not belong"},
		{"bad_port", "", "data.example.com:x", "", "", "not a URL"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := spiceruntime.BaseURL(tc.override, tc.endpoint, tc.cname, tc.region)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("expected an error with %q, got %q, %v", tc.want, got, err)
			}
		})
	}
}

func TestClient_headers_of_every_request(t *testing.T) {
	t.Parallel()
	r := serve(t, map[string]http.HandlerFunc{
		"GET /v1/ready":    text(200, "ready\n"),
		"GET /v1/datasets": says(200, "[]"),
		"POST /v1/sql":     says(200, "[]"),
		"/v1/mcp":          (&mcpServer{}).ServeHTTP,
	})
	c := r.client(t, func(cfg *spiceruntime.Config) { cfg.UserAgent = "spice-deploy/1.2.3" })
	if _, err := c.Ready(ctx(t)); err != nil {
		t.Error(err)
	}
	if _, err := c.Datasets(ctx(t)); err != nil {
		t.Error(err)
	}
	for _, in := range []spiceruntime.Inputs{{SQL: "SELECT 1"}, {MCPTool: "sql"}} {
		if o := c.Run(ctx(t), one(t, in)); !o.OK {
			t.Error(o.Error)
		}
	}
	if got, want := len(r.requests()), 7; got != want {
		t.Fatalf("got %d requests, want %d: %q", got, want, r.lines())
	}
	for _, s := range r.requests() {
		got := map[string]string{}
		for _, name := range []string{"X-Api-Key", "Accept-Encoding", "User-Agent", "Authorization", "Cache-Control"} {
			got[name] = s.Get(name)
		}
		want := map[string]string{
			"X-Api-Key": key, "Accept-Encoding": "identity", "User-Agent": "spice-deploy/1.2.3",
			"Authorization": "", "Cache-Control": "no-cache",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.Line, diff)
		}
	}
}

func TestClient_errors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer http.HandlerFunc
		kind   spiceruntime.Kind
		want   string
	}{
		{"unauthorized", says(401, `{"message":"Unauthorized"}`), spiceruntime.Refused, "GET /v1/datasets: 401 Unauthorized: Unauthorized"},
		{"forbidden_host_elsewhere", text(403, "Host not allowed"), spiceruntime.Refused, "403 Forbidden: Host not allowed"},
		{"not_found", text(404, ""), spiceruntime.Refused, "GET /v1/datasets: 404 Not Found"},
		{"timeout", text(408, "timeout"), spiceruntime.Unavailable, "408 Request Timeout: timeout"},
		{"too_many", text(429, ""), spiceruntime.Unavailable, "429"},
		{"no_app", says(500, "[]"), spiceruntime.Unavailable, "500 Internal Server Error: []"},
		{"shutting_down", text(503, "Runtime is shutting down"), spiceruntime.Unavailable, "503 Service Unavailable: Runtime is shutting down"},
		{"html", typed(502, "text/html", "<html><title>Bad &amp; Gateway</title>"), spiceruntime.Unavailable, "an HTML page titled Bad & Gateway"},
		{"openai", says(400, `{"error":{"message":"no such model","code":"x"}}`), spiceruntime.Rejected, "400 Bad Request: no such model"},
		{"error_as_text", says(400, `{"error":"no"}`), spiceruntime.Rejected, "400 Bad Request: no"},
		{"too_large", text(413, "length limit exceeded"), spiceruntime.Rejected, "413"},
		{"control_characters", text(400, "a\x1b[31m\r\n::error::b"), spiceruntime.Rejected, "400 Bad Request: a ::error::b"},
		{"key_repeated", text(401, "bad key "+key), spiceruntime.Refused, "bad key ***"},
		{"key_where_it_is_cut", text(401, strings.Repeat("a", 290)+key), spiceruntime.Refused, "a***"},
		{"empty", text(200, ""), spiceruntime.BadAnswer, "unusable answer with status 200: it is empty"},
		{"not_json", typed(200, "text/html", "<html><title>Login</title>"), spiceruntime.BadAnswer, "it is not JSON: an HTML page titled Login"},
		{"null", says(200, "null"), spiceruntime.BadAnswer, "expected a list"},
		{"object", says(200, `{"datasets":[]}`), spiceruntime.BadAnswer, "not the JSON expected"},
		{"truncated", says(200, `[{"name":"a"`), spiceruntime.BadAnswer, "not the JSON expected"},
		{"more", says(200, `[] []`), spiceruntime.BadAnswer, "something follows"},
		{"nameless", says(200, `[{"name":"a"},{"from":"b"}]`), spiceruntime.BadAnswer, "entry 2 of the list has no name"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for range 20 {
				_, _ = w.Write(bytes.Repeat([]byte("[[[["), 256<<10))
			}
		}, spiceruntime.BadAnswer, "longer than 16 MiB"},
		{"compressed_all_the_same", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			fmt.Fprint(w, "[]")
		}, spiceruntime.BadAnswer, "encoded as br"},
		{"broken_off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			fmt.Fprint(w, "[]")
		}, spiceruntime.Unavailable, "no complete answer: unexpected EOF"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"GET /v1/datasets": tc.answer})
			_, err := r.client(t, nil).Datasets(ctx(t))
			failed, ok := errors.AsType[*spiceruntime.Error](err)
			if !ok {
				t.Fatalf("expected an *Error, got %v", err)
			}
			if failed.Kind != tc.kind {
				t.Errorf("got kind %q, want %q", failed.Kind, tc.kind)
			}
			contains(t, "the error", err.Error(), tc.want)
			if strings.Contains(err.Error(), key[:6]) {
				t.Errorf("the key shows in %q", err)
			}
		})
	}
}

func TestClient_long_errors_are_cut(t *testing.T) {
	t.Parallel()
	r := serve(t, map[string]http.HandlerFunc{"GET /v1/datasets": text(400, strings.Repeat("é", 5000))})
	_, err := r.client(t, nil).Datasets(ctx(t))
	failed, _ := errors.AsType[*spiceruntime.Error](err)
	if want := strings.Repeat("é", 299) + "…"; failed == nil || failed.Message != want {
		t.Errorf("got %v", err)
	}
}

func TestClient_follows_no_redirect(t *testing.T) {
	t.Parallel()
	other := serve(t, map[string]http.HandlerFunc{"/": says(200, "[]")})
	r := serve(t, map[string]http.HandlerFunc{
		"/": http.RedirectHandler(other.URL+"/login?token=abc", http.StatusTemporaryRedirect).ServeHTTP,
	})
	o := r.run(t, spiceruntime.Inputs{SQL: "SELECT 1"})
	contains(t, "the error", o.Error, "redirected to "+other.URL+"/login, which is not followed")
	contains(t, "the hint", o.Hint, "check runtime-url")
	if o.Kind != spiceruntime.Refused {
		t.Errorf("got kind %q", o.Kind)
	}
	if got := other.lines(); got != nil {
		t.Errorf("the other host was asked: %q", got)
	}
}

func TestClient_nobody_listens(t *testing.T) {
	t.Parallel()
	r := serve(t, nil)
	c := r.client(t, nil)
	r.Close()
	_, err := c.Ready(ctx(t))
	failed, ok := errors.AsType[*spiceruntime.Error](err)
	if !ok || failed.Kind != spiceruntime.Unavailable || failed.Status != 0 {
		t.Errorf("got %v", err)
	}
}

// hang never answers.
type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestClient_time_limits(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		limit time.Duration
		ask   func(context.Context, *spiceruntime.Client) string
		took  time.Duration
		want  string
	}{
		{"ready", time.Hour, ready, 30 * time.Second, "GET /v1/ready: no complete answer within 30s"},
		{"ready_with_less", 5 * time.Second, ready, 5 * time.Second, "no complete answer within 5s"},
		{"probe_with_more", 120 * time.Second, selectOne, 120 * time.Second, "POST /v1/sql: no complete answer within 2m0s"},
		{"probe_without_limit", 0, selectOne, 30 * time.Second, "no complete answer within 30s"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, err := spiceruntime.New(spiceruntime.Config{BaseURL: "https://a.example.com", Key: redact.New(key), Transport: hang{}})
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if tc.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.limit)
					defer cancel()
				}
				start := time.Now()
				contains(t, "the error", tc.ask(ctx, c), tc.want)
				if got := time.Since(start); got != tc.took {
					t.Errorf("took %s, want %s", got, tc.took)
				}
			})
		})
	}
}

func ready(ctx context.Context, c *spiceruntime.Client) string {
	_, err := c.Ready(ctx)
	return fmt.Sprint(err)
}

func selectOne(ctx context.Context, c *spiceruntime.Client) string {
	probes, err := spiceruntime.ParseProbes(spiceruntime.Inputs{SQL: "SELECT 1"})
	if err != nil {
		return err.Error()
	}
	return c.Run(ctx, probes[0]).Error
}

func TestClient_cancelled(t *testing.T) {
	t.Parallel()
	c, err := spiceruntime.New(spiceruntime.Config{BaseURL: "https://a.example.com", Key: redact.New(key), Transport: hang{}})
	if err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Datasets(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestClient_trace(t *testing.T) {
	t.Parallel()
	r := serve(t, map[string]http.HandlerFunc{"GET /v1/datasets": says(200, "[]"), "GET /v1/ready": text(503, "not ready")})
	var got []string
	c := r.client(t, func(cfg *spiceruntime.Config) {
		cfg.Trace = func(method, path string, status int, d time.Duration, err error) {
			got = append(got, fmt.Sprint(method, " ", path, " ", status, " ", d > 0, " ", err))
		}
	})
	_, _ = c.Datasets(ctx(t))
	_, _ = c.Ready(ctx(t))
	want := []string{
		"GET /v1/datasets?status=true 200 true <nil>",
		"GET /v1/ready 503 true GET /v1/ready: 503 Service Unavailable: not ready",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
}
