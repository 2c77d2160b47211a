package deploy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// Result is what a run knows at its end, or so far. Zero values mean "not known".
type Result struct {
	Result   diag.Result
	ExitCode int
	Reason   string // one line
	Hint     string // what to do next
	Err      error  // what ended the run, nil where it went well

	Verify     bool   // of the command verify: what Deployment names was there before the run
	Delete     bool   // of the command delete
	Org        string // the organization in links
	Request    spicecloud.NewDeployment
	App        spicecloud.App
	Deployment spicecloud.Deployment // ours, or the one adopted
	Adopted    bool                  // Deployment was made by another run, and adopted on request
	TakenOver  bool                  // Deployment is ours, found in the list after its answer was lost
	Began      time.Time             // when Deployment was created, by our own clock
	Usual      time.Duration         // how long the app's last deployments took that succeeded; 0 where that is not known

	SupersededBy int64
	RolledBackTo int64 // the deployment of a rollback that succeeded

	Datasets        []spiceruntime.Dataset // as the runtime listed them last; one of the former version has the status former, and what tells it as the message
	MissingDatasets []string               // declared, and not in that list
	Probes          []ProbeResult
	RuntimeLog      []string // lines of an instance's log that may explain why the runtime does not serve
	Unproven        bool     // a check failed, which fail-on-test-error made a warning

	Plan         *Plan
	Secrets      []secretsync.Outcome
	SpicepodSent bool
	TagsSent     bool
	Warnings     []string
	Duration     time.Duration
	Timeline     []Span // in the order in which they ended
}

// ProbeResult is a probe and what became of it.
type ProbeResult struct {
	Probe string // what was asked, as one line of at most 80 characters
	spiceruntime.Outcome
}

// AppURL is the app's page in the portal, or the list of apps where the organization is not known.
func (r Result) AppURL() string {
	if r.Org == "" || r.App.Name == "" {
		return "https://spice.ai/apps"
	}
	return "https://spice.ai/" + url.PathEscape(r.Org) + "/" + url.PathEscape(r.App.Name)
}

// ended makes the error that ends a run with a result. The ends that are no failures travel as errors too, so
// that there is one way out of every step.
func ended(result diag.Result, format string, args ...any) *diag.Error {
	return &diag.Error{Result: result, Err: fmt.Errorf(format, args...)}
}

// because makes the error that ends a run with the result and the remedy of a cause.
func because(cause diag.Cause, err error, pairs ...string) *diag.Error {
	e := &diag.Error{Result: diag.Rejected, Err: err, Hint: diag.Hint(cause, pairs...)}
	for _, remedy := range diag.Remedies() {
		if remedy.Cause == cause && remedy.Result != "" {
			e.Result = remedy.Result
		}
	}
	return e
}

// finish turns the error that ended the steps into the result of the run.
func (r *run) finish(err error) {
	res := &r.result
	defer func() { res.Duration = time.Since(r.started) }() // saying how it went may take a request too
	if err == nil {
		res.Result = diag.Succeeded
		res.Reason = fmt.Sprintf("deployment %d succeeded", res.Deployment.ID)
		if res.Adopted {
			res.Reason += " (made by another run for the same commit, and adopted)"
		}
		res.Reason += r.proof()
		return
	}
	end := r.classify(err)
	res.Result, res.Hint = end.Result, end.Hint
	switch res.Result {
	case diag.Failed, diag.TimedOut, diag.VerificationFailed:
		res.Hint = r.firstTheSecrets(res.Hint)
	}
	res.Reason = end.Error()
	res.ExitCode = res.Result.ExitCode()
	switch res.Result {
	case diag.Succeeded, diag.Submitted, diag.Planned, diag.Skipped:
		return
	case diag.Superseded:
		if r.Options.OnSuperseded == "succeed" {
			res.ExitCode = 0
		}
	case diag.Cancelled:
		if stop, ok := errors.AsType[diag.Interrupted](err); ok {
			res.ExitCode = stop.Exit
		}
	}
	res.Err = err
}

// proof is what a verification has proven, as the end of a sentence.
func (r *run) proof() string {
	var parts []string
	if n := len(r.result.Datasets); n > 0 {
		parts = append(parts, counted(n, "dataset")+" ready")
	}
	passed := 0
	for _, probe := range r.result.Probes {
		if probe.OK {
			passed++
		}
	}
	if n := len(r.result.Probes); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s passed", passed, counted(n, "probe")))
	}
	if r.result.Unproven {
		parts = append(parts, "some checks failed, see the warnings")
	}
	if len(parts) == 0 {
		return ""
	}
	text := "; " + strings.Join(parts, ", ")
	if r.alike {
		text += "; " + sameDatasets
	}
	return text
}

// Refused is the result of a run that ended before it began: its input is wrong, or it was skipped.
func Refused(err error) Result {
	res := Result{Result: diag.InvalidInput, Err: err, Reason: err.Error()}
	if problems, ok := errors.AsType[diag.Problems](err); ok {
		res.Reason = problems.Summary()
	}
	if end, ok := errors.AsType[*diag.Error](err); ok {
		res.Result, res.Hint = end.Result, end.Hint
		if end.Result == diag.Skipped || end.Result == diag.Planned {
			res.Err = nil
		}
	}
	res.ExitCode = res.Result.ExitCode()
	return res
}
