package githubreport

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-github/v62/github"
)

// ContentsRead is the permission that [Client.Stale] and [Client.CommitMessage] need.
const ContentsRead = "contents: read"

// Stale returns the head of a branch of the repository where that is another commit than the one given and contains
// it: the run for that head will deploy this commit's work too. It returns "" for a commit that is the head, and for
// one that the branch no longer contains, after a forced push. It must not be asked on a tag, nor for the branch of a
// fork, which is in another repository. It makes at most two calls.
func (c *Client) Stale(ctx context.Context, branch, commit string) (newer string, err error) {
	if branch == "" || commit == "" {
		return "", nil
	}
	failed := func(err error) error {
		return fmt.Errorf("look whether branch %q of %s/%s has moved past %s: %w", branch, c.owner, c.repo, commit, err)
	}
	ref, _, err := ask(ctx, c, ContentsRead, func(ctx context.Context) (*github.Reference, *github.Response, error) {
		return c.api.Git.GetRef(ctx, c.owner, c.repo, "heads/"+branch)
	})
	if err != nil {
		return "", failed(err)
	}
	head := ref.GetObject().GetSHA()
	if strings.EqualFold(head, commit) {
		return "", nil
	}
	// The commits themselves are of no use here, so the page is as short as it can be.
	compared, _, err := ask(ctx, c, ContentsRead, func(ctx context.Context) (*github.CommitsComparison, *github.Response, error) {
		return c.api.Repositories.CompareCommits(ctx, c.owner, c.repo, commit, head, &github.ListOptions{PerPage: 1})
	})
	if err != nil {
		return "", failed(err)
	}
	// Of behind, diverged, identical and ahead only the last means that the head contains the commit and more.
	if compared.GetStatus() != "ahead" {
		return "", nil
	}
	return head, nil
}

// CommitMessage returns the whole message of a commit, by its full hash.
func (c *Client) CommitMessage(ctx context.Context, commit string) (string, error) {
	found, _, err := ask(ctx, c, ContentsRead, func(ctx context.Context) (*github.Commit, *github.Response, error) {
		return c.api.Git.GetCommit(ctx, c.owner, c.repo, commit)
	})
	if err != nil {
		return "", fmt.Errorf("read commit %s of %s/%s: %w", commit, c.owner, c.repo, err)
	}
	return found.GetMessage(), nil
}
