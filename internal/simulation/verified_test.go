package simulation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// longestPause is the longest between two looks at the runtime.
const longestPause = 2 * time.Second

// newVersionIsServed: where the datasets are checked, a success means that the runtime listed those of the new
// version, all of them ready, and still does unless somebody else's deployment has come since.
func (e *ending) newVersionIsServed() string {
	if e.result() != diag.Succeeded {
		return ""
	}
	if e.world.datasets > 0 {
		looks := e.to("GET", "/v1/datasets")
		if len(looks) == 0 {
			return "succeeded without a look at the datasets"
		}
		if last := looks[len(looks)-1]; !last.good() || !servesOurs(last.answer) {
			return "succeeded although the runtime listed " + last.answer
		}
		d, _ := e.named()
		if e.atEnd.serving <= d.ID && !servesOurs(e.atEnd.datasets) {
			return "succeeded although the runtime lists " + e.atEnd.datasets
		}
	}
	strict := e.world.inputs["fail-on-test-error"] != "false"
	if looks := e.to("GET", "/v1/ready"); strict && e.world.verifies() && e.world.warmup > 0 {
		if len(looks) == 0 || !looks[len(looks)-1].saysReady() {
			return "succeeded although the runtime did not say that it is ready"
		}
	}
	if results := e.probeResults(); strict && (len(results) != len(e.world.probes) || slices.ContainsFunc(results, func(r probeResult) bool { return !r.OK })) {
		return "succeeded without all probes"
	}
	return ""
}

// verdictIsOurs: where the list that is read right after the checks shows that a newer deployment of somebody else has
// succeeded, the run says so instead of a verdict; and it says so only then.
func (e *ending) verdictIsOurs() string {
	d, _ := e.named()
	if !slices.Contains([]diag.Result{diag.Succeeded, diag.VerificationFailed, diag.Superseded}, e.result()) || d.Status != "succeeded" {
		return ""
	}
	last := -1
	for i, s := range e.sent {
		if ofRuntime(s.path) {
			last = i
		}
	}
	if last < 0 {
		return ""
	}
	for _, s := range e.sent[last+1:] {
		if s.method != "GET" || !strings.HasSuffix(s.path, "/deployments") || s.status == 401 { // asked again with another token
			continue
		}
		replaced := s.good() && showsSuccessor(s.answer, d.ID)
		if replaced != (e.result() == diag.Superseded) {
			return fmt.Sprintf("the verdict %s is about another deployment than ours: %v", e.result(), replaced)
		}
		return ""
	}
	return "" // it was stopped before it could look
}

func showsSuccessor(answer string, ours int64) bool {
	type deployment struct {
		ID     int64
		Status string
	}
	var list struct{ Deployments []deployment }
	return json.Unmarshal([]byte(answer), &list) == nil &&
		slices.ContainsFunc(list.Deployments, func(d deployment) bool { return d.ID > ours && d.Status == "succeeded" })
}

// probeResult is an entry of the output test-results.
type probeResult struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// failed tells whether the probe was made and has not passed.
func (r probeResult) failed() bool { return !r.OK && !strings.HasPrefix(r.Error, "it was not run") }

func (e *ending) probeResults() (results []probeResult) {
	_ = json.Unmarshal([]byte(e.outputs["test-results"]), &results) // inAgreement says where it is no JSON
	return results
}

// probesAreTrue: a probe passed if and only if the last answer to it was there in time and right.
func (e *ending) probesAreTrue() string {
	for i, result := range e.probeResults() {
		if i >= len(e.world.probes) || e.world.probes[i].name != result.Name {
			return "test-results has another probe at " + fmt.Sprint(i)
		}
		p := e.world.probes[i]
		right := false
		for _, s := range e.to("POST", routes[p.name]) {
			if p.name == "mcp" && !strings.Contains(s.body, `"tools/call"`) {
				continue
			}
			right = s.good() && p.right(s.answer)
		}
		if right != result.OK {
			return fmt.Sprintf("the probe %s is reported as %v, but its last answer was right: %v", p.name, result.OK, right)
		}
	}
	return ""
}

// verificationFailedForAReason: nothing fails a verification but a runtime that is wrong or cannot be reached, and
// that for as long as the user allows.
func (e *ending) verificationFailedForAReason() string {
	if e.result() != diag.VerificationFailed {
		return ""
	}
	if !e.world.verifies() {
		return "a verification that nobody asked for failed"
	}
	datasets, ready := e.to("GET", "/v1/datasets"), e.to("GET", "/v1/ready")
	strict := e.world.inputs["fail-on-test-error"] != "false"
	failed := slices.ContainsFunc(e.probeResults(), probeResult.failed)
	switch {
	case len(datasets)+len(ready) == 0 && !failed:
		keys := e.to("GET", "/api-keys")
		last := e.sent[len(e.sent)-1]
		if len(keys) > 0 && keys[len(keys)-1].good() && last.good() {
			return "the verification failed although the runtime could have been asked"
		}
	case e.world.datasets > 0 && !slices.ContainsFunc(datasets, func(s sent) bool { return s.good() && servesOurs(s.answer) }):
		return tooEarly(datasets, e.world.datasets, "datasets", inError)
	case !strict:
		return "the verification failed although fail-on-test-error is false and the datasets were ready"
	case e.world.warmup > 0 && !slices.ContainsFunc(ready, sent.saysReady):
		return tooEarly(ready, e.world.warmup, "ready", nil)
	case !failed:
		return "the verification failed although everything was well"
	}
	return ""
}

// tooEarly tells whether a check gave up before its time, without a refusal of ten seconds or what else may end it.
func tooEarly(looks []sent, limit time.Duration, what string, orElse func([]sent) bool) string {
	if len(looks) == 0 {
		return "the check of " + what + " failed without a look"
	}
	first, last := looks[0], looks[len(looks)-1]
	tail := last
	for i := len(looks) - 1; i >= 0 && looks[i].refused(); i-- {
		tail = looks[i]
	}
	switch {
	case last.until.Sub(first.at) >= limit-longestPause:
	case last.refused() && last.until.Sub(tail.until) >= 10*time.Second:
	case orElse != nil && orElse(looks):
	default:
		return fmt.Sprintf("the check of %s gave up after %s of %s", what, last.until.Sub(first.at), limit)
	}
	return ""
}

// inError tells whether a dataset was in error for 75 s, as far as the looks could see.
func inError(looks []sent) bool {
	var since time.Time
	for _, s := range looks {
		list, err := listed(s.answer)
		if !s.good() || err != nil {
			continue
		}
		if !slices.ContainsFunc(list, func(d dataset) bool { return d.Status == "Error" }) {
			since = time.Time{}
		} else if since.IsZero() {
			since = s.until
		}
	}
	return !since.IsZero() && looks[len(looks)-1].until.Sub(since) >= 75*time.Second
}

// runtimeLeftAlone: without a check and a probe nobody asks for a key or contacts the runtime.
func (e *ending) runtimeLeftAlone() string {
	asked := e.world.verifies() && e.world.inputs["wait-for-completion"] != "false" && e.world.inputs["dry-run"] == ""
	for _, s := range e.sent {
		if !asked && (ofRuntime(s.path) || strings.HasSuffix(s.path, "/api-keys")) {
			return "the runtime is not to be contacted, but " + s.method + " " + s.path + " was sent"
		}
	}
	return ""
}
