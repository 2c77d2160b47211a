package spicecloud_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer step
		want   string // the error, "" for none
	}{
		{"ok", reply(200, `{"status":"ok","timestamp":"2026-11-02T10:00:00.000Z"}`), ""},
		{"not_ok", reply(200, `{"status":"degraded\n"}`), `GET /v1/health: unusable answer with status 200: the service says that its status is "degraded"`},
		{"down", reply(503, `{"message":"maintenance"}`), "GET /v1/health: 503 Service Unavailable: maintenance"},
		{"html", reply(200, "<html>"), "GET /v1/health: unusable answer with status 200: it is an HTML page; expected JSON"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(tc.answer)
			got := ""
			// The client has OAuth credentials: a token request would come first if credentials were sent.
			if err := oauthClient(t, network, nil).Health(ctx(t)); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
			if got, want := network.lines(), []string{"GET /v1/health"}; !slices.Equal(got, want) {
				t.Errorf("expected %q to be %q", got, want)
			}
			if got := network.requests()[0].Get("Authorization"); got != "" {
				t.Errorf("expected no credentials, got %q", got)
			}
		})
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	network := plays(reply(200, `{"regions":[
		{"name":"US East","region":"us-east-1","provider":"aws","providerName":"AWS","isDefault":true,"disabled":false},
		{"name":"US West","region":"us-west-2","isDefault":null,"disabled":true}],"default":"us-east-1"}`))
	got, err := client(t, network, nil).Regions(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	want := spicecloud.Regions{
		Regions: []spicecloud.Region{
			{ID: "us-east-1", Name: "US East", Provider: "aws", Default: true},
			{ID: "us-west-2", Name: "US West", Disabled: true},
		},
		Default: "us-east-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("regions (-want +got):\n%s", diff)
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	network := plays(
		reply(200, `{"images":[{"name":"Spice 2.3.2","tag":"2.3.2","channel":"stable"},{"tag":"2.3.1"}],"default":null}`),
		reply(200, `{"images":[],"default":"2.3.2"}`),
	)
	c := client(t, network, nil)
	got, err := c.Images(ctx(t), "enterprise")
	if err != nil {
		t.Fatal(err)
	}
	want := spicecloud.Images{Images: []spicecloud.Image{{Name: "Spice 2.3.2", Tag: "2.3.2", Channel: "stable"}, {Tag: "2.3.1"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if got, err = c.Images(ctx(t), ""); err != nil || got.Default != "2.3.2" {
		t.Errorf("expected the default 2.3.2, got %v, %v", got, err)
	}
	if got, want := network.lines(), []string{"GET /v1/container-images?channel=enterprise", "GET /v1/container-images"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}
