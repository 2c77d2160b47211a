package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// kitchen is a checkout and a Spice Cloud with the apps of the recipes.
type kitchen struct {
	dir, url string
	cloud    *emulator.Emulator
	apps     map[string]int64
}

func newKitchen(t *testing.T) *kitchen {
	t.Helper()
	k := &kitchen{dir: t.TempDir(), apps: map[string]int64{}, cloud: emulator.New(emulator.Options{Queued: 1, InProgress: 1})}
	for _, name := range []string{"shop-app", "shop-orders", "shop-search", "shop-staging", "shop-production", "shop-try"} {
		id, err := k.cloud.AddApp(emulator.App{
			Name: name, Spicepod: spicepodOf("former_orders"), Deployments: []emulator.Deployment{{Age: time.Hour}},
			Secrets: map[string]string{"PG_PASSWORD": "old", "OLD": "old", "MANUAL_KEY": "by hand"},
		})
		if err != nil {
			t.Fatal(err)
		}
		k.apps[name] = id
	}
	server := httptest.NewServer(k.cloud)
	t.Cleanup(server.Close)
	k.url = server.URL
	for _, folder := range []string{".", "apps/orders", "apps/search", "apps/empty"} {
		if err := os.MkdirAll(filepath.Join(k.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		if folder != "apps/empty" {
			k.write(t, filepath.Join(folder, "spicepod.yaml"), spicepodOf("orders"))
		}
	}
	return k
}

// spicepodOf is one whose dataset orders comes from a table.
func spicepodOf(table string) string {
	return `version: v2
kind: Spicepod
name: shop
datasets:
  - {from: "postgres:` + table + `", name: orders, params: {pg_pass: "${ secrets:PG_PASSWORD }"}}
`
}

// write writes a file of the checkout and returns its name.
func (k *kitchen) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(k.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// step is what a test knows of a step of a workflow.
type step struct {
	Uses string            `yaml:"uses"`
	Run  string            `yaml:"run"`
	With map[string]any    `yaml:"with"`
	Env  map[string]string `yaml:"env"`
}

// play runs those steps of a job that run spice-deploy.
func (k *kitchen) play(t *testing.T, what, file string, p play) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var workflow struct {
		Jobs map[string]struct {
			Env   map[string]string `yaml:"env"`
			Steps []step            `yaml:"steps"`
		} `yaml:"jobs"`
	}
	if err := yaml.Load(data, &workflow); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	ran, before := 0, k.writes()
	for _, s := range workflow.Jobs[p.job].Steps {
		env := maps.Clone(workflow.Jobs[p.job].Env)
		if env == nil {
			env = map[string]string{}
		}
		maps.Copy(env, s.Env)
		var arguments []string
		switch {
		case s.Uses == "spicedeploy/spice-deploy@main":
			for input, value := range s.With {
				env[inputVariable(input)] = fmt.Sprint(value)
			}
		case strings.HasPrefix(s.Run, "spice-deploy "):
			arguments = strings.Fields(s.Run)[1:]
		default:
			continue
		}
		ran++
		k.run(t, what, arguments, env, p)
	}
	if ran != 1 {
		t.Errorf("%s: expected one step that runs spice-deploy, got %d", what, ran)
	}
	if wrote := k.writes() > before; wrote != p.writes {
		t.Errorf("%s: expected changes of Spice Cloud: %t, got %t", what, p.writes, wrote)
	}
}

// writes is how many requests so far would change something.
func (k *kitchen) writes() int {
	n := 0
	for _, request := range k.cloud.Requests() {
		if request.Method != "GET" && request.Path != "/v1/sql" { // a probe
			n++
		}
	}
	return n
}

// run runs one step and compares its outputs.
func (k *kitchen) run(t *testing.T, what string, arguments []string, env map[string]string, p play) {
	t.Helper()
	outputs := k.write(t, "outputs", "")
	cmd := exec.CommandContext(t.Context(), "spice-deploy", arguments...)
	cmd.Dir = k.dir
	cmd.Env = append(k.variables(t, p.event), "GITHUB_OUTPUT="+outputs)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+k.expand(t, value, p))
	}
	t.Log(what)
	checkStep(t, cmd, outputs, p.exitCode, p.want)
}

// variables are those that the runner sets for every step of an event.
func (k *kitchen) variables(t *testing.T, event string) []string {
	t.Helper()
	const commit = "c0ffee0000000000000000000000000000000000"
	name, head, actor := "pull_request", "acme/shop", "ada"
	switch event {
	case "":
		name = "push"
	case "fork":
		head = "mallory/shop"
	case "dependabot":
		actor = "dependabot[bot]"
	}
	data, err := json.Marshal(map[string]any{
		"repository":  map[string]any{"full_name": "acme/shop"},
		"head_commit": map[string]any{"id": commit, "message": "Serve orders"},
		"pull_request": map[string]any{
			"number": 7, "head": map[string]any{"ref": "orders", "sha": commit, "repo": map[string]any{"full_name": head}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"PATH=" + os.Getenv("PATH"), "SPICE_API_URL=" + k.url, "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + k.dir,
		"GITHUB_REPOSITORY=acme/shop", "GITHUB_EVENT_NAME=" + name, "GITHUB_SHA=" + commit, "GITHUB_ACTOR=" + actor,
		"GITHUB_REF_NAME=main", "GITHUB_EVENT_PATH=" + k.write(t, "event.json", string(data)),
	}
}

var expression = regexp.MustCompile(`\$\{\{ ([\w.]+) \}\}`)

// expand puts values in the place of expressions. Secrets are empty where CI gives none.
func (k *kitchen) expand(t *testing.T, text string, p play) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(match string) string {
		name := expression.FindStringSubmatch(match)[1]
		value, given := p.given[name]
		secret, isSecret := strings.CutPrefix(name, "secrets.")
		switch {
		case given:
			return value
		case name == "github.token":
			return "" // there is no GitHub here
		case !isSecret:
			t.Errorf("the test gives no value for the expression %s", name)
			return ""
		case p.event == "fork" || p.event == "dependabot":
			return ""
		case secret == "SPICE_API_TOKEN":
			return k.cloud.Token()
		case secret == "TLS_KEY":
			return multiline
		}
		return "value-of-" + secret
	})
}
