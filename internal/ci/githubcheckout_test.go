package ci_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// proposed is a base repository, checked out at main, and in it the head of a pull request and GitHub's merge of it.
type proposed struct{ dir, base, head, merge string }

func propose(t *testing.T) proposed {
	t.Helper()
	dir, base := repo(t)
	git(t, dir, "checkout", "-q", "-b", "add-trades")
	head := commitFile(t, dir, "Add trades")
	git(t, dir, "checkout", "-q", "--detach", base)
	git(t, dir, "merge", "-q", "--no-ff", "-m", "Merge "+head+" into "+base, head)
	merge := git(t, dir, "rev-parse", "HEAD")
	git(t, dir, "checkout", "-q", "main")
	return proposed{dir, base, head, merge}
}

// TestFacts_GitHub_checkout is about the two events whose runs belong to the base repository, secrets included,
// while the workflow may have checked out the code of a fork.
func TestFacts_GitHub_checkout(t *testing.T) {
	t.Parallel()
	const baseMessage = "Serve trades\n\nThey come from S3."

	checkout := func(what func(p proposed) string) func(*testing.T, proposed) {
		return func(t *testing.T, p proposed) { git(t, p.dir, "checkout", "-q", "--detach", what(p)) }
	}
	base := func(p proposed) string { return p.base }
	head := func(p proposed) string { return p.head }
	merge := func(p proposed) string { return p.merge }

	cases := []struct {
		name     string
		event    string
		headRepo string
		setup    func(*testing.T, proposed) // what the workflow does after its checkout of main
		commit   func(p proposed) string    // nil: what HEAD says after setup
		want     ci.Facts
	}{
		{
			name: "target_base", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: func(*testing.T, proposed) {}, commit: base,
			want: ci.Facts{Branch: "main", Message: baseMessage},
		},
		{
			name: "target_base_detached", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: checkout(base), commit: base,
			want: ci.Facts{Branch: "main", Message: baseMessage},
		},
		{
			name: "target_head_of_a_fork", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: checkout(head), commit: head,
			want: ci.Facts{Branch: "add-trades", Message: "Add the trades dataset", ForkOf: "mallory/shop"},
		},
		{
			name: "target_head_of_a_fork_under_another_name", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: func(t *testing.T, p proposed) { git(t, p.dir, "checkout", "-q", "-b", "harmless", p.head) }, commit: head,
			want: ci.Facts{Branch: "add-trades", Message: "Add the trades dataset", ForkOf: "mallory/shop"},
		},
		{
			name: "target_head_of_a_deleted_fork", event: "pull_request_target", headRepo: `null`,
			setup: checkout(head), commit: head,
			want: ci.Facts{Branch: "add-trades", Message: "Add the trades dataset", ForkOf: "a deleted fork"},
		},
		{
			name: "target_merge_that_GitHub_made_of_a_fork", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: func(t *testing.T, p proposed) {
				checkout(merge)(t, p)
				git(t, p.dir, "gc", "-q")
				// So that only the event tells that it is one.
				if err := os.RemoveAll(filepath.Join(p.dir, ".git", "objects", "pack")); err != nil {
					t.Fatal(err)
				}
			}, commit: merge,
			want: ci.Facts{Branch: "add-trades", Message: "Add the trades dataset", ForkOf: "mallory/shop"},
		},
		{
			name: "target_merge_that_the_workflow_made_of_a_fork", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: func(t *testing.T, p proposed) { git(t, p.dir, "merge", "-q", "--no-ff", "-m", "Try it", p.head) },
			want:  ci.Facts{Branch: "add-trades", Message: "Add the trades dataset", ForkOf: "mallory/shop"},
		},
		{
			name: "target_merge_of_a_fork_that_is_packed", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: func(t *testing.T, p proposed) {
				git(t, p.dir, "merge", "-q", "--no-ff", "-m", "Try it", p.head)
				git(t, p.dir, "gc", "-q")
			},
			want: ci.Facts{Branch: "add-trades", Message: "Add the trades dataset", ForkOf: "mallory/shop"},
		},
		{
			name: "target_head_of_the_same_repository", event: "pull_request_target", headRepo: `{"full_name": "acme/shop"}`,
			setup: checkout(head), commit: head,
			want: ci.Facts{Branch: "add-trades", Message: "Add the trades dataset"},
		},
		{
			name: "target_something_else", event: "pull_request_target", headRepo: `{"full_name": "mallory/shop"}`,
			setup: func(t *testing.T, p proposed) {
				git(t, p.dir, "checkout", "-q", "--detach")
				commitFile(t, p.dir, "Generated")
			},
			want: ci.Facts{Message: "Generated"},
		},
		{
			name: "workflow_run_default_branch", event: "workflow_run", headRepo: `{"full_name": "mallory/shop"}`,
			setup: func(*testing.T, proposed) {}, commit: base,
			want: ci.Facts{Branch: "main", Message: baseMessage},
		},
		{
			name: "workflow_run_head_of_a_fork", event: "workflow_run", headRepo: `{"full_name": "mallory/shop"}`,
			setup: checkout(head), commit: head,
			want: ci.Facts{Branch: "add-trades", Message: "Add trades", ForkOf: "mallory/shop"},
		},
		{
			name: "workflow_run_head_of_a_deleted_fork", event: "workflow_run", headRepo: `null`,
			setup: checkout(head), commit: head,
			want: ci.Facts{Branch: "add-trades", Message: "Add trades", ForkOf: "a deleted fork"},
		},
		{
			name: "workflow_run_head_of_the_same_repository", event: "workflow_run", headRepo: `{"full_name": "acme/shop"}`,
			setup: checkout(head), commit: head,
			want: ci.Facts{Branch: "add-trades", Message: "Add trades"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := propose(t)
			tc.setup(t, p)
			commit := git(t, p.dir, "rev-parse", "HEAD")
			if tc.commit != nil {
				commit = tc.commit(p)
			}
			event := `{"number": 42, "pull_request": {"number": 42, "title": "Add the trades dataset", "merge_commit_sha": "` + p.merge + `",
					"head": {"ref": "add-trades", "sha": "` + p.head + `", "repo": ` + tc.headRepo + `},
					"base": {"ref": "main", "sha": "` + p.base + `", "repo": {"full_name": "acme/shop"}}},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`
			if tc.event == "workflow_run" {
				event = `{"workflow_run": {"event": "pull_request", "head_branch": "add-trades", "head_sha": "` + p.head + `",
						"head_commit": {"message": "Add trades"}, "head_repository": ` + tc.headRepo + `, "pull_requests": [{"number": 42}]},
					"repository": {"full_name": "acme/shop", "default_branch": "main"}}`
			}
			env := runner(t, event, map[string]string{
				"GITHUB_EVENT_NAME": tc.event, "GITHUB_SHA": p.base, "GITHUB_WORKSPACE": p.dir,
				"GITHUB_HEAD_REF": "add-trades", "GITHUB_BASE_REF": "main",
			})
			got := ci.Detect(lookup(env), nil, nil).Facts()
			want := tc.want
			want.Commit, want.PullRequest = commit, "42"
			got = ci.Facts{
				Branch: got.Branch, Commit: got.Commit, Message: got.Message, PullRequest: got.PullRequest,
				ForkOf: got.ForkOf, UntrustedPullRequest: got.UntrustedPullRequest, Warnings: got.Warnings,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}

// A workflow may check out the base at the top of the workspace and the fork's head into a folder of it. What counts
// is where the deployed files come from.
func TestFactsAt_GitHub_two_checkouts(t *testing.T) {
	t.Parallel()
	p := propose(t)
	git(t, p.dir, "worktree", "add", "-q", "--detach", filepath.Join(p.dir, "pr"), p.head)
	if err := os.MkdirAll(filepath.Join(p.dir, "pr", "apps", "demo"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pr/apps", filepath.Join(p.dir, "apps")); err != nil {
		t.Fatal(err)
	}
	env := runner(t, `{"number": 42, "pull_request": {"head": {"ref": "add-trades", "sha": "`+p.head+`", "repo": {"full_name": "mallory/shop"}},
		"base": {"ref": "main", "sha": "`+p.base+`", "repo": {"full_name": "acme/shop"}}}}`, map[string]string{
		"GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_SHA": p.base, "GITHUB_WORKSPACE": p.dir,
	})

	cases := []struct{ name, dir, commit, fork string }{
		{"top", "", p.base, ""},
		{"dot", ".", p.base, ""},
		{"fork", "pr", p.head, "mallory/shop"},
		{"below_the_fork", "pr/apps/demo", p.head, "mallory/shop"},
		{"absolute", filepath.Join(p.dir, "pr"), p.head, "mallory/shop"},
		{"through_a_link", "apps/demo", p.head, "mallory/shop"},
		{"outside_the_workspace", os.TempDir(), p.base, ""},
		{"not_there", "absent", p.base, ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := ci.FactsAt(lookup(env), tc.dir)
			if got, want := got.Commit, tc.commit; got != want {
				t.Errorf("expected commit %q to be %q", got, want)
			}
			if got, want := got.ForkOf, tc.fork; got != want {
				t.Errorf("expected fork %q to be %q", got, want)
			}
		})
	}
}

// Where the event has no message, the checkout may have it.
func TestFacts_GitHub_message_from_the_checkout(t *testing.T) {
	t.Parallel()
	dir, commit := repo(t)
	env := runner(t, `{}`, map[string]string{
		"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_SHA": commit, "GITHUB_WORKSPACE": dir,
	})
	if got, want := ci.Detect(lookup(env), nil, nil).Facts().Message, "Serve trades\n\nThey come from S3."; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}
