package githubreport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-github/v62/github"
)

// longestDeactivation bounds what a server that answers slowly may cost a run whose work is done.
const longestDeactivation = 30 * time.Second

// Deactivate marks the GitHub Deployments of an app that was deleted as inactive, the newest hundred of them: GitHub would
// go on showing them as what runs. One that cannot be marked does not keep the others from it.
func (c *Client) Deactivate(ctx context.Context, app, logURL string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longestDeactivation, fmt.Errorf("not done within %s", longestDeactivation))
	defer cancel()
	of := fmt.Sprintf("the GitHub Deployments of %q in %s/%s", app, c.owner, c.repo)
	list, _, err := ask(ctx, c, DeploymentsWrite, func(ctx context.Context) ([]*github.Deployment, *github.Response, error) {
		return c.api.Repositories.ListDeployments(ctx, c.owner, c.repo, &github.DeploymentsListOptions{
			Task: task(app), ListOptions: github.ListOptions{PerPage: 100},
		})
	})
	if err != nil {
		return fmt.Errorf("list %s: %w", of, err)
	}
	var first error
	marked := 0
	for _, d := range list {
		_, _, err := ask(ctx, c, DeploymentsWrite, func(ctx context.Context) (*github.DeploymentStatus, *github.Response, error) {
			return c.api.Repositories.CreateDeploymentStatus(ctx, c.owner, c.repo, d.GetID(), &github.DeploymentStatusRequest{
				State: new(inactive), Description: new("the app was deleted"), LogURL: given(logURL),
			})
		})
		if err == nil {
			marked++
			continue
		}
		first = cmp.Or(first, err)
		if _, same := errors.AsType[*refusal](err); same || ctx.Err() != nil {
			break // for the others too
		}
	}
	if first != nil {
		return fmt.Errorf("mark %s as %s: %d of %d were marked: %w; GitHub goes on showing the others", of, inactive, marked, len(list), first)
	}
	return nil
}

// task is what a GitHub Deployment of an app is known by.
func task(app string) string { return "deploy:" + app }
