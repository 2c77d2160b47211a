package deploy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// TestVerify_listsTheFormerVersion holds that no dataset of the former version looks well in a report, and that what
// a report shows of one is short and without the user part of a URL.
func TestVerify_listsTheFormerVersion(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	playAll(t, []scene{{
		name: "lists", args: "--dataset-ready-timeout-seconds 2",
		given: func(s *stage) {
			s.app.Spicepod = served("old", "gone=file:a.csv", "moved=postgres:a")
			s.spicepod = served("ours", "moved=https://me:hunter2@b.example.com/x", "kept=s3://c")
			listing(s, `[
				{"name":"Gone","from":"file:a.csv","status":"Ready"},
				{"name":"moved","from":"https://me:hunter2@a.example.com/x","status":"Error","error":"dataset.auth","error_message":"no"},
				{"name":"kept","from":"s3://c","status":"Ready"},
				{"name":"`+long+`","from":"`+long+`","status":"Ready"}]`)
		},
		result: diag.VerificationFailed, exit: 7, silent: []string{"hunter2"},
		reason: "the former version is still served after 2s: Gone was removed and is still served; moved comes from https://***@a.example.com/x instead of https://***@b.example.com/x",
		writes: happy, history: ours("succeeded"), took: "6s-7s",
		also: func(s *stage, e ended) {
			short := strings.Repeat("x", 199) + "…"
			want := []spiceruntime.Dataset{
				{Name: "Gone", From: "file:a.csv", Status: "former", ErrorMessage: "was removed and is still served"},
				{
					Name: "moved", From: "https://***@a.example.com/x", Status: "former",
					ErrorMessage: "comes from https://***@a.example.com/x instead of https://***@b.example.com/x",
				},
				{Name: "kept", From: "s3://c", Status: "Ready"},
				{Name: short, From: short, Status: "Ready"},
			}
			if diff := cmp.Diff(want, e.Datasets); diff != "" {
				s.Errorf("datasets (-want, +got):\n%s", diff)
			}
		},
	}})
}
