package spicecloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// Spice Cloud documents an hour as the life of a token; its own clients take "expires_in" as optional and renew
// up to a minute before the end.
const (
	defaultLife = time.Hour
	renewBefore = time.Minute
)

// oauth gets and keeps the token of OAuth client credentials.
type oauth struct {
	url     string
	body    []byte
	secret  string
	onToken func(redact.Secret)

	// mu guards the two fields below and is never held while a request is under way: who needs a token that
	// somebody is getting waits for flight.done or for the end of its own context.
	mu      sync.Mutex
	current grant
	flight  *flight
}

type grant struct {
	token   string
	renewAt time.Time
}

// flight is one token request on behalf of everybody who waits for it.
type flight struct {
	done  chan struct{} // closed when the fields below are set
	grant grant
	err   error
	// abandoned says that the request ended because the context of the caller that made it did, which says
	// nothing to the others.
	abandoned bool
}

func newOAuth(cfg Config, base string) (*oauth, error) {
	var err error
	target := cfg.TokenURL
	if target == "" {
		if target, err = DeriveTokenURL(base); err != nil {
			return nil, err
		}
	}
	if target, err = remote.BaseURL("OAuth token URL", target); err != nil {
		return nil, err
	}
	body, err := json.Marshal(struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
		Grant  string `json:"grant_type"`
		Scope  string `json:"scope,omitempty"`
	}{cfg.ClientID, cfg.ClientSecret.Reveal(), "client_credentials", cfg.Scope})
	if err != nil {
		return nil, fmt.Errorf("encode the token request: %w", err)
	}
	return &oauth{url: target, body: body, secret: cfg.ClientSecret.Reveal(), onToken: cfg.OnToken}, nil
}

// DeriveTokenURL is the OAuth token endpoint that belongs to an API URL. Spice Cloud serves it on the host of its
// portal, which is that of the API without the label "api": spice.ai for api.spice.ai, dev.spice.ai for
// dev-api.spice.ai. Any other host serves both. An error means that base is no URL with a host.
func DeriveTokenURL(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return "", errors.New("derive the OAuth token URL: the API URL has no host")
	}
	host := portal(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	bare := url.URL{Scheme: u.Scheme, Host: host, Path: strings.TrimRight(u.Path, "/") + "/api/oauth/token"}
	return bare.String(), nil
}

func portal(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	labels := strings.Split(host, ".")
	for i, label := range labels {
		rest, found := strings.CutSuffix(strings.ToLower(label), "api")
		switch {
		case !found || len(labels) == 1:
		case rest == "":
			return strings.Join(append(labels[:i:i], labels[i+1:]...), ".")
		case len(rest) > 1 && strings.HasSuffix(rest, "-"):
			labels[i] = strings.TrimSuffix(rest, "-")
			return strings.Join(labels, ".")
		}
	}
	return host
}

// bearer is the token for the request. refused is the one that the server has just answered with 401, so that
// another is wanted; "" where none was.
func (c *Client) bearer(ctx context.Context, r request, refused string) (string, error) {
	switch {
	case r.open:
		return "", nil
	case c.oauth == nil:
		return c.token.Reveal(), nil
	}
	for {
		token, f, mine := c.oauth.join(refused)
		if f == nil {
			return token, nil
		}
		if mine {
			c.fetch(ctx, f)
			return f.grant.token, f.err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", ended(ctx, r)
		}
		if !f.abandoned {
			return f.grant.token, f.err
		}
	}
}

// join returns the token where a good one is there. Else it returns the flight to wait for, and whether it is
// the caller's to make.
func (o *oauth) join(refused string) (token string, f *flight, mine bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.current.token != "" && o.current.token != refused && time.Now().Before(o.current.renewAt) {
		return o.current.token, nil, false
	}
	if o.flight != nil {
		return "", o.flight, false
	}
	o.flight = &flight{done: make(chan struct{})}
	return "", o.flight, true
}

// fetch makes the flight: it asks for a token and tells everybody who waits.
func (c *Client) fetch(ctx context.Context, f *flight) {
	f.abandoned = true // until the opposite is known, also where a panic comes through here
	defer func() {
		c.oauth.mu.Lock()
		defer c.oauth.mu.Unlock()
		c.oauth.flight = nil
		if !f.abandoned && f.err == nil {
			c.oauth.current = f.grant
		}
		close(f.done)
	}()
	f.grant, f.err = c.requestToken(ctx)
	if f.err == nil && c.oauth.onToken != nil {
		c.oauth.onToken(redact.New(f.grant.token))
	}
	f.abandoned = f.err != nil && ctx.Err() != nil
}

func (c *Client) requestToken(ctx context.Context) (grant, error) {
	r := request{
		method: http.MethodPost, url: c.oauth.url, path: c.oauth.url,
		body: c.oauth.body, secrets: []string{c.oauth.secret}, open: true,
	}
	var got grant
	err := c.do(ctx, r, func(a answer) error {
		var body struct {
			Token text  `json:"access_token"`
			Type  text  `json:"token_type"`
			Life  whole `json:"expires_in"`
		}
		if err := readObject(a, &body); err != nil {
			return err
		}
		token := string(body.Token)
		if token == "" || !headerSafe(token) {
			return errors.New("it has no usable access_token")
		}
		if body.Type != "" && !strings.EqualFold(string(body.Type), "Bearer") {
			return errors.New("its token is not of the type Bearer")
		}
		got = grant{token: token, renewAt: a.asked.Add(usable(int64(body.Life)))}
		return nil
	})
	return got, err
}

// usable is for how long a token is used that lives for so many seconds, 0 or less where the server did not say.
func usable(seconds int64) time.Duration {
	life := defaultLife
	if seconds > 0 {
		life = time.Duration(min(seconds, int64(24*365*time.Hour/time.Second))) * time.Second
	}
	// A token that lives for a minute or less would otherwise never be good.
	return max(life-renewBefore, life/2)
}
