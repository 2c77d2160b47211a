package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/githubreport"
	"github.com/spicedeploy/spice-deploy/internal/report"
)

// gitHub is what GitHub is asked and told of a run. Each feature is asked for by an option, and one that cannot be had
// costs a warning, never the deployment.
type gitHub struct {
	command  *command
	client   *githubreport.Client   // nil where nothing is asked of GitHub
	recorder *githubreport.Recorder // nil where no GitHub Deployment is recorded
	opening  string                 // what the log says of it at the start, "" for nothing
	warnings []string
}

// openGitHub prepares what the options ask of GitHub. Nothing is asked yet.
func (c *command) openGitHub(transport http.RoundTripper) *gitHub {
	g, o := &gitHub{command: c}, c.options
	asked := c.gitHubFeatures()
	switch {
	case o.Command == "verify" || len(asked) == 0 && !c.unnamedCommit():
		return g
	case o.Emulator:
		g.skip(asked, "a rehearsal tells GitHub nothing")
		return g
	case o.GitHubToken.IsZero():
		g.skip(asked, "github-token is empty; in GitHub Actions it is github.token unless the workflow says otherwise")
		return g
	}
	switch {
	case c.Transport != nil:
		transport = c.Transport
	case transport == nil: // the inputs are wrong, and the pull request is told so
		transport = http.DefaultTransport
	}
	client, err := githubreport.New(githubreport.Config{
		APIURL: c.getenv("GITHUB_API_URL"), Repository: c.facts.Repository, Token: o.GitHubToken,
		UserAgent: userAgent(), Transport: transport,
	})
	if err != nil {
		g.skip(asked, err.Error())
		return g
	}
	g.client = client
	if len(asked) > 0 {
		g.opening = fmt.Sprintf("%s with github-token: %s", cmp.Or(c.getenv("GITHUB_API_URL"), "https://api.github.com"), strings.Join(asked, ", "))
	}
	return g
}

// unnamedCommit tells whether GitHub alone can still tell the commit's message.
func (c *command) unnamedCommit() bool {
	return c.options.CommitSHA != "" && c.options.CommitMessage == "" && c.facts.System == "GitHub Actions"
}

// nameCommit asks for the commit's message where neither the event nor the checkout has it.
func (g *gitHub) nameCommit(ctx context.Context) {
	if g.client == nil || !g.command.unnamedCommit() {
		return
	}
	o := g.command.options
	if message, err := g.client.CommitMessage(ctx, o.CommitSHA); err == nil { // nobody asked for it, so nobody misses it
		o.CommitMessage = config.CommitSubject(message)
	}
}

// gitHubFeatures are the options that ask something of GitHub.
func (c *command) gitHubFeatures() []string {
	var asked []string
	for _, feature := range []struct {
		name string
		on   bool
	}{
		{"skip-if-stale", c.options.SkipIfStale},
		{"github-deployment", c.options.GitHubDeployment},
		{"pr-comment", c.options.PRComment},
	} {
		if feature.on {
			asked = append(asked, feature.name)
		}
	}
	return asked
}

func (g *gitHub) skip(asked []string, why string) {
	if len(asked) > 0 {
		g.opening = fmt.Sprintf("%s skipped: %s", strings.Join(asked, ", "), why)
	}
}

// introduce says what GitHub is asked and told, or why it is not.
func (g *gitHub) introduce() {
	if g.opening != "" {
		g.command.log.line("github", "%s", g.opening)
	}
}

// warn says that a feature could not be had.
func (g *gitHub) warn(option string, err error) {
	if err == nil {
		return
	}
	text := option + ": " + err.Error()
	g.command.log.line("github", "warning: %s", text)
	g.warnings = append(g.warnings, text)
}

// stale ends the run where the branch has moved on to a commit that contains ours: its own run deploys both.
func (g *gitHub) stale(ctx context.Context) error {
	o, facts := g.command.options, g.command.facts
	if g.client == nil || !o.SkipIfStale || o.DryRun || facts.Tag != "" || facts.ForkOf != "" || facts.ForkUnknown {
		return nil
	}
	if o.Branch == "" || o.CommitSHA == "" {
		g.warn("skip-if-stale", errors.New("the branch or the commit is not known, so it cannot be told whether the branch has moved on; set branch and commit-sha"))
		return nil
	}
	newer, err := g.client.Stale(ctx, o.Branch, o.CommitSHA)
	if newer == "" {
		g.warn("skip-if-stale", err)
		return nil
	}
	return &diag.Error{Result: diag.Skipped, Err: fmt.Errorf(
		"branch %s has moved on to commit %.7s, which contains commit %.7s: the run for it deploys both; skipped as skip-if-stale asks, nothing was changed",
		o.Branch, newer, o.CommitSHA)}
}

// observe adds the recording of a GitHub Deployment to the observers of a run.
func (g *gitHub) observe(ctx context.Context, list observers) observers {
	o := g.command.options
	if g.client == nil || !o.GitHubDeployment || o.DryRun {
		return list
	}
	if o.CommitSHA == "" {
		g.warn("github-deployment", errors.New("a GitHub Deployment is one of a commit, and the commit is not known; set commit-sha"))
		return list
	}
	g.recorder = g.client.Record(ctx, githubreport.Recording{
		Commit: o.CommitSHA, App: o.AppName, Environment: o.GitHubEnvironment, LogURL: g.command.facts.BuildURL, Cover: g.command.redactor.Redact,
	})
	return append(list, g.recorder)
}

// close tells GitHub how the run ended.
func (g *gitHub) close(ctx context.Context, result *deploy.Result) {
	if g.recorder != nil {
		g.warn("github-deployment", g.recorder.Finish(*result))
	}
	if g.client != nil && g.command.options.PRComment {
		g.warn("pr-comment", g.comment(ctx, *result))
	}
	result.Warnings = append(result.Warnings, g.warnings...)
}

// deleted tells GitHub that the app is gone.
func (g *gitHub) deleted(ctx context.Context, result *deploy.Result) {
	gone := result.Result == diag.Succeeded || result.Result == diag.Skipped // before, perhaps by a run that GitHub refused
	c := g.command
	app := cmp.Or(result.App.Name, c.options.AppName)
	if g.client == nil || !gone || app == "" {
		return
	}
	if c.options.GitHubDeployment {
		g.warn("github-deployment", g.client.Deactivate(ctx, app, c.facts.BuildURL))
	}
	if c.options.PRComment && result.Result == diag.Succeeded {
		g.warn("pr-comment", g.comment(ctx, *result))
	}
	result.Warnings = append(result.Warnings, g.warnings...)
}

// comment writes the comment on the pull request that the run is for.
func (g *gitHub) comment(ctx context.Context, result deploy.Result) error {
	c := g.command
	number, err := strconv.Atoi(c.facts.PullRequest)
	if err != nil {
		c.log.line("github", "pr-comment: this run is for no pull request, so there is none to comment on")
		return nil
	}
	const lastWords = 2 * time.Second // of a run that was cancelled: the CI system leaves it a few
	limited := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(limited, lastWords)
		defer cancel()
	}
	app := cmp.Or(c.options.AppName, strconv.FormatInt(c.options.AppID, 10))
	body := c.redactor.Redact(report.Comment(result, app, c.facts.BuildURL, c.redactor.Redact))
	return g.client.Comment(limited, number, report.CommentMarker(app), body)
}
