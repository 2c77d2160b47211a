package report_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

var update = flag.Bool("update", false, "write the summaries of testdata anew")

// hostile is what a deployment's error message could try: a command, markup, HTML, a mention, a table's bar.
const hostile = "::error::pwned\n## heading <img src=x onerror=alert(1)> @everyone [a](http://evil) | `code`"

func results() map[string]deploy.Result {
	app := spicecloud.App{ID: 7, Name: "shop", Region: "us-east-1"}
	request := spicecloud.NewDeployment{Branch: "main", CommitSHA: "3f2c1ab9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3", CommitMessage: "Add the trips dataset"}
	created := time.Date(2026, 11, 23, 18, 30, 0, 0, time.UTC)
	plan := &deploy.Plan{
		App: app, PushSpicepod: true, TagChanges: []string{"repository=acme_shop"}, Tags: map[string]string{"repository": "acme_shop"},
		Spicepod: spicepod.Difference{
			Changes: []spicepod.Change{
				{Kind: "dataset", Name: "orders", Path: "acceleration.refresh_check_interval", What: "10m → 5m"},
				{Kind: "model", Name: "llm", What: "added"},
			},
			Unified: "--- deployed\n+++ wanted\n@@ -1 +1 @@\n-a: 10m\n+a: 5m\n",
		},
		Secrets:        []secretsync.Outcome{{Name: "PG_PASS", Action: secretsync.Update}, {Name: "OLD", Action: secretsync.Delete}},
		MissingSecrets: []secretsync.MissingSecret{{Name: "OPENAI_API_KEY"}},
		InTheWay:       &spicecloud.Deployment{ID: 85, RawStatus: "queued", CommitSHA: "abc"},
	}
	return map[string]deploy.Result{
		"succeeded": {
			Result: diag.Succeeded, Reason: "deployment 86 succeeded", Org: "acme", App: app, Request: request, Plan: plan, SpicepodSent: true, TagsSent: true,
			Deployment: spicecloud.Deployment{ID: 86, Status: spicecloud.Succeeded, RawStatus: "succeeded", CreatedAt: created, ImageTag: "2.3.2-models"},
			Secrets:    []secretsync.Outcome{{Name: "PG_PASS", Action: secretsync.Updated}, {Name: "OPENAI_API_KEY", Action: secretsync.Created}},
			Duration:   14200 * time.Millisecond,
			Warnings:   []string{"app-id 7 is the app \"shop\", not \"shopp\": the id wins"},
		},
		"failed": {
			Result: diag.Failed, ExitCode: 1, Reason: "deployment 86 failed: " + hostile, Hint: diag.Hint(diag.UnableToStart), Err: errors.New("failed"),
			Org: "acme", App: app, Request: spicecloud.NewDeployment{Branch: "a`b|c", CommitSHA: "3f2c1ab", CommitMessage: hostile},
			Deployment: spicecloud.Deployment{ID: 86, Status: spicecloud.Failed, RawStatus: "failed", CreatedAt: created, ErrorCode: "unable_to_start", ErrorMessage: hostile},
			TakenOver:  true, Duration: time.Minute,
		},
		"planned": {
			Result: diag.Planned, Reason: "dry run: update the spicepod; nothing was changed", Org: "acme", App: app, Request: request, Plan: plan,
			Secrets: plan.Secrets, Duration: 300 * time.Millisecond,
		},
		"verification-failed": unwell(),
		"invalid-input": deploy.Refused(diag.Problems{
			{Option: "replicas", Message: "11 is too many"},
			{Option: "spicepod", File: "spicepod.yaml", Line: 3, Column: 5, Text: "    - name: a", Message: "duplicate name"},
		}),
	}
}

func asItIs(s string) string { return s }

func TestSummary(t *testing.T) {
	t.Parallel()

	for name, result := range results() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := report.Summary(result, asItIs)
			golden := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("summary (-want, +got); go test ./internal/report -update writes it anew:\n%s", diff)
			}
		})
	}
}

// TestSummary_coversSecretsBeforeItEscapes uses a secret that Markdown and HTML escape: it would not be found in the
// finished text.
func TestSummary_coversSecretsBeforeItEscapes(t *testing.T) {
	t.Parallel()

	const secret = `a_b"c<d`
	result := results()["failed"]
	result.Reason, result.Hint, result.Warnings = "reason "+secret, "hint "+secret, []string{"warning " + secret}
	got := report.Summary(result, func(s string) string { return strings.ReplaceAll(s, secret, "COVERED") })
	for _, want := range []string{"reason COVERED", "hint COVERED", "warning COVERED"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q in:\n%s", want, got)
		}
	}
}

func TestSummary_keepsRemoteTextHarmless(t *testing.T) {
	t.Parallel()

	got := report.Summary(results()["failed"], asItIs)
	for _, bad := range []string{"<img", "@everyone", "\n## heading", "[a](http", "\n::error"} {
		if strings.Contains(got, bad) {
			t.Errorf("the summary holds %q:\n%s", bad, got)
		}
	}
}

func TestSummary_staysBelowTheLimit(t *testing.T) {
	t.Parallel()

	result := results()["succeeded"]
	plan := *result.Plan
	plan.Spicepod.Unified = strings.Repeat("+a line of a very large spicepod\n", 100_000)
	plan.Spicepod.Changes = slices.Repeat([]spicepod.Change{{Kind: "dataset", Name: "x", What: "added"}}, 10_000)
	result.Plan = &plan
	result.Secrets = slices.Repeat([]secretsync.Outcome{{Name: "A_SECRET", Action: secretsync.Created}}, 10_000)
	if got, want := len(report.Summary(result, asItIs)), 1<<20; got >= want {
		t.Errorf("expected %d bytes to be fewer than %d", got, want)
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()

	got := map[string]string{}
	for _, o := range report.Outputs(results()["failed"]) {
		got[o.Name] = o.Value
	}
	want := map[string]string{
		"app-id": "7", "app-name": "shop", "app-url": "https://spice.ai/acme/shop",
		"deployment-id": "86", "deployment-status": "failed", "deployment-created-at": "2026-11-23T18:30:00Z",
		"deployment-url": "https://spice.ai/acme/shop", "test-results": "[]", "datasets": "[]",
		"result": "failed", "reason": "deployment 86 failed: " + strings.ReplaceAll(hostile, "\n", " "),
		"error-code": "unable_to_start", "error-message": hostile, "duration-seconds": "60",
		"adopted": "false", "superseded-by": "", "rolled-back-to": "", "secrets": "[]", "plan": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want, +got):\n%s", diff)
	}
}

func TestOutputs_areTheDocumentedOnes(t *testing.T) {
	t.Parallel()

	var documented, written []string
	for _, o := range config.Outputs() {
		documented = append(documented, o.Name)
	}
	for _, o := range report.Outputs(deploy.Result{}) {
		written = append(written, o.Name)
	}
	slices.Sort(documented)
	slices.Sort(written)
	if diff := cmp.Diff(documented, written); diff != "" {
		t.Errorf("outputs (-documented, +written):\n%s", diff)
	}
}

func TestOutputs_plan(t *testing.T) {
	t.Parallel()

	var plan struct {
		Changes        bool                            `json:"changes"`
		App            struct{ Name string }           `json:"app"`
		Secrets        []struct{ Name, Action string } `json:"secrets"`
		MissingSecrets []string                        `json:"missing_secrets"`
		Conflict       struct{ ID int }                `json:"conflict"`
		Request        map[string]string               `json:"request"`
	}
	for _, o := range report.Outputs(results()["planned"]) {
		if o.Name == "plan" {
			if err := json.Unmarshal([]byte(o.Value), &plan); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !plan.Changes || plan.App.Name != "shop" || len(plan.Secrets) != 2 || plan.Secrets[1].Action != "delete" ||
		plan.MissingSecrets[0] != "OPENAI_API_KEY" || plan.Conflict.ID != 85 || plan.Request["branch"] != "main" {
		t.Errorf("unexpected plan: %+v", plan)
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()

	if got := report.Known(deploy.Result{}); len(got) != 0 {
		t.Errorf("expected nothing to be known, got %v", got)
	}
	var names []string
	for _, o := range report.Known(results()["succeeded"]) {
		names = append(names, o.Name)
	}
	want := []string{"app-id", "app-name", "app-url", "deployment-id", "deployment-url"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("known outputs (-want, +got):\n%s", diff)
	}
}
