//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// TestMain_filesOfTheRunner holds that what the runner's files are like costs a warning, never the deployment, its
// exit code or the end of the run.
func TestMain_filesOfTheRunner(t *testing.T) {
	t.Parallel()

	pipe := func(dir string) string { return mkfifo(t, dir) }
	full := func(string) string { return "/dev/full" }
	folder := func(dir string) string { return dir }
	missing := func(dir string) string { return filepath.Join(dir, "missing") }
	unset := func(string) string { return "" }
	cases := []struct {
		name, variable string
		is             func(dir string) string
		warning        string
	}{
		{"outputs_on_a_full_disk", "GITHUB_OUTPUT", full, "no space left on device"},
		{"outputs_into_a_pipe", "GITHUB_OUTPUT", pipe, "is a pipe"},
		{"outputs_into_a_folder", "GITHUB_OUTPUT", folder, "is a directory"},
		{"outputs_nowhere", "GITHUB_OUTPUT", missing, "no such file"},
		{"outputs_unset", "GITHUB_OUTPUT", unset, "the variable is not set"},
		{"summary_on_a_full_disk", "GITHUB_STEP_SUMMARY", full, "no space left on device"},
		{"summary_into_a_pipe", "GITHUB_STEP_SUMMARY", pipe, "is a pipe"},
		{"summary_nowhere", "GITHUB_STEP_SUMMARY", missing, "no such file"},
		{"event_from_a_pipe", "GITHUB_EVENT_PATH", pipe, "not a regular file"},
		{"event_from_a_folder", "GITHUB_EVENT_PATH", folder, "not a regular file"},
		{"event_from_nowhere", "GITHUB_EVENT_PATH", missing, "no such file"},
		{"event_without_end", "GITHUB_EVENT_PATH", func(string) string { return "/dev/zero" }, "not a regular file"},
		{"event_that_is_not_json", "GITHUB_EVENT_PATH", func(dir string) string { return filepath.Join(dir, "spicepod.yaml") }, "invalid character"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			s := newStep(t, "")
			cloud := newCloud(t, emulator.Options{Queued: 1, InProgress: 1})
			s.env["INPUT_API-TOKEN"], s.transport = cloud.Token(), cloud.Transport()
			s.env[tc.variable] = tc.is(s.dir)
			l := s.run(t.Context(), t)
			if l.code != 0 {
				t.Errorf("expected the exit code %d to be 0\n%s%s", l.code, l.stdout, l.stderr)
			}
			if !strings.Contains(l.stdout, tc.warning) {
				t.Errorf("expected %q in the log:\n%s", tc.warning, l.stdout)
			}
		})
	}
}

// TestMain_hostileFiles holds that a file that is not what it should be is a problem with the input, at once and at
// little cost.
func TestMain_hostileFiles(t *testing.T) {
	t.Parallel()

	bomb := "version: v1\nkind: Spicepod\nname: shop\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n"
	for i := range 30 {
		n, next := string(rune('a'+i%26))+strings.Repeat("z", i/26), "&"+string(rune('a'+(i+1)%26))+strings.Repeat("z", (i+1)/26)
		if i == 0 {
			n = "x0"
		}
		bomb += "k" + strings.Repeat("i", i) + ": " + next + " [" + strings.Repeat("*"+n+", ", 9) + "*" + n + "]\n"
	}
	cases := []struct {
		name   string
		change func(t *testing.T, s *step)
		want   string
	}{
		{"aliases_that_expand_without_end", func(t *testing.T, s *step) { s.put(t, "spicepod.yaml", bomb) }, "once its aliases"},
		{"aliases_in_faults", func(t *testing.T, s *step) {
			s.put(t, "faults.yaml", bomb)
			s.args = []string{"deploy", "--emulator", "--emulator-faults", "faults.yaml"}
		}, "emulator-faults"},
		{"secrets_from_a_pipe", func(t *testing.T, s *step) { s.env["INPUT_SECRETS-FILE"] = mkfifo(t, s.dir) }, "is a pipe"},
		{"spicepod_from_a_pipe", func(t *testing.T, s *step) {
			mkfifo(t, s.dir)
			s.env["INPUT_SPICEPOD"] = "pipe"
		}, "is a pipe"},
		{"spicepod_behind_a_link_to_the_outside", func(t *testing.T, s *step) {
			link(t, "/etc/hostname", filepath.Join(s.dir, "link.yaml"))
			s.env["INPUT_SPICEPOD"] = "link.yaml"
		}, "link.yaml"},
		{"spicepod_without_end", func(t *testing.T, s *step) {
			link(t, "/dev/zero", filepath.Join(s.dir, "link.yaml"))
			s.env["INPUT_SPICEPOD"] = "link.yaml"
		}, "link.yaml"},
		{"link_to_itself", func(t *testing.T, s *step) {
			link(t, "link.yaml", filepath.Join(s.dir, "link.yaml"))
			s.env["INPUT_SPICEPOD"] = "link.yaml"
		}, "link.yaml"},
		{"certificates_from_a_device", func(_ *testing.T, s *step) { s.env["INPUT_CA-FILE"] = "/dev/zero" }, "is a device"},
		{"token_from_a_pipe_that_nobody_writes_to", func(t *testing.T, s *step) {
			delete(s.env, "INPUT_API-TOKEN")
			s.args = []string{"deploy", "--api-token", "@" + mkfifo(t, s.dir)}
		}, "there are no credentials"},
		{"token_without_end", func(_ *testing.T, s *step) {
			s.args = []string{"deploy", "--api-token", "@/dev/zero"}
		}, "is larger than 4 MiB"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			cloud := newCloud(t, emulator.Options{})
			s := newStep(t, cloud.Token())
			s.transport = cloud.Transport()
			tc.change(t, s)
			start := time.Now()
			l := s.run(t.Context(), t)
			if got, want := l.value("result"), "invalid-input"; l.code != 2 || got != want {
				t.Errorf("exit code %d: expected %q to be %q\n%s%s", l.code, got, want, l.stdout, l.stderr)
			}
			if !strings.Contains(l.stdout, tc.want) {
				t.Errorf("expected %q in the log:\n%s", tc.want, l.stdout)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if n := len(cloud.Requests()); n > 0 {
				t.Errorf("expected %d requests to be none", n)
			}
		})
	}
}

func mkfifo(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}
