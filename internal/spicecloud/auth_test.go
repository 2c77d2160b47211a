package spicecloud_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// cloud is a service whose tokens are "token-1", "token-2" and so on, of which only the last is good.
type cloud struct {
	life   string // the member expires_in with its comma, or ""
	delay  time.Duration
	issued atomic.Int64
	served atomic.Int64
}

func (s *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/oauth/token" {
		select {
		case <-time.After(s.delay):
		case <-r.Context().Done():
			return
		}
		fmt.Fprintf(w, `{"access_token":"token-%d",%s"token_type":"Bearer"}`, s.issued.Add(1), s.life)
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", s.issued.Load()) {
		http.Error(w, `{"error":"expired"}`, http.StatusUnauthorized)
		return
	}
	s.served.Add(1)
	fmt.Fprint(w, ok)
}

func TestOAuth_request(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, scope, want string
	}{
		{"without_scope", "", `{"client_id":"client-1","client_secret":"client-secret-1234","grant_type":"client_credentials"}`},
		{"with_scope", "apps:write secrets:write", `{"client_id":"client-1","client_secret":"client-secret-1234","grant_type":"client_credentials","scope":"apps:write secrets:write"}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(reply(200, `{"access_token":"tok-1"}`), reply(200, ok))
			var told []string
			c := oauthClient(t, network, func(cfg *spicecloud.Config) {
				cfg.Scope, cfg.Org, cfg.ReadOnly = tc.scope, "acme", true
				cfg.OnToken = func(s redact.Secret) {
					told = append(told, fmt.Sprint(s.Reveal(), " after ", len(network.requests())))
				}
			})
			if _, err := c.Regions(ctx(t)); err != nil {
				t.Fatal(err)
			}
			asked, used := network.requests()[0], network.requests()[1]
			if got, want := asked.Line, "POST /api/oauth/token"; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			if got, want := asked.Body, tc.want; got != want {
				t.Errorf("expected %s to be %s", got, want)
			}
			if got := asked.Get("Authorization"); got != "" {
				t.Errorf("expected no authorization on the token request, got %q", got)
			}
			if got, want := used.Get("Authorization"), "Bearer tok-1"; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			if _, sent := used.Header["X-Org-Name"]; sent {
				t.Error("an OAuth client named an organization")
			}
			if diff := cmp.Diff([]string{"tok-1 after 1"}, told); diff != "" {
				t.Errorf("tokens told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOAuth_token_url(t *testing.T) {
	t.Parallel()
	var hosts []string
	network := inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.URL.String())
		fmt.Fprint(w, `{"access_token":"tok-1","regions":[]}`)
	})}
	c := oauthClient(t, network, func(cfg *spicecloud.Config) { cfg.TokenURL = "https://login.test/token" })
	if _, err := c.Regions(ctx(t)); err != nil {
		t.Fatal(err)
	}
	if got, want := hosts, []string{"https://login.test/token", "https://api.spice.test/v1/regions"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestOAuth_is_kept_and_renewed_a_minute_early(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, life string
		good       time.Duration
	}{
		{"seconds", `"expires_in":600,`, 9 * time.Minute},
		{"seconds_in_a_string", `"expires_in":"600",`, 9 * time.Minute},
		{"not_said", "", 59 * time.Minute},
		{"null", `"expires_in":null,`, 59 * time.Minute},
		{"shorter_than_the_margin", `"expires_in":20,`, 10 * time.Second},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &cloud{life: tc.life}
				c := oauthClient(t, inMemory{service}, nil)
				for _, wait := range []time.Duration{0, tc.good - time.Second, 2 * time.Second} {
					time.Sleep(wait)
					if _, err := c.Regions(ctx(t)); err != nil {
						t.Fatal(err)
					}
					if wait != 2*time.Second && service.issued.Load() != 1 {
						t.Errorf("expected one token after %s, got %d", wait, service.issued.Load())
					}
				}
				if got, want := service.issued.Load(), int64(2); got != want {
					t.Errorf("expected %d tokens at the end, got %d", want, got)
				}
			})
		})
	}
}

func TestOAuth_renews_once_after_401(t *testing.T) {
	t.Parallel()
	service := &cloud{}
	c := oauthClient(t, inMemory{service}, nil)
	if _, err := c.Regions(ctx(t)); err != nil {
		t.Fatal(err)
	}
	service.issued.Add(1) // revokes the token
	if _, err := c.Regions(ctx(t)); err != nil {
		t.Errorf("expected a new token to be used, got %v", err)
	}
}

func TestOAuth_401_with_a_new_token_is_the_answer(t *testing.T) {
	t.Parallel()
	network := inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/oauth/token" {
			fmt.Fprint(w, `{"access_token":"tok"}`)
			return
		}
		http.Error(w, `{"error":"no"}`, http.StatusUnauthorized)
	})}
	var calls []string
	c := oauthClient(t, network, func(cfg *spicecloud.Config) {
		cfg.Trace = func(call spicecloud.Call) { calls = append(calls, fmt.Sprint(call.Method, call.Status)) }
	})
	_, err := c.Regions(ctx(t))
	if got, want := as[*spicecloud.APIError](t, err).Status, 401; got != want {
		t.Errorf("expected %d to be %d", got, want)
	}
	if got, want := calls, []string{"POST200", "GET401", "POST200", "GET401"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestOAuth_create_is_repeated_after_401(t *testing.T) {
	t.Parallel()
	network := plays(
		reply(200, `{"access_token":"one"}`), reply(401, ""),
		reply(200, `{"access_token":"two"}`), reply(202, `{"id":9}`),
	)
	if _, err := oauthClient(t, network, nil).CreateDeployment(ctx(t), 7, spicecloud.NewDeployment{}); err != nil {
		t.Fatal(err)
	}
	if got, want := network.requests()[3].Get("Authorization"), "Bearer two"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

// parallel makes n requests at the same time.
func parallel(t *testing.T, c *spicecloud.Client, n int) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if _, err := c.Regions(ctx(t)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestOAuth_one_token_request_for_all_who_wait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &cloud{delay: time.Second}
		c := oauthClient(t, inMemory{service}, nil)
		parallel(t, c, 20)
		if got, want := service.issued.Load(), int64(1); got != want {
			t.Errorf("expected %d token request, got %d", want, got)
		}
		service.issued.Add(1) // revokes the token
		parallel(t, c, 20)
		if got, want := service.issued.Load(), int64(3); got != want {
			t.Errorf("expected one more token request, that is %d, got %d", want, got)
		}
	})
}

func TestOAuth_who_waits_can_be_cancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := oauthClient(t, inMemory{&cloud{delay: 20 * time.Second}}, nil)
		go func() { _, _ = c.Regions(ctx(t)) }()
		synctest.Wait()
		start := time.Now()
		cause := errors.New("interrupted")
		short, cancel := context.WithTimeoutCause(ctx(t), time.Second, cause)
		defer cancel()
		if _, err := c.Regions(short); !errors.Is(err, cause) {
			t.Errorf("expected the cause, got %v", err)
		}
		if got, want := time.Since(start), time.Second; got != want {
			t.Errorf("expected %s to be %s", got, want)
		}
	})
}

func TestOAuth_who_waits_outlives_who_asked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := oauthClient(t, inMemory{&cloud{delay: 5 * time.Second}}, nil)
		short, cancel := context.WithTimeout(ctx(t), time.Second)
		defer cancel()
		asked := make(chan error, 1)
		go func() {
			_, err := c.Regions(short)
			asked <- err
		}()
		synctest.Wait()
		if _, err := c.Regions(ctx(t)); err != nil {
			t.Errorf("expected the other request to get a token of its own, got %v", err)
		}
		if err := <-asked; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("expected the first to end by its deadline, got %v", err)
		}
	})
}

func TestOAuth_refusals(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer step
		want   spicecloud.TokenError
		text   string
	}{
		{
			"bare_text", reply(401, "invalid_client\n"),
			spicecloud.TokenError{Status: 401, Message: "invalid_client"},
			"get a token from https://spice.test/api/oauth/token: 401 Unauthorized: invalid_client",
		},
		{
			"rfc_6749", reply(400, `{"error":"invalid_scope","error_description":"unknown scope x"}`),
			spicecloud.TokenError{Status: 400, Code: "invalid_scope", Message: "unknown scope x"},
			"get a token from https://spice.test/api/oauth/token: 400 Bad Request: unknown scope x (code invalid_scope)",
		},
		{
			"as_the_api", reply(403, `{"error":"client expired","code":"client_expired"}`, "X-Request-Id", "r1"),
			spicecloud.TokenError{Status: 403, Code: "client_expired", Message: "client expired", RequestID: "r1"},
			"get a token from https://spice.test/api/oauth/token: 403 Forbidden: client expired (code client_expired, request id r1)",
		},
		{
			"html", reply(404, "<html><head><title>Not here</title></head></html>"),
			spicecloud.TokenError{Status: 404, Message: "an HTML page titled Not here"},
			"get a token from https://spice.test/api/oauth/token: 404 Not Found: an HTML page titled Not here",
		},
		{
			"echo_of_the_request", reply(400, `{"error":"no such client: {\"client_secret\":\"client-secret-1234\"}"}`),
			spicecloud.TokenError{Status: 400, Message: "(its text is left out, for it repeats a secret)"},
			"get a token from https://spice.test/api/oauth/token: 400 Bad Request: (its text is left out, for it repeats a secret)",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(tc.answer)
			_, err := oauthClient(t, network, nil).Regions(ctx(t))
			tc.want.URL = "https://spice.test/api/oauth/token"
			if diff := cmp.Diff(&tc.want, as[*spicecloud.TokenError](t, err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if got, want := err.Error(), tc.text; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			if got, want := len(network.requests()), 1; got != want {
				t.Errorf("expected %d request, got %d", want, got)
			}
		})
	}
}

func TestOAuth_refusal_keeps_a_create_from_being_lost(t *testing.T) {
	t.Parallel()
	network := plays(reply(401, "invalid_client"))
	_, err := oauthClient(t, network, nil).CreateDeployment(ctx(t), 7, spicecloud.NewDeployment{})
	as[*spicecloud.TokenError](t, err)
	if _, lost := errors.AsType[*spicecloud.LostAnswerError](err); lost {
		t.Error("a create that was never sent looks lost")
	}
}

func TestOAuth_token_request_is_repeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := plays(
			reply(503, ""), fail(errors.New("connection reset")), reply(200, "<html>"), reply(200, `{"token":"x"}`),
			reply(200, `{"access_token":"tok-1"}`), reply(200, ok),
		)
		if _, err := oauthClient(t, network, nil).Regions(ctx(t)); err != nil {
			t.Error(err)
		}
	})
}

func TestOAuth_unusable_token_answers(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, body, want string }{
		{"no_token", `{"token":"abc-secret-token"}`, "it has no usable access_token"},
		{"line_break", `{"access_token":"abc\ndef"}`, "it has no usable access_token"},
		{"other_type", `{"access_token":"abc","token_type":"mac"}`, "not of the type Bearer"},
		{"null", `null`, "not an object"},
		{"text", `"abc-secret-token"`, "not an object"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				patient := spicecloud.WithPatience(ctx(t), time.Second)
				_, err := oauthClient(t, plays(reply(200, tc.body)), nil).Regions(patient)
				if bad := as[*spicecloud.BadResponseError](t, err); !strings.Contains(bad.Error(), tc.want) {
					t.Errorf("expected %q in %q", tc.want, bad)
				}
				if strings.Contains(err.Error(), "abc") {
					t.Errorf("the token is in %q", err)
				}
			})
		})
	}
}
