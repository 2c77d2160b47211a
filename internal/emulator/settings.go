package emulator

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxAppsPage is the documented maximum and default of a page of projects.
const maxAppsPage = 1000

// Settings is what the service is like. Where editions or sources disagree, the default is the newest
// documentation.
type Settings struct {
	// How long a deployment stays queued and in progress unless its outcome says otherwise.
	Queued     time.Duration `yaml:"queued"`
	InProgress time.Duration `yaml:"in_progress"`

	Scopes         []string `yaml:"scopes"` // of the standard token and of the OAuth client
	Role           string   `yaml:"role"`   // of the standard token's owner: owner, admin, member, viewer
	Plan           string   `yaml:"plan"`   // community, developer, pro, enterprise
	MaxReplicas    int      `yaml:"max_replicas"`
	MaxLogTail     int      `yaml:"max_log_tail"`
	PrivateCompute bool     `yaml:"private_compute"`

	NoProjectsRoute        bool          `yaml:"no_projects_route"`         // as before August 2026: /v1/apps only
	NoDeploymentRoute      int           `yaml:"no_deployment_route"`       // what GET …/deployments/{id} answers instead: 404 or 405
	ConflictEdition        string        `yaml:"conflict_edition"`          // 409 while one is "queued", or while "any" has not ended
	AcceptUnknownImageTags bool          `yaml:"accept_unknown_image_tags"` // they stay queued for ever instead of 400
	ListLag                time.Duration `yaml:"list_lag"`                  // how long a new deployment is missing from the list
	ClockSkew              time.Duration `yaml:"clock_skew"`                // how far the service's clock is ahead, in Date and in every time
	CreatedBy              string        `yaml:"created_by"`                // int, string, null
	ErrorField             string        `yaml:"error_field"`               // error_message, error
	SecretCreatedStatus    int           `yaml:"secret_created_status"`     // 200, 201
	AppsPageSize           int           `yaml:"apps_page_size"`            // at most so many projects in one answer

	// Placement is how an app says where its data plane is: "endpoint" (a URL), "host" (an endpoint without a
	// scheme), "cname", "region", "data-region" (us-east-1-prod-aws-data), or "config-region" (nowhere else).
	Placement string `yaml:"placement"`
	Endpoint  string `yaml:"endpoint"` // the data plane's URL; the emulator's own when empty

	TokenLifetime      time.Duration `yaml:"token_lifetime"`      // of tokens from the token endpoint
	AdvertisedLifetime time.Duration `yaml:"advertised_lifetime"` // what expires_in says, when it is not the truth

	// What the runtime is like, whatever the app.
	ReadyWithoutSecrets bool   `yaml:"ready_without_secrets"` // although secrets that the spicepod refers to are missing
	ChatCompressionTrap bool   `yaml:"chat_compression_trap"` // 502 for a chat that accepts any encoding but identity
	SQLEdition          string `yaml:"sql_edition"`           // rows as an "array", or an object with "rows"
	SearchEdition       string `yaml:"search_edition"`        // "results", or "matches" as before 2.0

	RateLimit  int    `yaml:"rate_limit"`  // requests per second; 0 for none
	RetryAfter string `yaml:"retry_after"` // of the 429: seconds, date, absent
}

func defaultSettings(opts Options) Settings {
	return Settings{
		Queued: opts.Queued, InProgress: opts.InProgress,
		Scopes: []string{"*"}, Role: "owner", Plan: "enterprise", MaxReplicas: 10, MaxLogTail: 1000,
		ConflictEdition: queued, CreatedBy: "int", ErrorField: "error_message", SecretCreatedStatus: http.StatusOK,
		AppsPageSize: maxAppsPage, Placement: "endpoint", TokenLifetime: time.Hour, RetryAfter: "seconds",
		ChatCompressionTrap: true, SQLEdition: "array", SearchEdition: "results",
	}
}

// SettingsChange changes some settings and keeps the others. In YAML and JSON it is the fields to change.
type SettingsChange func(*Settings)

// UnmarshalYAML reads the fields strictly and remembers which were given.
func (c *SettingsChange) UnmarshalYAML(node *yaml.Node) error {
	var scratch Settings
	if err := node.Load(&scratch, yaml.WithKnownFields()); err != nil {
		return err
	}
	*c = func(st *Settings) { _ = node.Load(st) } // it has just been loaded once
	return nil
}

// apply returns the changed settings, or why they cannot be.
func (c SettingsChange) apply(st Settings) (Settings, error) {
	if c != nil {
		c(&st)
	}
	return st, st.validate()
}

func (st Settings) validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, scope := range st.Scopes {
		if !oneOf(scope, scopeNames) {
			fail("scopes: unknown scope %q", scope)
		}
	}
	words := []struct {
		name, value string
		allowed     []string
	}{
		{"role", st.Role, []string{"owner", "admin", "member", "viewer"}},
		{"plan", st.Plan, slices.Sorted(maps.Keys(plans))},
		{"conflict_edition", st.ConflictEdition, []string{queued, "any"}},
		{"created_by", st.CreatedBy, []string{"int", "string", "null"}},
		{"error_field", st.ErrorField, []string{"error_message", "error"}},
		{"placement", st.Placement, []string{"endpoint", "host", "cname", "region", "data-region", "config-region"}},
		{"sql_edition", st.SQLEdition, []string{"array", "rows"}},
		{"search_edition", st.SearchEdition, []string{"results", "matches"}},
		{"retry_after", st.RetryAfter, []string{"seconds", "date", "absent"}},
	}
	for _, w := range words {
		if !oneOf(w.value, w.allowed) {
			fail("%s: expected one of %s, got %q", w.name, strings.Join(w.allowed, ", "), w.value)
		}
	}
	numbers := []struct {
		name  string
		value int
		ok    bool
	}{
		{"no_deployment_route", st.NoDeploymentRoute, slices.Contains([]int{0, 404, 405}, st.NoDeploymentRoute)},
		{"secret_created_status", st.SecretCreatedStatus, slices.Contains([]int{200, 201}, st.SecretCreatedStatus)},
		{"apps_page_size", st.AppsPageSize, st.AppsPageSize >= 1 && st.AppsPageSize <= maxAppsPage},
		{"max_replicas", st.MaxReplicas, st.MaxReplicas >= 1},
		{"max_log_tail", st.MaxLogTail, st.MaxLogTail >= 1},
		{"rate_limit", st.RateLimit, st.RateLimit >= 0},
	}
	for _, n := range numbers {
		if !n.ok {
			fail("%s: %d is not accepted", n.name, n.value)
		}
	}
	for name, d := range map[string]time.Duration{
		"queued": st.Queued, "in_progress": st.InProgress, "list_lag": st.ListLag,
		"token_lifetime": st.TokenLifetime, "advertised_lifetime": st.AdvertisedLifetime,
	} {
		if d < 0 {
			fail("%s: must not be negative, got %s", name, d)
		}
	}
	return errors.Join(errs...)
}

func oneOf(word string, allowed []string) bool { return slices.Contains(allowed, word) }
