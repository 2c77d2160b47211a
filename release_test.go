package main_test

import (
	"os/exec"
	"strings"
	"testing"
)

// A repair of an older version must not become what users of v1 or of the image's tag latest get.
func TestRelease_movingTags(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, version string
		tags          []string
		want          string
	}{
		{"first", "0.1.0", []string{"v0.1.0"}, "0 latest"},
		{"newest", "1.10.0", []string{"v1", "v1.9.0", "v1.10.0"}, "1 latest"},
		{"next_major", "2.0.0", []string{"v1", "v1.10.0", "v2.0.0"}, "2 latest"},
		{"repair_of_the_former_major", "1.10.1", []string{"v1.10.0", "v1.10.1", "v2.0.0"}, "1"},
		{"repair_of_an_older_minor", "1.9.1", []string{"v1.9.0", "v1.9.1", "v1.10.0"}, ""},
		{"candidate", "2.0.0-rc.1", []string{"v1.10.0", "v2.0.0-rc.1"}, ""},
		{"final_after_its_candidate", "2.0.0", []string{"v2.0.0-rc.1", "v2.0.0"}, "2 latest"},
		{"major_of_two_digits", "1.2.0", []string{"v1.2.0", "v10.0.0"}, "1"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "bash", ".ci/release-moving-tags", tc.version)
			cmd.Stdin = strings.NewReader(strings.Join(tc.tags, "\n") + "\n")
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(out)); got != tc.want {
				t.Errorf("expected %q, got %q", tc.want, got)
			}
		})
	}
}
