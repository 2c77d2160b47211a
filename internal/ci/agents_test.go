package ci_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// program puts a script on a PATH of its own, which writes down how it was called: arguments and standard input.
// Where the first argument is refuse, it fails as the real one does without a server.
func program(t *testing.T, refuse string, names ...string) (path string, calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	record := filepath.Join(dir, "calls")
	if err := os.Mkdir(record, 0o755); err != nil {
		t.Fatal(err)
	}
	script := `#!/bin/sh
file=$(mktemp ` + record + `/XXXXXX)
{ printf '%s' "${0##*/}"; printf ' [%s]' "$@"; printf ' <'; cat; printf '>'; } >"$file"
[ "$1" != "` + refuse + `" ] || { echo 'no server' >&2; exit 7; }
`
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func() []string {
		files, err := filepath.Glob(filepath.Join(record, "*"))
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, file := range files {
			all = append(all, read(t, file))
		}
		slices.Sort(all) // outputs are set all at once
		return all
	}
}

// run runs programs for real.
func run(t *testing.T) ci.Run {
	return func(path string, args []string, stdin string) error {
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return errors.Join(err, errors.New(string(out)))
		}
		return nil
	}
}

func TestHost_Buildkite(t *testing.T) {
	t.Parallel()
	path, calls := program(t, "", "buildkite-agent")
	env := map[string]string{"BUILDKITE": "true", "BUILDKITE_JOB_ID": "0189", "PATH": "relative:" + path}
	var out strings.Builder
	host := ci.Detect(lookup(env), &out, run(t))
	asked(t, host)
	want := []string{
		"buildkite-agent [annotate] [--style] [error] [--context] [spice-deploy-0189] [--append] <# Failed\n\nIt's `100%`\n>",
		"buildkite-agent [meta-data] [set] [DEPLOYMENT_ID] <1001>",
		"buildkite-agent [meta-data] [set] [REASON] <" + hostile + ">",
		"buildkite-agent [meta-data] [set] [RESULT] <failed>",
		`buildkite-agent [redactor] [add] [--format] [json] <{"0":"s3cr3t","1":"value","2":"czNjcjN0CnZhbHVl","3":"s3cr3t\\nvalue"}>`,
	}
	if diff := cmp.Diff(want, calls()); diff != "" {
		t.Errorf("unexpected calls (-want +got):\n%s", diff)
	}
	if got, want := out.String(), "--- Secrets ## vso[a]\n+++ spice-deploy\n"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if got := host.Facts().Warnings; got != nil {
		t.Errorf("expected no warnings, got %q", got)
	}
}

func TestHost_Buildkite_style(t *testing.T) {
	t.Parallel()
	for want, annotated := range map[string][]ci.Level{
		"success": {ci.Notice}, "warning": {ci.Warning}, "error": {ci.Error, ci.Warning},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			path, calls := program(t, "", "buildkite-agent")
			host := ci.Detect(lookup(map[string]string{"BUILDKITE": "true", "PATH": path}), nil, run(t))
			for _, level := range annotated {
				host.Annotate(ci.Annotation{Level: level, Message: "m"})
			}
			if err := host.WriteSummary(strings.Repeat("x\n", 1<<20)); err != nil {
				t.Fatal(err)
			}
			got := calls()[0]
			if !strings.Contains(got, "[--style] ["+want+"]") || len(got) > 1<<20+100 || !strings.Contains(got, "Buildkite takes at most 1 MiB") {
				t.Errorf("expected a cut annotation in the style %s, got %d bytes: %.100q", want, len(got), got)
			}
		})
	}
}

// What the program does not take is an error of the results, never the end of the run; secrets stay out of it.
func TestHost_Buildkite_refuses(t *testing.T) {
	t.Parallel()
	path, _ := program(t, "meta-data", "buildkite-agent")
	host := ci.Detect(lookup(map[string]string{"BUILDKITE": "true", "PATH": path}), nil, run(t))
	host.Mask("s3cr3t-value")
	err := host.WriteOutputs([]ci.Output{{Name: "result", Value: "failed"}, {Name: "reason", Value: " "}})
	if err == nil || !strings.Contains(err.Error(), "no server") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("expected the reason of the program, got %v", err)
	}
}

// An agent that takes no masks is asked once, and that is said: each time it may take seconds.
func TestHost_Buildkite_takes_no_masks(t *testing.T) {
	t.Parallel()
	path, calls := program(t, "redactor", "buildkite-agent")
	host := ci.Detect(lookup(map[string]string{"BUILDKITE": "true", "PATH": path}), nil, run(t))
	host.Mask("s3cr3t-value")
	host.Mask("another-value")
	err := host.WriteOutputs([]ci.Output{{Name: "result", Value: "failed"}})
	if err == nil || !strings.HasPrefix(err.Error(), "mask secrets in the log of other commands: ") {
		t.Errorf("expected the reason of the program, got %v", err)
	}
	if err := host.WriteOutputs([]ci.Output{{Name: "result", Value: "cancelled"}}); err != nil {
		t.Errorf("expected it to be said once, got %v", err)
	}
	if got := calls(); len(got) != 3 || strings.Contains(strings.Join(got, ""), "another-value") {
		t.Errorf("expected one mask and two outputs, got %q", got)
	}
}

func TestHost_Semaphore(t *testing.T) {
	t.Parallel()
	path, calls := program(t, "", "sem-context", "artifact")
	asked(t, ci.Detect(lookup(map[string]string{"SEMAPHORE": "true", "PATH": path}), nil, run(t)))
	got := calls()
	if !strings.HasPrefix(got[0], "artifact [push] [job] [--force] [--destination] [.semaphore/REPORT.md] [") {
		t.Errorf("expected the report to be pushed, got %q", got[0])
	}
	want := []string{
		"sem-context [put] [DEPLOYMENT_ID=1001] [--force] <>",
		"sem-context [put] [REASON=" + forged + "] [--force] <>",
		"sem-context [put] [RESULT=failed] [--force] <>",
	}
	if diff := cmp.Diff(want, got[1:]); diff != "" {
		t.Errorf("unexpected calls (-want +got):\n%s", diff)
	}
}

func TestHost_AppVeyor(t *testing.T) {
	t.Parallel()
	path, calls := program(t, "", "appveyor")
	asked(t, ci.Detect(lookup(map[string]string{"APPVEYOR": "True", "PATH": path}), nil, run(t)))
	_, details, _ := strings.Cut(harmless, "\n")
	want := []string{
		"appveyor [AddMessage] [a;b: 100% it's [done] | a;b]] [-Category] [Error] [-Details] [" + details + "] <>",
		"appveyor [AddMessage] [notice] [-Category] [Information] [-Details] [] <>",
		"appveyor [AddMessage] [spice-deploy: old] [-Category] [Warning] [-Details] [] <>",
		"appveyor [SetVariable] [-Name] [DEPLOYMENT_ID] [-Value] [1001] <>",
		"appveyor [SetVariable] [-Name] [REASON] [-Value] [" + forged + "] <>",
		"appveyor [SetVariable] [-Name] [RESULT] [-Value] [failed] <>",
	}
	if diff := cmp.Diff(want, calls()); diff != "" {
		t.Errorf("unexpected calls (-want +got):\n%s", diff)
	}
}

// A program that is not there is said once, among the facts; one in the checkout is not the system's.
func TestHost_helper_is_missing(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := []byte("#!/bin/sh\ntouch " + filepath.Join(dir, "ran") + "\n")
	if err := os.WriteFile(filepath.Join(dir, "bin", "buildkite-agent"), script, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "buildkite-agent"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, path := range []string{"", "bin", ".:bin", dir} {
		host := ci.Detect(lookup(map[string]string{"BUILDKITE": "true", "BUILDKITE_COMMIT": headSHA, "PATH": path}), nil, run(t))
		asked(t, host)
		want := []string{"buildkite-agent is not on the PATH of this step, so Buildkite gets no results from it; " +
			"use output-file and summary-file, or run the step where buildkite-agent is"}
		if diff := cmp.Diff(want, host.Facts().Warnings); diff != "" {
			t.Errorf("PATH=%s: unexpected warnings (-want +got):\n%s", path, diff)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("expected the program in the checkout not to be run")
	}
}
