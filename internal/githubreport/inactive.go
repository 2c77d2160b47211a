package githubreport

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/go-github/v62/github"
)

// Deactivate marks the GitHub Deployments of an app that was deleted as inactive, the newest hundred of them: GitHub would
// go on showing them as what runs. One that cannot be marked does not keep the others from it.
func (c *Client) Deactivate(ctx context.Context, app, logURL string) error {
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
	failed := 0
	for _, d := range list {
		_, _, err := ask(ctx, c, DeploymentsWrite, func(ctx context.Context) (*github.DeploymentStatus, *github.Response, error) {
			return c.api.Repositories.CreateDeploymentStatus(ctx, c.owner, c.repo, d.GetID(), &github.DeploymentStatusRequest{
				State: new(inactive), Description: new("the app was deleted"), LogURL: given(logURL),
			})
		})
		if err != nil {
			failed++
			first = cmp.Or(first, err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("mark %s as %s: %d of %d failed, the first with %w; GitHub goes on showing them", of, inactive, failed, len(list), first)
	}
	return nil
}

// task is what a GitHub Deployment of an app is known by.
func task(app string) string { return "deploy:" + app }
