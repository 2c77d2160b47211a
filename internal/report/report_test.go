package report_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/report"
)

var update = flag.Bool("update", false, "write the summaries of testdata anew")

func asItIs(s string) string { return s }

// TestSummary_coversSecretsBeforeItEscapes uses a secret that Markdown and HTML escape: it would not be found in the
// finished text.
func TestSummary_coversSecretsBeforeItEscapes(t *testing.T) {
	t.Parallel()

	const secret = `a_b"c<d`
	result := runs(t)["failed"]
	result.Reason, result.Hint, result.Warnings = "reason "+secret, "hint "+secret, []string{"warning " + secret}
	got := report.Summary(result, logURL, func(s string) string { return strings.ReplaceAll(s, secret, "COVERED") })
	for _, want := range []string{"reason COVERED", "hint COVERED", "warning COVERED"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q in:\n%s", want, got)
		}
	}
}

func TestSummary_keepsRemoteTextHarmless(t *testing.T) {
	t.Parallel()

	got := report.Summary(runs(t)["failed"], logURL, asItIs)
	for _, bad := range []string{"<img", "@everyone", "\n## heading", "[a](http", "\n::error"} {
		if strings.Contains(got, bad) {
			t.Errorf("the summary holds %q:\n%s", bad, got)
		}
	}
}

func TestSummary_staysBelowTheLimit(t *testing.T) {
	t.Parallel()

	large := func(change func(*deploy.Result)) deploy.Result {
		r := runs(t)["forty"]
		plan := *r.Plan
		r.Plan = &plan
		change(&r)
		return r
	}
	mentions := strings.Repeat("@", 1<<20)
	cases := []struct {
		name   string
		result deploy.Result
		left   bool
	}{
		{"forty", runs(t)["forty"], false},
		{"much_of_all", large(func(r *deploy.Result) {
			r.Plan.Spicepod.Unified = strings.Repeat("+a line of a very large spicepod\n", 100_000)
			r.Plan.Spicepod.Changes = slices.Repeat(r.Plan.Spicepod.Changes, 1000)
			r.Secrets = slices.Repeat(r.Secrets, 1000)
			r.Datasets = slices.Repeat(r.Datasets, 1000)
			r.Warnings = slices.Repeat([]string{mentions[:1<<10]}, 1000)
		}), false},
		{"long_texts", large(func(r *deploy.Result) {
			r.Reason, r.Hint, r.App.Name, r.Warnings = mentions, mentions, mentions, []string{mentions}
		}), true},
		{"a_long_name", large(func(r *deploy.Result) { r.Deployment.ImageTag = strings.Repeat("x", 2<<20) }), false}, // one row, which the table counts
		{"long_secrets", large(func(r *deploy.Result) { r.Secrets[0].Name = strings.Repeat("x", 2<<20) }), true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := report.Summary(tc.result, logURL, asItIs)
			if got, most := len(got), 1<<20; got >= most {
				t.Errorf("expected %d bytes to be fewer than %d", got, most)
			}
			if got := strings.Contains(got, "_Not all there is to tell fits into a summary"); got != tc.left {
				t.Errorf("expected the note of what was left out to be %t", tc.left)
			}
			if !strings.Contains(got, "[Log of the run]("+logURL+")") {
				t.Error("expected the link to the log to be there whatever happens")
			}
			if got, want := strings.Count(got, "<details"), strings.Count(got, "</details>"); got != want {
				t.Errorf("expected %d ends of details to be %d", want, got)
			}
		})
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()

	got := map[string]string{}
	for _, o := range report.Outputs(runs(t)["failed"]) {
		got[o.Name] = o.Value
	}
	want := map[string]string{
		"app-id": "7", "app-name": "shop", "app-url": "https://spice.ai/acme/shop",
		"deployment-id": "86", "deployment-status": "failed", "deployment-created-at": "2026-11-23T18:30:00Z",
		"deployment-url": "https://spice.ai/acme/shop", "test-results": "[]", "datasets": "[]",
		"result": "failed", "reason": "deployment 86 failed: " + strings.ReplaceAll(hostile, "\n", " "),
		"error-code": "unable_to_start", "error-message": hostile, "duration-seconds": "14.2",
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

func TestKnown(t *testing.T) {
	t.Parallel()

	if got := report.Known(deploy.Result{}); len(got) != 0 {
		t.Errorf("expected nothing to be known, got %v", got)
	}
	var names []string
	for _, o := range report.Known(runs(t)["succeeded"]) {
		names = append(names, o.Name)
	}
	want := []string{"app-id", "app-name", "app-url", "deployment-id", "deployment-url"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("known outputs (-want, +got):\n%s", diff)
	}
}
