// Package spiceruntime is the client for the runtime of a deployed app, the data plane: whether it is ready, what
// its datasets do, and the probes that prove it serves.
//
// It repeats nothing but a lost MCP session: waiting for a runtime that is still starting is for its caller. It
// refuses to follow redirects, to send the key over plain http to anything but the machine itself, to ask for
// compressed answers, and to show more of a remote text than one short line without the key in it. What the
// routes take and answer is what the Spice.ai runtime documents (https://spiceai.org/docs/api/HTTP) and, where
// the two differ, what its handlers and the official clients do.
package spiceruntime

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// Config is what a [Client] needs to know.
type Config struct {
	BaseURL   string            // such as https://us-east-1-prod-aws-data.spiceai.io, see [BaseURL]; plain http only to loopback
	Key       redact.Secret     // an API key of the app; on Cloud it is the key that selects the app
	UserAgent string            // "": spice-deploy
	Transport http.RoundTripper // required

	// Trace is called after each HTTP exchange, perhaps by several goroutines at once. Status is 0 where there was
	// no answer; err says why there was none or why it was no use. It may be nil.
	Trace func(method, path string, status int, d time.Duration, err error)
}

// Client talks to the runtime of one app. Its methods may be called at the same time.
type Client struct {
	base      string
	key       redact.Secret
	userAgent string
	transport http.RoundTripper
	trace     func(method, path string, status int, d time.Duration, err error)
	redactor  *redact.Redactor
}

// New checks the configuration and makes a client of it. It sends nothing.
func New(cfg Config) (*Client, error) {
	base, err := remote.BaseURL("runtime URL", cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Key.IsZero():
		return nil, errors.New("no API key: the runtime tells by it which app is meant")
	case !headerSafe(cfg.Key.Reveal()):
		return nil, errors.New("the API key holds a line break or another character that no key has")
	case cfg.Transport == nil:
		return nil, errors.New("no transport")
	}
	c := &Client{
		base: base, key: cfg.Key, userAgent: cfg.UserAgent, transport: cfg.Transport, trace: cfg.Trace,
		redactor: redact.NewRedactor(),
	}
	if c.userAgent == "" {
		c.userAgent = "spice-deploy"
	}
	c.redactor.Add(Hidden(cfg.Key)...)
	return c, nil
}

// Hidden is what must not show of an API key: the key, and of one such as 101|0f3a… what follows the bar, since the
// number before it is no secret and the rest is. A rest of less than 8 characters is left out.
func Hidden(key redact.Secret) []redact.Secret {
	const shortest = 8
	hidden := []redact.Secret{key}
	if _, half, found := strings.Cut(key.Reveal(), "|"); found && len(half) >= shortest {
		hidden = append(hidden, redact.New(half))
	}
	return hidden
}

// headerSafe tells whether the value can be sent in a header. The transport would refuse the others, and that
// would look like a network error.
func headerSafe(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}
