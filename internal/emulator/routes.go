package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// route is one operation. Patterns are written in the canonical /v1/projects form; the /v1/apps form leads to
// the same handlers.
type route struct {
	method, pattern string
	scope           string // the scope it needs; "" for none
	public          bool   // answers without a token
	handle          func(*state, *call) reply
}

func routes() []route {
	const project = "/v1/projects/{id}"
	return []route{
		{method: "GET", pattern: "/v1/health", public: true, handle: health},
		{method: "POST", pattern: tokenPath, public: true, handle: issueToken},
		{method: "GET", pattern: "/openapi.json", public: true, handle: openAPI},
		{method: "GET", pattern: "/v1/docs", public: true, handle: openAPI},
		{method: "GET", pattern: "/v1/docs/openapi.json", public: true, handle: openAPI},

		{method: "GET", pattern: "/v1/regions", scope: "apps:read", handle: listRegions},
		{method: "GET", pattern: "/v1/container-images", scope: "apps:read", handle: listImages},
		{method: "GET", pattern: "/v1/limits", scope: "apps:read", handle: listLimits},
		{method: "GET", pattern: "/v1/orgs", scope: "apps:read", handle: listOrgs},

		{method: "GET", pattern: "/v1/members", scope: "members:read", handle: listMembers},
		{method: "POST", pattern: "/v1/members", scope: "members:write", handle: addMember},
		{method: "GET", pattern: "/v1/members/{id}", scope: "members:read", handle: getMember},
		{method: "PATCH", pattern: "/v1/members/{id}", scope: "members:write", handle: updateMember},
		{method: "DELETE", pattern: "/v1/members/{id}", scope: "members:delete", handle: removeMember},

		{method: "GET", pattern: "/v1/projects", scope: "apps:read", handle: listApps},
		{method: "POST", pattern: "/v1/projects", scope: "apps:write", handle: createApp},
		{method: "GET", pattern: project, scope: "apps:read", handle: forApp(getApp)},
		{method: "PUT", pattern: project, scope: "apps:write", handle: forApp(updateApp)},
		{method: "DELETE", pattern: project, scope: "apps:delete", handle: forApp(deleteApp)},
		{method: "GET", pattern: project + "/forks", scope: "apps:read", handle: forApp(listForks)},
		{method: "POST", pattern: project + "/forks", scope: "apps:write", handle: forApp(forkApp)},
		{method: "POST", pattern: project + "/pause", scope: "apps:write", handle: forApp(pauseApp)},
		{method: "POST", pattern: project + "/resume", scope: "apps:write", handle: forApp(resumeApp)},
		{method: "PUT", pattern: project + "/repository", scope: "apps:write", handle: forApp(connectRepository)},

		{method: "GET", pattern: project + "/secrets", scope: "secrets:read", handle: forApp(listSecrets)},
		{method: "POST", pattern: project + "/secrets", scope: "secrets:write", handle: forApp(putSecret)},
		{method: "GET", pattern: project + "/secrets/{name}", scope: "secrets:read", handle: forApp(getSecret)},
		{method: "DELETE", pattern: project + "/secrets/{name}", scope: "secrets:write", handle: forApp(deleteSecret)},
		{method: "GET", pattern: project + "/api-keys", scope: "apps:read", handle: forApp(getKeys)},
		{method: "POST", pattern: project + "/api-keys", scope: "apps:write", handle: forApp(rotateKeys)},

		{method: "GET", pattern: project + "/deployments", scope: "deployments:read", handle: forApp(listDeployments)},
		{method: "POST", pattern: project + "/deployments", scope: "deployments:write", handle: forApp(createDeployment)},
		{method: "GET", pattern: project + "/deployments/{deployment}", scope: "deployments:read", handle: forApp(getDeployment)},
		{method: "GET", pattern: project + "/deployments/{deployment}/logs", scope: "deployments:read", handle: forApp(deploymentLogs)},
		{method: "GET", pattern: project + "/instances", scope: "apps:read", handle: forApp(listInstances)},
		{method: "GET", pattern: project + "/instances/{instance}/logs", scope: "apps:read", handle: forApp(instanceLogs)},
		{method: "GET", pattern: project + "/metrics", scope: "apps:read", handle: forApp(metrics)},
	}
}

// find looks a request up. Without a route, allowed is the methods that the path knows.
func (e *Emulator) find(method, path string) (rt *route, params, allowed []string) {
	for i := range e.routes {
		ps, ok := matchPattern(e.routes[i].pattern, path)
		switch {
		case !ok:
		case e.routes[i].method == method:
			return &e.routes[i], ps, nil
		default:
			allowed = append(allowed, e.routes[i].method)
		}
	}
	return nil, nil, allowed
}

// matchPattern returns what stands in the places of {…}.
func matchPattern(pattern, path string) (params []string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i := range want {
		switch {
		case strings.HasPrefix(want[i], "{") && got[i] != "":
			params = append(params, got[i])
		case want[i] != got[i]:
			return nil, false
		}
	}
	return params, true
}

// dispatch answers a request from the state. The lock is held.
func (e *Emulator) dispatch(c *call) reply {
	if r, ok := e.dispatchRuntime(c); ok {
		return r
	}
	s := e.state
	if s.settings.NoProjectsRoute && c.family == "projects" {
		return *notFound(c)
	}
	rt, params, allowed := e.find(c.method, c.route)
	if rt == nil && len(allowed) == 0 {
		return *notFound(c)
	}
	if rt == nil {
		return *methodNotAllowed(c, allowed)
	}
	if strings.HasSuffix(rt.pattern, "/deployments/{deployment}") {
		switch s.settings.NoDeploymentRoute {
		case http.StatusNotFound:
			return *notFound(c)
		case http.StatusMethodNotAllowed:
			return *methodNotAllowed(c, nil)
		}
	}
	if c.tooLarge {
		return *refusef(http.StatusRequestEntityTooLarge, "Request body exceeds the limit of 1 MiB")
	}
	c.params = params
	if !rt.public {
		if refused := s.authorize(c, rt); refused != nil {
			return *refused
		}
		if limited := s.limitRate(c); limited != nil {
			return *limited
		}
	}
	r := rt.handle(s, c)
	if !rt.public {
		s.rateHeaders(r.header)
	}
	return r
}

func notFound(c *call) *reply {
	return refusef(http.StatusNotFound, "No such route: %s %s", c.method, c.path)
}

func methodNotAllowed(c *call, allowed []string) *reply {
	r := refusef(http.StatusMethodNotAllowed, "Method %s is not allowed for %s", c.method, c.path)
	if len(allowed) > 0 {
		r.header.Set("Allow", strings.Join(allowed, ", "))
	}
	return r
}

// forApp finds the app that the path names. An app of another organization is as absent as one that never was.
func forApp(handle func(*state, *call, *app) reply) func(*state, *call) reply {
	return func(s *state, c *call) reply {
		id, refused := positive(c.params[0], "project")
		if refused != nil {
			return *refused
		}
		a := s.appByID(id)
		if a == nil || !strings.EqualFold(a.org, c.org) {
			return *refusef(http.StatusNotFound, "Project not found")
		}
		return handle(s, c, a)
	}
}

// positive reads an id of the path.
func positive(text, what string) (int64, *reply) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, refusef(http.StatusBadRequest, "Invalid %s id: expected a positive integer", what)
	}
	return id, nil
}

// openAPI describes the routes, their scopes and nothing more: schemas are the service's to publish.
func openAPI(_ *state, _ *call) reply {
	paths := map[string]map[string]any{}
	add := func(rt route, pattern string, deprecated bool) {
		if paths[pattern] == nil {
			paths[pattern] = map[string]any{}
		}
		operation := map[string]any{"responses": map[string]any{"default": map[string]string{"description": "see the service's own document"}}}
		if deprecated {
			operation["deprecated"] = true
		}
		if !rt.public {
			operation["security"] = []any{map[string][]string{"BearerAuth": {rt.scope}}}
		}
		paths[pattern][strings.ToLower(rt.method)] = operation
	}
	for _, rt := range slices.DeleteFunc(routes(), func(rt route) bool { return rt.pattern == tokenPath }) {
		add(rt, rt.pattern, false)
		if rest, ok := strings.CutPrefix(rt.pattern, "/v1/projects"); ok {
			add(rt, "/v1/apps"+rest, true)
		}
	}
	return replyJSON(http.StatusOK, map[string]any{
		"openapi": "3.1.0",
		"info": map[string]string{
			"title": "Spice Cloud management API (local emulator)", "version": "v1",
			"description": "The routes that this emulator answers and the scope that each needs.",
		},
		"components": map[string]any{"securitySchemes": map[string]any{"BearerAuth": map[string]string{"type": "http", "scheme": "bearer"}}},
		"paths":      paths,
	})
}
