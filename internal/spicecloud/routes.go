package spicecloud

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Spice Cloud renamed apps to projects in August 2026. The routes below /v1/projects are the canonical ones and
// those below /v1/apps their permanent alias, but a server that is older than the rename has the latter only.
const (
	projects = "/v1/projects"
	apps     = "/v1/apps"
)

// What is known of the server's routes; the zero value is that nothing is.
const (
	hasProjects int32 = iota + 1
	hasAppsOnly
)

// call carries out a request for the family of routes that the server has. Only the list route can tell: a 404
// for anything below it may as well mean that there is no such app, whatever its body looks like. So a 404, as
// long as no request has succeeded, is followed by one look at that route.
func (c *Client) call(ctx context.Context, r request, use func(answer) error) error {
	if !r.project {
		return c.do(ctx, r, use)
	}
	switch c.routes.Load() {
	case hasProjects:
		return c.do(ctx, r.below(projects), use)
	case hasAppsOnly:
		return c.do(ctx, r.below(apps), use)
	}
	err := c.do(ctx, r.below(projects), use)
	if err == nil {
		c.routes.Store(hasProjects)
		return nil
	}
	if !noRoute(err) {
		return err
	}
	if list := r.method == http.MethodGet && r.path == ""; !list {
		if lacks, lookErr := c.lacksProjects(ctx); !lacks {
			return cmp.Or(lookErr, err)
		}
	}
	err = c.do(ctx, r.below(apps), use)
	if err == nil {
		c.routes.Store(hasAppsOnly)
	}
	return err
}

// lacksProjects looks at the list route. It returns an error only where there was no answer to judge by.
func (c *Client) lacksProjects(ctx context.Context) (bool, error) {
	err := c.do(ctx, request{method: http.MethodGet, path: projects, query: pageQuery(1, 0)}, func(a answer) error {
		_, err := readApps(a)
		return err
	})
	if err == nil {
		c.routes.Store(hasProjects)
		return false, nil
	}
	if _, answered := errors.AsType[*APIError](err); answered {
		return noRoute(err), nil
	}
	return false, err
}

func (r request) below(family string) request {
	r.path = family + r.path
	return r
}

// noRoute tells whether the error can mean that the server does not know the route.
func noRoute(err error) bool {
	refused, ok := errors.AsType[*APIError](err)
	return ok && (refused.Status == http.StatusNotFound || refused.Status == http.StatusMethodNotAllowed)
}

// fetch is call for an answer that is read into a value.
func fetch[T any](ctx context.Context, c *Client, r request, read func(answer) (T, error)) (T, error) {
	var value, none T
	err := c.call(ctx, r, func(a answer) (err error) {
		value, err = read(a)
		return err
	})
	if err != nil {
		return none, err
	}
	return value, nil
}

// object reads an answer that is one JSON object by the reader of such an object.
func object[T any](read func(json.RawMessage) (T, error)) func(answer) (T, error) {
	return func(a answer) (T, error) {
		var raw json.RawMessage
		if err := readJSON(a, &raw); err != nil {
			var none T
			return none, err
		}
		return read(raw)
	}
}
