package githubreport

import (
	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// The states of a GitHub Deployment: https://docs.github.com/rest/deployments/statuses. GitHub sets the first itself.
const (
	pending    = "pending"
	queued     = "queued"
	inProgress = "in_progress"
	success    = "success"
	failure    = "failure"
	errored    = "error"
	inactive   = "inactive"
)

// stateDuring is the state that an event brings a run into, "" where it brings none: while the run looks around, or
// waits for somebody else's deployment, there is nothing to show.
func stateDuring(e deploy.Event) string {
	d := e.Result.Deployment
	if e.Result.Plan == nil && d.ID == 0 {
		return ""
	}
	switch e.Phase {
	case deploy.PhaseVerify, deploy.PhaseRollback, deploy.PhasePrune:
		return inProgress
	case deploy.PhasePlan, deploy.PhaseUpdate, deploy.PhaseSecrets, deploy.PhaseDeployment:
	default:
		return ""
	}
	switch d.Status {
	case "", "queued":
		return queued
	case "in_progress", "unknown": // every word that is not known means that it is still running
		return inProgress
	}
	return "" // it has ended, and what that means for the run is yet to be said
}

// stateAfter is the state that a run leaves behind; last is the one before. What nobody waited for stays what it was:
// it is not known to have gone well.
func stateAfter(result diag.Result, last string) string {
	switch result {
	case diag.Succeeded:
		return success
	case diag.Submitted:
		return last
	case diag.Failed, diag.VerificationFailed:
		return failure
	case diag.Superseded, diag.Skipped:
		return inactive
	}
	return errored
}
