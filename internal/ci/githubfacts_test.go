package ci_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

const (
	mainSHA  = "1111111111111111111111111111111111111111"
	headSHA  = "2222222222222222222222222222222222222222"
	mergeSHA = "3333333333333333333333333333333333333333"
)

// runner is the environment of a step as the GitHub runner sets it for a push to main; changes come on top. Only
// the folders are not GitHub's.
func runner(t *testing.T, event string, changes map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "event.json")
	if event != "" {
		if err := os.WriteFile(path, []byte(event), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{
		"CI": "true", "GITHUB_ACTIONS": "true",
		"GITHUB_ACTION": "__spicedeploy_spice-deploy", "GITHUB_ACTION_REF": "v1", "GITHUB_ACTION_REPOSITORY": "spicedeploy/spice-deploy",
		"GITHUB_ACTOR": "octocat", "GITHUB_ACTOR_ID": "583231", "GITHUB_TRIGGERING_ACTOR": "octocat",
		"GITHUB_API_URL": "https://api.github.com", "GITHUB_GRAPHQL_URL": "https://api.github.com/graphql", "GITHUB_SERVER_URL": "https://github.com",
		"GITHUB_BASE_REF": "", "GITHUB_HEAD_REF": "",
		"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": path,
		"GITHUB_JOB": "deploy", "GITHUB_WORKFLOW": "Deploy", "GITHUB_WORKFLOW_REF": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
		"GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main", "GITHUB_REF_PROTECTED": "false", "GITHUB_REF_TYPE": "branch",
		"GITHUB_REPOSITORY": "acme/shop", "GITHUB_REPOSITORY_ID": "1296269", "GITHUB_REPOSITORY_OWNER": "acme",
		"GITHUB_RETENTION_DAYS": "90", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_RUN_ID": "1658821493", "GITHUB_RUN_NUMBER": "3",
		"GITHUB_SHA": mainSHA, "GITHUB_WORKSPACE": filepath.Join(dir, "work"),
		"GITHUB_OUTPUT": filepath.Join(dir, "set_output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "step_summary"),
		"RUNNER_TEMP": filepath.Join(dir, "temp"), "RUNNER_OS": "Linux", "RUNNER_NAME": "GitHub Actions 2", "RUNNER_DEBUG": "",
	}
	maps.Copy(env, changes)
	return env
}

func lookup(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func TestFacts_GitHub(t *testing.T) {
	t.Parallel()

	pullRequestEnv := func(more map[string]string) map[string]string {
		env := map[string]string{
			"GITHUB_EVENT_NAME": "pull_request", "GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "add-trades",
			"GITHUB_REF": "refs/pull/42/merge", "GITHUB_REF_NAME": "42/merge", "GITHUB_SHA": mergeSHA,
		}
		maps.Copy(env, more)
		return env
	}
	pullRequestEvent := func(headRepo string) string {
		return `{"action": "synchronize", "number": 42,
			"pull_request": {"number": 42, "title": "Add the trades dataset", "merge_commit_sha": "` + mergeSHA + `",
				"user": {"login": "octocat"},
				"head": {"label": "acme:add-trades", "ref": "add-trades", "sha": "` + headSHA + `", "repo": ` + headRepo + `},
				"base": {"label": "acme:main", "ref": "main", "sha": "` + mainSHA + `", "repo": {"full_name": "acme/shop", "default_branch": "main"}}},
			"repository": {"full_name": "acme/shop", "default_branch": "main"}}`
	}
	const plain = `{"repository": {"full_name": "acme/shop", "default_branch": "main"}}`

	cases := []struct {
		name  string
		env   map[string]string
		event string
		want  ci.Facts
	}{
		{
			name: "push",
			event: `{"ref": "refs/heads/main", "after": "` + mainSHA + `",
				"head_commit": {"id": "` + mainSHA + `", "message": "Serve trades\n\nThey come from S3."},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{Event: "push", Branch: "main", Commit: mainSHA, Message: "Serve trades\n\nThey come from S3."},
		},
		{
			name: "push_to_a_branch_with_slashes",
			env:  map[string]string{"GITHUB_REF": "refs/heads/feature/a/b", "GITHUB_REF_NAME": "feature/a/b"},
			event: `{"head_commit": {"message": "WIP"},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{Event: "push", Branch: "feature/a/b", Commit: mainSHA, Message: "WIP"},
		},
		{
			name: "tag",
			env:  map[string]string{"GITHUB_REF": "refs/tags/v1.2.0", "GITHUB_REF_NAME": "v1.2.0", "GITHUB_REF_TYPE": "tag"},
			event: `{"ref": "refs/tags/v1.2.0", "base_ref": "refs/heads/main",
				"head_commit": {"id": "` + mainSHA + `", "message": "Release 1.2.0"},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{Event: "push", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA, Message: "Release 1.2.0"},
		},
		{
			name:  "pull_request",
			env:   pullRequestEnv(nil),
			event: pullRequestEvent(`{"full_name": "acme/shop", "default_branch": "main"}`),
			want:  ci.Facts{Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42"},
		},
		{
			name:  "pull_request_in_a_repository_whose_name_differs_in_case",
			env:   pullRequestEnv(nil),
			event: pullRequestEvent(`{"full_name": "Acme/Shop"}`),
			want:  ci.Facts{Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42"},
		},
		{
			name:  "pull_request_from_a_fork",
			env:   pullRequestEnv(nil),
			event: pullRequestEvent(`{"full_name": "mallory/shop", "fork": true, "default_branch": "trunk"}`),
			want: ci.Facts{
				Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42",
				ForkOf: "mallory/shop", UntrustedPullRequest: true,
			},
		},
		{
			name:  "pull_request_from_a_deleted_fork",
			env:   pullRequestEnv(nil),
			event: pullRequestEvent(`null`),
			want: ci.Facts{
				Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42",
				ForkOf: "a deleted fork", UntrustedPullRequest: true,
			},
		},
		{
			name:  "pull_request_by_Dependabot",
			env:   pullRequestEnv(map[string]string{"GITHUB_ACTOR": "dependabot[bot]", "GITHUB_TRIGGERING_ACTOR": "octocat"}),
			event: pullRequestEvent(`{"full_name": "acme/shop"}`),
			want: ci.Facts{
				Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42",
				UntrustedPullRequest: true,
			},
		},
		{
			name: "pull_request_review_of_a_fork",
			env:  pullRequestEnv(map[string]string{"GITHUB_EVENT_NAME": "pull_request_review", "GITHUB_HEAD_REF": "", "GITHUB_BASE_REF": ""}),
			// The payload of a review has the number inside pull_request only.
			event: strings.Replace(pullRequestEvent(`{"full_name": "mallory/shop"}`), `"number": 42,`, `"review": {"state": "approved"},`, 1),
			want: ci.Facts{
				Event: "pull_request_review", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42",
				ForkOf: "mallory/shop", UntrustedPullRequest: true,
			},
		},
		{
			name: "pull_request_with_the_least_that_act_sends",
			env:  pullRequestEnv(nil),
			event: `{"number": "42", "pull_request": {"head": {"ref": "add-trades", "sha": "` + headSHA + `"}, "base": {"ref": "main"}},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{Event: "pull_request", Branch: "add-trades", Commit: headSHA, PullRequest: "42", ForkUnknown: true},
		},
		{
			name: "workflow_dispatch",
			env:  map[string]string{"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_REF": "refs/heads/hotfix", "GITHUB_REF_NAME": "hotfix"},
			event: `{"inputs": {"environment": "production"}, "ref": "refs/heads/hotfix", "workflow": ".github/workflows/deploy.yml",
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{Event: "workflow_dispatch", Branch: "hotfix", Commit: mainSHA},
		},
		{
			name:  "schedule",
			env:   map[string]string{"GITHUB_EVENT_NAME": "schedule"},
			event: `{"schedule": "0 4 * * *", "repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want:  ci.Facts{Event: "schedule", Branch: "main", Commit: mainSHA},
		},
		{
			name: "release",
			env: map[string]string{
				"GITHUB_EVENT_NAME": "release", "GITHUB_REF": "refs/tags/v1.2.0", "GITHUB_REF_NAME": "v1.2.0", "GITHUB_REF_TYPE": "tag",
			},
			event: `{"action": "published", "release": {"tag_name": "v1.2.0", "target_commitish": "main"},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{Event: "release", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA},
		},
		{
			name: "merge_group",
			env: map[string]string{
				"GITHUB_EVENT_NAME": "merge_group", "GITHUB_SHA": headSHA,
				"GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-42-" + mainSHA, "GITHUB_REF_NAME": "gh-readonly-queue/main/pr-42-" + mainSHA,
			},
			event: `{"action": "checks_requested",
				"merge_group": {"head_sha": "` + headSHA + `", "head_ref": "refs/heads/gh-readonly-queue/main/pr-42-` + mainSHA + `",
					"base_sha": "` + mainSHA + `", "base_ref": "refs/heads/main",
					"head_commit": {"id": "` + headSHA + `", "message": "Merge pull request #42"}},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{
				Event: "merge_group", Branch: "gh-readonly-queue/main/pr-42-" + mainSHA, Commit: headSHA, Message: "Merge pull request #42",
			},
		},
		{
			name: "pull_request_target_without_a_checkout",
			env: map[string]string{
				"GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "add-trades", "GITHUB_SHA": mergeSHA,
			},
			event: pullRequestEvent(`{"full_name": "mallory/shop"}`),
			want:  ci.Facts{Event: "pull_request_target", Branch: "main", Commit: mainSHA, PullRequest: "42"},
		},
		{
			name: "workflow_run_of_a_fork_without_a_checkout",
			env:  map[string]string{"GITHUB_EVENT_NAME": "workflow_run"},
			event: `{"action": "completed",
				"workflow_run": {"event": "pull_request", "head_branch": "add-trades", "head_sha": "` + headSHA + `",
					"head_commit": {"message": "Add trades"}, "head_repository": {"full_name": "mallory/shop"}, "pull_requests": []},
				"repository": {"full_name": "acme/shop", "default_branch": "main"}}`,
			want: ci.Facts{Event: "workflow_run", Branch: "add-trades", Commit: headSHA, Message: "Add trades", ForkOf: "mallory/shop"},
		},
		{
			name: "server_of_ones_own_and_a_second_attempt",
			env: map[string]string{
				"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_SERVER_URL": "https://ghe.acme.example", "GITHUB_RUN_ATTEMPT": "2",
			},
			event: plain,
			want: ci.Facts{
				Event: "workflow_dispatch", Branch: "main", Commit: mainSHA,
				BuildURL: "https://ghe.acme.example/acme/shop/actions/runs/1658821493/attempts/2",
			},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := runner(t, tc.event, tc.env)
			want := tc.want
			want.System, want.Repository, want.Owner, want.DefaultBranch = "GitHub Actions", "acme/shop", "acme", "main"
			want.Workspace, want.TempDir = env["GITHUB_WORKSPACE"], env["RUNNER_TEMP"]
			if want.BuildURL == "" {
				want.BuildURL = "https://github.com/acme/shop/actions/runs/1658821493/attempts/1"
			}
			if diff := cmp.Diff(want, ci.Detect(lookup(env), nil, nil).Facts()); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFacts_GitHub_event_cannot_be_read(t *testing.T) {
	t.Parallel()
	pullRequest := map[string]string{
		"GITHUB_EVENT_NAME": "pull_request", "GITHUB_HEAD_REF": "add-trades", "GITHUB_REF_NAME": "42/merge", "GITHUB_SHA": mergeSHA,
	}
	const left = "): what only it tells, such as the commit message, is left out"
	cases := []struct {
		name string
		env  map[string]string
		file string // the content, "" for none
		want ci.Facts
	}{
		{
			name: "push_and_no_file",
			want: ci.Facts{Branch: "main", Commit: mainSHA, Warnings: []string{
				"the event that started the run cannot be read (stat <event>: no such file or directory" + left,
			}},
		},
		{
			name: "push_and_half_a_file",
			file: `{"head_commit": {"message": "Serve`,
			want: ci.Facts{Branch: "main", Commit: mainSHA, Warnings: []string{
				"the event that started the run cannot be read (read <event>: unexpected end of JSON input" + left,
			}},
		},
		{
			name: "push_and_something_else",
			file: `["head_commit"]`,
			want: ci.Facts{Branch: "main", Commit: mainSHA, Warnings: []string{
				"the event that started the run cannot be read (read <event>: json: cannot unmarshal array into Go value of type ci.event" + left,
			}},
		},
		{
			name: "push_and_no_variable",
			env:  map[string]string{"GITHUB_EVENT_PATH": ""},
			want: ci.Facts{Branch: "main", Commit: mainSHA, Warnings: []string{
				"the event that started the run cannot be read (GITHUB_EVENT_PATH is not set" + left,
			}},
		},
		{
			name: "push_and_a_device",
			env:  map[string]string{"GITHUB_EVENT_PATH": "/dev/zero"},
			want: ci.Facts{Branch: "main", Commit: mainSHA, Warnings: []string{
				"the event that started the run cannot be read (open /dev/zero: not a regular file" + left,
			}},
		},
		{
			name: "push_and_too_much",
			file: strings.Repeat(" ", 32<<20+1),
			want: ci.Facts{Branch: "main", Commit: mainSHA, Warnings: []string{
				"the event that started the run cannot be read (read <event>: more than 32 MiB" + left,
			}},
		},
		{
			name: "pull_request",
			env:  pullRequest,
			want: ci.Facts{Branch: "add-trades", PullRequest: "42", ForkUnknown: true, Warnings: []string{
				"the event that started the run cannot be read (stat <event>: no such file or directory" + left,
				"the head commit of the pull request is not known, since the event does not tell it: give commit-sha",
			}},
		},
		{
			name: "pull_request_and_null",
			env:  pullRequest,
			file: "null",
			want: ci.Facts{Branch: "add-trades", PullRequest: "42", ForkUnknown: true, Warnings: []string{
				"the head commit of the pull request is not known, since the event does not tell it: give commit-sha",
			}},
		},
		{
			name: "pull_request_target_and_half_a_file",
			env:  map[string]string{"GITHUB_EVENT_NAME": "pull_request_target"},
			file: `{"pull_request": {"head`,
			want: ci.Facts{Branch: "main", Commit: mainSHA, ForkUnknown: true, Warnings: []string{
				"the event that started the run cannot be read (read <event>: unexpected end of JSON input" + left,
			}},
		},
		{
			name: "workflow_run_and_null",
			env:  map[string]string{"GITHUB_EVENT_NAME": "workflow_run"},
			file: "null",
			want: ci.Facts{Branch: "main", Commit: mainSHA, ForkUnknown: true},
		},
		{
			name: "workflow_run_of_an_unnamed_repository",
			env:  map[string]string{"GITHUB_EVENT_NAME": "workflow_run"},
			file: `{"workflow_run": {"head_sha": "` + mainSHA + `", "head_branch": "main"}}`,
			want: ci.Facts{Branch: "main", Commit: mainSHA, ForkUnknown: true},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := runner(t, tc.file, tc.env)
			got := ci.Detect(lookup(env), nil, nil).Facts()
			for i, warning := range tc.want.Warnings {
				tc.want.Warnings[i] = strings.ReplaceAll(warning, "<event>", env["GITHUB_EVENT_PATH"])
			}
			got = ci.Facts{Branch: got.Branch, Commit: got.Commit, PullRequest: got.PullRequest, Message: got.Message, ForkOf: got.ForkOf, ForkUnknown: got.ForkUnknown, Warnings: got.Warnings}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("unexpected facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFacts_GitHub_owner_from_the_repository(t *testing.T) {
	t.Parallel()
	env := runner(t, `{}`, map[string]string{"GITHUB_REPOSITORY_OWNER": ""})
	if got, want := ci.Detect(lookup(env), nil, nil).Facts().Owner, "acme"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}
