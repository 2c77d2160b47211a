package ci

import (
	"cmp"
	"strings"
)

// What follows tells facts that no variable holds by itself, one function for each system that has such.

// moreOfCircle: the owner and name of a fork are told for pull requests from forks only.
func moreOfCircle(getenv func(string) string, _ checkout, f *Facts) {
	f.Repository = joined(getenv("CIRCLE_PROJECT_USERNAME"), getenv("CIRCLE_PROJECT_REPONAME"))
	if fork := joined(getenv("CIRCLE_PR_USERNAME"), getenv("CIRCLE_PR_REPONAME")); fork != "" && fork != f.Repository {
		f.fromFork(fork)
	}
}

// joined is owner/name where both are known.
func joined(owner, name string) string {
	if owner == "" || name == "" {
		return ""
	}
	return owner + "/" + name
}

// moreOfBuildkite: a build that was started by hand has the commit "HEAD" until the agent has looked it up.
func moreOfBuildkite(getenv func(string) string, _ checkout, f *Facts) {
	if f.Commit == "HEAD" {
		f.Commit = getenv("BUILDKITE_COMMIT_RESOLVED")
	}
	if job := getenv("BUILDKITE_JOB_ID"); job != "" && f.BuildURL != "" {
		f.BuildURL += "#" + job
	}
}

func moreOfBitbucket(getenv func(string) string, _ checkout, f *Facts) {
	if f.Repository != "" {
		f.BuildURL = "https://bitbucket.org/" + f.Repository + "/pipelines/results/" + getenv("BITBUCKET_BUILD_NUMBER")
	}
}

// moreOfAzure: a repository of Azure Repos has no owner but a project.
func moreOfAzure(getenv func(string) string, _ checkout, f *Facts) {
	if !strings.Contains(f.Repository, "/") && f.Repository != "" {
		f.Repository = cmp.Or(joined(getenv("SYSTEM_TEAMPROJECT"), f.Repository), f.Repository)
	}
	server := cmp.Or(getenv("SYSTEM_TEAMFOUNDATIONSERVERURI"), getenv("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"))
	if project, id := getenv("SYSTEM_TEAMPROJECTID"), getenv("BUILD_BUILDID"); server != "" && project != "" && id != "" {
		f.BuildURL = strings.TrimSuffix(server, "/") + "/" + project + "/_build/results?buildId=" + id
	}
	if strings.EqualFold(getenv("SYSTEM_PULLREQUEST_ISFORK"), "true") {
		f.fromFork(repositoryIn(getenv("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI")))
	}
}

func moreOfSemaphore(getenv func(string) string, _ checkout, f *Facts) {
	if url, job := getenv("SEMAPHORE_ORGANIZATION_URL"), getenv("SEMAPHORE_JOB_ID"); url != "" && job != "" {
		f.BuildURL = strings.TrimSuffix(url, "/") + "/jobs/" + job
	}
}

// moreOfJenkins: GIT_BRANCH names the remote, and a change may be built as a merge of the target branch into its
// head, of which the head is the first parent (github-branch-source-plugin, MergeWithGitSCMExtension.java).
func moreOfJenkins(getenv func(string) string, co checkout, f *Facts) {
	f.Branch = strings.TrimPrefix(f.Branch, "origin/")
	if f.PullRequest == "" {
		return
	}
	parents, message := co.commit(strings.ToLower(f.Commit))
	if len(parents) == 2 && strings.HasPrefix(message, "Merge commit '"+parents[1]+"' into HEAD") {
		f.Commit, f.Message = parents[0], ""
	}
	if fork := getenv("CHANGE_FORK"); fork != "" {
		f.fromFork(fork)
	}
}

// moreOfTeamCity: the default branch may go by a name that is none.
func moreOfTeamCity(_ func(string) string, _ checkout, f *Facts) {
	if f.Branch == "<default>" {
		f.Branch = ""
	}
}

// moreOfAppVeyor: the lines after the first come in a variable of their own.
func moreOfAppVeyor(getenv func(string) string, _ checkout, f *Facts) {
	if rest := getenv("APPVEYOR_REPO_COMMIT_MESSAGE_EXTENDED"); rest != "" && f.Message != "" {
		f.Message += "\n\n" + rest
	}
	account, slug, id := getenv("APPVEYOR_ACCOUNT_NAME"), getenv("APPVEYOR_PROJECT_SLUG"), getenv("APPVEYOR_BUILD_ID")
	if project := joined(account, slug); project != "" && id != "" {
		server := cmp.Or(getenv("APPVEYOR_URL"), "https://ci.appveyor.com")
		f.BuildURL = strings.TrimSuffix(server, "/") + "/project/" + project + "/builds/" + id
	}
}

// moreOfCodeBuild: one variable says branch/main, pr/42 or tag/v1, but for builds that a webhook did not start.
func moreOfCodeBuild(getenv func(string) string, _ checkout, f *Facts) {
	kind, name, _ := strings.Cut(cmp.Or(getenv("CODEBUILD_WEBHOOK_TRIGGER"), getenv("CODEBUILD_SOURCE_VERSION")), "/")
	switch kind {
	case "branch":
		f.Branch = cmp.Or(f.Branch, name)
	case "pr":
		f.PullRequest = requestNumber(name)
	case "tag":
		f.Tag = name
	}
}

// moreOfCloudBuild: the page is that of the build in its region and project.
func moreOfCloudBuild(getenv func(string) string, _ checkout, f *Facts) {
	id, project := getenv("BUILD_ID"), getenv("PROJECT_ID")
	if id == "" || project == "" {
		return
	}
	region := ""
	if location := getenv("LOCATION"); location != "" {
		region = ";region=" + location
	}
	f.BuildURL = "https://console.cloud.google.com/cloud-build/builds" + region + "/" + id + "?project=" + project
}
