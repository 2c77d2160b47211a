package deploy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// writes is what the run asked to be changed, in order, with the status where that was no success. Secrets are
// written side by side, so those that follow each other are sorted.
func (s *stage) writes() []string {
	var lines []string
	first := 0 // of the secrets that follow each other
	for _, r := range s.cloud.Requests() {
		if r.Method == http.MethodGet || r.Actor == "other" || strings.HasPrefix(r.Path, "/api/oauth/") {
			continue
		}
		line := r.Method + " " + strings.Replace(strings.TrimPrefix(r.Path, "/v1/"), "projects/101", "app", 1)
		switch {
		case r.Status == 0:
			line += " cut"
		case r.Status >= http.StatusMultipleChoices:
			line += fmt.Sprintf(" %d", r.Status)
		}
		lines = append(lines, line)
		if !strings.Contains(r.Path, "/secrets") {
			first = len(lines)
		}
		slices.Sort(lines[first:])
	}
	return counted(lines)
}

// counted writes a line that comes several times in a row as "line ×3".
func counted(lines []string) []string {
	list, times := []string{}, 0
	for _, line := range lines {
		if n := len(list); n > 0 && (list[n-1] == line || list[n-1] == fmt.Sprintf("%s ×%d", line, times)) {
			times++
			list[n-1] = fmt.Sprintf("%s ×%d", line, times)
			continue
		}
		list, times = append(list, line), 1
	}
	return list
}

// history is the deployments of every app, oldest first: "1002 run ours@c0ffee1 succeeded".
func (s *stage) history() []string {
	list := []string{}
	for _, app := range s.cloud.Apps() {
		for _, d := range app.Deployments {
			var pod struct {
				Description string `json:"description"`
			}
			_ = json.Unmarshal(d.Spicepod, &pod) // one without a spicepod has no description
			who := d.Actor
			if who == "default" || who == s.cloud.ClientID() {
				who = "run"
			}
			list = append(list, strings.TrimSuffix(fmt.Sprintf("%d %s %s@%.7s", d.ID, who, pod.Description, d.CommitSHA), "@")+" "+d.Status)
		}
	}
	return list
}

// like tells whether the pieces of a pattern, which are separated by " … ", stand in the text in this order.
func like(text, pattern string) bool {
	for piece := range strings.SplitSeq(pattern, " … ") {
		_, rest, ok := strings.Cut(text, piece)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

// checkResult holds for every result, whatever the scene.
func checkResult(t *testing.T, e ended) {
	t.Helper()
	good := map[diag.Result]bool{diag.Succeeded: true, diag.Submitted: true, diag.Planned: true, diag.Skipped: true}
	if got, want := e.Err == nil, good[e.Result.Result]; got != want {
		t.Errorf("result %q: got the error %v", e.Result.Result, e.Err)
	}
	if e.Reason == "" || strings.ContainsAny(e.Reason, "\r\n") {
		t.Errorf("expected one line that says why, got %q", e.Reason)
	}
	if e.Duration != e.took {
		t.Errorf("the run says that it took %s, it took %s", e.Duration, e.took)
	}
	said := map[string]bool{}
	for i, line := range e.log {
		again := i > 0 && line == e.log[i-1] || said[line] && (strings.Contains(line, ": notice: ") || strings.Contains(line, ": warning: "))
		if said[line] = true; again || strings.Contains(line, "\n") {
			t.Errorf("expected single lines that are not said twice, got %q", line)
		}
	}
	if _, bug := errors.AsType[*json.SyntaxError](e.Err); bug {
		t.Errorf("the error is one of a decoder: %v", e.Err)
	}
}
