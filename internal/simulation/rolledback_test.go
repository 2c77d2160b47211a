package simulation_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// made are the deployments of the run: those that it is about, and rollbacks.
func (e *ending) made() (deployments, rollbacks []emulator.DeploymentState) {
	for _, d := range e.deployments() {
		switch {
		case !ours(d):
		case strings.HasPrefix(d.CommitMessage, "Roll back deployment "):
			rollbacks = append(rollbacks, d)
		default:
			deployments = append(deployments, d)
		}
	}
	return deployments, rollbacks
}

// rollback is what the run says of one, "" where it says nothing.
func (e *ending) rollback() string {
	switch told := e.outputs["reason"]; {
	case strings.Contains(told, "THE ROLLBACK "): // failed too, or has not ended
		return "rollback failed"
	case strings.Contains(told, "not rolled back"):
		return "not rolled back"
	case strings.Contains(told, "rolled back: deployment "):
		return "rolled back"
	}
	return ""
}

// rollbackWasDue: a rollback is made only where it was asked for, after our own deployment failed or its
// verification did, and not over a deployment of somebody else that showed when the run looked last.
func (e *ending) rollbackWasDue() string {
	_, rollbacks := e.made()
	if len(rollbacks) == 0 {
		return ""
	}
	back := rollbacks[0]
	d, found := e.named()
	switch {
	case e.world.inputs["rollback-on-failure"] != "true":
		return "a rollback that nobody asked for"
	case e.result() != diag.Failed && e.result() != diag.VerificationFailed:
		return "a rollback with the result " + string(e.result())
	case !found || !ours(d) || e.outputs["adopted"] == "true":
		return "a rollback of somebody else's deployment"
	case back.CommitMessage != fmt.Sprintf("Roll back deployment %d", d.ID):
		return "a rollback of another deployment than the one that failed"
	}
	looked := d.CreatedAt // when the list was read last before the rollback was asked for
	for _, s := range e.sent {
		if s.method == http.MethodPost && strings.Contains(s.body, back.CommitMessage) {
			break
		}
		if s.method == http.MethodGet && strings.HasSuffix(s.path, "/deployments") && s.good() {
			looked = s.at
		}
	}
	for _, other := range e.deployments() {
		if !ours(other) && other.CreatedAt.After(d.CreatedAt) && other.CreatedAt.Add(e.world.lag).Before(looked) {
			return fmt.Sprintf("rolled back over deployment %d of somebody else", other.ID)
		}
	}
	return ""
}

// rollbackIsTrue: a rollback that is reported as done brought the former spicepod back, and what became of one is
// told in any case.
func (e *ending) rollbackIsTrue() string {
	_, rollbacks := e.made()
	reported := e.outputs["rolled-back-to"]
	told := e.rollback()
	if reported == "" {
		due := e.result() == diag.Failed || e.result() == diag.VerificationFailed
		switch {
		case len(rollbacks) > 0 && told != "rollback failed":
			return "a rollback is not told of"
		case due && e.world.inputs["rollback-on-failure"] == "true" && e.stopped == 0 && told == "":
			return "why there was no rollback is not told"
		}
		return ""
	}
	if len(rollbacks) == 0 || strconv.FormatInt(rollbacks[0].ID, 10) != reported {
		return "rolled-back-to is " + reported + ", which is no rollback of ours"
	}
	back := rollbacks[0]
	switch {
	case told != "rolled back" || !strings.Contains(e.outputs["reason"], "deployment "+reported+" runs the former spicepod"):
		return "the reason does not tell of the rollback"
	case back.Status != "succeeded":
		return fmt.Sprintf("rolled-back-to is %s, which %s", reported, back.Status)
	case !sameSpicepod(string(back.Spicepod), e.former):
		return "rolled-back-to is " + reported + ", which did not deploy the former spicepod"
	case !sameSpicepod(e.atEnd.stored, e.former) && !strings.Contains(e.atEnd.stored, `"pushed"`):
		return "rolled-back-to is " + reported + ", but the app's spicepod is not the former one"
	}
	return ""
}

// sameSpicepod compares what JSON says.
func sameSpicepod(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && cmp.Equal(x, y)
}
