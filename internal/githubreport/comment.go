package githubreport

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// PullRequestsWrite is the permission that [Client.Comment] needs.
const PullRequestsWrite = "pull-requests: write"

const (
	commentTimeout = 15 * time.Second // for all calls together
	mostPages      = 30               // of 100: GitHub takes 2,500 comments on a pull request
)

// Comment writes the comment on a pull request that begins with marker: it takes the place of the first one that
// begins with it and that this token's user wrote, and is a new one where there is none. A comment of somebody else
// is left alone, marker or not. It ends within 15 s.
func (c *Client) Comment(ctx context.Context, pullRequest int, marker, body string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, commentTimeout, fmt.Errorf("gave up after %s", commentTimeout))
	defer cancel()
	err := c.comment(ctx, pullRequest, marker, body)
	if err != nil {
		return fmt.Errorf("comment on pull request %d of %s/%s: %w", pullRequest, c.owner, c.repo, err)
	}
	return nil
}

func (c *Client) comment(ctx context.Context, pullRequest int, marker, body string) error {
	marked, err := c.marked(ctx, pullRequest, marker)
	if err != nil {
		return err
	}
	text := &github.IssueComment{Body: &body}
	if len(marked) > 0 {
		me, err := c.viewer(ctx)
		if err != nil {
			return fmt.Errorf("whose comment it is cannot be told: %w", err)
		}
		for _, comment := range marked {
			if comment.GetUser().GetID() == me {
				_, _, err := ask(ctx, c, PullRequestsWrite, func(ctx context.Context) (*github.IssueComment, *github.Response, error) {
					return c.api.Issues.EditComment(ctx, c.owner, c.repo, comment.GetID(), text)
				})
				return err
			}
		}
	}
	_, _, err = ask(ctx, c, PullRequestsWrite, func(ctx context.Context) (*github.IssueComment, *github.Response, error) {
		return c.api.Issues.CreateComment(ctx, c.owner, c.repo, pullRequest, text)
	})
	return err
}

// marked is every comment that begins with the marker, oldest first.
func (c *Client) marked(ctx context.Context, pullRequest int, marker string) ([]*github.IssueComment, error) {
	var marked []*github.IssueComment
	opts := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{Page: 1, PerPage: 100}}
	for range mostPages {
		page, resp, err := ask(ctx, c, PullRequestsWrite, func(ctx context.Context) ([]*github.IssueComment, *github.Response, error) {
			return c.api.Issues.ListComments(ctx, c.owner, c.repo, pullRequest, opts)
		})
		if err != nil {
			return nil, err
		}
		for _, comment := range page {
			if strings.HasPrefix(comment.GetBody(), marker) {
				marked = append(marked, comment)
			}
		}
		if resp.NextPage <= opts.Page {
			return marked, nil
		}
		opts.Page = resp.NextPage
	}
	return nil, fmt.Errorf("the list of comments goes on after %d pages", mostPages)
}

// viewer is the id of the user that the token acts for. The REST API tells it of personal tokens only: GET /user
// refuses the token of an app, which GITHUB_TOKEN is one of, with 403. GraphQL tells it of every kind
// (https://github.com/marocchino/sticky-pull-request-comment/pull/332), and the id is the one that the REST API gives
// a comment's author (https://github.com/fullsend-ai/fullsend/pull/1953).
func (c *Client) viewer(ctx context.Context) (int64, error) {
	answer, _, err := ask(ctx, c, PullRequestsWrite, func(ctx context.Context) (viewerAnswer, *github.Response, error) {
		var answer viewerAnswer
		req, err := c.api.NewRequest("POST", c.graphQL(), map[string]string{"query": "query { viewer { databaseId } }"})
		if err != nil {
			return answer, nil, err
		}
		resp, err := c.api.Do(ctx, req, &answer)
		return answer, resp, err
	})
	switch {
	case err != nil:
		return 0, err
	case answer.Data.Viewer.ID != 0:
		return answer.Data.Viewer.ID, nil
	case len(answer.Errors) > 0:
		return 0, errors.New(remote.OneLine(answer.Errors[0].Message, 300))
	}
	return 0, errors.New("GitHub does not tell whose the token is")
}

type viewerAnswer struct {
	Data struct {
		Viewer struct {
			ID int64 `json:"databaseId"`
		} `json:"viewer"`
	} `json:"data"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// graphQL is where GraphQL is, seen from the REST API: next to v3 on GitHub Enterprise Server
// (https://docs.github.com/enterprise-server/graphql/guides/forming-calls-with-graphql), else below it.
func (c *Client) graphQL() string {
	if strings.HasSuffix(c.api.BaseURL.Path, "/v3/") {
		return "../graphql"
	}
	return "graphql"
}
