package ci_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// git runs the real git in dir and returns what it prints.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is not installed; the tests make real repositories with it")
	}
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
		"GIT_ALLOW_PROTOCOL=file",
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// repo makes a repository with one commit on main and returns its folder and the commit.
func repo(t *testing.T) (dir, commit string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "shop")
	git(t, ".", "init", "-q", "-b", "main", dir)
	return dir, commitFile(t, dir, "Serve trades\n\nThey come from S3.")
}

func commitFile(t *testing.T, dir, message string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "spicepod.yaml"), []byte(message), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", message)
	return git(t, dir, "rev-parse", "HEAD")
}

func laptop(string) string { return "" }

func TestFactsAt_laptop(t *testing.T) {
	t.Parallel()
	const message = "Serve trades\n\nThey come from S3."

	cases := []struct {
		name  string
		setup func(t *testing.T) (dir, commit string)
		want  ci.Facts // the commit is set by setup
	}{
		{"branch", repo, ci.Facts{Branch: "main", Message: message}},
		{"branch_with_slashes", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "checkout", "-q", "-b", "feature/a/b")
			return dir, commit
		}, ci.Facts{Branch: "feature/a/b", Message: message}},
		{"folder_below", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			below := filepath.Join(dir, "apps", "demo")
			if err := os.MkdirAll(below, 0o755); err != nil {
				t.Fatal(err)
			}
			return below, commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"folder_that_is_a_link", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(dir, link); err != nil {
				t.Fatal(err)
			}
			return link, commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"detached", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "checkout", "-q", "--detach")
			return dir, commit
		}, ci.Facts{Message: message}},
		{"packed_refs", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "branch", "other")
			git(t, dir, "tag", "-a", "-m", "annotated", "v1")
			git(t, dir, "pack-refs", "--all")
			return dir, commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"annotated_tag", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "tag", "-a", "-m", "annotated", "v1")
			commitFile(t, dir, "Second")
			git(t, dir, "checkout", "-q", "v1")
			git(t, dir, "gc", "-q")
			return dir, commit
		}, ci.Facts{Message: message}},
		{"loose_ref_wins_over_a_packed_one", func(t *testing.T) (string, string) {
			dir, _ := repo(t)
			git(t, dir, "pack-refs", "--all")
			return dir, commitFile(t, dir, "Second")
		}, ci.Facts{Branch: "main", Message: "Second"}},
		{"packed_objects", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "gc", "-q")
			return dir, commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"packed_objects_that_are_cut_off", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "gc", "-q")
			packs, err := filepath.Glob(filepath.Join(dir, ".git", "objects", "pack", "*.pack"))
			if err != nil || len(packs) != 1 {
				t.Fatalf("expected one pack, got %q, %v", packs, err)
			}
			if err := os.Remove(packs[0]); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(packs[0], []byte("PACK\x00\x00\x00\x02"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir, commit
		}, ci.Facts{Branch: "main"}},
		{"borrowed_objects", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "gc", "-q")
			clone := filepath.Join(t.TempDir(), "clone")
			git(t, ".", "clone", "-q", "--shared", dir, clone)
			return clone, commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"owned_by_another_user", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "gc", "-q")
			err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
				return errors.Join(err, os.Chown(path, 54321, 54321))
			})
			if err != nil {
				t.Skipf("only root can give files away: %v", err)
			}
			return dir, commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"that_must_not_be_read", func(t *testing.T) (string, string) {
			if os.Getuid() == 0 {
				t.Skip("root reads everything")
			}
			dir, _ := repo(t)
			if err := os.Chmod(filepath.Join(dir, ".git"), 0); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, ".git"), 0o755) }) // or it cannot be removed
			return dir, ""
		}, ci.Facts{}},
		{"shallow_clone", func(t *testing.T) (string, string) {
			dir, _ := repo(t)
			commit := commitFile(t, dir, "Second")
			clone := filepath.Join(t.TempDir(), "clone")
			git(t, ".", "clone", "-q", "--depth", "1", "file://"+dir, clone)
			return clone, commit
		}, ci.Facts{Branch: "main", Message: "Second"}},
		{"worktree", func(t *testing.T) (string, string) {
			dir, _ := repo(t)
			tree := filepath.Join(t.TempDir(), "tree")
			git(t, dir, "worktree", "add", "-q", "-b", "side", tree)
			return tree, commitFile(t, tree, "On the side")
		}, ci.Facts{Branch: "side", Message: "On the side"}},
		{"submodule", func(t *testing.T) (string, string) {
			inner, commit := repo(t)
			outer := filepath.Join(t.TempDir(), "outer")
			git(t, ".", "init", "-q", "-b", "trunk", outer)
			git(t, outer, "submodule", "--quiet", "add", inner, "pods")
			git(t, outer, "commit", "-q", "-m", "Outer")
			return filepath.Join(outer, "pods"), commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"sha256", func(t *testing.T) (string, string) {
			dir := filepath.Join(t.TempDir(), "shop")
			git(t, ".", "init", "-q", "-b", "main", "--object-format=sha256", dir)
			return dir, commitFile(t, dir, "Long names")
		}, ci.Facts{Branch: "main", Message: "Long names"}},
		{"no_commit_yet", func(t *testing.T) (string, string) {
			dir := filepath.Join(t.TempDir(), "shop")
			git(t, ".", "init", "-q", "-b", "main", dir)
			return dir, ""
		}, ci.Facts{Branch: "main"}},
		{"no_repository", func(t *testing.T) (string, string) { return t.TempDir(), "" }, ci.Facts{}},
		{"not_there", func(*testing.T) (string, string) { return "/not/there", "" }, ci.Facts{}},
		{"packed_worktree", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			git(t, dir, "gc", "-q")
			tree := filepath.Join(t.TempDir(), "tree")
			git(t, dir, "worktree", "add", "-q", "--detach", tree)
			return tree, commit
		}, ci.Facts{Message: message}},
		{"packed_submodule", func(t *testing.T) (string, string) {
			inner, commit := repo(t)
			outer := filepath.Join(t.TempDir(), "outer")
			git(t, ".", "init", "-q", "-b", "trunk", outer)
			git(t, outer, "submodule", "--quiet", "add", inner, "pods")
			pods := filepath.Join(outer, "pods")
			git(t, pods, "gc", "-q")
			return pods, commit
		}, ci.Facts{Branch: "main", Message: message}},
		{"packed_sha256", func(t *testing.T) (string, string) {
			dir := filepath.Join(t.TempDir(), "shop")
			git(t, ".", "init", "-q", "-b", "main", "--object-format=sha256", dir)
			commit := commitFile(t, dir, "Long names")
			git(t, dir, "gc", "-q")
			return dir, commit
		}, ci.Facts{Branch: "main", Message: "Long names"}},
		{"worktree_whose_repository_is_gone", func(t *testing.T) (string, string) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: /not/there\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir, ""
		}, ci.Facts{}},
		{"git_file_with_something_else", func(t *testing.T) (string, string) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, ".git"), []byte("hello\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir, ""
		}, ci.Facts{}},
		{"refs_kept_in_another_form", func(t *testing.T) (string, string) {
			dir, _ := repo(t)
			head(t, dir, "ref: refs/heads/.invalid\n")
			return dir, ""
		}, ci.Facts{}},
		{"head_that_leads_elsewhere", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			if err := os.WriteFile(filepath.Join(dir, "stolen"), []byte(commit+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			head(t, dir, "ref: refs/../../stolen\n")
			return dir, ""
		}, ci.Facts{}},
		{"ref_that_names_itself", func(t *testing.T) (string, string) {
			dir, _ := repo(t)
			if err := os.WriteFile(filepath.Join(dir, ".git", "refs", "heads", "main"), []byte("ref: refs/heads/main\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir, ""
		}, ci.Facts{Branch: "main"}},
		{"commit_object_that_is_damaged", func(t *testing.T) (string, string) {
			dir, commit := repo(t)
			object := filepath.Join(dir, ".git", "objects", commit[:2], commit[2:])
			if err := os.Remove(object); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(object, []byte("not zlib"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir, commit
		}, ci.Facts{Branch: "main"}},
		{"message_in_latin_1", func(t *testing.T) (string, string) {
			dir, _ := repo(t)
			git(t, dir, "-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "--allow-empty", "-m", "caf\xe9")
			return dir, git(t, dir, "rev-parse", "HEAD")
		}, ci.Facts{Branch: "main", Message: "café"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir, commit := tc.setup(t)
			got, want := ci.FactsAt(laptop, dir), tc.want
			want.Commit = commit
			got.Repository, got.Owner = "", "" // a clone and a submodule have an origin, which other tests look at
			got.Workspace, got.Folder = "", "" // so does the folder that the tests run in
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}

func head(t *testing.T, dir, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, ".git", "HEAD"), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Not parallel, since the current folder belongs to the process.
func TestDetect_laptop(t *testing.T) {
	top, commit := repo(t)
	below, outside := filepath.Join(top, "apps", "demo"), t.TempDir()
	toTop, toBelow := filepath.Join(outside, "top"), filepath.Join(outside, "below")
	for _, err := range []error{os.MkdirAll(below, 0o755), os.Symlink(top, toTop), os.Symlink(below, toBelow)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	checkout := ci.Facts{Branch: "main", Commit: commit, Message: "Serve trades\n\nThey come from S3."}
	cases := []struct {
		name, folder   string
		want           ci.Facts
		workspace, dir string
	}{
		{"top", top, checkout, top, top},
		{"below", below, checkout, top, below},
		{"link_to_the_top", toTop, checkout, toTop, toTop},
		{"below_a_link_to_the_top", filepath.Join(toTop, "apps", "demo"), checkout, toTop, filepath.Join(toTop, "apps", "demo")},
		{"link_to_below", toBelow, checkout, top, below},
		{"no_checkout", outside, ci.Facts{}, outside, outside},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(tc.folder)
			want := tc.want
			want.Workspace, want.Folder = tc.workspace, tc.dir
			if diff := cmp.Diff(want, ci.Detect(laptop, nil, nil).Facts()); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}
