package simulation_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// others is everyone but the run who does something to the app, and whoever cancels the job. What they ask meets no
// fault.
type others struct {
	cloud  *emulator.Emulator
	sound  *atomic.Bool // set while they ask
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	timers    []*time.Timer
	seen      int       // requests of the run at the place that the interference waits for
	cancelled time.Time // when the job was cancelled first; zero for never
}

// stop cancels the job.
func (o *others) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cancelled.IsZero() {
		o.cancelled = time.Now()
	}
	o.cancel(diag.Interrupted{Signal: "SIGTERM", Exit: diag.ExitTerminated})
}

// later does something after a while, unless they rest by then.
func (o *others) later(after time.Duration, do func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.timers = append(o.timers, time.AfterFunc(after, do))
}

// rest ends what was to come, and tells when the job was cancelled.
func (o *others) rest() (cancelled time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, timer := range o.timers {
		timer.Stop()
	}
	return o.cancelled
}

// deploy lets somebody else deploy, after a push where they have one of their own.
func (o *others) deploy(r rival) {
	apps := o.cloud.Apps()
	if len(apps) == 0 {
		return
	}
	if r.pushes {
		body, _ := json.Marshal(map[string]string{"spicepod": manifest("pushed")})
		o.ask(http.MethodPut, "", string(body))
	}
	_, _ = o.cloud.AddDeployment(apps[0].ID, r.deployment)
}

// ask sends a request of somebody else to the app.
func (o *others) ask(method, path, body string) {
	apps := o.cloud.Apps()
	if len(apps) == 0 {
		return
	}
	o.sound.Store(true)
	defer o.sound.Store(false)
	req, err := http.NewRequest(method, "https://api.spice.test/v1/projects/"+strconv.FormatInt(apps[0].ID, 10)+path, strings.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+o.cloud.MintToken(emulator.TokenSpec{Name: "somebody-else"}))
	if resp, err := o.cloud.Transport().RoundTrip(req); err == nil {
		resp.Body.Close()
	}
}

// meddler watches for the request that an interference follows, and lets it happen a while later.
func (o *others) meddler(in *interference) func(method, path string) {
	if in == nil {
		return nil
	}
	return func(method, path string) {
		o.mu.Lock()
		if method == in.at.method && matches(in.at.path, strings.Replace(path, "/v1/apps", "/v1/projects", 1)) {
			o.seen++
			if o.seen == in.nth {
				o.timers = append(o.timers, time.AfterFunc(in.after, func() { o.interfere(in) }))
			}
		}
		o.mu.Unlock()
	}
}

func (o *others) interfere(in *interference) {
	switch in.what {
	case "cancel":
		o.stop()
	case "deploy":
		o.deploy(in.rival)
	case "push":
		o.deploy(rival{pushes: true, deployment: in.rival.deployment})
	case "rotate":
		o.ask(http.MethodPost, "/api-keys", `{"key_number": 0}`)
	}
}
