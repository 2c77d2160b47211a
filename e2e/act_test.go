package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// TestAct_events lets act run the action as a repository has it, with "uses: ./", for each kind of event that a
// deployment is started by.
func TestAct_events(t *testing.T) {
	repo, head := repository(t, "./")
	for _, test := range []struct {
		name, event, file string
		want              deployment
	}{
		{"push", "push", "push.json", deployment{
			Branch: "main", Commit: strings.Repeat("2", 40), Message: "Serve the orders faster",
		}},
		{"pull_request", "pull_request", "pull_request.json", deployment{
			Branch: "orders", Commit: strings.Repeat("4", 40), Message: "Add the orders",
		}},
		{"tag", "push", "tag.json", deployment{
			Branch: "v1.2.0", Commit: strings.Repeat("3", 40), Message: "Release 1.2.0",
		}},
		{"workflow_dispatch", "workflow_dispatch", "workflow_dispatch.json", deployment{
			Branch: "main", Commit: head, Message: "Deploy the shop",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := startCloud(t, "")
			folder, log, err := act(t, repo, cloud, test.event, test.file)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Status = "succeeded"
			want := app{Secrets: []string{"OPENAI_API_KEY"}, Deployments: []deployment{test.want}}
			if diff := cmp.Diff(want, cloud.app(t)); diff != "" {
				t.Errorf("the app (-want, +got):\n%s", diff)
			}
			outputs := outputsIn(t, folder)
			for output, want := range map[string]string{
				"result": "succeeded", "deployment-id": "1001", "deployment-status": "succeeded", "app-name": "my-app",
				"datasets": `[{"name":"taxi_trips","status":"Ready","from":"s3://spiceai-demo-datasets/taxi_trips/2024/"}]`,
			} {
				if got := outputs[output]; got != want {
					t.Errorf("output %s: expected %q, got %q", output, want, got)
				}
			}
			if got := read(t, filepath.Join(folder, "report")); got != "1001\n" {
				t.Errorf("the next job: expected the deployment 1001, got %q", got)
			}
			const title = "## ✅ Deployed: my-app"
			if got := read(t, filepath.Join(folder, "summary.md")); !strings.HasPrefix(got, title) {
				t.Errorf("summary-file: expected %q first, got:\n%s", title, got)
			}
			if !strings.Contains(log, "Summary - "+title) { // act prints what it finds in GITHUB_STEP_SUMMARY
				t.Errorf("act found no summary with %q:\n%s", title, log)
			}
			for _, secret := range []string{cloud.token, openAIKey} {
				if strings.Contains(log, secret) {
					t.Errorf("the log has the secret %q:\n%s", secret, log)
				}
			}
		})
	}
}

// TestAct_failed: where the deployment fails, so does the step, and the outputs are there all the same.
func TestAct_failed(t *testing.T) {
	repo, _ := repository(t, "./")
	cloud := startCloud(t, "outcomes: [{status: failed, error_code: insufficient_cpu, error_message: no room}]\n")
	folder, _, err := act(t, repo, cloud, "push", "push.json")
	if err == nil {
		t.Error("the run is green")
	}
	if got := read(t, filepath.Join(folder, "outcome")); got != "failure\n" {
		t.Errorf("outcome: expected failure, got %q", got)
	}
	outputs := outputsIn(t, folder)
	got := [...]string{outputs["result"], outputs["deployment-id"], outputs["error-code"], outputs["error-message"]}
	if want := [...]string{"failed", "1001", "insufficient_cpu", "no room"}; got != want {
		t.Errorf("outputs: expected %q, got %q", want, got)
	}
	if _, err := os.Stat(filepath.Join(folder, "report")); err == nil {
		t.Error("the next job ran")
	}
}

// TestAct_native: without a container the same inputs reach the same program, and each output comes back. What is
// installed is built from source, as on the main branch.
func TestAct_native(t *testing.T) {
	repo, _ := repository(t, "./native")
	for _, test := range []struct {
		name, scenario, result, outcome string
	}{
		{"succeeded", "", "succeeded", "success"},
		{"failed", "outcomes: [{status: failed}]\n", "failed", "failure"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cloud := startCloud(t, test.scenario)
			folder, log, err := act(t, repo, cloud, "push", "push.json")
			if (err == nil) != (test.outcome == "success") {
				t.Fatalf("the run ended with %v:\n%s", err, log)
			}
			want := app{Secrets: []string{"OPENAI_API_KEY"}, Deployments: []deployment{{
				Status: test.result, Branch: "main", Commit: strings.Repeat("2", 40), Message: "Serve the orders faster",
			}}}
			if diff := cmp.Diff(want, cloud.app(t)); diff != "" {
				t.Errorf("the app (-want, +got):\n%s", diff)
			}
			outputs := outputsIn(t, folder)
			if outputs["result"] != test.result || outputs["deployment-id"] != "1001" {
				t.Errorf("expected the outputs of a run that %s, got %v", test.result, outputs)
			}
			if got := read(t, filepath.Join(folder, "outcome")); got != test.outcome+"\n" {
				t.Errorf("outcome: expected %s, got %q", test.outcome, got)
			}
			for _, secret := range []string{cloud.token, openAIKey} {
				if strings.Contains(log, secret) {
					t.Errorf("the log has the secret %q:\n%s", secret, log)
				}
			}
		})
	}
}

const openAIKey = "sk-e2e-3f9a1c77"

// act runs the workflow for an event. It returns the folder that the steps write to, act's log, and act's own error.
func act(t *testing.T, repo string, cloud spiceCloud, event, file string) (folder, log string, err error) {
	t.Helper()
	folder, actions := t.TempDir(), t.TempDir()
	payload, err := filepath.Abs(filepath.Join("testdata", "events", file))
	if err != nil {
		t.Fatal(err)
	}
	// The files of GITHUB_OUTPUT and so on are below the cache of actions, which a container does not see by itself.
	log, err = command(repo, nil, program(t, "act"), event, "-P", "ubuntu-latest=-self-hosted",
		"--no-cache-server", "--pull=false", "--rebuild=false", "-e", payload, "--action-cache-path", actions,
		"--container-options", "--network host -v "+actions+":"+actions,
		"--var", "API_URL="+cloud.url, "--var", "FOLDER="+folder,
		"-s", "SPICE_API_TOKEN="+cloud.token, "-s", "OPENAI_API_KEY="+openAIKey)
	return folder, log, err
}

// repository is a copy of the project with the workflow of testdata, which uses the action in a folder, and its commit.
// The image is there under the name that act gives it, or else act would build it for each test.
func repository(t *testing.T, action string) (dir, head string) {
	t.Helper()
	needImages(t)
	docker(t, "tag", actionImage, "act-dockeraction")
	t.Cleanup(func() { docker(t, "rmi", "act-dockeraction") })
	dir = t.TempDir()
	project, err := snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	workflows := filepath.Join(dir, ".github", "workflows")
	if err := os.RemoveAll(workflows); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(workflows, 0o755); err != nil {
		t.Fatal(err)
	}
	workflow := strings.Replace(read(t, filepath.Join("testdata", "workflow.yaml")), "uses: ./\n", "uses: "+action+"\n", 1)
	if err := os.WriteFile(filepath.Join(workflows, "e2e.yaml"), []byte(workflow), 0o600); err != nil {
		t.Fatal(err)
	}
	commit(t, dir, "https://github.com/acme/shop")
	return dir, strings.TrimSpace(must(t, dir, nil, "git", "rev-parse", "HEAD"))
}

// commit makes a repository of a folder, with one commit of all of it.
func commit(t *testing.T, dir, origin string) {
	t.Helper()
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch", "main"},
		{"remote", "add", "origin", origin},
		{"add", "--all"},
		{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message", "Deploy the shop\n\nAll of it."},
	} {
		must(t, dir, nil, "git", args...)
	}
}

// outputsIn are the outputs that a later step read; each that action.yml names is among them.
func outputsIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	var outputs map[string]string
	if err := json.Unmarshal([]byte(read(t, filepath.Join(folder, "outputs.json"))), &outputs); err != nil {
		t.Fatal(err)
	}
	var action struct {
		Outputs map[string]any `yaml:"outputs"`
	}
	if err := yaml.Load([]byte(read(t, filepath.Join(root(), "action.yml"))), &action); err != nil {
		t.Fatal(err)
	}
	for name := range action.Outputs {
		if _, written := outputs[name]; !written {
			t.Errorf("the output %s was not written", name)
		}
	}
	return outputs
}
