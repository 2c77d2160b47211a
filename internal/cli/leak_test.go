package cli_test

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// connections counts what clients hold open.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]bool
	all  int
}

func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open[conn] = true
		c.all++
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	}
}

func (c *connections) count() (open, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open), c.all
}

// TestMain_leavesNothingBehind holds that no goroutine and no connection outlives a run, however it ends. It does not
// run beside other tests, since it counts the goroutines of the process.
func TestMain_leavesNothingBehind(t *testing.T) {
	cases := []struct {
		name    string
		options emulator.Options
		env     map[string]string
		args    []string
		stop    time.Duration
		want    int
	}{
		{name: "succeeded", options: emulator.Options{Queued: 1, InProgress: 1}},
		{name: "succeeded_in_a_rehearsal", args: []string{"deploy", "--emulator"}},
		{name: "timed_out", options: emulator.Options{InProgress: time.Hour}, env: map[string]string{"INPUT_TIMEOUT-SECONDS": "1"}, want: 4},
		{name: "stopped", options: emulator.Options{InProgress: time.Hour}, stop: 500 * time.Millisecond, want: diag.ExitTerminated},
		{
			name: "stopped_while_answers_are_outstanding", stop: 500 * time.Millisecond, want: diag.ExitTerminated,
			options: emulator.Options{FaultFor: func(in emulator.Incoming) *emulator.Fault {
				if in.Method == http.MethodPost {
					return &emulator.Fault{Kind: emulator.Slow, Delay: time.Hour}
				}
				return nil
			}},
		},
		{name: "refused", env: map[string]string{"INPUT_API-TOKEN": "another-token"}, want: 3},
		{name: "wrong_input", env: map[string]string{"INPUT_REPLICAS": "99"}, want: 2},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			cloud := newCloud(t, tc.options)
			conns := &connections{open: map[net.Conn]bool{}}
			server := httptest.NewUnstartedServer(cloud)
			server.Config.ConnState = conns.note
			server.Start()
			defer server.Close()
			s := newStep(t, cloud.Token())
			s.env["INPUT_API-URL"] = server.URL
			s.args = tc.args
			maps.Copy(s.env, tc.env)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			before := runtime.NumGoroutine()
			if tc.stop > 0 {
				time.AfterFunc(tc.stop, func() { cancel(diag.Interrupted{Signal: "SIGTERM", Exit: diag.ExitTerminated}) })
			}
			if l := s.run(ctx, t); l.code != tc.want {
				t.Errorf("exit code: expected %d to be %d\n%s", l.code, tc.want, l.stdout)
			}
			// The other ends of the connections take a moment to notice.
			var open, all, goroutines int
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				open, all = conns.count()
				goroutines = runtime.NumGoroutine()
				if open == 0 && goroutines <= before {
					return
				}
			}
			stacks := make([]byte, 1<<20)
			t.Errorf("%d of %d connections are open, and there are %d goroutines instead of %d\n%s",
				open, all, goroutines, before, stacks[:runtime.Stack(stacks, true)])
		})
	}
}
