package simulation_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// ours is the name that the emulator gives to whoever uses the credentials of the run.
func ours(d emulator.DeploymentState) bool { return d.Actor != "somebody-else" }

// broken returns which of the promises the run broke, in words; none for a good run.
func (e *ending) broken() []string {
	var wrong []string
	for _, promise := range []func() string{
		e.atMostOneDeployment, e.resultIsTrue, e.nothingLeaked, e.refusedBeforeChange, e.inTime, e.inAgreement, e.whatWasAskedForWasDeployed,
		e.newVersionIsServed, e.verdictIsOurs, e.probesAreTrue, e.verificationFailedForAReason, e.runtimeLeftAlone, e.rollbackWasDue, e.rollbackIsTrue,
	} {
		if said := promise(); said != "" {
			wrong = append(wrong, said)
		}
	}
	return wrong
}

func (e *ending) result() diag.Result { return diag.Result(e.outputs["result"]) }

func (e *ending) deployments() []emulator.DeploymentState {
	var all []emulator.DeploymentState
	for _, app := range e.cloud.Apps() {
		all = append(all, app.Deployments...)
	}
	return all
}

// named is the deployment that the outputs name.
func (e *ending) named() (emulator.DeploymentState, bool) {
	id, _ := strconv.ParseInt(e.outputs["deployment-id"], 10, 64)
	for _, d := range e.deployments() {
		if d.ID == id {
			return d, true
		}
	}
	return emulator.DeploymentState{}, false
}

// atMostOneDeployment: one run, one deployment; and where the result is one of a deployment, it is ours, or was
// adopted as asked, or cannot be told from ours.
func (e *ending) atMostOneDeployment() string {
	made, back := e.made()
	if len(made) > 1 || len(back) > 1 {
		return fmt.Sprintf("the run made %d deployments and %d rollbacks", len(made), len(back))
	}
	if apps := len(e.cloud.Apps()); apps > 1 {
		return fmt.Sprintf("there are %d apps", apps)
	}
	switch e.result() {
	case diag.Succeeded, diag.Failed, diag.Superseded, diag.Submitted, diag.TimedOut, diag.VerificationFailed:
	default:
		return ""
	}
	d, found := e.named()
	switch {
	case !found:
		return fmt.Sprintf("result %s without a deployment", e.result())
	case ours(d):
		return ""
	case d.CommitSHA != ourCommit || d.Branch != ourBranch:
		return fmt.Sprintf("took deployment %d of commit %s for ours", d.ID, d.CommitSHA)
	case e.outputs["adopted"] == "true":
		return ""
	case !strings.Contains(e.log, "the answer to the create was lost"):
		return fmt.Sprintf("took deployment %d of somebody else for ours without having lost an answer", d.ID)
	}
	return ""
}

// resultIsTrue: the result says what the service's history says.
func (e *ending) resultIsTrue() string {
	d, found := e.named()
	want := map[diag.Result]string{
		diag.Succeeded: "succeeded", diag.Failed: "failed", diag.Superseded: "created", diag.VerificationFailed: "succeeded",
	}[e.result()]
	if e.result() == diag.Superseded && found && d.Status == "succeeded" && e.world.verifies() { // while it was verified
		want = "succeeded"
	}
	if want != "" && found && d.Status != want {
		return fmt.Sprintf("result %s, but deployment %d is %s", e.result(), d.ID, d.Status)
	}
	return ""
}

// nothingLeaked: no secret but in the body of the request that writes it, nor in anything that is shown.
func (e *ending) nothingLeaked() string {
	hidden := map[string]string{"the token": e.cloud.Token(), "the client's secret": e.cloud.ClientSecret()}
	maps.Copy(hidden, e.world.secrets)
	for i, key := range e.keys {
		if slices.ContainsFunc(e.to("GET", "/api-keys"), func(s sent) bool { return strings.Contains(s.answer, key) }) { // it was told
			hidden[fmt.Sprintf("the API key %d", i+1)] = key
		}
	}
	outputs, _ := json.Marshal(e.outputs)
	shown := e.summary + string(outputs)
	for line := range strings.Lines(e.log) {
		if !strings.HasPrefix(line, "::add-mask::") {
			shown += line
		}
	}
	for name, value := range hidden {
		if value == "" {
			continue
		}
		if strings.Contains(shown, value) {
			return name + " is shown"
		}
		for _, s := range e.sent {
			proper := strings.HasSuffix(s.path, "/oauth/token") || s.method == "POST" && strings.HasSuffix(s.path, "/secrets")
			if strings.Contains(s.request, value) || !proper && strings.Contains(s.body, value) {
				return name + " left the process in " + s.method + " " + s.path
			}
		}
	}
	return ""
}

// refusedBeforeChange: a refusal that precedes changes changed nothing.
func (e *ending) refusedBeforeChange() string {
	// A rival that came while the run was at work is met by what was done by then, which the reason must name.
	late := strings.Contains(e.outputs["reason"], "updated") || strings.Contains(e.outputs["reason"], "written")
	switch e.result() {
	case diag.InvalidInput, diag.Planned:
	case diag.Skipped, diag.Conflict:
		if late || !slices.Contains([]string{"fail", "skip"}, e.world.inputs["on-conflict"]) {
			return ""
		}
	default:
		return ""
	}
	for _, s := range e.sent {
		if s.method != "GET" && !strings.HasSuffix(s.path, "/oauth/token") {
			return fmt.Sprintf("result %s, but %s %s was sent", e.result(), s.method, s.path)
		}
	}
	return ""
}

// inTime: the deployment by the deadline and one request's timeout, what comes after it within limits of its own;
// after a signal within five seconds.
func (e *ending) inTime() string {
	if limit := e.world.limit(); e.took > limit {
		return fmt.Sprintf("it took %s, more than %s", e.took, limit)
	}
	if limit := 5 * time.Second; e.stopped > limit {
		return fmt.Sprintf("it went on for %s after the signal", e.stopped)
	}
	return ""
}

// inAgreement: outputs, summary, log and exit code tell the same story.
func (e *ending) inAgreement() string {
	result := e.result()
	want := result.ExitCode()
	switch {
	case result == diag.Cancelled:
		want = diag.ExitTerminated
	case result == diag.Superseded && e.world.inputs["on-superseded"] == "succeed":
		want = 0
	}
	switch {
	case result == "":
		return "there is no result"
	case e.exit != want:
		return fmt.Sprintf("exit code %d with result %s", e.exit, result)
	case e.exit == diag.InternalError.ExitCode():
		return "an internal error"
	case !strings.Contains(e.log, "\nresult      "+string(result)+":"):
		return "the log does not say " + string(result)
	case e.summary == "" || e.outputs["reason"] == "":
		return "there is no summary or no reason"
	case e.outputs["deployment-id"] != "" && !strings.Contains(e.summary, e.outputs["deployment-id"]):
		return "the summary does not name the deployment"
	}
	for _, name := range []string{"secrets", "datasets", "test-results"} {
		if !json.Valid([]byte(e.outputs[name])) {
			return "the output " + name + " is no JSON"
		}
	}
	return ""
}

// whatWasAskedForWasDeployed: when ours succeeded, the spicepod and the secrets of this run were there.
func (e *ending) whatWasAskedForWasDeployed() string {
	d, found := e.named()
	if e.result() != diag.Succeeded || !found || !ours(d) {
		return ""
	}
	if !strings.Contains(string(d.Spicepod), `"ours"`) {
		return "succeeded with another spicepod than ours"
	}
	for _, app := range e.cloud.Apps() {
		for name, value := range e.world.secrets {
			if stored, _ := e.cloud.SecretValue(app.ID, name); stored != value {
				return "succeeded without the secret " + name
			}
		}
	}
	return ""
}

// The times that a run may take in addition to the limits that the user sets.
const (
	oneRequest = 30 * time.Second
	patience   = 60*time.Second + oneRequest // for which a request that keeps failing is repeated
	reading    = 10 * time.Second            // the logs of the instances
	goodbye    = 2 * time.Second             // to an MCP session
)

// limit is the longest that a run may take.
func (w *world) limit() time.Duration {
	limit := w.timeout + oneRequest
	if w.inputs["wait-for-completion"] == "false" {
		return limit
	}
	if w.verifies() {
		limit += patience + oneRequest + w.datasets + reading + w.warmup + reading + time.Duration(len(w.probes))*(w.probe+goodbye)
	}
	if w.inputs["rollback-on-failure"] == "true" {
		limit += 2*patience + w.timeout + 2*oneRequest
	}
	if w.inputs["secrets-prune"] == "true" {
		limit += patience
	}
	return limit
}
