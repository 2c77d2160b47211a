package spicecloud_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestNew_refuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*spicecloud.Config)
		want   string
	}{
		{"no_url", func(c *spicecloud.Config) { c.BaseURL = "" }, "expected https://HOST"},
		{"no_scheme", func(c *spicecloud.Config) { c.BaseURL = "api.spice.ai" }, "expected https://HOST"},
		{"other_scheme", func(c *spicecloud.Config) { c.BaseURL = "ftp://api.spice.ai" }, "expected https://HOST"},
		{"no_host", func(c *spicecloud.Config) { c.BaseURL = "https://:443" }, "expected https://HOST"},
		{"query", func(c *spicecloud.Config) { c.BaseURL = "https://api.spice.ai?x=1" }, "must not have a query"},
		{"plain_http", func(c *spicecloud.Config) { c.BaseURL = "http://api.spice.ai" }, "plain http would show the credentials"},
		{"plain_http_every_address", func(c *spicecloud.Config) { c.BaseURL = "http://0.0.0.0:80" }, "plain http would show the credentials"},
		{"plain_http_lookalike", func(c *spicecloud.Config) { c.BaseURL = "http://127.0.0.1.example.com" }, "plain http would show the credentials"},
		{"no_credentials", func(c *spicecloud.Config) { c.Token = redact.Secret{} }, "no credentials"},
		{"both_kinds", func(c *spicecloud.Config) { c.ClientID, c.ClientSecret = "a", redact.New("b") }, "one of them is needed"},
		{"half_a_client", func(c *spicecloud.Config) { c.Token, c.ClientID = redact.Secret{}, "a" }, "half of the client credentials"},
		{"token_with_line_break", func(c *spicecloud.Config) { c.Token = redact.New("abc\ndef") }, "the token holds a line break"},
		{"org_with_blank", func(c *spicecloud.Config) { c.Org = "my\torg" }, "not a handle"},
		{
			"plain_http_token_url",
			func(c *spicecloud.Config) {
				c.Token, c.ClientID, c.ClientSecret = redact.Secret{}, "a", redact.New("b")
				c.TokenURL = "http://spice.ai/api/oauth/token"
			},
			"OAuth token URL",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := spicecloud.Config{BaseURL: "https://api.spice.ai", Token: redact.New(token)}
			tc.change(&cfg)
			_, err := spicecloud.New(cfg)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("expected an error with %q, got %v", tc.want, err)
			}
		})
	}
}

func TestNew_hides_what_is_in_the_url(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"https://me:hunter2@api.spice.ai", "https://me:hunter2@api.spice.ai:port"} {
		_, err := spicecloud.New(spicecloud.Config{BaseURL: url, Token: redact.New(token)})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("expected an error without the password, got %v", err)
		}
	}
}

func TestNew_plain_http_to_loopback(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://127.0.0.1:8080/", "http://localhost", "http://[::1]:1", "http://127.1.2.3", "http://api.localhost"} {
		if _, err := spicecloud.New(spicecloud.Config{BaseURL: url, Token: redact.New(token)}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestDeriveTokenURL(t *testing.T) {
	t.Parallel()
	cases := []struct{ base, want string }{
		{"https://api.spice.ai", "https://spice.ai/api/oauth/token"},
		{"https://API.spice.ai/", "https://spice.ai/api/oauth/token"},
		{"https://dev-api.spice.ai", "https://dev.spice.ai/api/oauth/token"},
		{"https://x.api.spice.ai:8443", "https://x.spice.ai:8443/api/oauth/token"},
		{"https://spice.example.com", "https://spice.example.com/api/oauth/token"},
		{"https://myapi.example.com", "https://myapi.example.com/api/oauth/token"},
		{"https://api", "https://api/api/oauth/token"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/api/oauth/token"},
		{"http://[::1]:8080", "http://[::1]:8080/api/oauth/token"},
		{"https://gateway.example.com/spice", "https://gateway.example.com/spice/api/oauth/token"},
	}
	for _, tc := range cases {
		got, err := spicecloud.DeriveTokenURL(tc.base)
		if err != nil {
			t.Errorf("%s: %v", tc.base, err)
		}
		if got != tc.want {
			t.Errorf("%s: expected %q to be %q", tc.base, got, tc.want)
		}
	}
	if got, err := spicecloud.DeriveTokenURL("spice"); err == nil {
		t.Errorf("expected an error, got %q", got)
	}
}

func TestClient_headers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*spicecloud.Config)
		want   map[string][]string
	}{
		{
			"token_alone", nil,
			map[string][]string{"Authorization": {"Bearer " + token}, "X-Org-Name": nil, "User-Agent": {"spice-deploy"}, "Accept": {"application/json"}},
		},
		{
			"token_with_org",
			func(c *spicecloud.Config) { c.Org, c.UserAgent = "acme", "spice-deploy/1.2.3 linux/amd64" },
			map[string][]string{"Authorization": {"Bearer " + token}, "X-Org-Name": {"acme"}, "User-Agent": {"spice-deploy/1.2.3 linux/amd64"}, "Accept": {"application/json"}},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(reply(200, `{"regions":[]}`))
			if _, err := client(t, network, tc.change).Regions(ctx(t)); err != nil {
				t.Fatal(err)
			}
			got := map[string][]string{}
			for name := range tc.want {
				got[name] = network.requests()[0].Header[http.CanonicalHeaderKey(name)]
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClient_read_only(t *testing.T) {
	t.Parallel()
	network := plays(reply(200, `{"id":7,"name":"a"}`))
	c := client(t, network, func(cfg *spicecloud.Config) { cfg.ReadOnly = true })
	spicepod := "name: a"
	_, created := c.CreateApp(ctx(t), spicecloud.NewApp{Name: "a", Region: "us-east-1"})
	_, updated := c.UpdateApp(ctx(t), 7, spicecloud.AppUpdate{Spicepod: &spicepod})
	_, resumed := c.ResumeApp(ctx(t), 7)
	_, deployed := c.CreateDeployment(ctx(t), 7, spicecloud.NewDeployment{})
	for what, err := range map[string]error{
		"create": created, "update": updated, "resume": resumed, "deploy": deployed,
		"delete": c.DeleteApp(ctx(t), 7), "put_secret": c.PutSecret(ctx(t), 7, "A", redact.New("b")), "delete_secret": c.DeleteSecret(ctx(t), 7, "A"),
	} {
		if !errors.Is(err, spicecloud.ErrReadOnly) {
			t.Errorf("%s: expected ErrReadOnly, got %v", what, err)
		}
	}
	if got := network.lines(); len(got) != 0 {
		t.Errorf("expected nothing to be sent, got %q", got)
	}
	if _, err := c.App(ctx(t), 7); err != nil {
		t.Errorf("expected reads to work, got %v", err)
	}
}

func TestClient_trace(t *testing.T) {
	t.Parallel()
	var calls []spicecloud.Call
	network := plays(
		reply(200, `{"access_token":"tok","token_type":"bearer"}`),
		reply(200, `{"deployments":[]}`, "X-Request-Id", "req-1"),
	)
	c := oauthClient(t, network, func(cfg *spicecloud.Config) {
		cfg.Trace = func(call spicecloud.Call) { call.Duration = 0; calls = append(calls, call) }
	})
	if _, err := c.Deployments(ctx(t), 7, spicecloud.DeploymentQuery{Limit: 5, Status: "queued"}); err != nil {
		t.Fatal(err)
	}
	want := []spicecloud.Call{
		{Method: "POST", Path: "https://spice.test/api/oauth/token", Status: 200},
		{Method: "GET", Path: "/v1/projects/7/deployments?limit=5&status=queued", Status: 200, RequestID: "req-1"},
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
