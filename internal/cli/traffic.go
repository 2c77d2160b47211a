package cli

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// tokenArrived masks a token before its first use.
func (c *command) tokenArrived(token redact.Secret) { c.mask(token) }

// keyArrived masks a key of the app's runtime before anything is made of it.
func (c *command) keyArrived(key redact.Secret) { c.mask(spiceruntime.Hidden(key)...) }

// retries says why the log is quiet: a request failed and is made again.
func (c *command) retries(r spicecloud.Retry) {
	c.log.line("network", "%s; again in %s", r.Err, r.Pause.Round(100*time.Millisecond))
}

// trace prints each exchange where verbose is set: never a header or a body.
func (c *command) trace(call spicecloud.Call) {
	outcome := fmt.Sprintf("%d %s", call.Status, http.StatusText(call.Status))
	if call.Err != nil {
		outcome = call.Err.Error()
	}
	if call.RequestID != "" {
		outcome += ", request id " + call.RequestID
	}
	c.log.line("http", "%s %s: %s in %s", call.Method, call.Path, outcome, call.Duration.Round(time.Millisecond))
}
