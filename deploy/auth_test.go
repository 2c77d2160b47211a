package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRun_refusedCredentials(t *testing.T) {
	t.Parallel()
	// token is one with a role and scopes of its own.
	token := func(spec emulator.TokenSpec) func(*stage) {
		return func(s *stage) {
			spec.Name = "default"
			s.client.Token = redact.New(s.cloud.MintToken(spec))
		}
	}
	client := func(secret string) func(*stage) {
		return func(s *stage) {
			s.client.Token, s.client.Org = redact.Secret{}, ""
			s.client.ClientID, s.client.ClientSecret = s.cloud.ClientID(), redact.New(secret)
		}
	}
	playAll(t, []scene{
		{
			name: "token_that_nobody_knows", given: func(s *stage) { s.client.Token = redact.New("not-a-token") },
			result: diag.AuthError, exit: 3, reason: `find app "shop-app": … 401`, hint: "make a new personal access token", took: "0s",
		},
		{
			name: "token_that_nobody_knows_by_id", args: "--app-id 101", given: func(s *stage) { s.client.Token = redact.New("not-a-token") },
			result: diag.AuthError, exit: 3, reason: "read app 101: … 401", hint: "make a new personal access token", took: "0s",
		},
		{
			name: "client_that_is_refused", given: client("not-the-secret"),
			result: diag.AuthError, exit: 3, reason: "invalid_client", hint: "compare client-id and client-secret", took: "0s",
		},
		{
			name: "client_of_another_organization",
			given: func(s *stage) {
				s.client.Token = redact.New(s.cloud.MintToken(emulator.TokenSpec{Machine: true}))
				s.client.Org = "acme"
			},
			result: diag.AuthError, exit: 3, reason: "org_assertion_mismatch", hint: "check the org input", took: "0s",
		},
		{
			name: "organization_that_is_not_ours", args: "--org acme",
			result: diag.AuthError, exit: 3, reason: "org_forbidden", hint: `check the org input ("acme")`, took: "0s",
		},
		{
			name: "no_scope_to_read_apps", given: token(emulator.TokenSpec{Scopes: []string{"deployments:write"}}),
			result: diag.AuthError, exit: 3, reason: "insufficient_scope", hint: "the scope apps:read", took: "0s",
		},
		{
			name: "no_scope_to_write_apps", given: token(emulator.TokenSpec{Scopes: []string{"apps:read", "deployments:write", "secrets:write"}}),
			result: diag.AuthError, exit: 3, reason: "insufficient_scope", hint: "the scope apps:write",
			writes: []string{"PUT app 403"}, took: "0s",
		},
		{
			name: "no_scope_to_read_deployments", given: token(emulator.TokenSpec{Scopes: []string{"apps:write", "secrets:write"}}),
			result: diag.AuthError, exit: 3, reason: "insufficient_scope", hint: "the scope deployments:read", took: "0s",
		},
		{
			name: "no_scope_to_deploy", given: token(emulator.TokenSpec{Scopes: []string{"apps:write", "deployments:read"}}),
			result: diag.AuthError, exit: 3, reason: "insufficient_scope … the spicepod was updated", hint: "the scope deployments:write",
			writes: []string{"PUT app", "POST app/deployments 403"}, took: "0s",
		},
		{
			name: "no_scope_to_write_secrets",
			given: func(s *stage) {
				token(emulator.TokenSpec{Scopes: []string{"apps:write", "deployments:write", "secrets:read"}})(s)
				s.secrets.Block = redact.New("PG_PASS=correct horse")
			},
			result: diag.AuthError, exit: 3, reason: "insufficient_scope … written: none; not written: PG_PASS … the spicepod was updated", hint: "the scope secrets:write",
			writes: []string{"PUT app", "POST app/secrets 403"}, took: "0s",
		},
		{
			name: "deploying_is_enough_where_nothing_is_to_be_changed",
			given: func(s *stage) {
				token(emulator.TokenSpec{Scopes: []string{"apps:read", "deployments:write"}})(s)
				s.spicepod, s.repository = manifest("old"), "acme/shop"
			},
			result: diag.Succeeded, log: []string{"update: notice: the automatic tag"}, writes: []string{"PUT app 403", "POST app/deployments"},
			history: []string{"1002 run old@c0ffee1 succeeded"}, took: "4s-5s",
		},
		{
			name: "viewer", given: token(emulator.TokenSpec{Role: "viewer"}),
			result: diag.AuthError, exit: 3, reason: "forbidden", hint: "the role member or above",
			writes: []string{"PUT app 403"}, took: "0s",
		},
		{
			name: "scope_named_in_prose_only", given: spoilt(emulator.Fault{Method: "PUT", Status: 403, Body: `{"error":"Insufficient scope. Required: apps:write"}`}),
			result: diag.AuthError, exit: 3, reason: "Insufficient scope", hint: "the scope apps:write",
			writes: []string{"PUT app 403"}, took: "0s",
		},
	})
}

func TestRun_noAnswers(t *testing.T) {
	t.Parallel()
	playAll(t, []scene{
		{
			name: "from_the_start", given: spoilt(emulator.Fault{Times: -1, Status: 503}),
			result: diag.Unavailable, exit: 5, reason: `find app "shop-app": gave up after … 503 … its health check fails too`, hint: "between this runner and api.spice.ai", took: "55s-1m0s",
		},
		{
			name: "and_says_nothing_until_the_deadline", args: "--timeout-seconds 20",
			given:  spoilt(emulator.Fault{Times: -1, Kind: emulator.Lost, Delay: time.Hour}),
			result: diag.Unavailable, exit: 5, reason: "the deadline of timeout-seconds passed", took: "20s",
			also: func(s *stage, e ended) {
				if e.Duration != e.took {
					s.Errorf("the result says that it took %s, but it took %s", e.Duration, e.took)
				}
			},
		},
		{
			name: "but_for_the_health_check", given: spoilt(emulator.Fault{Path: "/projects", Times: -1, Status: 503}),
			result: diag.Unavailable, exit: 5, reason: "its health check answers, so it is not down altogether", took: "55s-1m0s",
		},
		{
			name: "not_even_a_connection", given: spoilt(emulator.Fault{Times: -1, Kind: emulator.Refused}),
			result: diag.Unavailable, exit: 5, reason: "its health check fails too", hint: "between this runner and api.spice.ai", took: "55s-1m0s",
		},
		{
			name: "within_a_shorter_deadline", args: "--timeout-seconds 20", given: spoilt(emulator.Fault{Times: -1, Status: 503}),
			result: diag.Unavailable, exit: 5, reason: "the deadline of timeout-seconds passed … 503", took: "20s",
		},
		{
			name: "that_are_any_good", given: spoilt(emulator.Fault{Times: -1, Kind: emulator.HTML, Status: 200}),
			result: diag.Unavailable, exit: 5, reason: "unusable answer", hint: "a proxy or sign-in page", took: "55s-1m0s",
		},
		{
			name: "but_a_redirect", given: spoilt(emulator.Fault{Times: -1, Kind: emulator.Redirect}),
			result: diag.Unavailable, exit: 5, reason: "redirected to https://login.example.com/", hint: "set api-url", took: "0s",
		},
		{
			name: "for_half_a_minute", given: spoilt(emulator.Fault{Times: 10, Status: 502}),
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "20s-1m0s",
		},
		{
			name: "to_the_update", given: spoilt(emulator.Fault{Method: "PUT", Times: -1, Status: 503}),
			result: diag.Unavailable, exit: 5, reason: `update app "shop-app": gave up after`, writes: []string{"PUT app 503 ×*"}, took: "55s-1m0s",
		},
		{
			name: "to_the_create_once_something_was_changed", args: "--timeout-seconds 120", given: spoilt(create(emulator.Fault{Times: -1, Kind: emulator.Refused})),
			result: diag.Unavailable, exit: 5, reason: "the deadline of timeout-seconds passed … the spicepod was updated", writes: []string{"PUT app", "POST app/deployments cut ×*"}, took: "2m0s",
		},
		{
			name: "of_the_token_endpoint_but_its_rate_limit",
			given: func(s *stage) {
				s.client.Token, s.client.Org = redact.Secret{}, ""
				s.client.ClientID, s.client.ClientSecret = s.cloud.ClientID(), redact.New(s.cloud.ClientSecret())
				s.faults(emulator.Fault{Path: "/api/oauth/token", Times: -1, Status: 429})
			},
			result: diag.Unavailable, exit: 5, reason: "429", hint: "run fewer deployments at once", took: "55s-1m0s",
		},
	})
}

// TestRun_refusedRequests has the service say no in ways that it documents no code for: each has a next step.
func TestRun_refusedRequests(t *testing.T) {
	t.Parallel()
	secret := func(fault emulator.Fault) func(*stage) {
		return func(s *stage) {
			s.secrets.Block = redact.New("PG_PASS=correct horse")
			fault.Method, fault.Path = "POST", "/secrets"
			s.faults(fault)
		}
	}
	look := func(status int) func(*stage) {
		return spoilt(emulator.Fault{Method: "GET", Path: "/deployments/*", Times: -1, Status: status, Body: `{"error":"no"}`})
	}
	playAll(t, []scene{
		{
			name: "deployment_that_may_not_be_read", given: look(403),
			result: diag.AuthError, exit: 3, reason: "could not be followed: … 403", hint: "the scope deployments:read",
			writes: happy, history: ours("queued"), took: "0s",
		},
		{
			name: "deployment_that_is_no_good_request", given: look(400),
			result: diag.Rejected, exit: 8, reason: "could not be followed: … 400", hint: "correct what the message names",
			writes: happy, history: ours("queued"), took: "0s",
		},
		{
			name: "payment", given: spoilt(create(emulator.Fault{Status: 402, Body: `{"error":"no"}`})),
			result: diag.Rejected, exit: 8, reason: "402 … the spicepod was updated", hint: "billing of the organization",
			writes: []string{"PUT app", "POST app/deployments 402"}, took: "0s",
		},
		{
			name: "values_of_the_deployment", given: spoilt(create(emulator.Fault{Status: 422, Body: `{"error":"no"}`})),
			result: diag.Rejected, exit: 8, reason: "422 … the spicepod was updated", hint: "correct what the message names",
			writes: []string{"PUT app", "POST app/deployments 422"}, took: "0s",
		},
		{
			name: "secret", given: secret(emulator.Fault{Status: 400, Body: `{"error":"no"}`}),
			result: diag.Rejected, exit: 8, reason: "400", hint: "correct the secret's name or value",
			writes: []string{"PUT app", "POST app/secrets 400"}, took: "0s",
		},
		{
			name: "secret_that_fails_to_the_end", args: "--timeout-seconds 60", given: secret(emulator.Fault{Status: 503, Times: -1}),
			result: diag.Unavailable, exit: 5, reason: "503", hint: "check the network … the status of Spice Cloud",
			writes: []string{"PUT app", "POST app/secrets 503 ×*"}, took: "1m",
		},
	})
}
