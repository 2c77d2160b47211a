package emulator

import (
	"net/http"
	"slices"
	"strings"
)

func health(s *state, c *call) reply {
	return replyJSON(http.StatusOK, map[string]string{"status": "ok", "timestamp": s.stamp(c.now)})
}

// wireRegion is camelCase in an otherwise snake_case API: so is the service.
type wireRegion struct {
	Name         string `json:"name"`
	Region       string `json:"region"`
	Provider     string `json:"provider"`
	ProviderName string `json:"providerName"`
	IsDefault    bool   `json:"isDefault"`
	Disabled     bool   `json:"disabled"`
	CName        string `json:"cname"`
}

// regions are the live ones of October 2026 and a former one, which clients must skip.
var regions = []wireRegion{
	{Name: "US East (N. Virginia)", Region: "us-east-1", Provider: "aws", ProviderName: "Amazon Web Services", IsDefault: true, CName: "us-east-1" + cnameSuffix},
	{Name: "US West (Oregon)", Region: "us-west-2", Provider: "aws", ProviderName: "Amazon Web Services", CName: "us-west-2" + cnameSuffix},
	{Name: "US East (Ohio)", Region: "us-east-2", Provider: "aws", ProviderName: "Amazon Web Services", Disabled: true, CName: "us-east-2" + cnameSuffix},
}

func listRegions(_ *state, c *call) reply {
	list := slices.Clone(regions)
	switch c.query.Get("env") {
	case "", "prod":
	case "dev":
		for i := range list {
			list[i].CName = strings.Replace(list[i].CName, "-prod-", "-dev-", 1)
		}
	default:
		return *refusef(http.StatusBadRequest, "Query parameter env must be prod or dev")
	}
	return replyJSON(http.StatusOK, map[string]any{"regions": list, "default": list[0].Region})
}

// imageTags are the published ones, newest first; the first is the default.
var imageTags = map[string][]string{
	"stable":     {"2.3.2-models", "2.3.1-models", "2.2.4-models", "1.5.0-models"},
	"enterprise": {"2.3.2-enterprise-models", "2.3.1-enterprise-models"},
}

func published(tag string) bool {
	return slices.Contains(imageTags["stable"], tag) || slices.Contains(imageTags["enterprise"], tag)
}

func listImages(_ *state, c *call) reply {
	channel := c.query.Get("channel")
	if channel == "" {
		channel = "stable"
	}
	tags, ok := imageTags[channel]
	if !ok {
		return *refusef(http.StatusBadRequest, "Query parameter channel must be stable or enterprise")
	}
	list := []map[string]string{}
	for _, tag := range tags {
		list = append(list, map[string]string{"name": "spiceai/spiceai:" + tag, "tag": tag, "channel": channel})
	}
	return replyJSON(http.StatusOK, map[string]any{"images": list, "default": tags[0]})
}

// plans and the requests per second that the documentation gives for each.
var plans = map[string]int{"community": 100, "developer": 1_000, "pro": 10_000, "enterprise": 100_000}

// listLimits says -1 for unlimited.
func listLimits(s *state, _ *call) reply {
	return replyJSON(http.StatusOK, map[string]any{
		"apps": -1, "replicas": s.settings.MaxReplicas, "spicepods": -1, "users": -1,
		"api_rps": plans[s.settings.Plan], "request_timeout_secs": 300, "sql_query_timeout_secs": 300, "sql_concurrent_queries": 100,
		"resources": nil,
	})
}

// Org is an organization that the token's owner belongs to.
type Org struct {
	Name string `yaml:"name"`
	Role string `yaml:"role"` // owner, admin, member (when empty) or viewer
}

// listOrgs shows a machine its own organization only, as owner.
func listOrgs(s *state, c *call) reply {
	type wireOrg struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
		Role string `json:"role"`
	}
	list := []wireOrg{}
	for i, o := range s.orgs {
		role := o.Role
		switch {
		case !strings.EqualFold(o.Name, c.caller.org):
			if c.caller.machine {
				continue
			}
		case c.caller.standard:
			role = s.settings.Role
		default:
			role = c.caller.role
		}
		if role == "" {
			role = "member"
		}
		list = append(list, wireOrg{ID: i + 1, Name: o.Name, Role: role})
	}
	return replyJSON(http.StatusOK, map[string]any{"orgs": list})
}
