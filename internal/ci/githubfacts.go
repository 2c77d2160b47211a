package ci

import (
	"cmp"
	"os"
	"slices"
	"strings"
)

// githubFacts takes the facts from the variables that GitHub documents as "Default environment variables", from
// the event file, and from the checkout where the event's own commit is not the one that is deployed.
func githubFacts(getenv func(string) string, dir string) Facts {
	f := Facts{
		Event:      getenv("GITHUB_EVENT_NAME"),
		Branch:     getenv("GITHUB_REF_NAME"), // the tag's name on tags
		Commit:     getenv("GITHUB_SHA"),
		Repository: getenv("GITHUB_REPOSITORY"),
		BuildURL:   githubRunURL(getenv),
		Workspace:  getenv("GITHUB_WORKSPACE"),
		TempDir:    getenv("RUNNER_TEMP"),
	}
	owner, _, _ := strings.Cut(f.Repository, "/")
	f.Owner = cmp.Or(getenv("GITHUB_REPOSITORY_OWNER"), owner)
	if getenv("GITHUB_REF_TYPE") == "tag" {
		f.Tag = f.Branch
	}
	if f.Workspace == "" {
		f.Workspace, _ = os.Getwd() // without it the checkout is not found, and that is all
	}

	ev, err := readEvent(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		f.Warnings = append(f.Warnings, "the event that started the run cannot be read ("+err.Error()+
			"): what only it tells, such as the commit message, is left out")
	}
	f.DefaultBranch = ev.Repository.DefaultBranch
	p := ev.proposal(f.Event, f.Repository)
	f.PullRequest = p.number
	co := findCheckout(below(f.Workspace, dir), f.Workspace)

	switch f.Event {
	case "pull_request", "pull_request_review", "pull_request_review_comment":
		f = f.ofPullRequest(p, getenv("GITHUB_HEAD_REF"))
		f.UntrustedPullRequest = p.fork != ""
	case "pull_request_target", "workflow_run":
		f = f.ofCheckout(p, co)
	case "merge_group":
		f.Branch = cmp.Or(strings.TrimPrefix(ev.MergeGroup.HeadRef, "refs/heads/"), f.Branch)
		f.Commit = cmp.Or(ev.MergeGroup.HeadSHA, f.Commit)
		f.Message = ev.MergeGroup.HeadCommit.Message
	default:
		f.Message = ev.HeadCommit.Message
	}
	if f.Message == "" {
		_, f.Message = co.commit(f.Commit)
	}
	// GitHub documents that runs started by Dependabot get none of the Actions secrets. The actor counts, also when
	// a person runs the job again.
	if getenv("GITHUB_ACTOR") == "dependabot[bot]" {
		f.UntrustedPullRequest = true
	}
	return f
}

// giteaFacts differ from GitHub's in the page of the run: its address has the run's number, and no attempts.
func giteaFacts(getenv func(string) string, dir string) Facts {
	f := githubFacts(getenv, dir)
	server, number := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_RUN_NUMBER")
	if f.BuildURL = ""; server != "" && f.Repository != "" && number != "" {
		f.BuildURL = strings.TrimSuffix(server, "/") + "/" + f.Repository + "/actions/runs/" + number
	}
	return f
}

// githubRunURL is the page of this attempt of the run.
func githubRunURL(getenv func(string) string) string {
	repo, id := getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID")
	if repo == "" || id == "" {
		return ""
	}
	url := cmp.Or(getenv("GITHUB_SERVER_URL"), "https://github.com") + "/" + repo + "/actions/runs/" + id
	if attempt := getenv("GITHUB_RUN_ATTEMPT"); attempt != "" {
		url += "/attempts/" + attempt
	}
	return url
}

// ofPullRequest makes the commit the pull request's head: GITHUB_SHA is a merge that GitHub made for testing and
// that nobody will find later.
func (f Facts) ofPullRequest(p proposal, headRef string) Facts {
	if p.commit == "" {
		f.Warnings = append(f.Warnings, "the head commit of the pull request is not known, since the event does not tell it: give commit-sha")
	}
	if p.number == "" {
		f.PullRequest, _, _ = strings.Cut(f.Branch, "/") // GITHUB_REF_NAME is 123/merge
	}
	f.Branch, f.Commit, f.Message = cmp.Or(p.branch, headRef), p.commit, p.message
	f.ForkOf, f.ForkUnknown = p.fork, !p.forkKnown
	return f
}

// ofCheckout makes the commit what HEAD in the checkout says. The run itself belongs to the base branch then and
// has its secrets, but the workflow may have checked out the proposed change.
func (f Facts) ofCheckout(p proposal, co checkout) Facts {
	runBranch, runCommit := f.Branch, f.Commit
	f.Branch, f.Commit = co.head()
	if f.Commit == "" {
		f.Branch, f.Commit = cmp.Or(p.baseBranch, runBranch), cmp.Or(p.baseCommit, runCommit)
	}
	// A merge of the head is as much the fork's work as the head itself: GitHub's own, or one that the workflow made.
	heads, _ := co.commit(f.Commit)
	heads = append(heads, f.Commit)
	if p.commit != "" && (slices.Contains(heads, p.commit) || p.merge != "" && p.merge == f.Commit) {
		f.Branch, f.Message, f.ForkOf, f.ForkUnknown = p.branch, p.message, p.fork, !p.forkKnown
		return f
	}
	f.ForkUnknown = p.commit == "" // what is checked out may be the head
	switch {
	case f.Branch != "":
	case f.Commit == runCommit:
		f.Branch = runBranch
	case f.Commit == p.baseCommit:
		f.Branch = p.baseBranch
	}
	return f
}
