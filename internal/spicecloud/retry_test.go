package spicecloud_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

const ok = `{"regions":[{"region":"us-east-1"}]}`

func TestRetry_until_it_works(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		bad  step
	}{
		{"request_timeout", reply(408, "")},
		{"too_many_requests", reply(429, "")},
		{"internal_error", reply(500, `{"error":"boom"}`)},
		{"bad_gateway_html", reply(502, "<html><title>502</title></html>")},
		{"unavailable", reply(503, "")},
		{"connection_reset", fail(syscall.ECONNRESET)},
		{"connection_refused", fail(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})},
		{"truncated_body", cut(200, `{"regions":[`)},
		{"truncated_json", reply(200, `{"regions":[`)},
		{"html_with_200", reply(200, "<!DOCTYPE html><title>Please sign in</title>")},
		{"empty_with_200", reply(200, "")},
		{"other_json_with_200", reply(200, `{"status":"starting"}`)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := plays(tc.bad, tc.bad, reply(200, ok))
				got, err := client(t, network, nil).Regions(ctx(t))
				if err != nil {
					t.Fatal(err)
				}
				if got, want := len(got.Regions), 1; got != want {
					t.Errorf("expected %d regions, got %d", want, got)
				}
				if got, want := len(network.requests()), 3; got != want {
					t.Errorf("expected %d requests, got %d", want, got)
				}
			})
		})
	}
}

func TestRetry_never(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		bad  step
	}{
		{"bad_request", reply(400, "")},
		{"unauthorized", reply(401, "")},
		{"forbidden", reply(403, "")},
		{"not_found", reply(404, "")},
		{"conflict", reply(409, "")},
		{"redirect", reply(302, "", "Location", "https://elsewhere.test/")},
		{"unknown_authority", fail(x509.UnknownAuthorityError{})},
		{"wrong_host_in_certificate", fail(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "api.spice.test"})},
		{"endless_body", func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(endless{}), Request: r}, nil
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(tc.bad)
			if _, err := client(t, network, nil).Regions(ctx(t)); err == nil {
				t.Error("expected an error")
			}
			if got, want := len(network.requests()), 1; got != want {
				t.Errorf("expected %d request, got %d", want, got)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// pauses plays the network and returns the time between one request and the next.
func pauses(t *testing.T, change func(*spicecloud.Config), steps ...step) []time.Duration {
	t.Helper()
	network := plays(steps...)
	if _, err := client(t, network, change).Regions(ctx(t)); err != nil {
		t.Fatal(err)
	}
	var gaps []time.Duration
	requests := network.requests()
	for i := 1; i < len(requests); i++ {
		gaps = append(gaps, requests[i].At.Sub(requests[i-1].At))
	}
	return gaps
}

func TestRetry_pauses_grow_up_to_a_cap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := reply(503, "")
		got := pauses(t, nil, down, down, down, down, down, down, down, reply(200, ok))
		scheduled := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second}
		for i, gap := range got {
			if gap < scheduled[i]/2 || gap > scheduled[i] {
				t.Errorf("pause %d: expected %s to be from half of %s to all of it", i+1, gap, scheduled[i])
			}
		}
	})
}

func TestRetry_pauses_depend_on_the_seed_alone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		run := func(seed uint64) []time.Duration {
			return pauses(t, func(c *spicecloud.Config) { c.Seed = seed }, reply(503, ""), reply(503, ""), reply(200, ok))
		}
		if diff := cmp.Diff(run(1), run(1)); diff != "" {
			t.Errorf("the same seed gave other pauses:\n%s", diff)
		}
		if cmp.Equal(run(1), run(2)) {
			t.Error("another seed gave the same pauses")
		}
	})
}

func TestRetry_pauses_differ_between_parallel_writes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		took := func(name string) time.Duration {
			start := time.Now()
			if err := client(t, plays(reply(503, ""), reply(200, "{}")), nil).PutSecret(ctx(t), 7, name, redact.New("value")); err != nil {
				t.Fatal(err)
			}
			return time.Since(start)
		}
		if a, b := took("A"), took("B"); a == b {
			t.Errorf("both waited for %s", a)
		}
	})
}

func TestRetry_max_pause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := reply(503, "")
		for _, gap := range pauses(t, func(c *spicecloud.Config) { c.MaxPause = 100 * time.Millisecond }, down, down, down, reply(200, ok)) {
			if gap > 100*time.Millisecond {
				t.Errorf("expected no pause above 100ms, got %s", gap)
			}
		}
	})
}

func TestRetry_rateLimit(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		header []string
		want   time.Duration // 0: the first pause of our own
	}{
		{"rate_limit_by_the_servers_clock", []string{"X-RateLimit-Reset", "1792567710", "Date", "Wed, 21 Oct 2026 07:28:00 GMT"}, 30 * time.Second},
		{"rate_limit_without_the_servers_clock", []string{"X-RateLimit-Reset", "946684809"}, 9 * time.Second},
		{"retry_after_before_the_rate_limit", []string{"Retry-After", "7", "X-RateLimit-Reset", "946684809"}, 7 * time.Second},
		{"rate_limit_in_the_past", []string{"X-RateLimit-Reset", "946684799"}, 0},
		{"rate_limit_in_milliseconds", []string{"X-RateLimit-Reset", "946684809000"}, 0},
		{"rate_limit_that_is_no_number", []string{"X-RateLimit-Reset", "soon"}, 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := pauses(t, nil, reply(429, "", tc.header...), reply(200, ok))[0]
				if ownPause := got >= 250*time.Millisecond && got <= 500*time.Millisecond; tc.want > 0 && got != tc.want || tc.want == 0 && !ownPause {
					t.Errorf("expected a pause of %s, or of our own for 0, got %s", tc.want, got)
				}
			})
		})
	}
}

func TestRetry_after(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		header []string
		want   time.Duration // 0: the first pause of our own
	}{
		{"seconds", []string{"Retry-After", "7"}, 7 * time.Second},
		{"more_than_our_own_cap", []string{"Retry-After", "120"}, 2 * time.Minute},
		{"date_by_the_servers_clock", []string{"Retry-After", "Wed, 21 Oct 2026 07:28:30 GMT", "Date", "Wed, 21 Oct 2026 07:28:00 GMT"}, 30 * time.Second},
		// The clock of a synctest bubble begins at this midnight.
		{"date_without_the_servers_clock", []string{"Retry-After", "Sat, 01 Jan 2000 00:00:09 GMT"}, 9 * time.Second},
		{"date_in_the_past", []string{"Retry-After", "Wed, 21 Oct 1987 07:28:30 GMT"}, 0},
		{"zero", []string{"Retry-After", "0"}, 0},
		{"negative", []string{"Retry-After", "-5"}, 0},
		{"nonsense", []string{"Retry-After", "soon"}, 0},
	}
	for _, tc := range cases {
		for _, status := range []int{429, 503} {
			t.Run(tc.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					got := pauses(t, nil, reply(status, "", tc.header...), reply(200, ok))[0]
					if tc.want > 0 && got != tc.want {
						t.Errorf("expected a pause of %s, got %s", tc.want, got)
					}
					if tc.want == 0 && (got < 250*time.Millisecond || got > 500*time.Millisecond) {
						t.Errorf("expected a pause of our own, got %s", got)
					}
				})
			})
		}
	}
}

func TestRetry_after_past_the_deadline_fails_at_once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		limited, cancel := context.WithTimeout(ctx(t), time.Minute)
		defer cancel()
		_, err := client(t, plays(reply(429, "", "Retry-After", "90")), nil).Regions(limited)
		gaveUp := as[*spicecloud.GaveUpError](t, err)
		if got, want := gaveUp.Wait, 90*time.Second; got != want {
			t.Errorf("expected %s to be %s", got, want)
		}
		if got, want := err.Error(), "gave up after one attempt, since the server asks to wait another 1m30s: GET /v1/regions: 429 Too Many Requests"; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("expected no time to pass, got %s", got)
		}
	})
}

func TestRetry_patience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		patient := spicecloud.WithPatience(ctx(t), time.Minute)
		_, err := client(t, plays(reply(502, "")), nil).Regions(patient)
		gaveUp := as[*spicecloud.GaveUpError](t, err)
		if got := time.Since(start); got < 50*time.Second || got > time.Minute {
			t.Errorf("expected it to give up shortly before a minute, got %s", got)
		}
		if gaveUp.Attempts < 12 {
			t.Errorf("expected more than %d attempts", gaveUp.Attempts)
		}
		if got, want := as[*spicecloud.APIError](t, gaveUp.Err).Status, 502; got != want {
			t.Errorf("expected the last error to have status %d, got %d", want, got)
		}
	})
}

func TestRetry_patience_is_not_outlasted_by_a_huge_retry_after(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		patient := spicecloud.WithPatience(ctx(t), time.Minute)
		_, err := client(t, plays(reply(503, ""), reply(503, ""), reply(503, ""), reply(503, "", "Retry-After", "18446744073709551615")), nil).Regions(patient)
		as[*spicecloud.GaveUpError](t, err)
	})
}

func TestRetry_without_patience_goes_on_until_the_context_ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		cause := errors.New("the deadline of the run passed")
		limited, cancel := context.WithTimeoutCause(ctx(t), time.Hour, cause)
		defer cancel()
		_, err := client(t, plays(reply(500, `{"error":"boom"}`)), nil).Regions(limited)
		if got, want := time.Since(start), time.Hour; got != want {
			t.Errorf("expected %s to be %s", got, want)
		}
		if !errors.Is(err, cause) {
			t.Errorf("expected the cause within %v", err)
		}
		if got, want := as[*spicecloud.APIError](t, err).Message, "boom"; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
		if got, want := err.Error(), "GET /v1/regions: the deadline of the run passed; the last attempt failed: GET /v1/regions: 500 Internal Server Error: boom"; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
	})
}

func TestRetry_nothing_is_sent_once_the_context_has_ended(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancelCause(ctx(t))
	cause := errors.New("interrupted")
	cancel(cause)
	network := plays(reply(200, ok))
	if _, err := client(t, network, nil).Regions(gone); !errors.Is(err, cause) {
		t.Errorf("expected the cause, got %v", err)
	}
	if got := network.lines(); len(got) != 0 {
		t.Errorf("expected nothing to be sent, got %q", got)
	}
}

func TestRetry_each_attempt_has_30_seconds(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		bad  step
	}{
		{"no_answer", hang},
		{"body_without_end", func(r *http.Request) (*http.Response, error) {
			body := hangingReader{r.Context()}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var retries []spicecloud.Retry
				network := plays(tc.bad, reply(200, ok))
				c := client(t, network, func(cfg *spicecloud.Config) {
					cfg.OnRetry = func(r spicecloud.Retry) { retries = append(retries, r) }
				})
				start := time.Now()
				if _, err := c.Regions(ctx(t)); err != nil {
					t.Fatal(err)
				}
				if got, want := len(retries), 1; got != want {
					t.Fatalf("expected %d retry, got %d", want, got)
				}
				if got, want := time.Since(start), 30*time.Second+retries[0].Pause; got != want {
					t.Errorf("expected %s to be %s", got, want)
				}
				if got, want := retries[0].Err.Error(), "no complete answer within 30s"; !strings.Contains(got, want) {
					t.Errorf("expected %q in %q", want, got)
				}
				if errors.Is(retries[0].Err, context.DeadlineExceeded) {
					t.Error("the end of one attempt looks like the end of the run")
				}
			})
		})
	}
}

type hangingReader struct{ context.Context }

func (r hangingReader) Read([]byte) (int, error) {
	<-r.Done()
	return 0, r.Err()
}

func TestRetry_reports_each(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var retries []spicecloud.Retry
		network := plays(reply(429, "", "Retry-After", "3"), reply(503, "", "Retry-After", "4"), reply(200, `{"id":1,"name":"X"}`))
		c := client(t, network, func(cfg *spicecloud.Config) {
			cfg.OnRetry = func(r spicecloud.Retry) { r.Err = nil; retries = append(retries, r) }
		})
		if err := c.PutSecret(ctx(t), 7, "X", redact.New("value")); err != nil {
			t.Fatal(err)
		}
		want := []spicecloud.Retry{
			{Method: "POST", Path: "/v1/projects/7/secrets", Attempt: 1, Pause: 3 * time.Second},
			{Method: "POST", Path: "/v1/projects/7/secrets", Attempt: 2, Pause: 4 * time.Second},
		}
		if diff := cmp.Diff(want, retries); diff != "" {
			t.Errorf("retries (-want +got):\n%s", diff)
		}
	})
}

func TestRetry_health_and_paused_are_asked_once(t *testing.T) {
	t.Parallel()
	network := plays(reply(503, ""))
	c := client(t, network, nil)
	if err := c.Health(ctx(t)); err == nil {
		t.Error("expected an error")
	}
	if _, err := c.Paused(ctx(t), 7); err == nil {
		t.Error("expected an error")
	}
	if got, want := network.lines(), []string{"GET /v1/health", "GET /v1/projects/7/instances"}; !cmp.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}
