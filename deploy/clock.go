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

// began is when our deployment was created, by our own clock. One that was made just now needs no comparison of
// clocks, and of one whose age is not known the same is assumed.
func (r *run) began() time.Time {
	now := time.Now()
	made := r.result.Deployment.CreatedAt
	if !r.result.Adopted && !r.result.TakenOver || !r.clock.known() || made.IsZero() {
		return now
	}
	return now.Add(-max(0, r.clock.now().Sub(made)))
}

// durations is how long those deployments took that succeeded, from their creation to their end. Some editions of
// the service do not tell the end.
func durations(deployments []spicecloud.Deployment) []time.Duration {
	var took []time.Duration
	for _, d := range deployments {
		if d.Status == spicecloud.Succeeded && !d.CreatedAt.IsZero() && !d.FinishedAt.IsZero() {
			took = append(took, d.FinishedAt.Sub(d.CreatedAt))
		}
	}
	return took
}
