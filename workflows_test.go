package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// pinned is an action at a commit, with the version that Dependabot keeps up to date behind it.
var pinned = regexp.MustCompile(`^ *(- )?uses: '[\w.-]+/[\w./-]+@[0-9a-f]{40}' # v\d+\.\d+\.\d+$`)

type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Permissions map[string]string
		Timeout     int `yaml:"timeout-minutes"`
		Steps       []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

// Our own workflows give as little as they can: no moving action, no permission that a job does not ask for, no token
// left on the disk, and no expression in a script, where it would be code.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("expected workflows, got %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if strings.Contains(line, "uses: ") && !strings.Contains(line, "uses: './") && !pinned.MatchString(line) {
				t.Errorf("%s: expected an action at a full commit with its version behind it, got %s", file, line)
			}
		}
		var w workflow
		if err := yaml.Unmarshal(text, &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if w.Permissions == nil || len(w.Permissions) != 0 {
			t.Errorf("%s: expected \"permissions: {}\" at the top, got %v", file, w.Permissions)
		}
		for name, job := range w.Jobs {
			if job.Permissions == nil || job.Timeout == 0 {
				t.Errorf("%s: the job %s has no permissions or no timeout-minutes of its own", file, name)
			}
			for _, step := range job.Steps {
				if strings.Contains(step.Run, "${{") {
					t.Errorf("%s: the job %s has an expression in a script: %s", file, name, step.Run)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
					t.Errorf("%s: the job %s leaves the token in .git/config", file, name)
				}
			}
		}
	}
}
