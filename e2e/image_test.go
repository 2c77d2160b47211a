package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImages builds both images: the one that is made by default holds the program alone, the other a shell too.
func TestImages(t *testing.T) {
	for name, test := range map[string]struct{ target, run []string }{
		"default": {nil, []string{"version"}},
		"ci":      {[]string{"--target", "ci"}, []string{"sh", "-ec", "spice-deploy version"}},
	} {
		t.Run(name, func(t *testing.T) {
			docker(t, append([]string{"build", "--build-arg", "VERSION=v0.0.0-e2e", "--tag", "spice-deploy-e2e:" + name}, append(test.target, ".")...)...)
			got := docker(t, append([]string{"run", "--rm", "--network", "none", "spice-deploy-e2e:" + name}, test.run...)...)
			if !strings.Contains(got, "v0.0.0-e2e") {
				t.Errorf("expected version v0.0.0-e2e, got %q", got)
			}
		})
	}
	if got, err := command("", nil, "docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", "spice-deploy-e2e:default", "-c", "true"); err == nil {
		t.Errorf("the default image has a shell: %s", got)
	}
}

// TestBuildkite runs the hook of the example as an agent does, with the image that it names made from this project.
func TestBuildkite(t *testing.T) {
	docker(t, "build", "--tag", "ghcr.io/spicedeploy/spice-deploy", ".")
	dir, bin, calls := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "calls")
	agent := "#!/bin/sh\necho \"$1 $2 $3 $(cat)\" >> '" + calls + "'\n"
	if err := os.WriteFile(filepath.Join(bin, "buildkite-agent"), []byte(agent), 0o755); err != nil {
		t.Fatal(err)
	}
	spicepod := read(t, filepath.Join(root(), "examples", "quickstart", "spicepod.yaml"))
	if err := os.WriteFile(filepath.Join(dir, "spicepod.yaml"), []byte(spicepod), 0o600); err != nil {
		t.Fatal(err)
	}
	cloud := startCloud(t, "")
	must(t, dir, []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "SPICE_API_URL=" + cloud.url, "SPICE_API_TOKEN=" + cloud.token,
		"OPENAI_API_KEY=" + openAIKey, "BUILDKITE=true", "BUILDKITE_BRANCH=main", "BUILDKITE_COMMIT=" + strings.Repeat("6", 40),
		"BUILDKITE_MESSAGE=Ship it", "BUILDKITE_PLUGIN_NAME=SPICE_DEPLOY",
		`BUILDKITE_PLUGIN_CONFIGURATION={"app-name":"my-app","secrets-from-env":["OPENAI_API_KEY"]}`,
		"BUILDKITE_PLUGIN_SPICE_DEPLOY_APP_NAME=my-app", "BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_FROM_ENV_0=OPENAI_API_KEY",
	}, filepath.Join(root(), "examples", "buildkite", "hooks", "command"))

	want := deployment{Status: "succeeded", Branch: "main", Commit: strings.Repeat("6", 40), Message: "Ship it"}
	if got := cloud.app(t).Deployments; len(got) != 1 || got[0] != want {
		t.Errorf("deployments: expected %v, got %v", want, got)
	}
	if got := read(t, calls); !strings.Contains(got, "meta-data set DEPLOYMENT_ID 1001\n") {
		t.Errorf("the agent was not told the deployment:\n%s", got)
	}
}
