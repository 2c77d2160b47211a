package spicecloud_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// BenchmarkDeployments reads a history from a server that knows no pages: of 10,000 deployments, and of as many
// bytes as an answer may have.
func BenchmarkDeployments(b *testing.B) {
	for _, bc := range []struct {
		name    string
		n       int
		message string
	}{
		{"quarter", 2500, "Deploy the shop"},
		{"half", 5000, "Deploy the shop"},
		{"10000", 10_000, "Deploy the shop"},
		{"16MiB", 10_000, strings.Repeat("message ", 170)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			var body strings.Builder
			body.WriteString(`{"deployments": [`)
			for i := range bc.n {
				fmt.Fprintf(&body, `{"id": %d, "status": "succeeded", "created_at": "2026-11-23T10:00:00Z", "started_at": "2026-11-23T10:00:01Z",`+
					`"finished_at": null, "image_tag": "2.3.2", "replicas": 1, "branch": "main", "commit_sha": "%040x", "commit_message": %q,`+
					`"error_code": null, "creation_source": "api"},`, bc.n-i, i, bc.message)
			}
			text := strings.TrimSuffix(body.String(), ",") + "]}"
			client, err := spicecloud.New(spicecloud.Config{
				BaseURL: "https://api.spice.test", Token: redact.New("a-token"), Transport: &script{steps: []step{reply(http.StatusOK, text)}},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				list, err := client.Deployments(b.Context(), 1, spicecloud.DeploymentQuery{})
				if err != nil {
					b.Fatal(err)
				}
				if len(list.Deployments) != bc.n {
					b.Fatalf("%d deployments, want %d", len(list.Deployments), bc.n)
				}
			}
		})
	}
}
