package ci

import "slices"

// systems is every CI system that is known, the most specific first: Forgejo and Gitea set GITHUB_ACTIONS, Harness
// sets DRONE, and Woodpecker shares CI_COMMIT_SHA and others with GitLab. The names of variables are those of the
// vendors' documentation and, where that says less, of their runners' source.
func systems() []system {
	return slices.Concat(actionsSystems(), droneSystems(), hostedSystems(), serverSystems(), cloudSystems())
}

// actionsSystems run GitHub's actions.
func actionsSystems() []system {
	row := func(name, mark, summary string, facts func(func(string) string, string) Facts) system {
		return system{
			name: name, marks: []string{mark}, facts: facts,
			host: func(s step) Host { return newGitHub(s) },
			results: results{
				outputs: "step outputs (`GITHUB_OUTPUT`)", summary: summary,
				annotations: "at files and lines", groups: "`::group::`", masks: "`::add-mask::`",
			},
		}
	}
	return []system{
		row("Forgejo Actions", "FORGEJO_ACTIONS=true", "`GITHUB_STEP_SUMMARY`, where the version shows it", giteaFacts),
		row("Gitea Actions", "GITEA_ACTIONS=true", "`GITHUB_STEP_SUMMARY`, where the version shows it", giteaFacts),
		row("GitHub Actions", "GITHUB_ACTIONS=true", "job summary, at most 1 MiB", githubFacts),
	}
}

// droneSystems are Drone, what came of it and what forked from it.
func droneSystems() []system {
	drone := variables{
		event: "DRONE_BUILD_EVENT", branch: "DRONE_BRANCH", commit: "DRONE_COMMIT_SHA", message: "DRONE_COMMIT_MESSAGE",
		repository: "DRONE_REPO", pullRequest: "DRONE_PULL_REQUEST", buildURL: "DRONE_BUILD_LINK", tag: "DRONE_TAG",
		defaultBranch: "DRONE_REPO_BRANCH", workspace: "DRONE_WORKSPACE", headBranch: "DRONE_SOURCE_BRANCH",
	}
	return []system{
		{
			name: "Harness CI", marks: []string{"HARNESS_BUILD_ID"}, vars: drone, host: harness,
			results: results{outputs: "output variables (`DRONE_OUTPUT`)", summary: "card (`DRONE_CARD_PATH`)"},
		},
		{
			name: "Drone", marks: []string{"DRONE"}, vars: drone, host: drones,
			results: results{summary: "card (`DRONE_CARD_PATH`)"},
		},
		{
			name: "Woodpecker", marks: []string{"CI=woodpecker", "CI_SYSTEM_NAME=woodpecker"},
			vars: variables{
				event: "CI_PIPELINE_EVENT", branch: "CI_COMMIT_BRANCH", commit: "CI_COMMIT_SHA", message: "CI_COMMIT_MESSAGE",
				repository: "CI_REPO", pullRequest: "CI_COMMIT_PULL_REQUEST", buildURL: "CI_STEP_URL CI_PIPELINE_URL",
				tag: "CI_COMMIT_TAG", defaultBranch: "CI_REPO_DEFAULT_BRANCH", workspace: "CI_WORKSPACE",
				headBranch: "CI_COMMIT_SOURCE_BRANCH",
			},
		},
	}
}

// hostedSystems come with a forge or are used as a service.
func hostedSystems() []system {
	return []system{
		{
			name: "GitLab CI/CD", marks: []string{"GITLAB_CI"}, host: gitlab, // gitlab-ci-local sets it to false
			vars: variables{
				event: "CI_PIPELINE_SOURCE", branch: "CI_COMMIT_BRANCH CI_COMMIT_REF_NAME", commit: "CI_COMMIT_SHA",
				message: "CI_COMMIT_MESSAGE", repository: "CI_PROJECT_PATH", pullRequest: "CI_MERGE_REQUEST_IID",
				buildURL: "CI_JOB_URL CI_PIPELINE_URL", tag: "CI_COMMIT_TAG", defaultBranch: "CI_DEFAULT_BRANCH",
				workspace: "CI_PROJECT_DIR", headBranch: "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
				headCommit: "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", headMessage: "CI_MERGE_REQUEST_TITLE",
				headRepository: "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", baseRepository: "CI_MERGE_REQUEST_PROJECT_PATH",
			},
			results: results{outputs: "dotenv report `spice-deploy.env`, below 5 KiB and 20 variables", groups: "log sections"},
		},
		{
			name: "CircleCI", marks: []string{"CIRCLECI"}, host: circle, more: moreOfCircle, forks: true,
			vars: variables{
				branch: "CIRCLE_BRANCH", commit: "CIRCLE_SHA1", pullRequest: "CIRCLE_PR_NUMBER CIRCLE_PULL_REQUEST",
				buildURL: "CIRCLE_BUILD_URL", tag: "CIRCLE_TAG", workspace: "CIRCLE_WORKING_DIRECTORY",
			},
			results: results{outputs: "variables of the job's next steps (`BASH_ENV`)"},
		},
		{
			name: "Buildkite", marks: []string{"BUILDKITE"}, helper: "buildkite-agent", host: buildkite, more: moreOfBuildkite,
			vars: variables{
				event: "BUILDKITE_SOURCE", branch: "BUILDKITE_BRANCH", commit: "BUILDKITE_COMMIT", message: "BUILDKITE_MESSAGE",
				repository: "BUILDKITE_REPO", pullRequest: "BUILDKITE_PULL_REQUEST", buildURL: "BUILDKITE_BUILD_URL",
				tag: "BUILDKITE_TAG", defaultBranch: "BUILDKITE_PIPELINE_DEFAULT_BRANCH", workspace: "BUILDKITE_BUILD_CHECKOUT_PATH",
				headRepository: "BUILDKITE_PULL_REQUEST_REPO",
			},
			results: results{outputs: "meta-data", summary: "annotation, at most 1 MiB", groups: "`---`", masks: "the agent's redactor"},
		},
		{
			name: "Bitbucket Pipelines", marks: []string{"BITBUCKET_BUILD_NUMBER"}, host: bitbucket, more: moreOfBitbucket,
			vars: variables{
				branch: "BITBUCKET_BRANCH", commit: "BITBUCKET_COMMIT", repository: "BITBUCKET_REPO_FULL_NAME",
				pullRequest: "BITBUCKET_PR_ID", tag: "BITBUCKET_TAG", workspace: "BITBUCKET_CLONE_DIR",
			},
			results: results{outputs: "`output-variables`, those that are one word"},
		},
		{
			name: "Azure Pipelines", marks: []string{"TF_BUILD"}, host: azure, more: moreOfAzure, forks: true,
			vars: variables{
				event: "BUILD_REASON", branch: "BUILD_SOURCEBRANCH", commit: "BUILD_SOURCEVERSION", message: "BUILD_SOURCEVERSIONMESSAGE",
				repository: "BUILD_REPOSITORY_NAME", pullRequest: "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER SYSTEM_PULLREQUEST_PULLREQUESTID",
				workspace: "BUILD_SOURCESDIRECTORY", tempDir: "AGENT_TEMPDIRECTORY",
				headBranch: "SYSTEM_PULLREQUEST_SOURCEBRANCH", headCommit: "SYSTEM_PULLREQUEST_SOURCECOMMITID",
			},
			results: results{
				outputs: "output variables of the step", summary: "summary tab", annotations: "errors and warnings, at files and lines",
				groups: "`##[group]`", masks: "`task.setsecret`",
			},
		},
		{
			name: "Travis CI", marks: []string{"TRAVIS"}, host: travis,
			vars: variables{
				event: "TRAVIS_EVENT_TYPE", branch: "TRAVIS_BRANCH", commit: "TRAVIS_COMMIT", message: "TRAVIS_COMMIT_MESSAGE",
				repository: "TRAVIS_REPO_SLUG", pullRequest: "TRAVIS_PULL_REQUEST", buildURL: "TRAVIS_JOB_WEB_URL TRAVIS_BUILD_WEB_URL",
				tag: "TRAVIS_TAG", workspace: "TRAVIS_BUILD_DIR", headBranch: "TRAVIS_PULL_REQUEST_BRANCH",
				headCommit: "TRAVIS_PULL_REQUEST_SHA", headRepository: "TRAVIS_PULL_REQUEST_SLUG",
			},
			results: results{groups: "folds"},
		},
		{
			name: "Semaphore", marks: []string{"SEMAPHORE"}, helper: "sem-context", host: semaphore, more: moreOfSemaphore,
			vars: variables{
				event: "SEMAPHORE_GIT_REF_TYPE", branch: "SEMAPHORE_GIT_BRANCH", commit: "SEMAPHORE_GIT_SHA",
				repository: "SEMAPHORE_GIT_REPO_SLUG", pullRequest: "SEMAPHORE_GIT_PR_NUMBER", tag: "SEMAPHORE_GIT_TAG_NAME",
				headBranch: "SEMAPHORE_GIT_PR_BRANCH", headCommit: "SEMAPHORE_GIT_PR_SHA", headMessage: "SEMAPHORE_GIT_PR_NAME",
				headRepository: "SEMAPHORE_GIT_PR_SLUG",
			},
			results: results{outputs: "`sem-context`", summary: "report of the job"},
		},
	}
}

// serverSystems are run by their users, and most by agents that say little of the commit.
func serverSystems() []system {
	return []system{
		{
			name: "Jenkins", marks: []string{"JENKINS_URL"}, host: jenkins, more: moreOfJenkins, forks: true,
			vars: variables{
				branch: "BRANCH_NAME GIT_BRANCH", commit: "GIT_COMMIT", repository: "GIT_URL GIT_URL_1",
				pullRequest: "CHANGE_ID ghprbPullId gitlabMergeRequestIid", buildURL: "BUILD_URL", tag: "TAG_NAME",
				workspace: "WORKSPACE", tempDir: "WORKSPACE_TMP", headBranch: "CHANGE_BRANCH ghprbSourceBranch gitlabSourceBranch",
				headCommit: "ghprbActualCommit gitlabMergeRequestLastCommit", headMessage: "CHANGE_TITLE ghprbPullTitle gitlabMergeRequestTitle",
			},
			results: results{outputs: "properties file `spice-deploy.properties` in the workspace"},
		},
		{
			name: "TeamCity", marks: []string{"TEAMCITY_VERSION"}, host: teamcity, lookup: teamcityProperties, more: moreOfTeamCity,
			vars: variables{
				branch: "teamcity.build.branch", commit: "BUILD_VCS_NUMBER build.vcs.number", repository: "vcsroot.url",
				pullRequest: "teamcity.pullRequest.number TEAMCITY_PULLREQUEST_NUMBER", buildURL: "BUILD_URL",
				workspace: "teamcity.build.checkoutDir", tempDir: "teamcity.build.tempDir",
				headBranch: "teamcity.pullRequest.source.branch", headMessage: "teamcity.pullRequest.title",
			},
			results: results{
				outputs: "environment parameters (`env.DEPLOYMENT_ID`)", annotations: "build problems and warnings",
				groups: "blocks",
			},
		},
		{
			name: "AppVeyor", marks: []string{"APPVEYOR"}, helper: "appveyor", host: appveyor, more: moreOfAppVeyor,
			vars: variables{
				branch: "APPVEYOR_REPO_BRANCH", commit: "APPVEYOR_REPO_COMMIT", message: "APPVEYOR_REPO_COMMIT_MESSAGE",
				repository: "APPVEYOR_REPO_NAME", pullRequest: "APPVEYOR_PULL_REQUEST_NUMBER", tag: "APPVEYOR_REPO_TAG_NAME",
				workspace: "APPVEYOR_BUILD_FOLDER", headBranch: "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH",
				headCommit: "APPVEYOR_PULL_REQUEST_HEAD_COMMIT", headMessage: "APPVEYOR_PULL_REQUEST_TITLE",
				headRepository: "APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME",
			},
			results: results{outputs: "environment of the next steps", annotations: "build messages"},
		},
	}
}

// cloudSystems set variables of common names, or none; so they come last.
func cloudSystems() []system {
	return []system{
		{
			name: "AWS CodeBuild", marks: []string{"CODEBUILD_BUILD_ID"}, more: moreOfCodeBuild,
			vars: variables{
				event: "CODEBUILD_WEBHOOK_EVENT", branch: "CODEBUILD_WEBHOOK_HEAD_REF", commit: "CODEBUILD_RESOLVED_SOURCE_VERSION",
				repository: "CODEBUILD_SOURCE_REPO_URL", buildURL: "CODEBUILD_BUILD_URL", workspace: "CODEBUILD_SRC_DIR",
			},
		},
		{
			name: "Tekton", marks: []string{tektonResults}, host: tekton,
			results: results{outputs: "task results in `" + tektonResults + "`, 3 KiB for all"},
		},
		{
			name: "Google Cloud Build", marks: []string{"BUILDER_OUTPUT"}, host: cloudBuild, more: moreOfCloudBuild,
			vars: variables{
				branch: "BRANCH_NAME", commit: "COMMIT_SHA", repository: "REPO_FULL_NAME", pullRequest: "_PR_NUMBER", tag: "TAG_NAME",
				headBranch: "_HEAD_BRANCH", headRepository: "_HEAD_REPO_URL",
			},
			results: results{outputs: "output of the step, at most 4 KB"},
		},
	}
}
