package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const tokenPath = "/api/oauth/token"

// handlePattern is the pattern of the X-Org-Name parameter in the service's OpenAPI document.
var handlePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

// scopeNames are the documented ones.
var scopeNames = []string{
	"*", "apps:read", "apps:write", "apps:delete", "deployments:read", "deployments:write", "secrets:read", "secrets:write",
	"config:read", "config:write", "members:read", "members:write", "members:delete",
	"monitors:read", "monitors:write", "reactions:read", "reactions:write",
}

// token is a credential that the API accepts.
type token struct {
	name    string // who it is: what deployments and requests remember
	org     string // its own organization
	machine bool   // an OAuth client's: no user stands behind it
	expires time.Time

	standard bool // scopes and role are those of the settings
	scopes   []string
	role     string
}

// TokenSpec describes a token to mint.
type TokenSpec struct {
	Name     string        `yaml:"name"`     // "minted-1" and so on when empty
	Scopes   []string      `yaml:"scopes"`   // none: every scope
	Role     string        `yaml:"role"`     // of its owner: owner (when empty), admin, member, viewer
	Lifetime time.Duration `yaml:"lifetime"` // 0: it does not expire
	Machine  bool          `yaml:"machine"`  // as if it came from the token endpoint
}

func (s *state) mint(spec TokenSpec, now time.Time) string {
	s.minted++
	t := &token{
		name: cmp.Or(spec.Name, fmt.Sprintf("minted-%d", s.minted)), org: s.opts.Org, machine: spec.Machine,
		scopes: spec.Scopes, role: cmp.Or(spec.Role, "owner"),
	}
	if len(t.scopes) == 0 {
		t.scopes = []string{"*"}
	}
	if spec.Lifetime > 0 {
		t.expires = now.Add(spec.Lifetime)
	}
	text := "emu_tok_" + s.derive(32, "minted", s.minted)
	s.tokens[text] = t
	return text
}

// authorize checks, in this order, the token, the organization, the scope and the role.
func (s *state) authorize(c *call, rt *route) *reply {
	header := c.header.Get("Authorization")
	if header == "" {
		return refusef(http.StatusUnauthorized, "Missing Authorization header")
	}
	scheme, text, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "bearer") || text == "" {
		return refusef(http.StatusUnauthorized, "Invalid Authorization header format. Expected: Bearer <token>")
	}
	t := s.tokens[text]
	if t == nil || !t.expires.IsZero() && !c.now.Before(t.expires) {
		return refusef(http.StatusUnauthorized, "Invalid or expired token")
	}
	c.caller = t
	role, refused := s.assertOrg(c, t)
	if refused != nil {
		return refused
	}
	if rt.scope != "" && !grants(s.scopesOf(t), rt.scope) {
		return refuse(http.StatusForbidden, "insufficient_scope", "Insufficient scope. Required: "+rt.scope)
	}
	if role == "viewer" && (c.method != http.MethodGet || strings.HasPrefix(rt.scope, "secrets:")) {
		return refuse(http.StatusForbidden, "forbidden", "Your role in this organization does not allow this. Required: member or above")
	}
	return nil
}

// assertOrg settles which organization the request is about and the caller's role in it. A blank header is not
// an omitted one.
func (s *state) assertOrg(c *call, t *token) (role string, refused *reply) {
	c.org, role = t.org, t.role
	if t.standard {
		role = s.settings.Role
	}
	values, given := c.header["X-Org-Name"]
	if !given {
		return role, nil
	}
	name := strings.Join(values, ",")
	switch {
	case !handlePattern.MatchString(name):
		return "", refuse(http.StatusBadRequest, "invalid_org_assertion", "X-Org-Name is not a valid organization handle")
	case strings.EqualFold(name, t.org):
		return role, nil
	case t.machine:
		return "", refuse(http.StatusForbidden, "org_assertion_mismatch", "This credential belongs to another organization")
	}
	for _, o := range s.orgs {
		if strings.EqualFold(o.Name, name) {
			c.org = o.Name
			return cmp.Or(o.Role, "member"), nil
		}
	}
	return "", refuse(http.StatusForbidden, "org_forbidden", "You do not have access to this organization")
}

func (s *state) scopesOf(t *token) []string {
	if t.standard {
		return s.settings.Scopes
	}
	return t.scopes
}

// grants knows that write implies read; whether delete implies write is not documented, so it does not.
func grants(scopes []string, required string) bool {
	resource, verb, _ := strings.Cut(required, ":")
	return slices.Contains(scopes, "*") || slices.Contains(scopes, required) ||
		verb == "read" && slices.Contains(scopes, resource+":write")
}

// wireToken is the token endpoint's answer.
type wireToken struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

// issueToken is the client credentials grant. What its refusals look like is not documented; the vendor's
// action is tested against 401 with the bare text invalid_client, so that is what they are: bare text.
func issueToken(s *state, c *call) reply {
	params, ok := tokenParams(c)
	switch {
	case !ok:
		return replyText(http.StatusBadRequest, "invalid_request")
	case params["grant_type"] != "client_credentials":
		return replyText(http.StatusBadRequest, "unsupported_grant_type")
	case params["client_id"] != s.opts.ClientID || params["client_secret"] != s.opts.ClientSecret:
		return replyText(http.StatusUnauthorized, "invalid_client")
	}
	t := &token{name: s.opts.ClientID, org: s.opts.Org, machine: true, scopes: s.settings.Scopes, role: "owner"}
	if asked := strings.Fields(params["scope"]); len(asked) > 0 {
		for _, scope := range asked {
			if !slices.Contains(scopeNames, scope) || !grants(t.scopes, scope) {
				return replyText(http.StatusBadRequest, "invalid_scope")
			}
		}
		t.scopes = asked
	}
	t.expires = c.now.Add(s.settings.TokenLifetime)
	s.minted++
	text := "emu_at_" + s.derive(32, "issued", s.minted)
	s.tokens[text] = t
	said := cmp.Or(s.settings.AdvertisedLifetime, s.settings.TokenLifetime)
	return replyJSON(http.StatusOK, wireToken{
		AccessToken: text, TokenType: "Bearer", ExpiresIn: int(said.Seconds()), Scope: strings.Join(t.scopes, " "),
	})
}

// tokenParams reads a JSON object or a form, and HTTP Basic, which wins over both.
func tokenParams(c *call) (map[string]string, bool) {
	params := map[string]string{}
	if body := bytes.TrimSpace(c.body); bytes.HasPrefix(body, []byte("{")) {
		if json.Unmarshal(body, &params) != nil {
			return nil, false
		}
	} else {
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, false
		}
		for name := range values {
			params[name] = values.Get(name)
		}
	}
	if id, secret, ok := (&http.Request{Header: c.header}).BasicAuth(); ok {
		params["client_id"], params["client_secret"] = formDecoded(id), formDecoded(secret)
	}
	return params, true
}

// formDecoded undoes the form encoding that RFC 6749, section 2.3.1, asks for before Basic; text that is no such
// encoding is taken as it is.
func formDecoded(text string) string {
	if decoded, err := url.QueryUnescape(text); err == nil {
		return decoded
	}
	return text
}

// limitRate counts the requests of each second by the clock.
func (s *state) limitRate(c *call) *reply {
	limit := s.settings.RateLimit
	if limit == 0 {
		return nil
	}
	if second := c.now.Truncate(time.Second); !second.Equal(s.window) {
		s.window, s.counted = second, 0
	}
	if s.counted < limit {
		s.counted++
		return nil
	}
	r := refusef(http.StatusTooManyRequests, "Rate limit exceeded")
	switch s.settings.RetryAfter {
	case "seconds":
		r.header.Set("Retry-After", "1")
	case "date":
		next := s.window.Add(time.Second + s.settings.ClockSkew)
		r.header.Set("Retry-After", next.UTC().Format(http.TimeFormat))
	}
	s.rateHeaders(r.header)
	return r
}

// rateHeaders are sent only where a limit is set: whether the service really sends them is not known.
func (s *state) rateHeaders(h http.Header) {
	if s.settings.RateLimit == 0 {
		return
	}
	h.Set("X-RateLimit-Limit", fmt.Sprint(s.settings.RateLimit))
	h.Set("X-RateLimit-Remaining", fmt.Sprint(s.settings.RateLimit-s.counted))
	h.Set("X-RateLimit-Reset", fmt.Sprint(s.window.Add(time.Second+s.settings.ClockSkew).Unix()))
}
