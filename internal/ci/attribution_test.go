package ci_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// build is one run of a CI system: what it adds to the environment that the system sets in all runs, and what is
// to be made of it.
type build struct {
	name string
	env  map[string]string
	want ci.Facts
}

// checkFacts compares the facts of builds of a system; base is the environment of all of them, and what each is to be
// besides its own.
func checkFacts(t *testing.T, base map[string]string, common ci.Facts, builds []build) {
	t.Helper()
	for _, b := range builds {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			env := maps.Clone(base)
			maps.Copy(env, b.env)
			want := b.want
			want.System, want.Owner = common.System, common.Owner
			if want.Repository == "" {
				want.Repository = common.Repository
			}
			if want.BuildURL == "" {
				want.BuildURL = common.BuildURL
			}
			want.DefaultBranch = common.DefaultBranch
			got := ci.Detect(lookup(env), nil, nil).Facts()
			folders := cmpopts.IgnoreFields(ci.Facts{}, "Workspace", "Folder", "TempDir", "Warnings")
			if diff := cmp.Diff(want, got, folders); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}

const message = "Serve trades\n\nThey come from S3."

// Gitea and Forgejo set what GitHub sets, see their runner (gitea/act_runner, internal/app/run/runner.go).
func TestFacts_Gitea_and_Forgejo(t *testing.T) {
	t.Parallel()
	event := `{"number": 42, "pull_request": {"number": 42, "title": "Add trades",
			"head": {"ref": "add-trades", "sha": "` + headSHA + `", "repo": {"full_name": "mallory/shop"}},
			"base": {"ref": "main", "sha": "` + mainSHA + `", "repo": {"full_name": "acme/shop"}}},
		"repository": {"full_name": "acme/shop", "default_branch": "main"}}`
	for system, mark := range map[string]map[string]string{
		"Gitea Actions":   {"GITEA_ACTIONS": "true"},
		"Forgejo Actions": {"GITEA_ACTIONS": "true", "FORGEJO_ACTIONS": "true"},
	} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			env := runner(t, event, mark)
			maps.Copy(env, map[string]string{
				"GITHUB_SERVER_URL": "https://git.acme.example", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/42/head",
				"GITHUB_REF_NAME": "42/head", "GITHUB_SHA": headSHA, "GITHUB_HEAD_REF": "add-trades", "GITHUB_BASE_REF": "main",
			})
			want := ci.Facts{
				System: system, Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: "Add trades", PullRequest: "42",
				Repository: "acme/shop", Owner: "acme", DefaultBranch: "main", BuildURL: "https://git.acme.example/acme/shop/actions/runs/3",
				ForkOf: "mallory/shop", UntrustedPullRequest: true, Workspace: env["GITHUB_WORKSPACE"], TempDir: env["RUNNER_TEMP"],
			}
			if diff := cmp.Diff(want, ci.Detect(lookup(env), nil, nil).Facts()); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}

// Where the system tells no commit, or a short one, the checkout does; it never gives a merge for a pull request.
func TestFacts_from_the_checkout(t *testing.T) {
	t.Parallel()
	dir, commit := repo(t)
	git(t, dir, "remote", "add", "origin", "https://github.com/acme/shop.git")
	merged, _ := repo(t)
	git(t, merged, "checkout", "-q", "-b", "other")
	commitFile(t, merged, "Other")
	git(t, merged, "checkout", "-q", "main")
	git(t, merged, "merge", "-q", "--no-ff", "-m", "Merge", "other")

	whole := ci.Facts{System: "Jenkins", Branch: "main", Commit: commit, Message: message, Repository: "acme/shop", Owner: "acme"}
	for name, tc := range map[string]struct {
		env  map[string]string
		want ci.Facts
	}{
		"nothing":    {map[string]string{"WORKSPACE": dir}, whole},
		"short":      {map[string]string{"WORKSPACE": dir, "GIT_COMMIT": commit[:8]}, whole},
		"upper_case": {map[string]string{"WORKSPACE": dir, "GIT_COMMIT": strings.ToUpper(commit)}, whole},
		"words":      {map[string]string{"WORKSPACE": dir, "GIT_COMMIT": "HEAD", "GIT_BRANCH": "HEAD"}, whole},
		"no_commit":  {map[string]string{"WORKSPACE": dir, "GIT_COMMIT": "latest"}, whole},
		"short_of_another": {
			map[string]string{"WORKSPACE": dir, "GIT_COMMIT": "1234567"},
			ci.Facts{System: "Jenkins", Commit: "1234567", Repository: "acme/shop", Owner: "acme"},
		},
		"pull_request_that_is_a_merge": {
			map[string]string{"WORKSPACE": merged, "CHANGE_ID": "42", "CHANGE_BRANCH": "other"},
			ci.Facts{
				System: "Jenkins", Branch: "other", PullRequest: "42",
				Warnings: []string{"the head commit of the pull request is not known, and what is checked out is a merge: give commit-sha"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := maps.Clone(tc.env)
			env["JENKINS_URL"] = "https://ci.acme.example/"
			got := ci.Detect(lookup(env), nil, nil).Facts()
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(ci.Facts{}, "Workspace", "Folder")); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}

// Not parallel, since the current folder belongs to the process. Tekton tells nothing, and a container may not have
// the folder that a variable names.
func TestFacts_folders(t *testing.T) {
	top, commit := repo(t)
	below, outside, link := filepath.Join(top, "apps"), t.TempDir(), filepath.Join(t.TempDir(), "link")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(top, link); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, current     string
		env               map[string]string
		workspace, folder string
	}{
		{"none_named", below, map[string]string{"TEKTON_RESULTS_DIR": outside}, top, below},
		{"named_one_is_not_there", below, map[string]string{"JENKINS_URL": "x", "WORKSPACE": "/var/jenkins/not/there"}, top, below},
		{"current_is_below", below, map[string]string{"JENKINS_URL": "x", "WORKSPACE": top}, top, below},
		{"current_is_below_by_another_name", below, map[string]string{"JENKINS_URL": "x", "WORKSPACE": link}, link, filepath.Join(link, "apps")},
		{"current_is_elsewhere", outside, map[string]string{"JENKINS_URL": "x", "WORKSPACE": top}, top, top},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(tc.current)
			got := ci.Detect(lookup(tc.env), nil, nil).Facts()
			if got.Workspace != tc.workspace || got.Folder != tc.folder || got.Commit != commit {
				t.Errorf("expected %s in %s at %s, got %+v", tc.folder, tc.workspace, commit, got)
			}
		})
	}
}
