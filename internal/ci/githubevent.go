package ci

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxEvent limits what is read of the event file. GitHub caps a webhook's payload at 25 MB.
const maxEvent = 32 << 20

// event is the part of GitHub's webhook payload that is of use here; GitHub documents the whole as "Webhook events
// and payloads".
type event struct {
	Number      json.Number `json:"number"`
	Repository  repository  `json:"repository"`
	HeadCommit  gitCommit   `json:"head_commit"`
	PullRequest pullRequest `json:"pull_request"`
	MergeGroup  mergeGroup  `json:"merge_group"`
	WorkflowRun workflowRun `json:"workflow_run"`
}

type gitCommit struct {
	Message string `json:"message"`
}

type pullRequest struct {
	Number   json.Number `json:"number"`
	Title    string      `json:"title"`
	MergeSHA string      `json:"merge_commit_sha"`
	Head     side        `json:"head"`
	Base     side        `json:"base"`
}

type side struct {
	Ref  string     `json:"ref"`
	SHA  string     `json:"sha"`
	Repo repository `json:"repo"`
}

type mergeGroup struct {
	HeadSHA    string    `json:"head_sha"`
	HeadRef    string    `json:"head_ref"`
	HeadCommit gitCommit `json:"head_commit"`
}

type workflowRun struct {
	HeadSHA        string     `json:"head_sha"`
	HeadBranch     string     `json:"head_branch"`
	HeadCommit     gitCommit  `json:"head_commit"`
	HeadRepository repository `json:"head_repository"`
	PullRequests   []struct {
		Number json.Number `json:"number"`
	} `json:"pull_requests"`
}

type repository struct {
	FullName      string `json:"full_name"`
	DefaultBranch string `json:"default_branch"`
	deleted       bool
}

// UnmarshalJSON notes a null, which GitHub sends in the place of a fork that has been deleted. That differs from
// a repository that an event does not speak of.
func (r *repository) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		r.deleted = true
		return nil
	}
	type plain repository
	return json.Unmarshal(data, (*plain)(r))
}

// forkOf names the head's repository where it is not the base's. It is not known where the event names none.
func (r repository) forkOf(base string) (fork string, known bool) {
	switch {
	case r.deleted:
		return DeletedFork, true
	case r.FullName == "":
		return "", false
	case strings.EqualFold(r.FullName, base):
		return "", true
	}
	return r.FullName, true
}

func readEvent(path string) (event, error) {
	if path == "" {
		return event{}, errors.New("GITHUB_EVENT_PATH is not set")
	}
	data, err := readFile(path, maxEvent)
	if err != nil {
		return event{}, err
	}
	var ev event
	if err := json.Unmarshal(data, &ev); err != nil {
		return event{}, fmt.Errorf("read %s: %w", path, err)
	}
	return ev, nil
}

// proposal is the change that an event is about but that the run does not start from by itself: a pull request,
// or the head of the run that a workflow_run comes after.
type proposal struct {
	commit, branch, message string
	merge                   string // the merge of commit into the base, which GitHub makes for testing
	baseCommit, baseBranch  string
	fork                    string // where the head comes from one
	forkKnown               bool   // false where the event does not tell
	number                  string // of the pull request
}

// proposal takes the change out of the event; repo is the repository that the run belongs to.
func (ev event) proposal(name, repo string) proposal {
	if run := ev.WorkflowRun; name == "workflow_run" {
		p := proposal{
			commit: run.HeadSHA, branch: run.HeadBranch, message: run.HeadCommit.Message,
			// Without a checkout, the commit that the run is about is the best there is to tell.
			baseCommit: run.HeadSHA, baseBranch: run.HeadBranch,
		}
		p.fork, p.forkKnown = run.HeadRepository.forkOf(cmp.Or(ev.Repository.FullName, repo))
		if len(run.PullRequests) > 0 {
			p.number = run.PullRequests[0].Number.String()
		}
		return p
	}
	pr := ev.PullRequest
	p := proposal{
		commit: pr.Head.SHA, branch: pr.Head.Ref, message: pr.Title, merge: pr.MergeSHA,
		baseCommit: pr.Base.SHA, baseBranch: pr.Base.Ref,
		number: cmp.Or(pr.Number, ev.Number).String(),
	}
	p.fork, p.forkKnown = pr.Head.Repo.forkOf(cmp.Or(pr.Base.Repo.FullName, ev.Repository.FullName, repo))
	return p
}
