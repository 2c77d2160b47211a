package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The images that the Dockerfile makes.
const (
	actionImage = "spice-deploy-e2e"
	ciImage     = "spice-deploy-e2e:ci"
)

var buildImages = sync.OnceValue(func() error {
	dir, err := snapshot()
	if err != nil {
		return err
	}
	if standIn { // which has no digest of theirs
		dockerfile := filepath.Join(dir, "Dockerfile")
		text, err := os.ReadFile(dockerfile)
		if err != nil {
			return err
		}
		text = regexp.MustCompile(`(?m)^(FROM \S+)@sha256:[0-9a-f]{64}`).ReplaceAll(text, []byte("$1"))
		if err := os.WriteFile(dockerfile, text, 0o600); err != nil {
			return err
		}
	}
	if _, err := command(dir, nil, "docker", "build", "--tag", actionImage, "."); err != nil {
		return err
	}
	_, err = command(dir, nil, "docker", "build", "--tag", ciImage, "--target", "ci", ".")
	return err
})

// needImages makes sure that both images are made of the project as it is now.
func needImages(t *testing.T) {
	t.Helper()
	if err := engine(); err != nil {
		missing(t, "a container engine", err)
	}
	if err := buildImages(); err != nil {
		t.Fatal(err)
	}
}

// docker runs a command of the container engine.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	return must(t, root(), nil, "docker", args...)
}

// TestImages: the image that is made by default holds the program alone, the other a shell too.
func TestImages(t *testing.T) {
	needImages(t)
	want := must(t, "", nil, program(t, "spice-deploy"), "version")
	want, _, _ = strings.Cut(want, " ") // what follows is different without .git
	for name, run := range map[string][]string{
		"action": {actionImage, "version"},
		"ci":     {ciImage, "sh", "-ec", "spice-deploy version"},
	} {
		t.Run(name, func(t *testing.T) {
			got := docker(t, append([]string{"run", "--rm", "--network", "none"}, run...)...)
			if !strings.HasPrefix(got, want) {
				t.Errorf("expected %q first, got %q", want, got)
			}
		})
	}
	if got, err := command("", nil, "docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", actionImage, "-c", "true"); err == nil {
		t.Errorf("the image of the action has a shell: %s", got)
	}
}

// TestImage_release builds the image as the release workflow does, twice: the same sources give the same files, and it
// says what it was made of.
func TestImage_release(t *testing.T) {
	needImages(t)
	project, err := snapshot()
	if err != nil {
		t.Fatal(err)
	}
	version, commit := "v9.9.9", strings.Repeat("c", 40)
	var layers []string
	for _, name := range []string{"spice-deploy-e2e:one", "spice-deploy-e2e:two"} {
		must(t, project, nil, "docker", "build", "--no-cache", "--tag", name, "--build-arg", "VERSION="+version, "--build-arg", "COMMIT="+commit, ".")
		t.Cleanup(func() { docker(t, "rmi", name) })
		layers = append(layers, docker(t, "inspect", "--format", "{{json .RootFS.Layers}}", name))
	}
	if layers[0] != layers[1] {
		t.Errorf("the same sources gave other layers:\n%s%s", layers[0], layers[1])
	}
	const image = "spice-deploy-e2e:two"
	if got, want := docker(t, "run", "--rm", "--network", "none", image, "version"), "spice-deploy "+version+" (commit "+commit+", "; !strings.HasPrefix(got, want) {
		t.Errorf("version: expected %q first, got %q", want, got)
	}
	got := docker(t, "inspect", "--format", `{{with .Config}}user={{.User}} folder={{.WorkingDir}} start={{json .Entrypoint}}
{{range $name, $value := .Labels}}{{$name}}={{$value}}
{{end}}{{end}}`, image)
	want := `user= folder= start=["/spice-deploy"]
org.opencontainers.image.description=Deploys apps to Spice.ai Cloud from CI
org.opencontainers.image.licenses=Apache-2.0
org.opencontainers.image.revision=` + commit + `
org.opencontainers.image.source=https://github.com/spicedeploy/spice-deploy
org.opencontainers.image.title=spice-deploy
org.opencontainers.image.version=` + version + "\n\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the image's configuration (-want, +got):\n%s", diff)
	}
	files := must(t, "", nil, "sh", "-ec", `id=$(docker create `+image+`); docker export "$id" | tar -t; docker rm "$id" >/dev/null`)
	for _, file := range []string{"spice-deploy\n", "etc/ssl/certs/ca-certificates.crt\n"} {
		if !strings.Contains("\n"+files, "\n"+file) {
			t.Errorf("the image lacks %s, it has:\n%s", strings.TrimSpace(file), files)
		}
	}
}

// TestImage_size prints what a runner downloads before the action can start.
func TestImage_size(t *testing.T) {
	needImages(t)
	const most = 6 << 20
	packed := must(t, "", nil, "sh", "-ec", "docker save "+actionImage+":latest | gzip | wc -c")
	size, err := strconv.Atoi(strings.TrimSpace(packed))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the image is %.1f MiB compressed", float64(size)/(1<<20))
	if size == 0 || size > most {
		t.Errorf("the image is %d bytes compressed, expected at most %d", size, most)
	}
}

// TestBuildkite runs the hook of the example as an agent does, with the image that it names made from this project.
func TestBuildkite(t *testing.T) {
	needImages(t)
	const named = "ghcr.io/spicedeploy/spice-deploy"
	docker(t, "tag", actionImage, named)
	t.Cleanup(func() { docker(t, "rmi", named) })
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
