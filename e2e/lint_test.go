package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLint: action-validator and actionlint take the actions, the project's workflows and those of the examples.
func TestLint(t *testing.T) {
	var files []string
	for pattern, least := range map[string]int{
		"action.yml": 1, "*/action.yml": 0, ".github/workflows/*.yml": 1, "e2e/testdata/workflow.yaml": 1,
		"examples/verified/workflow.yaml": 1, "examples/forgejo/*.yaml": 1, "examples/gitea/*.yaml": 1,
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
			// The schema of action-validator is older than this permission, which actionlint knows.
			text := regexp.MustCompile(`(?m)^ +attestations: .*\n`).ReplaceAllString(read(t, file), "")
			stripped := filepath.Join(t.TempDir(), filepath.Base(file))
			if err := os.WriteFile(stripped, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			must(t, root(), nil, fromNPM(t, ".bin/action-validator"), stripped)
			if filepath.Base(path) != "action.yml" {
				// Forgejo and Gitea take actions by their address.
				must(t, root(), nil, program(t, "actionlint"), "-ignore", regexp.QuoteMeta(`specifying action "https://github.com/spicedeploy/`), path)
			}
		})
	}
}
