package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// TestExamples_verified runs the step of examples/verified/workflow.yaml as a runner does, against the emulator, on a
// good day and on the one that faults.yaml describes.
func TestExamples_verified(t *testing.T) {
	t.Parallel()

	inputs := stepInputs(t, "examples/verified/workflow.yaml")
	for name, test := range map[string]struct {
		more     map[string]string
		exitCode int
		want     map[string]string
	}{
		"good_day": {nil, 0, map[string]string{
			"result": "succeeded", "reason": "deployment 1001 succeeded; 2 datasets ready, 5 of 5 probes passed", "rolled-back-to": "",
		}},
		"bad_day": {
			map[string]string{"emulator-faults": "examples/verified/faults.yaml", "dataset-ready-timeout-seconds": "2"},
			7,
			map[string]string{
				"result": "verification-failed", "deployment-id": "1002", "rolled-back-to": "1003",
				"datasets": `[{"name":"tickets","status":"Error","from":"postgres:support.tickets","error":"dataset.auth","error_message":"permission denied for schema support"},` +
					`{"name":"articles","status":"Ready","from":"s3://example-support/articles/"}]`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			outputs := filepath.Join(t.TempDir(), "outputs")
			if err := os.WriteFile(outputs, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "spice-deploy")
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GITHUB_ACTIONS=true", "GITHUB_OUTPUT=" + outputs, inputVariable("emulator") + "=true"}
			for _, set := range []map[string]string{inputs, test.more} {
				for input, value := range set {
					cmd.Env = append(cmd.Env, inputVariable(input)+"="+value) // the last one counts
				}
			}
			checkStep(t, cmd, outputs, test.exitCode, test.want)
		})
	}
}

// checkStep runs a step and compares its exit code, and those of its outputs that are wanted.
func checkStep(t *testing.T, cmd *exec.Cmd, outputs string, exitCode int, want map[string]string) {
	t.Helper()
	log, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitCode {
		t.Fatalf("expected exit code %d, got %v:\n%s", exitCode, err, log)
	}
	text, err := os.ReadFile(outputs)
	if err != nil {
		t.Fatal(err)
	}
	all, err := parseOutputs(string(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for output := range want {
		got[output] = all[output]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want, +got):\n%s\n%s", diff, log)
	}
}

var secretExpression = regexp.MustCompile(`\$\{\{ secrets\.(\w+) \}\}`)

// stepInputs is what a workflow passes to the step with the id deploy, with a value for each secret. Inputs that the
// action does not have are an error: nothing else would notice.
func stepInputs(t *testing.T, workflow string) map[string]string {
	t.Helper()
	var file struct {
		Jobs map[string]struct {
			Steps []struct {
				ID   string         `yaml:"id"`
				With map[string]any `yaml:"with"`
			} `yaml:"steps"`
		} `yaml:"jobs"`
	}
	var action struct {
		Inputs map[string]any `yaml:"inputs"`
	}
	for name, into := range map[string]any{workflow: &file, "action.yml": &action} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Load(data, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	inputs := map[string]string{}
	for _, job := range file.Jobs {
		for _, step := range job.Steps {
			if step.ID != "deploy" {
				continue
			}
			for name, value := range step.With {
				if _, known := action.Inputs[name]; !known {
					t.Errorf("%s: the action has no input %q", workflow, name)
				}
				inputs[name] = secretExpression.ReplaceAllString(fmt.Sprint(value), "value-of-$1")
			}
		}
	}
	if len(inputs) == 0 {
		t.Fatalf("%s has no step with the id deploy that passes inputs", workflow)
	}
	return inputs
}

// TestDocs_emulator: the page of the emulator has scenarios that the emulator takes, and names every field of one.
func TestDocs_emulator(t *testing.T) {
	t.Parallel()

	page, err := os.ReadFile("docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("docs/emulator.md has no scenario")
	}
	for _, block := range blocks {
		scenario, _, _ := strings.Cut(block, "```")
		if _, err := emulator.ParseScenario([]byte(scenario)); err != nil {
			t.Errorf("docs/emulator.md: %v in:\n%s", err, scenario)
		}
	}
	for _, of := range []any{emulator.Scenario{}, emulator.Settings{}, emulator.TokenSpec{}} {
		for _, field := range fieldsOf(reflect.TypeOf(of)) {
			if !strings.Contains(string(page), "`"+field+"`") {
				t.Errorf("docs/emulator.md does not name the field %s of a %T", field, of)
			}
		}
	}
}

// fieldsOf is the names of the fields of a type of the emulator, and of the types that they hold, as YAML has them.
func fieldsOf(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return fieldsOf(t.Elem())
	case reflect.Struct:
		var names []string
		for f := range t.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
				names = append(names, name)
			}
			names = append(names, fieldsOf(f.Type)...)
		}
		return names
	}
	return nil
}
