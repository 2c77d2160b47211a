package report_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// unwell is a deployment whose verification failed in every way at once, and that was rolled back.
func unwell() deploy.Result {
	return deploy.Result{
		Result: diag.VerificationFailed, ExitCode: 7, Hint: diag.Hint(diag.DatasetFailed),
		Reason: "deployment 86 succeeded, but 1 dataset failed: orders is Error: " + hostile + " (dataset.auth); rolled back: deployment 87 runs the former spicepod",
		Org:    "acme", App: spicecloud.App{ID: 7, Name: "shop", Region: "us-east-1"},
		Deployment:   spicecloud.Deployment{ID: 86, Status: spicecloud.Succeeded, RawStatus: "succeeded", ImageTag: "2.3.2-models"},
		RolledBackTo: 87, Duration: 95 * time.Second,
		Datasets: []spiceruntime.Dataset{
			{Name: "trips", From: "s3://bucket/trips/", Status: "Ready"},
			{Name: "orders", From: "postgres:public.orders", Status: "Error", Error: "dataset.auth", ErrorMessage: hostile},
			{Name: "a`b|c", From: hostile, Status: "Initializing"},
		},
		MissingDatasets: []string{"Returns-EU"},
		Probes: []deploy.ProbeResult{
			{Probe: "SELECT COUNT(*) FROM trips", Outcome: spiceruntime.Outcome{Name: "sql", OK: true, Duration: 120 * time.Millisecond, Detail: "1 row(s); n is 5"}},
			{Probe: "a`b|c", Outcome: spiceruntime.Outcome{Name: "mcp", Duration: 2 * time.Second, Error: hostile, Hint: `set runtime.mcp.allowed_hosts: ["*"]`}},
		},
		Timeline:   timeline("plan", 700, "create", 300, "queued", 4000, "in progress", 41000, "datasets", 9000, "rollback", 40000),
		RuntimeLog: []string{"Failed to load dataset orders: ``` " + hostile, "secrets_preflight: 1 secret references could not be resolved"},
	}
}

// output is one of the outputs of a result.
func output(r deploy.Result, name string) string {
	for _, o := range report.Outputs(r) {
		if o.Name == name {
			return o.Value
		}
	}
	return "there is no output " + name
}

func TestOutputs_datasets(t *testing.T) {
	t.Parallel()

	var got []map[string]string
	if err := json.Unmarshal([]byte(output(unwell(), "datasets")), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{
		{"name": "trips", "status": "Ready", "from": "s3://bucket/trips/"},
		{"name": "orders", "status": "Error", "from": "postgres:public.orders", "error": "dataset.auth", "error_message": hostile},
		{"name": "a`b|c", "status": "Initializing", "from": hostile},
		{"name": "Returns-EU", "status": "missing"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("datasets (-want, +got):\n%s", diff)
	}
}

func TestOutputs_testResults(t *testing.T) {
	t.Parallel()

	var got []map[string]any
	if err := json.Unmarshal([]byte(output(unwell(), "test-results")), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"name": "sql", "ok": true, "durationMs": 120., "detail": "1 row(s); n is 5", "probe": "SELECT COUNT(*) FROM trips"},
		{"name": "mcp", "ok": false, "durationMs": 2000., "error": hostile, "probe": "a`b|c", "hint": `set runtime.mcp.allowed_hosts: ["*"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("test-results (-want, +got):\n%s", diff)
	}
}

// crowd is a result with so many datasets and probes, with texts of the greatest length, that are largest in JSON or
// in Markdown.
func crowd(n int) deploy.Result {
	r := unwell()
	long := strings.Repeat("<", 300)
	r.Datasets, r.MissingDatasets, r.Probes = nil, nil, nil
	for i := range n {
		name := fmt.Sprintf("dataset_%d", i)
		r.Datasets = append(r.Datasets, spiceruntime.Dataset{Name: name, From: "s3://" + long, Status: "Ready", ErrorMessage: long})
		r.MissingDatasets = append(r.MissingDatasets, "missing_"+name)
		r.Probes = append(r.Probes, deploy.ProbeResult{Probe: long[:80], Outcome: spiceruntime.Outcome{Name: "sql", Error: long, Hint: long}})
	}
	r.Datasets[n-1].Status = "Error"
	r.RuntimeLog = slices.Repeat([]string{strings.Repeat("`", 10_000)}, n)
	return r
}

func TestReports_stayBelowTheLimits(t *testing.T) {
	t.Parallel()

	const n = 5000
	r := crowd(n)
	all := 0
	for _, o := range report.Outputs(r) {
		all += len(o.Name) + len(o.Value)
	}
	// GitHub counts UTF-16: two bytes for each character.
	if most := 1_000_000 / 2; all >= most {
		t.Errorf("expected %d bytes of outputs to be fewer than %d", all, most)
	}
	summary := report.Summary(r, logURL, asItIs)
	if got, most := len(summary), 1<<20; got >= most {
		t.Errorf("expected %d bytes of summary to be fewer than %d", got, most)
	}

	// What is wrong comes first: the one in error, then those that are missing.
	var list []struct{ Name, Status string }
	if err := json.Unmarshal([]byte(output(r, "datasets")), &list); err != nil {
		t.Fatal(err)
	}
	if list[0].Name != "dataset_4999" || list[0].Status != "Error" || list[1].Name != "missing_dataset_0" {
		t.Errorf("expected the dataset in error and the missing ones first, got %v", list[:2])
	}
	var probes []any
	if err := json.Unmarshal([]byte(output(r, "test-results")), &probes); err != nil {
		t.Fatal(err)
	}
	left := []string{
		fmt.Sprintf("%d of %d entries have no room in the output test-results and are left out", n-len(probes), n),
		fmt.Sprintf("%d of %d entries have no room in the output datasets and are left out", 2*n-len(list), 2*n),
	}
	if diff := cmp.Diff(left, report.LeftOut(r)); diff != "" {
		t.Errorf("left out (-want, +got):\n%s", diff)
	}
	for _, want := range append(left, fmt.Sprintf("\nand %d more\n", n+1-200)) {
		if !strings.Contains(summary, want) {
			t.Errorf("expected %q in the summary", want)
		}
	}
	if got := report.LeftOut(unwell()); got != nil {
		t.Errorf("expected nothing to be left out, got %q", got)
	}
}

// TestReports_leaveOutWhatIsTooLong uses a name that is larger than all that fits: those behind it are still there.
func TestReports_leaveOutWhatIsTooLong(t *testing.T) {
	t.Parallel()

	r := unwell()
	r.Datasets[0].Name = strings.Repeat("x", 1<<20)
	if got := output(r, "datasets"); len(got) > 1<<10 || !strings.HasPrefix(got, `[{"name":"orders",`) {
		t.Errorf("expected the list to begin with orders, got %d bytes: %.80s", len(got), got)
	}
	got := report.Summary(r, logURL, asItIs)
	for _, want := range []string{"| ❌ | `orders` |", "| ❌ | `Returns-EU` | missing |", "\nand 1 more\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q in:\n%.3000s", want, got)
		}
	}
}

// TestSummary_coversSecretsOfTheRuntime uses a secret that Markdown escapes in each text that a runtime gave.
func TestSummary_coversSecretsOfTheRuntime(t *testing.T) {
	t.Parallel()

	const secret = `a_b"c<d`
	r := unwell()
	r.Datasets = []spiceruntime.Dataset{{Name: "1" + secret, From: "2" + secret, Status: "3" + secret, Error: "4" + secret, ErrorMessage: "5" + secret}}
	r.MissingDatasets = []string{"6" + secret}
	r.Probes[0].Probe, r.Probes[0].Detail, r.Probes[1].Error = "7"+secret, "8"+secret, "9"+secret
	r.RuntimeLog = []string{"log " + secret}
	got := report.Summary(r, logURL, func(s string) string { return strings.ReplaceAll(s, secret, "COVERED") })
	for _, want := range []string{"1COVERED", "2COVERED", "3COVERED", "4COVERED", "5COVERED", "6COVERED", "7COVERED", "8COVERED", "9COVERED", "log COVERED"} {
		if !strings.Contains(got, want) {
			t.Errorf("expected %q in:\n%s", want, got)
		}
	}
}
