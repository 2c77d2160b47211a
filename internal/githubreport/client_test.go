package githubreport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/githubreport"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestNew_refuses(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name   string
		change func(*githubreport.Config)
		want   string
	}{
		{"plain_http", func(c *githubreport.Config) { c.APIURL = "http://ghe.example/api/v3" }, "GITHUB_API_URL \"http://ghe.example/api/v3\": plain http would show the credentials"},
		{"not_a_url", func(c *githubreport.Config) { c.APIURL = "ghe.example" }, "GITHUB_API_URL"},
		{"no_repository", func(c *githubreport.Config) { c.Repository = "" }, `repository "": expected OWNER/NAME`},
		{"one_part", func(c *githubreport.Config) { c.Repository = "acme" }, `repository "acme": expected OWNER/NAME`},
		{"another_path", func(c *githubreport.Config) { c.Repository = "acme/shop/../../user" }, "expected OWNER/NAME"},
		{"parent", func(c *githubreport.Config) { c.Repository = "acme/.." }, "expected OWNER/NAME"},
		{"query", func(c *githubreport.Config) { c.Repository = "acme/shop?x" }, "expected OWNER/NAME"},
		{"no_token", func(c *githubreport.Config) { c.Token = redact.Secret{} }, "github-token is empty"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := githubreport.Config{Repository: "acme/.github", Token: redact.New(token), UserAgent: userAgent, Transport: http.DefaultTransport}
			if _, err := githubreport.New(cfg); err != nil {
				t.Fatalf("expected the configuration to be right before the change, got %v", err)
			}
			tc.change(&cfg)
			_, err := githubreport.New(cfg)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("expected %v to contain %q", err, tc.want)
			}
		})
	}
}

// calls is each feature, as far as its first request.
func calls(ctx context.Context, c *githubreport.Client) map[string]error {
	_, stale := c.Stale(ctx, "main", commit)
	_, message := c.CommitMessage(ctx, commit)
	r := c.Record(ctx, recording())
	r.Observe(planned())
	return map[string]error{
		githubreport.PullRequestsWrite:             c.Comment(ctx, 12, marker, marker+"\nnew"),
		githubreport.ContentsRead + " for stale":   stale,
		githubreport.ContentsRead + " for message": message,
		githubreport.DeploymentsWrite:              r.Finish(succeeded()),
	}
}

func TestClient_aMissingPermissionIsNamed(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name    string
		private bool
		want    string
	}{
		{"public", false, "403 Resource not accessible by integration; the token needs "},
		{"private", true, "404 Not Found; it is not there, or the token lacks "},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{private: tc.private}).start(t)
			for feature, err := range calls(t.Context(), g.client(t)) {
				permission, _, _ := strings.Cut(feature, " for ")
				if want := tc.want + permission; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: expected %v to contain %q", feature, err, want)
				}
			}
			if got, want := len(g.requests()), 4; got != want {
				t.Errorf("expected %d requests to be %d, one for each feature: %q", got, want, g.requests())
			}
		})
	}
}

func TestClient_asksNothingMoreOnceARateLimitIsReached(t *testing.T) {
	t.Parallel()

	const docs = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"
	cases := []struct {
		name   string
		answer func(http.ResponseWriter)
		want   string
	}{
		{"secondary", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "60")
			reply(w, http.StatusForbidden, map[string]string{"message": "You have exceeded a secondary rate limit.", "documentation_url": docs})
		}, "403 You have exceeded a secondary rate limit: GitHub's rate limit is reached, so nothing more is asked (Retry-After: 60)"},
		{"secondary_without_a_pause", func(w http.ResponseWriter) {
			reply(w, http.StatusForbidden, map[string]string{"message": "You have exceeded a secondary rate limit.", "documentation_url": docs})
		}, "403 You have exceeded a secondary rate limit: GitHub's rate limit is reached"},
		{"secondary_of_an_old_enterprise_server", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusForbidden, "abuse detected")
		}, "403 abuse detected: GitHub's rate limit is reached"},
		{"too_many_requests", func(w http.ResponseWriter) { refuse(w, http.StatusTooManyRequests, "slow down") }, "429 slow down: GitHub's rate limit is reached"},
		{"primary", func(w http.ResponseWriter) {
			w.Header().Set("X-RateLimit-Limit", "1000")
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", "4102444800")
			refuse(w, http.StatusForbidden, "API rate limit exceeded for installation")
		}, "403 API rate limit exceeded for installation: GitHub's rate limit is reached"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var answered atomic.Int32
			g := (&gitHub{granted: allPermissions(), before: func(w http.ResponseWriter, _ *http.Request) bool {
				if answered.Add(1) == 1 {
					tc.answer(w)
					return true
				}
				return false // all is well again, but nobody should have asked
			}}).start(t)
			c := g.client(t)

			_, err := c.CommitMessage(t.Context(), commit)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("expected %v to contain %q", err, tc.want)
			}
			for feature, err := range calls(t.Context(), c) {
				if want := "not asked, since GitHub has answered that a rate limit is reached"; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: expected %v to contain %q", feature, err, want)
				}
			}
			if got, want := len(g.requests()), 1; got != want {
				t.Errorf("expected %d requests to be %d: %q", got, want, g.requests())
			}
		})
	}
}

func TestClient_followsNoRedirect(t *testing.T) {
	t.Parallel()

	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		g := (&gitHub{before: func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, other.URL+"/repositories/1", status)
			return true
		}}).start(t)
		for feature, err := range calls(t.Context(), g.client(t)) {
			if want := "redirected to " + other.URL + "/repositories/1, which is not followed"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d, %s: expected %v to contain %q", status, feature, err, want)
			}
		}
	}
	if got := reached.Load(); got != 0 {
		t.Errorf("expected nothing to go where the redirect leads, got %d requests", got)
	}
}

func TestClient_distrustsAnswers(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name   string
		answer func(http.ResponseWriter)
		want   string
	}{
		{"a_page_of_a_proxy", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }, "what answered is not GitHub's API (invalid character '<'"},
		{"server_error", func(w http.ResponseWriter) { refuse(w, http.StatusBadGateway, "Server Error") }, "502 Server Error"},
		{"wrong_token", func(w http.ResponseWriter) { refuse(w, http.StatusUnauthorized, "Bad credentials") }, "401 Bad credentials; github-token is not valid, or not for this server"},
		{
			"text_of_many_lines",
			func(w http.ResponseWriter) {
				refuse(w, http.StatusUnprocessableEntity, "no\n::error::"+strings.Repeat("x", 1000), "\x1b[31m")
			},
			"422 no ::error::xxx",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{before: func(w http.ResponseWriter, _ *http.Request) bool { tc.answer(w); return true }}).start(t)
			_, err := g.client(t).CommitMessage(t.Context(), commit)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("expected %v to contain %q", err, tc.want)
			}
			if text := err.Error(); len(text) > 500 || strings.ContainsAny(text, "\n\x1b") || strings.Contains(text, token) {
				t.Errorf("expected one short line without the token, got %q", text)
			}
		})
	}
}

// forever is a body without an end.
type forever struct{}

func (forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestClient_anEndlessAnswer is in fake time, since reading so much may take a busy machine longer than a call may
// take.
func TestClient_anEndlessAnswer(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name   string
		status int
		want   string
	}{
		{"success", http.StatusOK, "the answer goes on after 16 MiB"},
		{"refusal", http.StatusForbidden, "403; the token needs contents: read"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				body := io.MultiReader(strings.NewReader(`{"message":"`), forever{})
				c := newClient(t, "", inMemory(func(req *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: tc.status, Header: http.Header{}, Body: io.NopCloser(body), Request: req}, nil
				}))
				_, err := c.CommitMessage(t.Context(), commit)
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("expected %v to contain %q", err, tc.want)
				}
			})
		})
	}
}

func TestClient_aServerThatIsNotThere(t *testing.T) {
	t.Parallel()

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err := newClient(t, gone.URL, http.DefaultTransport).CommitMessage(t.Context(), commit)
	want := "read commit " + commit + " of acme/shop: dial tcp " + strings.TrimPrefix(gone.URL, "http://") + ": "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("expected %v to begin with %q", err, want)
	}
}

// inMemory answers within the process, so that time can be a test's own.
type inMemory func(*http.Request) (*http.Response, error)

func (f inMemory) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// hangs never answers.
func hangs(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestClient_aSlowServerCostsSeconds(t *testing.T) {
	t.Parallel()

	// A body that does not end is as slow as an answer that does not begin.
	trickles := func(req *http.Request) (*http.Response, error) {
		r, w := io.Pipe()
		context.AfterFunc(req.Context(), func() { w.CloseWithError(req.Context().Err()) })
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: r, Request: req}, nil
	}
	cases := []struct {
		name      string
		transport inMemory
		call      func(context.Context, *githubreport.Client) error
		want      time.Duration
		text      string
	}{
		{"comment", hangs, func(ctx context.Context, c *githubreport.Client) error { return c.Comment(ctx, 12, marker, "x") }, 5 * time.Second, "no complete answer within 5s"},
		{"stale", hangs, func(ctx context.Context, c *githubreport.Client) error {
			_, err := c.Stale(ctx, "main", commit)
			return err
		}, 5 * time.Second, "no complete answer within 5s"},
		{"message_that_does_not_end", trickles, func(ctx context.Context, c *githubreport.Client) error {
			_, err := c.CommitMessage(ctx, commit)
			return err
		}, 5 * time.Second, "no complete answer within 5s"},
		{"deactivation_of_many", func(req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodGet {
				return hangs(req)
			}
			w := httptest.NewRecorder()
			_, _ = io.WriteString(w, "["+strings.TrimSuffix(strings.Repeat(`{"id": 1},`, 100), ",")+"]")
			return w.Result(), nil
		}, func(ctx context.Context, c *githubreport.Client) error { return c.Deactivate(ctx, "shop", "") }, 30 * time.Second, "0 of 100 were marked: no complete answer within 5s"},
		{"caller_gives_up", hangs, func(ctx context.Context, c *githubreport.Client) error {
			ctx, cancel := context.WithTimeoutCause(ctx, time.Second, errors.New("the run was cancelled"))
			defer cancel()
			return c.Comment(ctx, 12, marker, "x")
		}, time.Second, "the run was cancelled"},
		{"many_slow_pages", func(req *http.Request) (*http.Response, error) {
			time.Sleep(4 * time.Second)
			w := httptest.NewRecorder()
			var page int
			_, _ = fmt.Sscan(req.URL.Query().Get("page"), &page)
			w.Header().Set("Link", fmt.Sprintf(`<http://localhost/?page=%d>; rel="next"`, page+1))
			reply(w, http.StatusOK, []any{})
			return w.Result(), req.Context().Err()
		}, func(ctx context.Context, c *githubreport.Client) error { return c.Comment(ctx, 12, marker, "x") }, 16 * time.Second, "gave up after 15s"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, "", tc.transport)
				start := time.Now()
				err := tc.call(t.Context(), c)
				if err == nil || !strings.Contains(err.Error(), tc.text) {
					t.Errorf("expected %v to contain %q", err, tc.text)
				}
				if got := time.Since(start); got != tc.want {
					t.Errorf("expected %s to be %s", got, tc.want)
				}
			})
		})
	}
}
