// Package githubreport tells GitHub about a run: it records a GitHub Deployment and its statuses, keeps one comment
// on the pull request up to date, and asks whether a commit is still worth deploying.
//
// Nothing here decides how a run ends. A call that fails is not repeated, has a short deadline of its own, and its
// error is one for a warning; once GitHub has answered that a rate limit is reached, nothing more is asked. The
// package prints nothing, follows no redirect, and deletes nothing. Texts must have been covered by whoever gives
// them: it does not know which are secret.
package githubreport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// callTimeout bounds each call, from looking up the host to the last byte of the answer.
const callTimeout = 5 * time.Second

// Config is what a Client needs. All fields but APIURL are required.
type Config struct {
	APIURL     string // GITHUB_API_URL, which has a path on GitHub Enterprise Server; "" is https://api.github.com
	Repository string // owner/name
	Token      redact.Secret
	UserAgent  string
	Transport  http.RoundTripper
}

// Client speaks to GitHub about one repository.
type Client struct {
	api         *github.Client
	owner, repo string
	limited     atomic.Bool // GitHub has answered that a rate limit is reached
}

// names is what GitHub allows in the name of an owner or a repository; everything else could change a request's path.
var names = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// New makes a Client. An error names the setting that is wrong; nothing is asked yet.
func New(cfg Config) (*Client, error) {
	if cfg.APIURL == "" {
		cfg.APIURL = "https://api.github.com"
	}
	base, err := remote.BaseURL("GITHUB_API_URL", cfg.APIURL)
	if err != nil {
		return nil, err
	}
	parsed, err := url.Parse(base + "/")
	if err != nil {
		return nil, fmt.Errorf("GITHUB_API_URL: %w", err)
	}
	if !names.MatchString(cfg.Repository) {
		return nil, fmt.Errorf("repository %q: expected OWNER/NAME", cfg.Repository)
	}
	if cfg.Token.IsZero() {
		return nil, errors.New("github-token is empty")
	}
	api := github.NewClient(&http.Client{Transport: guard{cfg.Transport, cfg.Token}})
	api.BaseURL, api.UserAgent = parsed, cfg.UserAgent
	c := &Client{api: api}
	c.owner, c.repo, _ = strings.Cut(cfg.Repository, "/")
	return c, nil
}

// ask makes one call, which needs the permission of the token that is named.
func ask[T any](ctx context.Context, c *Client, permission string, call func(context.Context) (T, *github.Response, error)) (T, *github.Response, error) {
	if c.limited.Load() {
		var none T
		return none, nil, errLimited
	}
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, errNoAnswer)
	defer cancel()
	value, resp, err := call(ctx)
	return value, resp, c.explain(ctx, err, permission)
}
