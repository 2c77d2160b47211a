package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/cli"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// onBuildkite runs a deployment with a wrong input and an agent that is this shell script.
func onBuildkite(ctx context.Context, t *testing.T, script string) (code int, stdout, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "buildkite-agent"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = cli.Main(ctx, cli.Process{
		Args: []string{"deploy", "--replicas=0"},
		Environ: []string{
			"BUILDKITE=true", "BUILDKITE_COMMIT=c0ffee0", "BUILDKITE_JOB_ID=0189", "BUILDKITE_BUILD_CHECKOUT_PATH=" + dir,
			"PATH=" + dir + ":" + os.Getenv("PATH"), "RECORD=" + dir,
			"SPICE_API_TOKEN=" + aSecret, "SPICE_APP_NAME=shop-app",
		},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
	})
	if errs.Len() > 0 {
		t.Errorf("unexpected standard error: %s", errs.String())
	}
	return code, out.String(), dir
}

func TestMain_helperOfTheSystem(t *testing.T) {
	t.Parallel()
	// One file for each call, with its standard input; the mask is the one that names the secret.
	code, stdout, dir := onBuildkite(t.Context(), t, `cat >"$RECORD/$1-$3" && echo "the agent says hello"`)
	if code != 2 || strings.Contains(stdout, "hello") || strings.Contains(stdout, "results ") {
		t.Errorf("expected exit 2 and a log without the agent's, got %d:\n%s", code, stdout)
	}
	for name, want := range map[string]string{
		"redactor---format": `{"0":"` + aSecret + `",`, "meta-data-RESULT": "invalid-input", "annotate-error": "#",
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(data); !strings.HasPrefix(got, want) {
			t.Errorf("%s: expected %q to begin with %q", name, got, want)
		}
	}
}

// What it says when it fails is remote text, and may hold a secret.
func TestMain_helperFails(t *testing.T) {
	t.Parallel()
	code, stdout, dir := onBuildkite(t.Context(), t, `echo "::error::no server; the token is `+aSecret+`" >&2; exit 7`)
	if code != 2 || strings.Contains(stdout, aSecret) || strings.Contains(stdout, "::error") {
		t.Errorf("expected exit 2, no secret and no command, got %d:\n%s", code, stdout)
	}
	for _, want := range []string{
		"results     warning: the outputs could not be written: run " + dir + "/buildkite-agent meta-data set: exit status 7: : :error::no server; the token is ***",
		"results     warning: the job summary could not be written: run " + dir + "/buildkite-agent annotate --style: exit status 7: ",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("expected %q in:\n%s", want, stdout)
		}
	}
}

// A run that was cancelled reports all the same.
func TestMain_helperAfterCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(diag.Interrupted{Exit: 143})
	code, _, dir := onBuildkite(ctx, t, `cat >"$RECORD/$1-$3"`)
	data, err := os.ReadFile(filepath.Join(dir, "meta-data-RESULT"))
	if code != 143 || err != nil || string(data) != "cancelled" {
		t.Errorf("expected exit 143 and the result cancelled, got %d, %q, %v", code, data, err)
	}
}
