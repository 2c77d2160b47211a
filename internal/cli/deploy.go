package cli

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

var (
	_ deploy.Cloud   = (*spicecloud.Client)(nil)
	_ deploy.Runtime = (*spiceruntime.Client)(nil)
)

// deploy runs the commands deploy, plan and verify: one path, of which a plan goes the reading part and verify the
// last.
func (c *command) deploy(ctx context.Context, loadErr error) int {
	if c.options.Command == "plan" {
		c.options.DryRun = true
	}
	in, err := c.gather(loadErr)
	if in.workspace != nil {
		defer in.workspace.Close()
	}
	var result deploy.Result
	github := c.openGitHub(in.transport)
	if err == nil {
		github.nameCommit(ctx)
		c.introduce(in)
		github.introduce()
	}
	if err == nil && c.options.Emulator {
		var stop func()
		if stop, err = c.emulate(ctx, in); err == nil {
			defer stop()
		}
	}
	if err == nil {
		err = c.checkOffline(in)
	}
	if err == nil {
		err = github.stale(ctx)
	}
	if err == nil {
		result, err = c.run(ctx, in, github)
	}
	if err != nil {
		result = deploy.Refused(err)
	}
	c.warnOfMissingCredentials(&result)
	github.close(ctx, &result)
	return c.finish(in, result)
}

// run wires the client and the pipeline, and lets them go.
func (c *command) run(ctx context.Context, in *inputs, github *gitHub) (deploy.Result, error) {
	o := c.options
	client, err := c.client(in.transport)
	if err != nil {
		return deploy.Result{}, err
	}
	defer client.CloseIdle()
	c.spareFacts(nil) // again, since a rehearsal has named the app meanwhile
	c.log.line("connect", "%s", c.hosts())
	deployer := &deploy.Deployer{
		Cloud: client, Options: o, Manifest: in.manifest, Secrets: in.secrets,
		Repository: c.facts.Repository, Owner: c.facts.Owner,
		Probes: in.probes, Connect: c.runtime(in.transport),
		Observer: github.observe(ctx, observers{newKnown(c), c.log}),
	}
	ctx, stop := c.log.signsOfLife(ctx, o.Timeout)
	defer stop()
	if o.Command != "verify" {
		return deployer.Run(ctx), nil
	}
	if !o.SpicepodGiven {
		deployer.Manifest = nil // what was deployed counts, and not what lies here
	}
	return deployer.Verify(ctx), nil
}

// runtime makes the clients of runtimes.
func (c *command) runtime(transport http.RoundTripper) func(string, redact.Secret) (deploy.Runtime, error) {
	return func(baseURL string, key redact.Secret) (deploy.Runtime, error) {
		if c.Transport != nil {
			transport = c.Transport
		}
		cfg := spiceruntime.Config{BaseURL: baseURL, Key: key, UserAgent: userAgent(), Transport: transport}
		if c.options.Verbose {
			cfg.Trace = func(method, path string, status int, took time.Duration, err error) {
				c.trace(spicecloud.Call{Method: method, Path: path, Status: status, Duration: took, Err: err})
			}
		}
		client, err := spiceruntime.New(cfg)
		if err != nil {
			return nil, err
		}
		c.log.line("verify", "asking the runtime at %s with an API key of the app", baseURL)
		return client, nil
	}
}

// client makes the client of Spice Cloud that the options ask for. A dry run gets one that refuses to write.
func (c *command) client(transport http.RoundTripper) (*spicecloud.Client, error) {
	o := c.options
	if c.Transport != nil {
		transport = c.Transport
	}
	cfg := spicecloud.Config{
		BaseURL: o.APIURL, TokenURL: o.OAuthTokenURL, Scope: o.Scope, UserAgent: userAgent(),
		Transport: transport, Seed: c.Seed, ReadOnly: o.DryRun, MaxPause: o.PollInterval,
		OnToken: c.tokenArrived, OnKey: c.keyArrived, OnRetry: c.retries,
	}
	if o.Credentials == config.Client {
		cfg.ClientID, cfg.ClientSecret = o.ClientID, o.ClientSecret
	} else {
		cfg.Token, cfg.Org = o.APIToken, o.Org
	}
	if o.Verbose {
		cfg.Trace = c.trace
	}
	client, err := spicecloud.New(cfg)
	if err != nil {
		return nil, diag.Problems{{Option: "api-url", Message: err.Error()}}
	}
	return client, nil
}

// observers passes each event on to several.
type observers []deploy.Observer

func (os observers) Observe(e deploy.Event) {
	for _, o := range os {
		o.Observe(e)
	}
}

// introduce says who is speaking and what is deployed, and what is to be said about the inputs.
func (c *command) introduce(in *inputs) {
	o := c.options
	v, _ := versionOf()
	c.log.line("spice-deploy", "%s: %s%s", v, o.Command, on(c.facts))
	c.spareFacts(in.secrets.Secrets)
	for _, notice := range append(append([]string{}, c.facts.Warnings...), o.Notices...) {
		c.log.line("inputs", "%s", notice)
	}
	for _, notice := range in.secrets.Notices {
		c.log.line("secrets", "%s", notice)
	}
	for _, warning := range in.secrets.Warnings {
		c.log.line("secrets", "warning: %s", warning)
	}
	if in.manifest != nil {
		for _, warning := range in.manifest.Warnings() {
			c.log.line("spicepod", "warning: %s", warning.Error())
		}
	}
	if o.CommitSHA != "" && o.Command != "verify" { // which is about the commit that is deployed
		c.log.line("commit", "%s on %s%s", o.CommitSHA, cmp.Or(o.Branch, "no branch"), message(o.CommitMessage))
	}
}

// hosts names every host that a credential of this run goes to.
func (c *command) hosts() string {
	o := c.options
	if o.Credentials != config.Client {
		return o.APIURL + " with a token"
	}
	tokenURL := o.OAuthTokenURL
	if tokenURL == "" {
		tokenURL, _ = spicecloud.DeriveTokenURL(o.APIURL)
	}
	return o.APIURL + " with a token from " + tokenURL + ", as OAuth client " + o.ClientID
}

func on(facts ci.Facts) string {
	if facts.System == "" {
		return ""
	}
	text := " on " + facts.System
	if facts.Event != "" {
		text += " (" + facts.Event + ")"
	}
	return text
}

func message(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}
