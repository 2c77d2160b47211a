package deploy

import (
	"time"

	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// clock is what time it is for the service, whose clock need not agree with ours. It is told by the Date of its
// last list of deployments; as long as nothing is known, it is our own.
type clock struct{ said, heard time.Time }

func clockOf(list spicecloud.DeploymentList) clock { return clock{list.ServerTime, time.Now()} }

func (c clock) known() bool { return !c.said.IsZero() }

func (c clock) now() time.Time {
	if !c.known() {
		return time.Now()
	}
	return c.said.Add(time.Since(c.heard))
}
