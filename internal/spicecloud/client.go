// Package spicecloud is the client for the management API of Spice.ai Cloud: apps, their secrets and their
// deployments.
//
// It says the truth about what it was told. Whatever is not the JSON that the API documents (a proxy's HTML
// page, an empty or truncated body, a list without its key) is an error and never an empty list; a request
// that makes something new is never repeated where it may already have been carried out, and ends in a
// [LostAnswerError] instead.
//
// It refuses to follow redirects, to send credentials over plain http to anything but the machine itself, to
// repeat a request after a certificate error, and to show a secret in an error or a trace. It decides nothing
// about deployments: which one is ours and what to do about the others is for its caller.
package spicecloud

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// Config is what a [Client] needs to know. Either Token or both ClientID and ClientSecret are required. The
// functions may be called from several goroutines at once; each of them may be nil.
type Config struct {
	BaseURL  string // such as https://api.spice.ai, without the version; plain http only to a loopback address
	TokenURL string // "": derived from BaseURL, see DeriveTokenURL; the same rule for plain http

	Token        redact.Secret // a personal access token or any other management bearer token
	ClientID     string        // OAuth client credentials, instead of Token
	ClientSecret redact.Secret
	Scope        string // space-separated OAuth scopes, "": what the client was granted
	Org          string // sent as X-Org-Name, with Token only: an OAuth client belongs to one organization

	UserAgent string            // "": spice-deploy
	Transport http.RoundTripper // nil: NewTransport(nil)
	ReadOnly  bool              // every request that is not a GET fails with ErrReadOnly, unsent; token requests excepted
	MaxPause  time.Duration     // longest pause between two attempts unless the server asks for more; 0 and all above 5 s: 5 s
	Seed      uint64            // where the jitter of the pauses comes from, so that a run can be repeated; 0: drawn at random

	Trace   func(Call)          // after each HTTP exchange
	OnRetry func(Retry)         // before each pause
	OnToken func(redact.Secret) // each OAuth token before its first use, so that it can be masked
	OnKey   func(redact.Secret) // each API key of a runtime before anybody else has it, for the same reason
}

// Call is one HTTP exchange that is over.
type Call struct {
	Method    string
	Path      string // with the query; of a token request the URL without it
	Status    int    // 0 where there was no answer
	Duration  time.Duration
	RequestID string // "" where the server gave none
	Err       error  // why there was no answer or only a part of one
}

// Retry is an attempt that failed and will be followed by another.
type Retry struct {
	Method, Path string
	Attempt      int           // how many attempts were made, from 1
	Pause        time.Duration // until the next one
	Err          error         // how the last one failed
}

// Client talks to one Spice.ai Cloud with one set of credentials. Its methods may be called at the same time.
//
// Repeatable requests are repeated after 408, 429, 5xx, network errors and answers that are not what the API
// documents, until ctx ends or the patience of [WithPatience] does. What comes back then wraps both the reason
// why it ended and the last failure.
type Client struct {
	base      string
	token     redact.Secret
	oauth     *oauth // nil with a Token
	org       string
	userAgent string
	readOnly  bool
	transport http.RoundTripper
	maxPause  time.Duration
	seed      uint64
	trace     func(Call)
	onRetry   func(Retry)
	onKey     func(redact.Secret)

	routes atomic.Int32 // which family of routes the server has, see routes.go
	byID   atomic.Int32 // whether it has the route to a single deployment, see deployments.go
	pace   pace         // of the requests that are made by the hundred
}

// New checks the configuration and makes a client of it. It sends nothing.
func New(cfg Config) (*Client, error) {
	c := &Client{
		token: cfg.Token, transport: cfg.Transport, readOnly: cfg.ReadOnly, seed: cfg.Seed,
		userAgent: cfg.UserAgent, trace: cfg.Trace, onRetry: cfg.OnRetry, onKey: cfg.OnKey,
	}
	base, err := remote.BaseURL("API URL", cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	c.base = base
	if err := checkCredentials(cfg); err != nil {
		return nil, err
	}
	if cfg.Token.IsZero() {
		if c.oauth, err = newOAuth(cfg, base); err != nil {
			return nil, err
		}
	} else {
		c.org = cfg.Org
	}
	if c.userAgent == "" {
		c.userAgent = "spice-deploy"
	}
	if c.seed == 0 {
		c.seed = rand.Uint64()
	}
	c.maxPause = pauseCap
	if cfg.MaxPause > 0 {
		c.maxPause = min(pauseCap, cfg.MaxPause)
	}
	if c.transport == nil {
		if c.transport, err = NewTransport(nil); err != nil {
			return nil, fmt.Errorf("set up the transport: %w", err)
		}
	}
	return c, nil
}

// CloseIdle closes the connections that are kept for the next request. Nothing else outlives a call.
func (c *Client) CloseIdle() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

type patienceKey struct{}

// WithPatience makes each call under ctx give up with a [GaveUpError] once its attempts have failed for d in a
// row; d of 0 or less means no limit but ctx.
func WithPatience(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

func patience(ctx context.Context) time.Duration {
	d, _ := ctx.Value(patienceKey{}).(time.Duration)
	return d
}

func checkCredentials(cfg Config) error {
	client := cfg.ClientID != "" || !cfg.ClientSecret.IsZero()
	switch {
	case cfg.Token.IsZero() && !client:
		return errors.New("no credentials: a token or a client id with its secret is needed")
	case !cfg.Token.IsZero() && client:
		return errors.New("a token and client credentials were given: one of them is needed")
	case client && (cfg.ClientID == "" || cfg.ClientSecret.IsZero()):
		return errors.New("half of the client credentials is missing: both the id and the secret are needed")
	case !headerSafe(cfg.Token.Reveal()):
		return errors.New("the token holds a line break or another character that no token has")
	case !headerSafe(cfg.Org):
		return fmt.Errorf("organization %q: not a handle", cfg.Org)
	}
	return nil
}

// headerSafe tells whether the value can be sent in a header. The transport would refuse the others on each
// attempt, and that would look like a network error.
func headerSafe(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}
