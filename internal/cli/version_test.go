package cli

import (
	"runtime/debug"
	"testing"
)

func TestTold(t *testing.T) {
	t.Parallel()
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: "c0ffee"}, {Key: "vcs.modified", Value: modified}}
	}
	cases := []struct {
		name                    string
		version, commit         string // of the linker
		main                    string
		settings                []debug.BuildSetting
		wantVersion, wantCommit string
	}{
		{"go_install", "", "", "v1.2.3", nil, "v1.2.3", "unknown"},
		{"go_build_of_a_commit", "", "", "v1.2.4-0.20261123221510-c0ffee000000", vcs("false"), "v1.2.4-0.20261123221510-c0ffee000000", "c0ffee"},
		{"go_build_with_changes", "", "", "v1.2.3+dirty", vcs("true"), "v1.2.3+dirty", "c0ffee with changes"},
		{"go_build_without_git", "", "", "(devel)", nil, "source", "unknown"},
		{"go_build_in_another_repository", "", "", "(devel)", vcs("true"), "source", "unknown"},
		{"go_test", "", "", "", nil, "source", "unknown"},
		{"release", "v1.2.3", "beef", "v1.2.3", vcs("false"), "v1.2.3", "beef"},
		{"release_with_changes", "v1.2.3", "beef", "v1.2.3+dirty", vcs("true"), "v1.2.3", "beef with changes"},
		{"image", "v1.2.3", "beef", "(devel)", nil, "v1.2.3", "beef"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			version, commit := told(tc.version, tc.commit, &debug.BuildInfo{Main: debug.Module{Version: tc.main}, Settings: tc.settings})
			if version != tc.wantVersion || commit != tc.wantCommit {
				t.Errorf("expected %q and %q to be %q and %q", version, commit, tc.wantVersion, tc.wantCommit)
			}
		})
	}
}
