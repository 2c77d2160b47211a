package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v4"
)

// runner sets the environment of a step as GitHub's runner does, for a workflow of the repository acme/shop that
// is checked out in the current folder, and with the inputs that the arguments give. The events are
//
//	push, manual   HEAD is the head of main
//	tag            HEAD is what the tag v1 names
//	pull_request   HEAD is the merge of the branch add-trades, number 7, into main
//	fork           the same, where the branch is one of mallory/shop
//	target         pull_request_target for such a fork: HEAD is whatever the workflow checked out
//
// Without a checkout the commit is made up. What comes before is forgotten, so that a script can have several steps.
func runner(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, len(args))
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "_runner")
	ts.Check(err)
	vars := stepVariables(ts, dir)
	event := map[string]any{"repository": map[string]any{"full_name": "acme/shop", "default_branch": "main"}}
	head := revision(ts, "HEAD")
	set := func(name, ref, refName, refType string) {
		vars["GITHUB_EVENT_NAME"], vars["GITHUB_SHA"] = name, head
		vars["GITHUB_REF"], vars["GITHUB_REF_NAME"], vars["GITHUB_REF_TYPE"] = ref, refName, refType
	}
	switch args[0] {
	case "push":
		set("push", "refs/heads/main", "main", "branch")
		event["head_commit"] = map[string]any{"id": head, "message": "Message of the push\n\nwith more below"}
	case "tag":
		set("push", "refs/tags/v1", "v1", "tag")
		event["head_commit"] = map[string]any{"id": head, "message": "Message of the release"}
	case "manual":
		set("workflow_dispatch", "refs/heads/main", "main", "branch")
		event["head_commit"] = nil
	case "pull_request":
		set("pull_request", "refs/pull/7/merge", "7/merge", "branch")
		propose(ts, vars, event, "acme/shop")
	case "fork":
		set("pull_request", "refs/pull/7/merge", "7/merge", "branch")
		propose(ts, vars, event, "mallory/shop")
	case "target":
		set("pull_request_target", "refs/heads/main", "main", "branch")
		propose(ts, vars, event, "mallory/shop")
	default:
		ts.Fatalf("there is no event %s", args[0])
	}
	data, err := json.Marshal(event)
	ts.Check(err)
	ts.Check(os.WriteFile(vars["GITHUB_EVENT_PATH"], data, 0o600))
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		vars[inputVariable(name)] = textOrFile(ts, value)
	}
	for name, value := range vars {
		ts.Setenv(name, value)
	}
}

// stepVariables is what every step gets: also an empty variable for each input that the workflow leaves out.
func stepVariables(ts *testscript.TestScript, dir string) map[string]string {
	vars := map[string]string{
		"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada", "GITHUB_RUN_ID": "42", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_REPOSITORY": "acme/shop", "GITHUB_REPOSITORY_OWNER": "acme", "GITHUB_SERVER_URL": "https://github.com",
		"GITHUB_WORKSPACE": ts.MkAbs("."), "GITHUB_HEAD_REF": "", "GITHUB_BASE_REF": "", "RUNNER_TEMP": dir,
		"GITHUB_EVENT_PATH": filepath.Join(dir, "event.json"),
	}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		vars[name] = filepath.Join(dir, name)
		ts.Check(os.WriteFile(vars[name], nil, 0o600))
	}
	data, err := os.ReadFile("action.yml")
	ts.Check(err)
	var action struct {
		Inputs map[string]struct{ Default string }
	}
	ts.Check(yaml.Load(data, &action))
	for name, input := range action.Inputs {
		vars[inputVariable(name)] = strings.ReplaceAll(input.Default, "${{ github.token }}", "ghs_token_of_the_job")
	}
	return vars
}

// inputVariable is what the runner makes of an input's name: only blanks are replaced (its source: Handler.cs).
func inputVariable(name string) string {
	return "INPUT_" + strings.ToUpper(strings.ReplaceAll(name, " ", "_"))
}

// propose makes the event one of the pull request 7, whose branch is in the repository from.
func propose(ts *testscript.TestScript, vars map[string]string, event map[string]any, from string) {
	vars["GITHUB_HEAD_REF"], vars["GITHUB_BASE_REF"] = "add-trades", "main"
	event["number"] = 7
	event["pull_request"] = map[string]any{
		"number": 7, "title": "Title of the pull request",
		"head": map[string]any{
			"ref": "add-trades", "sha": revision(ts, "add-trades"), "repo": map[string]any{"full_name": from},
		},
		"base": map[string]any{
			"ref": "main", "sha": revision(ts, "main"), "repo": map[string]any{"full_name": "acme/shop"},
		},
	}
}

func revision(ts *testscript.TestScript, name string) string {
	if _, err := os.Stat(ts.MkAbs(".git")); err != nil {
		return "c0ffee0000000000000000000000000000000000"
	}
	ts.Check(ts.Exec("git", "rev-parse", name))
	return strings.TrimSpace(ts.ReadFile("stdout"))
}

func output(ts *testscript.TestScript, neg bool, args []string) {
	outputs, err := parseOutputs(ts.ReadFile(ts.Getenv("GITHUB_OUTPUT")))
	ts.Check(err)
	got, there := outputs[args[0]]
	if there == neg {
		ts.Fatalf("output %s: expected it to be there: %t", args[0], !neg)
	}
	if !neg {
		whole(ts, "output "+args[0], got, args[1])
	}
}

// parseOutputs reads the file that GITHUB_OUTPUT names as the runner does (its source: FileCommandManager.cs): lines of
// NAME=VALUE, or NAME<<WORD and the lines up to WORD. Anything else fails the step, and the last value of a name counts.
func parseOutputs(text string) (map[string]string, error) {
	outputs := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" {
			continue
		}
		equals, heredoc := strings.Index(lines[i], "="), strings.Index(lines[i], "<<")
		if equals >= 0 && (heredoc < 0 || equals < heredoc) {
			outputs[lines[i][:equals]] = lines[i][equals+1:]
			continue
		}
		if heredoc < 1 {
			return nil, fmt.Errorf("the runner says: invalid format %q", lines[i])
		}
		name, word := lines[i][:heredoc], lines[i][heredoc+2:]
		first := i + 1
		for i++; i < len(lines) && lines[i] != word; i++ {
		}
		if i == len(lines) {
			return nil, fmt.Errorf("the runner says: matching delimiter not found %q", word)
		}
		outputs[name] = strings.Join(lines[first:i], "\n")
	}
	return outputs, nil
}
