package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestLint: action-validator and actionlint take the actions, the project's workflows and those of the examples;
// actionlint has shellcheck read what they run.
func TestLint(t *testing.T) {
	needShellcheck(t)
	var files []string
	for pattern, least := range map[string]int{
		"action.yml": 1, "*/action.yml": 0, ".github/workflows/*.yml": 1, "e2e/testdata/workflow.yaml": 1,
		"examples/verified/workflow.yaml": 1, "examples/recipes/*.yaml": 1, "examples/forgejo/*.yaml": 1, "examples/gitea/*.yaml": 1,
	} {
		found, err := filepath.Glob(filepath.Join(root(), pattern))
		if err != nil || len(found) < least {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		path := strings.TrimPrefix(file, root()+"/")
		t.Run(path, func(t *testing.T) {
			// The schema of action-validator is older than these permissions, which actionlint knows.
			text := regexp.MustCompile(`(?m)^ +(attestations|artifact-metadata): .*\n`).ReplaceAllString(read(t, file), "")
			stripped := filepath.Join(t.TempDir(), filepath.Base(file))
			if err := os.WriteFile(stripped, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			must(t, root(), nil, fromNPM(t, ".bin/action-validator"), stripped)
			if filepath.Base(path) != "action.yml" {
				// Forgejo and Gitea take actions by their address.
				must(t, root(), nil, program(t, "actionlint"), "-shellcheck", "shellcheck", "-ignore", regexp.QuoteMeta(`specifying action "https://github.com/spicedeploy/`), path)
			}
		})
	}
}

// TestLint_readme: actionlint takes the workflow that the README gives to copy.
func TestLint_readme(t *testing.T) {
	needShellcheck(t)
	_, workflow, found := strings.Cut(read(t, filepath.Join(root(), "README.md")), "```yaml\non: ")
	workflow, _, closed := strings.Cut(workflow, "```")
	if !found || !closed {
		t.Fatal("the README has no workflow")
	}
	path := filepath.Join(t.TempDir(), "workflow.yaml")
	if err := os.WriteFile(path, []byte("on: "+workflow), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, root(), nil, program(t, "actionlint"), "-shellcheck", "shellcheck", path)
}

// TestLint_scripts: shellcheck has nothing to say of any script, those of the composite actions included.
func TestLint_scripts(t *testing.T) {
	needShellcheck(t)
	project, err := snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var scripts []string
	err = filepath.WalkDir(project, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		if text := read(t, path); regexp.MustCompile(`^#!(/usr)?/bin/(env )?(ba)?sh\b`).MatchString(text) {
			scripts = append(scripts, path)
		}
		return nil
	})
	if err != nil || len(scripts) < 5 {
		t.Fatalf("found only the scripts %v, %v", scripts, err)
	}
	for _, action := range []string{"setup", "native"} {
		var parsed struct {
			Runs struct {
				Steps []struct{ Run, Shell string }
			}
		}
		if err := yaml.Load([]byte(read(t, filepath.Join(project, action, "action.yml"))), &parsed); err != nil {
			t.Fatal(err)
		}
		for i, step := range parsed.Runs.Steps {
			script := filepath.Join(t.TempDir(), fmt.Sprintf("%s-step-%d.%s", action, i+1, step.Shell))
			if err := os.WriteFile(script, []byte("#!/bin/"+step.Shell+"\n"+step.Run), 0o600); err != nil {
				t.Fatal(err)
			}
			scripts = append(scripts, script)
		}
	}
	must(t, project, nil, "shellcheck", append([]string{"--severity", "style", "--"}, scripts...)...)
}

func needShellcheck(t *testing.T) {
	t.Helper()
	if err := fromDebian("shellcheck", "shellcheck"); err != nil {
		missing(t, "shellcheck", err)
	}
}
