// Package report turns the result of a run into what people and other steps read: the outputs, the job summary
// and the last lines of the log.
//
// Its functions are pure. They escape remote text for the place where it goes, and leave the covering of
// secrets to whoever writes the text.
package report

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// Output is one output of the step.
type Output struct{ Name, Value string }

// Outputs returns every output, in the documented order, with what is known; what is not is empty, and an empty
// list where a list is promised.
func Outputs(r deploy.Result) []Output {
	d := r.Deployment
	return []Output{
		{"app-id", id(r.App.ID)},
		{"app-name", r.App.Name},
		{"app-url", appURL(r)},
		{"deployment-id", id(d.ID)},
		{"deployment-status", d.RawStatus},
		{"deployment-created-at", timestamp(d.CreatedAt)},
		{"test-results", testResultsJSON(r).String()},
		{"datasets", datasetsJSON(r).String()},
		{"result", string(r.Result)},
		{"reason", oneLine(r.Reason)},
		{"deployment-url", deploymentURL(r)},
		{"error-code", d.ErrorCode},
		{"error-message", errorMessage(r)},
		{"duration-seconds", strconv.FormatFloat(math.Round(r.Duration.Seconds()*10)/10, 'f', -1, 64)},
		{"adopted", strconv.FormatBool(r.Adopted)},
		{"superseded-by", id(r.SupersededBy)},
		{"rolled-back-to", id(r.RolledBackTo)},
		{"secrets", secretsJSON(r)},
		{"plan", planJSON(r)},
	}
}

// Known returns the outputs that are written the moment they are known, so that a step that is killed leaves
// them behind.
func Known(r deploy.Result) []Output {
	var known []Output
	for _, output := range Outputs(r) {
		switch output.Name {
		case "app-id", "app-name", "app-url", "deployment-id", "deployment-url":
			if output.Value != "" {
				known = append(known, output)
			}
		}
	}
	return known
}

// errorMessage is the service's own words where a deployment has some, else the reason of a run that did not go
// well.
func errorMessage(r deploy.Result) string {
	if r.Deployment.ErrorMessage != "" || r.Err == nil {
		return r.Deployment.ErrorMessage
	}
	return r.Reason
}

func appURL(r deploy.Result) string {
	if r.App.Name == "" {
		return ""
	}
	return r.AppURL()
}

func deploymentURL(r deploy.Result) string {
	if r.Deployment.ID == 0 {
		return ""
	}
	return r.AppURL()
}

func id(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

type secretJSON struct {
	Name   string `json:"name"`
	Action string `json:"action"`
}

func secrets(r deploy.Result) []secretJSON {
	list := []secretJSON{}
	for _, s := range r.Secrets {
		list = append(list, secretJSON{s.Name, string(s.Action)})
	}
	return list
}

func secretsJSON(r deploy.Result) string { return encode(secrets(r)) }

// planJSON is the plan of a dry run for programs; empty where the run was none.
func planJSON(r deploy.Result) string {
	p := r.Plan
	if p == nil || r.Result != diag.Planned {
		return ""
	}
	type app struct {
		ID     int64  `json:"id,omitempty"`
		Name   string `json:"name"`
		Region string `json:"region,omitempty"`
		Create bool   `json:"create"`
	}
	type conflict struct {
		ID        int64  `json:"id"`
		Status    string `json:"status"`
		CommitSHA string `json:"commit_sha,omitempty"`
		Then      string `json:"then,omitempty"`
	}
	out := struct {
		Changes        bool           `json:"changes"`
		App            app            `json:"app"`
		Spicepod       []string       `json:"spicepod"`
		SpicepodDiff   string         `json:"spicepod_diff"`
		Tags           []string       `json:"tags"`
		Secrets        []secretJSON   `json:"secrets"`
		MissingSecrets []string       `json:"missing_secrets"`
		Request        map[string]any `json:"request"`
		Conflict       *conflict      `json:"conflict"`
	}{
		Changes:        p.Changes(),
		App:            app{p.App.ID, p.App.Name, p.App.Region, p.CreateApp},
		Spicepod:       fitting(sentences(p), mostOfChanges),
		SpicepodDiff:   cut(p.Spicepod.Unified, mostOfPlanDiff),
		Tags:           fitting(p.TagChanges, mostOfTags),
		Secrets:        secrets(r),
		MissingSecrets: []string{},
		Request:        requestFields(r),
	}
	for _, m := range p.MissingSecrets {
		out.MissingSecrets = append(out.MissingSecrets, m.Name)
	}
	if other := p.InTheWay; other != nil {
		out.Conflict = &conflict{other.ID, other.RawStatus, other.CommitSHA, p.OnConflict}
	}
	return encode(out)
}

// requestFields is the body of the create as the API names it.
func requestFields(r deploy.Result) map[string]any {
	q := r.Request
	fields := map[string]any{}
	for name, value := range map[string]string{
		"branch": q.Branch, "commit_sha": q.CommitSHA, "commit_message": q.CommitMessage, "image_tag": q.ImageTag, "channel": q.Channel,
	} {
		if value != "" {
			fields[name] = value
		}
	}
	if q.Replicas != 0 {
		fields["replicas"] = q.Replicas
	}
	if q.Debug != nil {
		fields["debug"] = *q.Debug
	}
	return fields
}

// Bounds in bytes that keep the outputs together below 1 MB, GitHub's limit.
const (
	mostOfPlanDiff = 64 << 10 // JSON makes at most twice as much of it
	mostOfChanges  = 64 << 10
	mostOfTags     = 16 << 10
)

// fitting is as many of the texts, from the first on, as JSON of a number of bytes holds, and a text that counts the
// others.
func fitting(texts []string, most int) []string {
	list, size := []string{}, 0
	for i, text := range texts {
		if size += len(encode(text)) + len(","); size > most {
			return append(list, fmt.Sprintf("and %d more", len(texts)-i))
		}
		list = append(list, text)
	}
	return list
}

func encode(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)              // "rows >5" is for people too
	if err := e.Encode(v); err != nil { // strings, numbers and lists of them always encode
		return fmt.Sprintf("%q", err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// cut shortens s to about n bytes, at the end of a line where there is one, and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	head := strings.ToValidUTF8(s[:n], "")
	if end := strings.LastIndexByte(head, '\n'); end >= 0 {
		head = head[:end+1]
	}
	return head + fmt.Sprintf("… %d more bytes were left out\n", len(s)-len(head))
}
