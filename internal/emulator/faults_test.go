package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// TestFaults does one POST …/deployments with a fault, once over a socket and once in memory: the two must show
// the same.
func TestFaults(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		fault   emulator.Fault
		effects int    // deployments afterwards
		want    string // "status content-type body-prefix", or the error
	}{
		{"lost_before", emulator.Fault{Kind: "lost"}, 0, "cut"},
		{"lost_after", emulator.Fault{Kind: "lost", AfterEffect: true}, 1, "cut"},
		{"truncated", emulator.Fault{Kind: "truncated"}, 1, "202 application/json; charset=utf-8 {\"id\":1001, then cut"},
		{"html", emulator.Fault{Kind: "html"}, 0, "502 text/html; charset=utf-8 <html>\r\n<he"},
		{"html_after", emulator.Fault{Kind: "html", Status: 503, AfterEffect: true}, 1, "503 text/html; charset=utf-8 <html>\r\n<he"},
		{"status", emulator.Fault{Status: 500}, 0, `500 application/json; charset=utf-8 {"error":"I`},
		{"status_with_body", emulator.Fault{Status: 403, Body: `{"error":"no"}`}, 0, `403 application/json; charset=utf-8 {"error":"n`},
		{"status_with_type", emulator.Fault{Status: 503, Body: "later, please", Headers: emulator.Headers{"Content-Type": "text/plain"}}, 0, "503 text/plain later, plea"},
		{"status_after", emulator.Fault{Status: 504, AfterEffect: true}, 1, `504 application/json; charset=utf-8 {"error":"I`},
		{"empty", emulator.Fault{Kind: "empty"}, 0, "200  "},
		{"empty_after", emulator.Fault{Kind: "empty", Status: 202, AfterEffect: true}, 1, "202  "},
		{"redirect", emulator.Fault{Kind: "redirect"}, 0, "302  "},
		{"slow", emulator.Fault{Delay: time.Millisecond}, 1, `202 application/json; charset=utf-8 {"id":1001,`},
		{"refused", emulator.Fault{Kind: "refused"}, 0, "cut"},
	}
	for _, tc := range cases {
		for place, start := range map[string]func(*testing.T, emulator.Options) (*emulator.Emulator, *curl){"loopback": overLoopback, "memory": inMemory} {
			t.Run(tc.name+"/"+place, func(t *testing.T) {
				t.Parallel()
				e, c := start(t, emulator.Options{})
				c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				addApp(t, e, nil)
				fault := tc.fault
				fault.Path = "/deployments"
				faults(t, e, fault)
				if got := shown(c.try("POST", deployments, "{}")); got != tc.want {
					t.Errorf("got %q, want %q", got, tc.want)
				}
				if got := len(e.App(7).Deployments); got != tc.effects {
					t.Errorf("%d deployments, want %d", got, tc.effects)
				}
				c.want(http.StatusOK, "GET", deployments, "") // the fault is spent
			})
		}
	}
}

// shown is what a client sees, in one line.
func shown(a answer, err error) string {
	line := fmt.Sprintf("%d %s %.11s", a.status, a.header.Get("Content-Type"), a.body)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && a.status != 0:
		return line + " then cut"
	case err != nil:
		return "cut"
	}
	return line
}

func TestErrorsOfTheTransport(t *testing.T) {
	t.Parallel()
	e, c := inMemory(t, emulator.Options{})
	addApp(t, e, nil)
	faults(t, e, emulator.Fault{Kind: "lost"}, emulator.Fault{Kind: "refused", Nth: 2})
	var op *net.OpError
	_, err := c.try("GET", "/v1/projects", "")
	if !errors.As(err, &op) || op.Op != "read" || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("lost: %v", err)
	}
	_, err = c.try("GET", "/v1/projects", "")
	if !errors.As(err, &op) || op.Op != "dial" || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://spice.test/v1/health", nil)
	if _, err := c.http.Do(req); !errors.Is(err, gone) {
		t.Errorf("ended context: %v", err)
	}
	if got := len(e.Requests()); got != 2 {
		t.Errorf("%d requests arrived, want 2", got)
	}
}

func TestDelayEndsWithTheContext(t *testing.T) {
	t.Parallel()
	for _, afterEffect := range []bool{false, true} {
		t.Run(fmt.Sprint(afterEffect), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, c := inMemory(t, emulator.Options{})
				addApp(t, e, nil)
				faults(t, e, emulator.Fault{Method: "POST", Delay: time.Hour, AfterEffect: afterEffect})
				c.http.Timeout = 30 * time.Second
				start := time.Now()
				_, err := c.try("POST", deployments, "{}")
				var timeout net.Error
				if !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("got %v, want a timeout", err)
				}
				if got, want := time.Since(start), 30*time.Second; got != want {
					t.Errorf("took %s, want %s", got, want)
				}
				effects := 0
				if afterEffect {
					effects = 1
				}
				if got := len(e.App(7).Deployments); got != effects {
					t.Errorf("%d deployments, want %d", got, effects)
				}
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, io.ErrClosedPipe)
				defer cancel()
				faults(t, e, emulator.Fault{Method: "PUT", Delay: time.Hour, AfterEffect: afterEffect})
				req, _ := http.NewRequestWithContext(ctx, http.MethodPut, "http://spice.test/v1/projects/7", nil)
				if _, err := e.Transport().RoundTrip(req); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("got %v, want the context's cause", err)
				}
				// Nobody else waits for a request that is delayed.
				go func() { _, _ = c.try("POST", deployments, "{}") }()
				synctest.Wait()
				c.want(http.StatusOK, "GET", deployments, "")
			})
		})
	}
}

func TestLateEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		addApp(t, e, nil)
		faults(t, e, emulator.Fault{Kind: "lost", Late: 5 * time.Second})
		if got := shown(c.try("POST", deployments, `{"commit_sha":"late"}`)); got != "cut" {
			t.Errorf("got %q, want a cut", got)
		}
		start := time.Now()
		listed := func() int { return len(c.want(http.StatusOK, "GET", deployments, "").list("deployments")) }
		time.Sleep(4999 * time.Millisecond)
		if got := listed(); got != 0 {
			t.Errorf("%d listed before the effect", got)
		}
		time.Sleep(time.Minute)
		if got := listed(); got != 1 {
			t.Errorf("%d listed after the effect, want 1", got)
		}
		if got, want := e.App(7).Deployments[0].CreatedAt, start.Add(5*time.Second); !got.Equal(want) {
			t.Errorf("created at %s, want %s, although nobody looked then", got, want)
		}
	})
}

func TestFaultMatching(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		fault emulator.Fault
		want  string // what GET secrets, POST A, POST B, GET deployments (apps), POST A, POST A are answered
	}{
		{"all", emulator.Fault{Times: -1}, "500 500 500 500 500 500"},
		{"once", emulator.Fault{}, "500 200 200 200 200 200"},
		{"nth", emulator.Fault{Nth: 2}, "200 500 200 200 200 200"},
		{"times", emulator.Fault{Nth: 2, Times: 3}, "200 500 500 500 200 200"},
		{"from_nth", emulator.Fault{Nth: 5, Times: -1}, "200 200 200 200 500 500"},
		{"method", emulator.Fault{Method: "post", Times: -1}, "200 500 500 200 500 500"},
		{"suffix", emulator.Fault{Path: "/secrets", Times: -1}, "500 500 500 200 500 500"},
		{"suffix_is_whole_segments", emulator.Fault{Path: "crets", Times: -1}, "200 200 200 200 200 200"},
		{"whole_path", emulator.Fault{Path: "/v1/apps/7/deployments", Times: -1}, "200 200 200 500 200 200"},
		{"star", emulator.Fault{Path: "/v1/*/7/deployments", Times: -1}, "200 200 200 500 200 200"},
		{"secret", emulator.Fault{Secret: "A", Nth: 2}, "200 200 200 200 500 200"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, c := overLoopback(t, emulator.Options{})
			addApp(t, e, nil)
			fault := tc.fault
			fault.Status = 500
			faults(t, e, fault)
			write := `{"name":%q,"value":"x"}`
			var got []string
			for _, a := range []answer{
				c.do("GET", "/v1/projects/7/secrets", ""),
				c.do("POST", "/v1/projects/7/secrets", fmt.Sprintf(write, "A")),
				c.do("POST", "/v1/projects/7/secrets", fmt.Sprintf(write, "B")),
				c.do("GET", "/v1/apps/7/deployments", ""),
				c.do("POST", "/v1/projects/7/secrets", fmt.Sprintf(write, "A")),
				c.do("POST", "/v1/projects/7/secrets", fmt.Sprintf(write, "A")),
			} {
				got = append(got, fmt.Sprint(a.status))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultFor(t *testing.T) {
	t.Parallel()
	var seen []emulator.Incoming
	e, c := inMemory(t, emulator.Options{FaultFor: func(in emulator.Incoming) *emulator.Fault {
		seen = append(seen, in)
		if in.Method == http.MethodPost && in.Secret == "A" && in.Attempt == 1 {
			return &emulator.Fault{Kind: "lost", AfterEffect: true}
		}
		return nil
	}})
	addApp(t, e, nil)
	const path, write = "/v1/projects/7/secrets", `{"name":"A","value":"x"}`
	if _, err := c.try("POST", path, write); err == nil {
		t.Error("the first write was answered")
	}
	c.want(http.StatusOK, "POST", path, write)
	c.want(http.StatusNoContent, "DELETE", path+"/A", "")
	want := []emulator.Incoming{
		{Method: "POST", Path: path, Secret: "A", Attempt: 1},
		{Method: "POST", Path: path, Secret: "A", Attempt: 2},
		{Method: "DELETE", Path: path + "/A", Secret: "A", Attempt: 1},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	record := e.Requests()[0]
	if record.Status != 0 || record.Fault != "lost" || record.Actor != "default" {
		t.Errorf("recorded as %+v", record)
	}
}

func TestRequestIDsDoNotDependOnOrder(t *testing.T) {
	t.Parallel()
	ids := func(paths ...string) map[string]string {
		_, c := inMemory(t, emulator.Options{Seed: 3})
		m := map[string]string{}
		for _, p := range paths {
			m[p] = c.do("GET", p, "").header.Get("X-Request-Id")
		}
		return m
	}
	if diff := cmp.Diff(ids("/v1/orgs", "/v1/regions"), ids("/v1/regions", "/v1/orgs")); diff != "" {
		t.Errorf("ids depend on the order:\n%s", diff)
	}
}
