package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A version is released once, with notes, and v1 never moves back.
func TestRelease_check(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a release is made on Linux")
	}
	dir := t.TempDir()
	for _, name := range []string{"release-check", "release-notes"} {
		script, err := os.ReadFile(filepath.Join(".ci", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, ".ci"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ".ci", name), script, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const notes = "# Changelog\n\n## 1.10.0 - 2027-01-31\n\n- Notes\n\n## 1.10.0-rc.1 - 2027-01-30\n\n- Notes\n\n## 1.9.1\n\n- Notes\n\n## 1.11.0\n"
	if err := os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte(notes), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, version, tags, want string
	}{
		{"first", "1.10.0", "", ""},
		{"above_all", "1.10.0", "v1\nv1.9.0\nv1.10.0-rc.1", ""},
		{"candidate", "1.10.0-rc.1", "v1.9.0", ""},
		{"candidate_of_what_is_released", "1.10.0-rc.1", "v1.10.0", "expected a version above 1.10.0"},
		{"repair_of_an_older_line", "1.9.1", "v1.9.0\nv1.10.0", "expected a version above 1.10.0"},
		{"released", "1.10.0", "v1.10.0", "v1.10.0 is tagged already"},
		{"candidate_below_another", "1.10.0-rc.1", "v1.10.0-rc.2", "expected a candidate above 1.10.0-rc.2"},
		{"leading_zero", "01.10.0", "", "expected a version such as 1.2.3"},
		{"candidate_tagged", "1.10.0-rc.1", "v1.10.0-rc.1", "v1.10.0-rc.1 is tagged already"},
		{"without_a_section", "1.12.0", "v1.10.0", "CHANGELOG.md has no section"},
		{"without_notes", "1.11.0", "v1.10.0", "CHANGELOG.md has no section"},
		{"with_v", "v1.10.0", "", "expected a version such as 1.2.3"},
		{"of_the_other_image", "1.10.0-ci", "", "expected a version such as 1.2.3"},
		{"moving", "1", "", "expected a version such as 1.2.3"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, ".ci", "release-check"), tc.version)
			cmd.Stdin = strings.NewReader(tc.tags + "\n")
			out, err := cmd.CombinedOutput()
			switch {
			case tc.want == "" && (err != nil || strings.TrimSpace(string(out)) != "- Notes"):
				t.Errorf("expected the notes, got %v and %q", err, out)
			case tc.want != "" && (err == nil || !strings.Contains(string(out), tc.want)):
				t.Errorf("expected an error with %q, got %v and %q", tc.want, err, out)
			}
		})
	}
}
