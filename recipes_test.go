package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// play is a job of a recipe that runs in a test, after the ones before it.
type play struct {
	job      string
	event    string            // push where it is empty; fork is a pull request from one
	given    map[string]string // what expressions are worth, secrets apart
	want     map[string]string // outputs
	exitCode int
	writes   bool // Spice Cloud was asked to change something
}

const multiline = "-----BEGIN KEY-----\n one: two # three\n-----END KEY-----\n"

// TestRecipes runs the jobs of each recipe as a runner does, against the emulator.
func TestRecipes(t *testing.T) {
	t.Parallel()

	pullRequest := map[string]string{"github.event.number": "7"}
	succeeded := map[string]string{"result": "succeeded"}
	planned := map[string]string{"result": "planned", "deployment-id": ""}
	recipes := map[string][]play{
		"concurrency": {{job: "deploy", want: succeeded, writes: true}},
		"forks": {
			{job: "try", event: "pull_request", want: succeeded, writes: true},
			{job: "try", event: "fork", want: planned},
			{job: "try", event: "dependabot", want: planned},
		},
		"matrix": {
			{job: "deploy", given: matrix("shop-orders", "apps/orders"), want: succeeded, writes: true},
			{job: "deploy", given: matrix("shop-search", "apps/search"), want: map[string]string{"app-name": "shop-search", "result": "succeeded"}, writes: true},
			{job: "deploy", given: matrix("shop-search", "apps/empty"), want: map[string]string{"result": "invalid-input"}, exitCode: 2},
		},
		"monorepo": {{job: "deploy", want: succeeded, writes: true}},
		"plan": {
			{job: "plan", event: "pull_request", want: planned},
			{job: "plan", event: "fork", want: planned},
		},
		"preview": {
			{job: "deploy", event: "pull_request", given: pullRequest, want: map[string]string{"app-name": "shop-pr-7", "result": "succeeded"}, writes: true},
			{job: "delete", event: "pull_request", given: pullRequest, want: map[string]string{"app-name": "shop-pr-7", "result": "succeeded"}, writes: true},
			{job: "delete", event: "pull_request", given: pullRequest, want: map[string]string{"result": "skipped"}},
		},
		"promote": {
			{job: "staging", want: map[string]string{"app-name": "shop-staging", "result": "succeeded"}, writes: true},
			{job: "production", want: map[string]string{"app-name": "shop-production", "result": "succeeded"}, writes: true},
		},
		"rotate": {{job: "rotate", want: map[string]string{
			"result":  "succeeded",
			"secrets": `[{"name":"PG_PASSWORD","action":"updated"},{"name":"TLS_KEY","action":"created"},{"name":"MANUAL_KEY","action":"excluded"},{"name":"OLD","action":"deleted"}]`,
		}, writes: true}},
		"verify": {{job: "verify", want: succeeded}},
	}
	files, err := filepath.Glob("examples/recipes/*.yaml")
	if err != nil || len(files) != len(recipes) {
		t.Fatalf("expected %d recipes to be run, got %d, %v", len(files), len(recipes), err)
	}
	page, err := os.ReadFile("docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if !strings.Contains(string(page), "](../"+filepath.ToSlash(file)+")") {
			t.Errorf("docs/recipes.md does not link to %s", file)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			k := newKitchen(t)
			for i, p := range recipes[name] {
				k.play(t, fmt.Sprintf("play %d, job %s", i, p.job), file, p)
			}
			if len(recipes[name]) == 0 {
				t.Error("no job of it is run")
			}
			if value, _ := k.cloud.SecretValue(k.apps["shop-app"], "TLS_KEY"); name == "rotate" && value != multiline {
				t.Errorf("expected the secret of many lines byte for byte, got %q", value)
			}
		})
	}
}

func matrix(app, folder string) map[string]string {
	return map[string]string{"matrix.app": app, "matrix.folder": folder}
}
