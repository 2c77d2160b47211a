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

	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// creates are the requests that make something new each time they are carried out.
var creates = map[string]func(context.Context, *spicecloud.Client) error{
	"deployment": func(ctx context.Context, c *spicecloud.Client) error {
		_, err := c.CreateDeployment(ctx, 7, spicecloud.NewDeployment{})
		return err
	},
	"app": func(ctx context.Context, c *spicecloud.Client) error {
		_, err := c.CreateApp(ctx, spicecloud.NewApp{Name: "a", Region: "us-east-1"})
		return err
	},
	"resume": func(ctx context.Context, c *spicecloud.Client) error {
		_, err := c.ResumeApp(ctx, 7)
		return err
	},
}

// eachCreate runs the test for each of them in a bubble.
func eachCreate(t *testing.T, test func(*testing.T, func(context.Context, *spicecloud.Client) error)) {
	t.Helper()
	for name, create := range creates {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, create) })
		})
	}
}

const made = `{"id":9,"name":"a","deployment_id":9}`

func TestCreate_a_lost_answer_is_never_asked_for_again(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		lost step
	}{
		{"request_timeout", reply(408, "")},
		{"internal_error", reply(500, "")},
		{"bad_gateway", reply(502, "<html></html>")},
		{"unavailable", reply(503, "", "Retry-After", "1")},
		{"gateway_timeout", reply(504, "")},
		{"connection_reset", fail(syscall.ECONNRESET)},
		{"write_failed", fail(&net.OpError{Op: "write", Err: syscall.EPIPE})},
		{"eof", fail(io.EOF)},
		{"no_answer", hang},
		{"truncated_body", cut(202, `{"id":9`)},
		{"truncated_json", reply(202, `{"id":9`)},
		{"empty_body", reply(202, "")},
		{"no_content", reply(204, "")},
		{"html", reply(200, "<html><title>Welcome</title></html>")},
		{"json_without_id", reply(202, `{"status":"queued"}`)},
		{"json_null", reply(202, "null")},
		{"a_list", reply(202, "[]")},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
				network := plays(tc.lost, reply(202, made))
				err := create(ctx(t), client(t, network, nil))
				lost := as[*spicecloud.LostAnswerError](t, err)
				if lost.Err == nil || lost.Method != "POST" || !strings.HasPrefix(lost.Path, "/v1/projects") {
					t.Errorf("expected method, path and cause, got %#v", lost)
				}
				if got, want := len(network.requests()), 1; got != want {
					t.Errorf("expected %d request, got %d", want, got)
				}
			})
		})
	}
}

func TestCreate_is_repeated_where_nothing_can_have_happened(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		before step
	}{
		{"too_many_requests", reply(429, "", "Retry-After", "2")},
		{"connection_refused", fail(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})},
		{"unknown_host", fail(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "api.spice.test", IsNotFound: true}})},
		{"proxy_refused", fail(&net.OpError{Op: "proxyconnect", Err: syscall.ECONNREFUSED})},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
				network := plays(tc.before, tc.before, reply(202, made))
				if err := create(ctx(t), client(t, network, nil)); err != nil {
					t.Fatal(err)
				}
				if got, want := len(network.requests()), 3; got != want {
					t.Errorf("expected %d requests, got %d", want, got)
				}
			})
		})
	}
}

func TestCreate_refusals_are_refusals(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 402, 403, 409, 413, 422} {
		eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
			network := plays(reply(status, `{"error":"no"}`))
			err := create(ctx(t), client(t, network, nil))
			if got, want := as[*spicecloud.APIError](t, err).Status, status; got != want {
				t.Errorf("expected %d to be %d", got, want)
			}
			if _, lost := errors.AsType[*spicecloud.LostAnswerError](err); lost {
				t.Error("a refusal looks like a lost answer")
			}
		})
	}
}

func TestCreate_certificate_errors_and_redirects_end_it(t *testing.T) {
	t.Parallel()
	eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
		network := plays(fail(x509.UnknownAuthorityError{}))
		as[*spicecloud.NetworkError](t, create(ctx(t), client(t, network, nil)))
		if got, want := len(network.requests()), 1; got != want {
			t.Errorf("expected %d request, got %d", want, got)
		}
		network = plays(reply(307, "", "Location", "https://elsewhere.test/v1?token=x"))
		moved := as[*spicecloud.RedirectError](t, create(ctx(t), client(t, network, nil)))
		if got, want := moved.Target, "https://elsewhere.test/v1"; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
	})
}

func TestCreate_cancelled_on_the_way_is_a_lost_answer(t *testing.T) {
	t.Parallel()
	eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
		cause := errors.New("interrupted")
		stopped, cancel := context.WithCancelCause(ctx(t))
		time.AfterFunc(time.Second, func() { cancel(cause) })
		err := create(stopped, client(t, plays(hang), nil))
		as[*spicecloud.LostAnswerError](t, err)
		if !errors.Is(err, cause) {
			t.Errorf("expected the cause within %v", err)
		}
	})
}

func TestCreate_a_refusal_counts_from_its_first_line(t *testing.T) {
	t.Parallel()
	eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
		short, cancel := context.WithTimeout(ctx(t), time.Second)
		defer cancel()
		network := plays(func(r *http.Request) (*http.Response, error) {
			body := io.NopCloser(hangingReader{r.Context()})
			return &http.Response{StatusCode: 409, Header: http.Header{}, Body: body, Request: r}, nil
		})
		if got, want := as[*spicecloud.APIError](t, create(short, client(t, network, nil))).Status, 409; got != want {
			t.Errorf("expected %d to be %d", got, want)
		}
	})
}

func TestCreate_cancelled_before_anything_was_sent_is_not(t *testing.T) {
	t.Parallel()
	eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
		cause := errors.New("interrupted")
		stopped, cancel := context.WithCancelCause(ctx(t))
		time.AfterFunc(time.Second, func() { cancel(cause) })
		err := create(stopped, client(t, plays(reply(429, "", "Retry-After", "60")), nil))
		if _, lost := errors.AsType[*spicecloud.LostAnswerError](err); lost || !errors.Is(err, cause) {
			t.Errorf("expected the cause and no lost answer, got %v", err)
		}
	})
}

func TestCreate_gives_up_with_patience(t *testing.T) {
	t.Parallel()
	eachCreate(t, func(t *testing.T, create func(context.Context, *spicecloud.Client) error) {
		refused := fail(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
		err := create(spicecloud.WithPatience(ctx(t), time.Minute), client(t, plays(refused), nil))
		as[*spicecloud.GaveUpError](t, err)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("expected the last failure within %v", err)
		}
	})
}

func TestCreateDeployment_sends_what_is_set(t *testing.T) {
	t.Parallel()
	off := false
	cases := []struct {
		name string
		in   spicecloud.NewDeployment
		want string
	}{
		{"nothing", spicecloud.NewDeployment{}, `{}`},
		{"debug_off", spicecloud.NewDeployment{Debug: &off}, `{"debug":false}`},
		{
			"all",
			spicecloud.NewDeployment{ImageTag: "2.3.2", Channel: "stable", Replicas: 2, Branch: "main", CommitSHA: "abc", CommitMessage: "Fix it", Debug: &off},
			`{"image_tag":"2.3.2","channel":"stable","replicas":2,"branch":"main","commit_sha":"abc","commit_message":"Fix it","debug":false}`,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(reply(202, `{"id":9,"status":"queued"}`))
			got, err := client(t, network, nil).CreateDeployment(ctx(t), 7, tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(spicecloud.Deployment{ID: 9, Status: spicecloud.Queued, RawStatus: "queued"}, got); diff != "" {
				t.Errorf("deployment (-want +got):\n%s", diff)
			}
			request := network.requests()[0]
			if got, want := request.Line, "POST /v1/projects/7/deployments"; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			if got, want := request.Body, tc.want; got != want {
				t.Errorf("expected %s to be %s", got, want)
			}
		})
	}
}
