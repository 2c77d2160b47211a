package cli

import (
	"context"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// delete runs the command delete.
func (c *command) delete(ctx context.Context, loadErr error) int {
	o := c.options
	problems := add(nil, loadErr)
	if stop := c.checkCredentials(problems); stop != nil {
		problems = add(problems, stop)
	}
	if !o.Yes {
		problems = append(problems, diag.Problem{Option: "yes", Message: "deleting an app removes its deployments, keys and secrets for good; say --yes to do it"})
	}
	in := &inputs{}
	var err error
	if in.workspace, err = c.openWorkspace(c.options.WorkingDirectory); err != nil {
		problems = append(problems, problemOf("working-directory", err))
	} else {
		defer in.workspace.Close()
		problems = add(problems, in.readCA(o))
		problems = add(problems, in.checkResults(o))
	}
	if err := problems.Err(); err != nil {
		return c.finish(in, deploy.Refused(err))
	}
	client, err := c.client(in.transport)
	if err != nil {
		return c.finish(in, deploy.Refused(err))
	}
	defer client.CloseIdle()
	c.introduce(in)
	c.log.line("connect", "%s", c.hosts())
	gitHub := c.openGitHub(in.transport)
	gitHub.introduce()
	deployer := &deploy.Deployer{Cloud: client, Options: o, Owner: c.facts.Owner, Observer: observers{newKnown(c), c.log}}
	result := deployer.Delete(ctx)
	gitHub.deleted(ctx, &result)
	return c.finish(in, result)
}
