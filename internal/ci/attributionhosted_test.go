package ci_test

import (
	"maps"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// The variables are those of https://docs.gitlab.com/ci/variables/predefined_variables/.
func TestFacts_GitLab(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "true", "GITLAB_CI": "true", "CI_SERVER": "yes", "CI_SERVER_NAME": "GitLab", "CI_JOB_ID": "7",
		"CI_JOB_URL": "https://gitlab.com/acme/data/shop/-/jobs/7", "CI_PIPELINE_URL": "https://gitlab.com/acme/data/shop/-/pipelines/3",
		"CI_PROJECT_DIR": t.TempDir(), "CI_PROJECT_PATH": "acme/data/shop", "CI_PROJECT_NAMESPACE": "acme/data",
		"CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHORT_SHA": mainSHA[:8], "CI_COMMIT_MESSAGE": message,
	}
	request := map[string]string{
		"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_REF_NAME": "add-trades", "CI_COMMIT_SHA": headSHA,
		"CI_MERGE_REQUEST_IID": "42", "CI_MERGE_REQUEST_ID": "9001", "CI_MERGE_REQUEST_TITLE": "Add the trades dataset",
		"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "add-trades", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
		"CI_MERGE_REQUEST_TARGET_BRANCH_NAME":  "main",
		"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "acme/data/shop", "CI_MERGE_REQUEST_PROJECT_PATH": "acme/data/shop",
	}
	merged := maps.Clone(request)
	maps.Copy(merged, map[string]string{
		"CI_COMMIT_SHA": mergeSHA, "CI_COMMIT_MESSAGE": "Merge branch 'add-trades' into 'main'",
		"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": headSHA,
	})
	fork := maps.Clone(request)
	fork["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"] = "mallory/shop"
	checkFacts(t, base, ci.Facts{
		System: "GitLab CI/CD", Repository: "acme/data/shop", Owner: "acme", DefaultBranch: "main", BuildURL: base["CI_JOB_URL"],
	}, []build{
		{
			"push",
			map[string]string{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_SHA": mainSHA},
			ci.Facts{Event: "push", Branch: "main", Commit: mainSHA, Message: message},
		},
		{
			"gitlab-ci-local",
			map[string]string{"GITLAB_CI": "false", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": mainSHA},
			ci.Facts{Event: "push", Branch: "main", Commit: mainSHA, Message: message},
		},
		{
			"merge_request", request,
			ci.Facts{Event: "merge_request_event", Branch: "add-trades", Commit: headSHA, Message: message, PullRequest: "42"},
		},
		{
			"merged_results", merged,
			ci.Facts{Event: "merge_request_event", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42"},
		},
		{
			"merge_request_from_a_fork", fork,
			ci.Facts{
				Event: "merge_request_event", Branch: "add-trades", Commit: headSHA, Message: message, PullRequest: "42",
				ForkOf: "mallory/shop", UntrustedPullRequest: true,
			},
		},
		{
			"tag",
			map[string]string{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1.2.0", "CI_COMMIT_REF_NAME": "v1.2.0", "CI_COMMIT_SHA": mainSHA},
			ci.Facts{Event: "push", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA, Message: message},
		},
	})
}

// The variables are those of https://circleci.com/docs/reference/variables/.
func TestFacts_CircleCI(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "true", "CIRCLECI": "true", "CIRCLE_JOB": "deploy", "CIRCLE_WORKING_DIRECTORY": t.TempDir(),
		"CIRCLE_PROJECT_USERNAME": "acme", "CIRCLE_PROJECT_REPONAME": "shop", "CIRCLE_REPOSITORY_URL": "git@github.com:acme/shop.git",
		"CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/shop/7", "CIRCLE_SHA1": headSHA,
	}
	checkFacts(t, base, ci.Facts{
		System: "CircleCI", Repository: "acme/shop", Owner: "acme", BuildURL: "https://circleci.com/gh/acme/shop/7",
	}, []build{
		{"push", map[string]string{"CIRCLE_BRANCH": "main"}, ci.Facts{Branch: "main", Commit: headSHA}},
		{
			"pull_request",
			map[string]string{"CIRCLE_BRANCH": "add-trades", "CIRCLE_PULL_REQUEST": "https://github.com/acme/shop/pull/42"},
			ci.Facts{Branch: "add-trades", Commit: headSHA, PullRequest: "42"},
		},
		{
			"pull_request_from_a_fork",
			map[string]string{
				"CIRCLE_BRANCH": "pull/42", "CIRCLE_PULL_REQUEST": "https://github.com/acme/shop/pull/42", "CIRCLE_PR_NUMBER": "42",
				"CIRCLE_PR_USERNAME": "mallory", "CIRCLE_PR_REPONAME": "shop",
			},
			ci.Facts{Branch: "pull/42", Commit: headSHA, PullRequest: "42", ForkOf: "mallory/shop", UntrustedPullRequest: true},
		},
		{"tag", map[string]string{"CIRCLE_TAG": "v1.2.0"}, ci.Facts{Branch: "v1.2.0", Tag: "v1.2.0", Commit: headSHA}},
	})
}

// The variables are those of https://buildkite.com/docs/pipelines/configure/environment-variables.
func TestFacts_Buildkite(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "true", "BUILDKITE": "true", "BUILDKITE_AGENT_NAME": "linux-1", "BUILDKITE_BUILD_NUMBER": "7",
		"BUILDKITE_BUILD_URL": "https://buildkite.com/acme/shop/builds/7", "BUILDKITE_JOB_ID": "01890000-aaaa",
		"BUILDKITE_BUILD_CHECKOUT_PATH": t.TempDir(), "BUILDKITE_SOURCE": "webhook",
		"BUILDKITE_REPO": "git@github.com:acme/shop.git", "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
		"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_PULL_REQUEST_REPO": "", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "",
		"BUILDKITE_TAG": "", "BUILDKITE_MESSAGE": message, "BUILDKITE_COMMIT": headSHA,
	}
	checkFacts(t, base, ci.Facts{
		System: "Buildkite", Repository: "acme/shop", Owner: "acme", DefaultBranch: "main",
		BuildURL: "https://buildkite.com/acme/shop/builds/7#01890000-aaaa",
	}, []build{
		{"push", map[string]string{"BUILDKITE_BRANCH": "main"}, ci.Facts{Event: "webhook", Branch: "main", Commit: headSHA, Message: message}},
		{
			"started_by_hand",
			map[string]string{"BUILDKITE_SOURCE": "ui", "BUILDKITE_BRANCH": "main", "BUILDKITE_COMMIT": "HEAD", "BUILDKITE_COMMIT_RESOLVED": mainSHA},
			ci.Facts{Event: "ui", Branch: "main", Commit: mainSHA, Message: message},
		},
		{
			"pull_request",
			map[string]string{
				"BUILDKITE_BRANCH": "add-trades", "BUILDKITE_PULL_REQUEST": "42", "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main",
				"BUILDKITE_PULL_REQUEST_REPO": "git://github.com/acme/shop.git",
			},
			ci.Facts{Event: "webhook", Branch: "add-trades", Commit: headSHA, Message: message, PullRequest: "42"},
		},
		{
			"pull_request_from_a_fork",
			map[string]string{
				"BUILDKITE_BRANCH": "mallory:add-trades", "BUILDKITE_PULL_REQUEST": "42",
				"BUILDKITE_PULL_REQUEST_REPO": "https://github.com/mallory/shop.git",
			},
			ci.Facts{
				Event: "webhook", Branch: "mallory:add-trades", Commit: headSHA, Message: message, PullRequest: "42",
				ForkOf: "mallory/shop", UntrustedPullRequest: true,
			},
		},
		{
			"tag",
			map[string]string{"BUILDKITE_BRANCH": "v1.2.0", "BUILDKITE_TAG": "v1.2.0"},
			ci.Facts{Event: "webhook", Branch: "v1.2.0", Tag: "v1.2.0", Commit: headSHA, Message: message},
		},
	})
}

// The variables are those of https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/.
func TestFacts_Bitbucket(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "true", "BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_CLONE_DIR": t.TempDir(), "BITBUCKET_COMMIT": headSHA,
		"BITBUCKET_WORKSPACE": "acme", "BITBUCKET_REPO_SLUG": "shop", "BITBUCKET_REPO_FULL_NAME": "acme/shop",
	}
	checkFacts(t, base, ci.Facts{
		System: "Bitbucket Pipelines", Repository: "acme/shop", Owner: "acme", BuildURL: "https://bitbucket.org/acme/shop/pipelines/results/7",
	}, []build{
		{"push", map[string]string{"BITBUCKET_BRANCH": "main"}, ci.Facts{Branch: "main", Commit: headSHA}},
		{
			"pull_request",
			map[string]string{"BITBUCKET_BRANCH": "add-trades", "BITBUCKET_PR_ID": "42", "BITBUCKET_PR_DESTINATION_BRANCH": "main"},
			ci.Facts{Branch: "add-trades", Commit: headSHA, PullRequest: "42"},
		},
		{"tag", map[string]string{"BITBUCKET_TAG": "v1.2.0"}, ci.Facts{Branch: "v1.2.0", Tag: "v1.2.0", Commit: headSHA}},
	})
}

// The variables are those of https://learn.microsoft.com/azure/devops/pipelines/build/variables.
func TestFacts_Azure(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"TF_BUILD": "True", "BUILD_BUILDID": "7", "BUILD_REASON": "IndividualCI", "BUILD_SOURCEBRANCH": "refs/heads/feature/a",
		"BUILD_SOURCEBRANCHNAME": "a", "BUILD_SOURCEVERSION": mainSHA, "BUILD_SOURCEVERSIONMESSAGE": message,
		"BUILD_REPOSITORY_NAME": "acme/shop", "BUILD_REPOSITORY_PROVIDER": "GitHub", "BUILD_SOURCESDIRECTORY": t.TempDir(),
		"SYSTEM_TEAMFOUNDATIONSERVERURI": "https://dev.azure.com/acme/", "SYSTEM_TEAMPROJECT": "Data Platform",
		"SYSTEM_TEAMPROJECTID": "5e1f", "SYSTEM_PULLREQUEST_ISFORK": "False",
	}
	request := map[string]string{
		"BUILD_REASON": "PullRequest", "BUILD_SOURCEBRANCH": "refs/pull/42/merge", "BUILD_SOURCEBRANCHNAME": "merge",
		"BUILD_SOURCEVERSION": mergeSHA, "BUILD_SOURCEVERSIONMESSAGE": "Merge " + headSHA + " into " + mainSHA,
		"SYSTEM_PULLREQUEST_PULLREQUESTID": "293753840", "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "42",
		"SYSTEM_PULLREQUEST_SOURCEBRANCH": "add-trades", "SYSTEM_PULLREQUEST_SOURCECOMMITID": headSHA,
		"SYSTEM_PULLREQUEST_TARGETBRANCH": "main", "SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI": "https://github.com/acme/shop",
	}
	fork := maps.Clone(request)
	maps.Copy(fork, map[string]string{"SYSTEM_PULLREQUEST_ISFORK": "True", "SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI": "https://github.com/mallory/shop"})
	unnamed := maps.Clone(fork)
	unnamed["SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI"] = ""
	ofRepos := maps.Clone(request)
	maps.Copy(ofRepos, map[string]string{
		"BUILD_REPOSITORY_NAME": "shop", "BUILD_REPOSITORY_PROVIDER": "TfsGit", "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "",
		"SYSTEM_PULLREQUEST_PULLREQUESTID": "42", "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/add-trades", "SYSTEM_TEAMPROJECT": "acme",
	})
	old := maps.Clone(request)
	old["SYSTEM_PULLREQUEST_SOURCEBRANCH"] = ""
	pullRequest := ci.Facts{Event: "PullRequest", Branch: "add-trades", Commit: headSHA, PullRequest: "42"}
	fromFork, fromUnnamed := pullRequest, pullRequest
	fromFork.ForkOf, fromFork.UntrustedPullRequest = "mallory/shop", true
	fromUnnamed.ForkOf, fromUnnamed.UntrustedPullRequest = ci.UnnamedFork, true
	checkFacts(t, base, ci.Facts{
		System: "Azure Pipelines", Repository: "acme/shop", Owner: "acme",
		BuildURL: "https://dev.azure.com/acme/5e1f/_build/results?buildId=7",
	}, []build{
		{"push", nil, ci.Facts{Event: "IndividualCI", Branch: "feature/a", Commit: mainSHA, Message: message}},
		{"pull_request", request, pullRequest},
		{"pull_request_without_its_branch", old, ci.Facts{Event: "PullRequest", Commit: headSHA, PullRequest: "42"}},
		{"pull_request_of_Azure_Repos", ofRepos, pullRequest},
		{"pull_request_from_a_fork", fork, fromFork},
		{"pull_request_from_a_fork_without_a_name", unnamed, fromUnnamed},
		{
			"tag",
			map[string]string{"BUILD_SOURCEBRANCH": "refs/tags/v1.2.0", "BUILD_SOURCEBRANCHNAME": "v1.2.0"},
			ci.Facts{Event: "IndividualCI", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA, Message: message},
		},
	})
}

// The variables are those of https://docs.travis-ci.com/user/environment-variables/.
func TestFacts_Travis(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "true", "TRAVIS": "true", "TRAVIS_EVENT_TYPE": "push", "TRAVIS_BRANCH": "main", "TRAVIS_COMMIT": mainSHA,
		"TRAVIS_COMMIT_MESSAGE": message, "TRAVIS_REPO_SLUG": "acme/shop", "TRAVIS_BUILD_DIR": t.TempDir(),
		"TRAVIS_JOB_WEB_URL": "https://app.travis-ci.com/acme/shop/jobs/7", "TRAVIS_PULL_REQUEST": "false",
		"TRAVIS_PULL_REQUEST_BRANCH": "", "TRAVIS_PULL_REQUEST_SHA": "", "TRAVIS_PULL_REQUEST_SLUG": "", "TRAVIS_TAG": "",
	}
	request := map[string]string{
		"TRAVIS_EVENT_TYPE": "pull_request", "TRAVIS_COMMIT": mergeSHA, "TRAVIS_COMMIT_MESSAGE": "Merge " + headSHA + " into " + mainSHA,
		"TRAVIS_PULL_REQUEST": "42", "TRAVIS_PULL_REQUEST_BRANCH": "add-trades", "TRAVIS_PULL_REQUEST_SHA": headSHA,
		"TRAVIS_PULL_REQUEST_SLUG": "acme/shop",
	}
	fork := maps.Clone(request)
	fork["TRAVIS_PULL_REQUEST_SLUG"] = "mallory/shop"
	pullRequest := ci.Facts{Event: "pull_request", Branch: "add-trades", Commit: headSHA, PullRequest: "42"}
	fromFork := pullRequest
	fromFork.ForkOf, fromFork.UntrustedPullRequest = "mallory/shop", true
	checkFacts(t, base, ci.Facts{
		System: "Travis CI", Repository: "acme/shop", Owner: "acme", BuildURL: "https://app.travis-ci.com/acme/shop/jobs/7",
	}, []build{
		{"push", nil, ci.Facts{Event: "push", Branch: "main", Commit: mainSHA, Message: message}},
		{"pull_request", request, pullRequest},
		{"pull_request_from_a_fork", fork, fromFork},
		{
			"tag",
			map[string]string{"TRAVIS_BRANCH": "v1.2.0", "TRAVIS_TAG": "v1.2.0"},
			ci.Facts{Event: "push", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA, Message: message},
		},
	})
}

// The variables are those of https://docs.semaphore.io/reference/env-vars.
func TestFacts_Semaphore(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"CI": "true", "SEMAPHORE": "true", "SEMAPHORE_ORGANIZATION_URL": "https://acme.semaphoreci.com", "SEMAPHORE_JOB_ID": "a1b2",
		"SEMAPHORE_GIT_REPO_SLUG": "acme/shop", "SEMAPHORE_GIT_REF_TYPE": "branch", "SEMAPHORE_GIT_BRANCH": "main",
		"SEMAPHORE_GIT_REF": "refs/heads/main", "SEMAPHORE_GIT_SHA": mainSHA, "SEMAPHORE_GIT_DIR": "shop",
	}
	request := map[string]string{
		"SEMAPHORE_GIT_REF_TYPE": "pull-request", "SEMAPHORE_GIT_SHA": mergeSHA, "SEMAPHORE_GIT_PR_SHA": headSHA,
		"SEMAPHORE_GIT_PR_NUMBER": "42", "SEMAPHORE_GIT_PR_BRANCH": "add-trades", "SEMAPHORE_GIT_PR_NAME": "Add the trades dataset",
		"SEMAPHORE_GIT_PR_SLUG": "acme/shop",
	}
	fork := maps.Clone(request)
	fork["SEMAPHORE_GIT_PR_SLUG"] = "mallory/shop"
	pullRequest := ci.Facts{Event: "pull-request", Branch: "add-trades", Commit: headSHA, Message: "Add the trades dataset", PullRequest: "42"}
	fromFork := pullRequest
	fromFork.ForkOf, fromFork.UntrustedPullRequest = "mallory/shop", true
	checkFacts(t, base, ci.Facts{
		System: "Semaphore", Repository: "acme/shop", Owner: "acme", BuildURL: "https://acme.semaphoreci.com/jobs/a1b2",
	}, []build{
		{"push", nil, ci.Facts{Event: "branch", Branch: "main", Commit: mainSHA}},
		{"pull_request", request, pullRequest},
		{"pull_request_from_a_fork", fork, fromFork},
		{
			"tag",
			map[string]string{"SEMAPHORE_GIT_REF_TYPE": "tag", "SEMAPHORE_GIT_BRANCH": "refs/tags/v1.2.0", "SEMAPHORE_GIT_TAG_NAME": "v1.2.0"},
			ci.Facts{Event: "tag", Branch: "v1.2.0", Tag: "v1.2.0", Commit: mainSHA},
		},
	})
}
