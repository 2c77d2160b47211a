package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
)

// TestGolden holds what is written about each run against testdata, where a change of the words can be read.
func TestGolden(t *testing.T) {
	t.Parallel()

	for name, run := range runs(t) {
		texts := map[string]string{
			"summary/" + name + ".md": report.Summary(run, logURL, asItIs),
			"comment/" + name + ".md": report.Comment(run, "shop", logURL, asItIs),
		}
		if plan := output(run, "plan"); plan != "" {
			texts["plan/"+name+".json"] = indented(t, plan)
		}
		for file, got := range texts {
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				same(t, filepath.Join("testdata", filepath.FromSlash(file)), got)
			})
		}
	}
}

// same holds a text against a golden file, or writes that anew on request.
func same(t *testing.T, golden, got string) {
	t.Helper()
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
		t.Errorf("(-want, +got); go test ./internal/report -update writes it anew:\n%s", diff)
	}
}

func indented(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

// TestGolden_everyFile finds golden files that no run writes any more.
func TestGolden_everyFile(t *testing.T) {
	t.Parallel()

	all := runs(t)
	for _, pattern := range []string{"*.md", "*/*.md", "*/*.json"} {
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if _, ok := all[name[:len(name)-len(filepath.Ext(name))]]; !ok {
				t.Errorf("%s belongs to no run", file)
			}
		}
	}
}

// TestGolden_everyResult holds the runs against the documented results: one that is added needs a run.
func TestGolden_everyResult(t *testing.T) {
	t.Parallel()

	all := []diag.Result{
		diag.Succeeded, diag.Submitted, diag.Planned, diag.Skipped, diag.Failed, diag.Superseded, diag.InvalidInput, diag.AuthError,
		diag.TimedOut, diag.Unavailable, diag.Conflict, diag.VerificationFailed, diag.Rejected, diag.InternalError, diag.Cancelled,
	}
	for _, result := range all {
		if run, ok := runs(t)[string(result)]; !ok || run.Result != result {
			t.Errorf("no run ends with %s", result)
		}
	}
}
