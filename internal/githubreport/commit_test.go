package githubreport_test

import (
	"strings"
	"testing"
)

func TestStale(t *testing.T) {
	t.Parallel()

	const newer = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	cases := []struct {
		name, prefix, branch, commit string
		head, status                 string
		want                         string
		requests                     int
	}{
		{name: "is_the_head", branch: "main", commit: commit, head: commit, requests: 1},
		{name: "is_the_head_in_capitals", branch: "main", commit: strings.ToUpper(commit), head: commit, requests: 1},
		{name: "moved_on", branch: "main", commit: commit, head: newer, status: "ahead", want: newer, requests: 2},
		{name: "branch_with_a_slash", branch: "feature/a#b%2f", commit: commit, head: newer, status: "ahead", want: newer, requests: 2},
		{name: "enterprise", prefix: "/api/v3", branch: "main", commit: commit, head: newer, status: "ahead", want: newer, requests: 2},
		{name: "pushed_away_by_force", branch: "main", commit: commit, head: newer, status: "diverged", requests: 2},
		{name: "reset_to_an_older_commit", branch: "main", commit: commit, head: newer, status: "behind", requests: 2},
		{name: "same_tree_by_another_name", branch: "main", commit: commit, head: newer, status: "identical", requests: 2},
		{name: "no_branch", commit: commit},
		{name: "no_commit", branch: "main"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{
				prefix: tc.prefix, granted: allPermissions(),
				heads: map[string]string{tc.branch: tc.head}, compared: map[string]string{tc.commit + "..." + tc.head: tc.status},
			}).start(t)
			got, err := g.client(t).Stale(t.Context(), tc.branch, tc.commit)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
			if got := len(g.requests()); got != tc.requests {
				t.Errorf("expected %d requests to be %d: %q", got, tc.requests, g.requests())
			}
		})
	}
}

func TestStale_whatIsNotThere(t *testing.T) {
	t.Parallel()

	const newer = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	cases := []struct {
		name  string
		heads map[string]string
	}{
		{"branch_deleted", nil},
		{"commit_unknown_to_the_repository", map[string]string{"main": newer}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{granted: allPermissions(), heads: tc.heads}).start(t)
			newer, err := g.client(t).Stale(t.Context(), "main", commit)
			want := `look whether branch "main" of acme/shop has moved past ` + commit + ": 404 Not Found; it is not there, or the token lacks contents: read"
			if newer != "" || err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("expected %q and %v to be nothing and to begin with %q", newer, err, want)
			}
		})
	}
}

func TestCommitMessage(t *testing.T) {
	t.Parallel()

	for _, prefix := range []string{"", "/api/v3"} {
		g := (&gitHub{prefix: prefix, granted: allPermissions(), messages: map[string]string{commit: "Add orders\n\nFor the shop."}}).start(t)
		got, err := g.client(t).CommitMessage(t.Context(), commit)
		if err != nil {
			t.Fatal(err)
		}
		if want := "Add orders\n\nFor the shop."; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
	}
}
