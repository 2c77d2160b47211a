package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGitLab lets gitlab-ci-local run the example as it is, which it checks with GitLab's own schema first. The second
// job reads the dotenv report of the first.
func TestGitLab(t *testing.T) {
	if err := fromDebian("rsync", "rsync"); err != nil {
		missing(t, "rsync, which gitlab-ci-local needs", err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root(), "examples", "gitlab"))); err != nil {
		t.Fatal(err)
	}
	spicepod := read(t, filepath.Join(root(), "examples", "quickstart", "spicepod.yaml"))
	if err := os.WriteFile(filepath.Join(dir, "spicepod.yaml"), []byte(spicepod), 0o600); err != nil {
		t.Fatal(err)
	}
	commit(t, dir, "https://gitlab.com/acme/shop.git")

	cloud := startCloud(t, "")
	path := "PATH=" + filepath.Dir(program(t, "spice-deploy")) + ":" + os.Getenv("PATH")
	// It sets GITLAB_CI to false unless it is told otherwise, and a title instead of the commit's.
	log := must(t, dir, []string{path}, fromNPM(t, ".bin/gitlab-ci-local"), "--force-shell-executor", "--home", t.TempDir(),
		"--ignore-predefined-vars", "GITLAB_CI", "--variable", "GITLAB_CI=true",
		"--variable", "SPICE_API_URL="+cloud.url, "--variable", "SPICE_API_TOKEN="+cloud.token,
		"--variable", "OPENAI_API_KEY="+openAIKey)

	head := strings.TrimSpace(must(t, dir, nil, "git", "rev-parse", "HEAD"))
	want := app{Secrets: []string{"OPENAI_API_KEY"}, Deployments: []deployment{
		{Status: "succeeded", Branch: "main", Commit: head, Message: "Commit Title"},
	}}
	if diff := cmp.Diff(want, cloud.app(t)); diff != "" {
		t.Errorf("the app (-want, +got):\n%s\n%s", diff, log)
	}
	if got := read(t, filepath.Join(dir, ".gitlab-ci-local", "output", "report.log")); !strings.Contains(got, "deployment 1001 is succeeded") {
		t.Errorf("the second job read something else:\n%s", got)
	}
}
