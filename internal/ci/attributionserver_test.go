package ci_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// The variables are those of drone/runner-go (environ/environ.go). Harness sets them too, and some of its own.
func TestFacts_Drone_and_Harness(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "true", "DRONE": "true", "DRONE_BUILD_EVENT": "push", "DRONE_BUILD_NUMBER": "7",
		"DRONE_BUILD_LINK": "https://drone.acme.example/acme/shop/7", "DRONE_REPO": "acme/shop", "DRONE_REPO_OWNER": "acme",
		"DRONE_REPO_BRANCH": "main", "DRONE_BRANCH": "main", "DRONE_SOURCE_BRANCH": "main", "DRONE_TARGET_BRANCH": "main",
		"DRONE_COMMIT": mainSHA, "DRONE_COMMIT_SHA": mainSHA, "DRONE_COMMIT_REF": "refs/heads/main", "DRONE_COMMIT_MESSAGE": message,
		"DRONE_WORKSPACE": t.TempDir(), "DRONE_CARD_PATH": "/dev/stdout",
	}
	builds := []build{
		{"push", nil, ci.Facts{Event: "push", Branch: "main", Commit: mainSHA, Message: message}},
		{
			"pull_request",
			map[string]string{
				"DRONE_BUILD_EVENT": "pull_request", "DRONE_COMMIT_REF": "refs/pull/42/head", "DRONE_PULL_REQUEST": "42",
				"DRONE_SOURCE_BRANCH": "add-trades", "DRONE_COMMIT": headSHA, "DRONE_COMMIT_SHA": headSHA,
			},
			ci.Facts{Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: message, PullRequest: "42"},
		},
		{
			"tag",
			map[string]string{
				"DRONE_BUILD_EVENT": "tag", "DRONE_BRANCH": "refs/tags/v1.2.0", "DRONE_COMMIT_REF": "refs/tags/v1.2.0",
				"DRONE_TAG": "v1.2.0",
			},
			ci.Facts{Event: "tag", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA, Message: message},
		},
	}
	common := ci.Facts{Repository: "acme/shop", Owner: "acme", DefaultBranch: "main", BuildURL: base["DRONE_BUILD_LINK"]}
	common.System = "Drone"
	checkFacts(t, base, common, builds)
	ofHarness := maps.Clone(base)
	maps.Copy(ofHarness, map[string]string{"HARNESS_BUILD_ID": "7", "HARNESS_ACCOUNT_ID": "a1", "HARNESS_STAGE_ID": "deploy"})
	common.System = "Harness CI"
	for i := range builds {
		builds[i].name = "Harness_" + builds[i].name
	}
	checkFacts(t, ofHarness, common, builds)
}

// The variables are those of woodpecker-ci/woodpecker (pipeline/frontend/metadata/environment.go).
func TestFacts_Woodpecker(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "woodpecker", "CI_SYSTEM_NAME": "woodpecker", "CI_FORGE_TYPE": "forgejo", "CI_REPO": "acme/shop", "CI_REPO_OWNER": "acme",
		"CI_REPO_DEFAULT_BRANCH": "main", "CI_PIPELINE_URL": "https://ci.acme.example/repos/1/pipeline/7",
		"CI_STEP_URL": "https://ci.acme.example/repos/1/pipeline/7/3", "CI_WORKSPACE": t.TempDir(),
		"CI_PIPELINE_EVENT": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": mainSHA, "CI_COMMIT_REF": "refs/heads/main",
		"CI_COMMIT_MESSAGE": message,
	}
	checkFacts(t, base, ci.Facts{
		System: "Woodpecker", Repository: "acme/shop", Owner: "acme", DefaultBranch: "main", BuildURL: base["CI_STEP_URL"],
	}, []build{
		{"push", nil, ci.Facts{Event: "push", Branch: "main", Commit: mainSHA, Message: message}},
		{
			"pull_request",
			map[string]string{
				"CI_PIPELINE_EVENT": "pull_request", "CI_COMMIT_REF": "refs/pull/42/head", "CI_COMMIT_SHA": headSHA,
				"CI_COMMIT_SOURCE_BRANCH": "add-trades", "CI_COMMIT_TARGET_BRANCH": "main", "CI_COMMIT_PULL_REQUEST": "42",
			},
			ci.Facts{Event: "pull_request", Branch: "add-trades", Commit: headSHA, Message: message, PullRequest: "42"},
		},
		{
			"tag",
			map[string]string{"CI_PIPELINE_EVENT": "tag", "CI_COMMIT_REF": "refs/tags/v1.2.0", "CI_COMMIT_TAG": "v1.2.0", "CI_COMMIT_BRANCH": ""},
			ci.Facts{Event: "tag", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA, Message: message},
		},
	})
}

// The variables are those of Jenkins (env-vars.html), of its git and branch plugins, and of the GitHub pull request
// builder.
func TestFacts_Jenkins(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"JENKINS_URL": "https://ci.acme.example/", "BUILD_URL": "https://ci.acme.example/job/shop/7/", "BUILD_ID": "7", "JOB_NAME": "shop",
		"WORKSPACE": t.TempDir(), "GIT_URL": "https://github.com/acme/shop.git", "GIT_COMMIT": mainSHA,
	}
	checkFacts(t, base, ci.Facts{
		System: "Jenkins", Repository: "acme/shop", Owner: "acme", BuildURL: "https://ci.acme.example/job/shop/7/",
	}, []build{
		{"push", map[string]string{"GIT_BRANCH": "origin/feature/a", "GIT_LOCAL_BRANCH": "feature/a"}, ci.Facts{Branch: "feature/a", Commit: mainSHA}},
		{"push_multibranch", map[string]string{"BRANCH_NAME": "main", "GIT_BRANCH": "main"}, ci.Facts{Branch: "main", Commit: mainSHA}},
		{"detached", map[string]string{"GIT_BRANCH": "detached", "BRANCH_NAME": "HEAD"}, ci.Facts{Commit: mainSHA}},
		{
			"pull_request",
			map[string]string{
				"BRANCH_NAME": "PR-42", "CHANGE_ID": "42", "CHANGE_BRANCH": "add-trades", "CHANGE_TARGET": "main",
				"CHANGE_TITLE": "Add the trades dataset", "GIT_COMMIT": headSHA,
			},
			ci.Facts{Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42"},
		},
		{
			"pull_request_from_a_fork",
			map[string]string{"BRANCH_NAME": "PR-42", "CHANGE_ID": "42", "CHANGE_BRANCH": "add-trades", "CHANGE_FORK": "mallory", "GIT_COMMIT": headSHA},
			ci.Facts{Branch: "add-trades", Commit: headSHA, PullRequest: "42", ForkOf: "mallory", UntrustedPullRequest: true},
		},
		{
			"pull_request_builder",
			map[string]string{
				"GIT_BRANCH": "detached", "ghprbPullId": "42", "ghprbSourceBranch": "add-trades", "ghprbActualCommit": headSHA,
				"GIT_COMMIT": mergeSHA,
			},
			ci.Facts{Branch: "add-trades", Commit: headSHA, PullRequest: "42"},
		},
		{"tag", map[string]string{"BRANCH_NAME": "v1.2.0", "TAG_NAME": "v1.2.0"}, ci.Facts{Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA}},
	})
}

// Jenkins builds a change as a merge that it makes itself, with the head as the first parent.
func TestFacts_Jenkins_merge(t *testing.T) {
	t.Parallel()
	dir, _ := repo(t)
	git(t, dir, "checkout", "-q", "-b", "add-trades")
	head := commitFile(t, dir, "Add trades")
	git(t, dir, "checkout", "-q", "main")
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "Other")
	target := git(t, dir, "rev-parse", "HEAD")
	git(t, dir, "checkout", "-q", "--detach", head)
	git(t, dir, "merge", "-q", "-m", "Merge commit '"+target+"' into HEAD", target)

	env := map[string]string{
		"JENKINS_URL": "https://ci.acme.example/", "WORKSPACE": dir, "BRANCH_NAME": "PR-42", "CHANGE_ID": "42", "CHANGE_BRANCH": "add-trades",
		"GIT_COMMIT": git(t, dir, "rev-parse", "HEAD"),
	}
	got := ci.Detect(lookup(env), nil, nil).Facts()
	if got.Commit != head || got.Branch != "add-trades" || got.Message != "Add trades" {
		t.Errorf("expected the head %s of add-trades, got %+v", head, got)
	}
}

// TeamCity writes two files of properties, and few variables.
func TestFacts_TeamCity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// As java.util.Properties stores them.
	properties := func(name, branch, more string) map[string]string {
		configuration := write(name+".config", "#Mon Nov 23 10\\:00\\:00 UTC 2026\n"+more+
			"teamcity.build.branch="+branch+"\nvcsroot.url=https\\://github.com/acme/shop.git\nteamcity.build.checkoutDir="+dir+"\n")
		return map[string]string{"TEAMCITY_BUILD_PROPERTIES_FILE": write(name, "teamcity.configuration.properties.file="+
			strings.ReplaceAll(configuration, "/", `\/`)+"\nbuild.vcs.number="+headSHA+"\n")}
	}
	base := map[string]string{
		"TEAMCITY_VERSION": "2026.1 (build 1)", "BUILD_NUMBER": "7", "BUILD_URL": "https://tc.acme.example/build/7", "BUILD_VCS_NUMBER": headSHA,
	}
	checkFacts(t, base, ci.Facts{System: "TeamCity", Repository: "acme/shop", Owner: "acme", BuildURL: "https://tc.acme.example/build/7"}, []build{
		{"push", properties("push", "feature/\\u00e4", ""), ci.Facts{Branch: "feature/ä", Commit: headSHA}},
		{"default_branch_without_a_name", properties("default", "<default>", ""), ci.Facts{Commit: headSHA}},
		{
			"pull_request",
			properties("pull", "pull/42", "teamcity.pullRequest.number=42\nteamcity.pullRequest.source.branch=add-trades\nteamcity.pullRequest.title=Add\\ trades\\: a\\=b\n"),
			ci.Facts{Branch: "add-trades", Commit: headSHA, Message: "Add trades: a=b", PullRequest: "42"},
		},
		{"tag", properties("tag", "refs/tags/v1.2.0", ""), ci.Facts{Branch: "v1.2.0", Tag: "v1.2.0", Commit: headSHA}},
	})
}

// The variables are those of https://www.appveyor.com/docs/environment-variables/.
func TestFacts_AppVeyor(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "True", "APPVEYOR": "True", "APPVEYOR_URL": "https://ci.appveyor.com", "APPVEYOR_ACCOUNT_NAME": "acme",
		"APPVEYOR_PROJECT_SLUG": "shop-7x", "APPVEYOR_BUILD_ID": "7", "APPVEYOR_BUILD_FOLDER": t.TempDir(),
		"APPVEYOR_REPO_NAME": "acme/shop", "APPVEYOR_REPO_BRANCH": "main", "APPVEYOR_REPO_COMMIT": mainSHA, "APPVEYOR_REPO_TAG": "false",
		"APPVEYOR_REPO_COMMIT_MESSAGE": "Serve trades", "APPVEYOR_REPO_COMMIT_MESSAGE_EXTENDED": "They come from S3.",
	}
	request := map[string]string{
		"APPVEYOR_PULL_REQUEST_NUMBER": "42", "APPVEYOR_PULL_REQUEST_TITLE": "Add the trades dataset",
		"APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME": "acme/shop", "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH": "add-trades",
		"APPVEYOR_PULL_REQUEST_HEAD_COMMIT": headSHA, "APPVEYOR_REPO_COMMIT": mergeSHA,
	}
	fork := maps.Clone(request)
	fork["APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME"] = "mallory/shop"
	pullRequest := ci.Facts{Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42"}
	fromFork := pullRequest
	fromFork.ForkOf, fromFork.UntrustedPullRequest = "mallory/shop", true
	checkFacts(t, base, ci.Facts{
		System: "AppVeyor", Repository: "acme/shop", Owner: "acme", BuildURL: "https://ci.appveyor.com/project/acme/shop-7x/builds/7",
	}, []build{
		{"push", nil, ci.Facts{Branch: "main", Commit: mainSHA, Message: message}},
		{"pull_request", request, pullRequest},
		{"pull_request_from_a_fork", fork, fromFork},
		{
			"tag",
			map[string]string{"APPVEYOR_REPO_TAG": "true", "APPVEYOR_REPO_TAG_NAME": "v1.2.0"},
			ci.Facts{Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA, Message: message},
		},
	})
}

// The variables are those of https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html.
func TestFacts_CodeBuild(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CODEBUILD_BUILD_ID": "shop:a1b2", "CODEBUILD_BUILD_URL": "https://console.aws.amazon.com/build/7", "CODEBUILD_SRC_DIR": t.TempDir(),
		"CODEBUILD_SOURCE_REPO_URL": "https://github.com/acme/shop.git", "CODEBUILD_RESOLVED_SOURCE_VERSION": headSHA,
	}
	checkFacts(t, base, ci.Facts{
		System: "AWS CodeBuild", Repository: "acme/shop", Owner: "acme", BuildURL: "https://console.aws.amazon.com/build/7",
	}, []build{
		{
			"push",
			map[string]string{
				"CODEBUILD_WEBHOOK_EVENT": "PUSH", "CODEBUILD_WEBHOOK_TRIGGER": "branch/feature/a",
				"CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/feature/a", "CODEBUILD_SOURCE_VERSION": headSHA,
			},
			ci.Facts{Event: "PUSH", Branch: "feature/a", Commit: headSHA},
		},
		{"started_by_hand", map[string]string{"CODEBUILD_SOURCE_VERSION": "refs/heads/main"}, ci.Facts{Commit: headSHA}},
		{
			"pull_request",
			map[string]string{
				"CODEBUILD_WEBHOOK_EVENT": "PULL_REQUEST_UPDATED", "CODEBUILD_WEBHOOK_TRIGGER": "pr/42", "CODEBUILD_SOURCE_VERSION": "pr/42",
				"CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/add-trades", "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main",
			},
			ci.Facts{Event: "PULL_REQUEST_UPDATED", Branch: "add-trades", Commit: headSHA, PullRequest: "42"},
		},
		{
			"tag",
			map[string]string{"CODEBUILD_WEBHOOK_EVENT": "PUSH", "CODEBUILD_WEBHOOK_TRIGGER": "tag/v1.2.0", "CODEBUILD_WEBHOOK_HEAD_REF": "refs/tags/v1.2.0"},
			ci.Facts{Event: "PUSH", Branch: "v1.2.0", Tag: "v1.2.0", Commit: headSHA},
		},
	})
}

// The substitutions are those of https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values, which a
// step maps into its environment.
func TestFacts_CloudBuild(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"BUILDER_OUTPUT": t.TempDir(), "PROJECT_ID": "acme-data", "BUILD_ID": "a1b2", "LOCATION": "europe-west1",
		"REPO_FULL_NAME": "acme/shop", "COMMIT_SHA": headSHA,
	}
	request := map[string]string{
		"BRANCH_NAME": "add-trades", "_PR_NUMBER": "42", "_HEAD_BRANCH": "add-trades", "_BASE_BRANCH": "main",
		"_HEAD_REPO_URL": "https://github.com/acme/shop",
	}
	fork := maps.Clone(request)
	fork["_HEAD_REPO_URL"] = "https://github.com/mallory/shop"
	checkFacts(t, base, ci.Facts{
		System: "Google Cloud Build", Repository: "acme/shop", Owner: "acme",
		BuildURL: "https://console.cloud.google.com/cloud-build/builds;region=europe-west1/a1b2?project=acme-data",
	}, []build{
		{"push", map[string]string{"BRANCH_NAME": "main"}, ci.Facts{Branch: "main", Commit: headSHA}},
		{"pull_request", request, ci.Facts{Branch: "add-trades", Commit: headSHA, PullRequest: "42"}},
		{
			"pull_request_from_a_fork", fork,
			ci.Facts{Branch: "add-trades", Commit: headSHA, PullRequest: "42", ForkOf: "mallory/shop", UntrustedPullRequest: true},
		},
		{"tag", map[string]string{"TAG_NAME": "v1.2.0"}, ci.Facts{Branch: "v1.2.0", Tag: "v1.2.0", Commit: headSHA}},
	})
}
