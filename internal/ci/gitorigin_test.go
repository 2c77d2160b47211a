package ci_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

func TestFactsAt_laptop_origin(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, url, want string }{
		{"https", "https://github.com/acme/shop.git", "acme/shop"},
		{"https_without_git", "https://github.com/acme/shop", "acme/shop"},
		{"https_with_a_slash", "https://github.com/acme/shop/", "acme/shop"},
		{"https_with_credentials", "https://x-access-token:ghs_1234@github.com/acme/shop.git", "acme/shop"},
		{"https_with_a_port", "https://git.acme.example:8443/acme/shop.git", "acme/shop"},
		{"scp_like", "git@github.com:acme/shop.git", "acme/shop"},
		{"ssh", "ssh://git@github.com:22/acme/shop.git", "acme/shop"},
		{"dots_and_dashes", "https://github.com/acme-inc/shop.web.git", "acme-inc/shop.web"},
		{"groups_in_groups", "https://gitlab.com/acme/web/shop.git", ""},
		{"folder", "/srv/git/shop.git", ""},
		{"file", "file:///srv/shop.git", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir, _ := repo(t)
			git(t, dir, "remote", "add", "upstream", "https://github.com/other/other.git")
			git(t, dir, "remote", "add", "origin", tc.url)
			got := ci.FactsAt(laptop, dir)
			if got, want := got.Repository, tc.want; got != want {
				t.Errorf("expected repository %q to be %q", got, want)
			}
			owner, _, _ := strings.Cut(tc.want, "/")
			if got, want := got.Owner, owner; got != want {
				t.Errorf("expected owner %q to be %q", got, want)
			}
		})
	}
}

func TestFactsAt_laptop_worktree_origin(t *testing.T) {
	t.Parallel()
	dir, _ := repo(t)
	git(t, dir, "remote", "add", "origin", "https://github.com/acme/shop.git")
	tree := filepath.Join(t.TempDir(), "tree")
	git(t, dir, "worktree", "add", "-q", "--detach", tree)
	if got, want := ci.FactsAt(laptop, tree).Repository, "acme/shop"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}
