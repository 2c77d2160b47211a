package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

const logURL = "https://github.com/acme/shop/actions/runs/7/attempts/1"

// outcomes is one run for each result.
func outcomes() map[diag.Result]deploy.Result {
	app := spicecloud.App{ID: 7, Name: "shop", Region: "us-east-1"}
	base := deploy.Result{
		Org: "acme", App: app, Duration: 14200 * time.Millisecond,
		Request: spicecloud.NewDeployment{Branch: "orders", CommitSHA: "3f2c1ab9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3", CommitMessage: "Add the orders dataset"},
	}
	plan := &deploy.Plan{
		App: app, PushSpicepod: true, TagChanges: []string{"repository=acme_shop"},
		Spicepod: spicepod.Difference{
			Changes: []spicepod.Change{
				{Kind: "dataset", Name: "orders", Path: "acceleration.refresh_check_interval", What: "10m → 5m"},
				{Kind: "model", Name: "llm", What: "added"},
			},
			Unified: "--- deployed\n+++ wanted\n@@ -1 +1 @@\n-a: 10m\n+a: 5m\n",
		},
		InTheWay: &spicecloud.Deployment{ID: 85, RawStatus: "in_progress"},
	}
	ours := func(status spicecloud.Status) spicecloud.Deployment {
		return spicecloud.Deployment{ID: 86, Status: status, RawStatus: string(status), ImageTag: "2.3.2-models"}
	}
	of := func(result diag.Result, reason string, change func(*deploy.Result)) deploy.Result {
		r := base
		r.Result, r.Reason, r.ExitCode = result, reason, result.ExitCode()
		if r.ExitCode != 0 {
			r.Err = errors.New(reason)
		}
		change(&r)
		return r
	}
	list := []deploy.Result{
		of(diag.Succeeded, "deployment 86 succeeded; 2 datasets ready, 1 of 1 probe passed", func(r *deploy.Result) {
			r.Deployment, r.Plan, r.SpicepodSent = ours(spicecloud.Succeeded), plan, true
			r.Secrets = []secretsync.Outcome{{Name: "PG_PASS", Action: secretsync.Updated}, {Name: "OPENAI_API_KEY", Action: secretsync.Created}}
			r.Datasets = []spiceruntime.Dataset{{Name: "orders", Status: "ready"}, {Name: "trips", Status: "ready", From: "s3://bucket"}}
			r.Probes = []deploy.ProbeResult{{Probe: "SELECT 1", Outcome: spiceruntime.Outcome{Name: "sql", OK: true, Duration: 12 * time.Millisecond, Detail: "1 row"}}}
		}),
		of(diag.Submitted, "deployment 86 was created; it was not waited for", func(r *deploy.Result) { r.Deployment = ours(spicecloud.Queued) }),
		of(diag.Planned, "dry run: update the spicepod and tags, write 1 secret; nothing was changed", func(r *deploy.Result) {
			r.Plan = plan
			r.Secrets = []secretsync.Outcome{{Name: "PG_PASS", Action: secretsync.Update}, {Name: "OLD", Action: secretsync.Delete}}
		}),
		of(diag.Skipped, "deployment 85 is in the way, and on-conflict is skip", func(r *deploy.Result) { r.Plan = plan }),
		of(diag.Failed, "deployment 86 failed: "+hostile, func(r *deploy.Result) {
			r.Hint = diag.Hint(diag.UnableToStart)
			r.Deployment = ours(spicecloud.Failed)
			r.Deployment.ErrorCode, r.Deployment.ErrorMessage = "unable_to_start", hostile
		}),
		of(diag.Superseded, "deployment 86 was replaced by deployment 87", func(r *deploy.Result) {
			r.Deployment, r.SupersededBy, r.Hint = ours(spicecloud.Created), 87, diag.Hint(diag.DeploymentSuperseded)
		}),
		deploy.Refused(diag.Problems{
			{Option: "replicas", Message: "11 is too many", Hint: "give 1 to 10"},
			{Option: "spicepod", File: "spicepod.yaml", Line: 3, Column: 5, Text: "    - name: a", Message: "duplicate name"},
		}),
		of(diag.AuthError, "list apps: 401 unauthorized", func(r *deploy.Result) {
			r.App, r.Hint = spicecloud.App{}, diag.Hint(diag.TokenRefused)
		}),
		of(diag.TimedOut, "deployment 86 was still in_progress after 10m0s; it may still be running", func(r *deploy.Result) { r.Deployment = ours(spicecloud.InProgress) }),
		of(diag.Unavailable, "list apps: no complete answer within 30s", func(r *deploy.Result) { r.App = spicecloud.App{} }),
		of(diag.Conflict, "deployment 85 has been in progress for 12m", func(r *deploy.Result) { r.Plan, r.Hint = plan, diag.Hint(diag.DeploymentInTheWay) }),
		of(diag.VerificationFailed, "deployment 86 succeeded, but dataset trips is in error; rolled back: deployment 87 runs the former spicepod", func(r *deploy.Result) {
			r.Deployment, r.RolledBackTo = ours(spicecloud.Succeeded), 87
			r.Datasets = []spiceruntime.Dataset{{Name: "orders", Status: "ready"}, {Name: "trips", Status: "error", ErrorMessage: hostile}}
			r.Warnings = []string{"1 secret is shorter than 4 characters"}
		}),
		of(diag.Rejected, "create deployment of app \"shop\": 402 payment required", func(r *deploy.Result) { r.Hint = diag.Hint(diag.PaymentRequired) }),
		of(diag.InternalError, "panic: index out of range", func(r *deploy.Result) { r.Hint = diag.Hint(diag.Bug) }),
		of(diag.Cancelled, "stopped by SIGTERM; deployment 86 goes on", func(r *deploy.Result) { r.Deployment = ours(spicecloud.InProgress) }),
	}
	byResult := map[diag.Result]deploy.Result{}
	for _, r := range list {
		byResult[r.Result] = r
	}
	return byResult
}

func TestComment(t *testing.T) {
	t.Parallel()

	for name, result := range outcomes() {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()

			got := report.Comment(result, "shop", logURL, asItIs)
			golden := filepath.Join("testdata", "comment", string(name)+".md")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("comment (-want, +got); go test ./internal/report -update writes it anew:\n%s", diff)
			}
		})
	}
}

// TestComment_everyResult holds the golden files against the documented exit codes: a result that is added needs one.
func TestComment_everyResult(t *testing.T) {
	t.Parallel()

	all := []diag.Result{
		diag.Succeeded, diag.Submitted, diag.Planned, diag.Skipped, diag.Failed, diag.Superseded, diag.InvalidInput, diag.AuthError,
		diag.TimedOut, diag.Unavailable, diag.Conflict, diag.VerificationFailed, diag.Rejected, diag.InternalError, diag.Cancelled,
	}
	for _, result := range all {
		if _, ok := outcomes()[result]; !ok {
			t.Errorf("no comment for %s", result)
		}
	}
}

func TestComment_beginsWithTheMarker(t *testing.T) {
	t.Parallel()

	cases := []struct{ name, app, want string }{
		{"plain", "shop", "<!-- spice-deploy:shop -->"},
		{"capitals", "Shop", "<!-- spice-deploy:shop -->"},
		{"id", "7", "<!-- spice-deploy:7 -->"},
		{"would_end_the_marker", "a-->\n# b", "<!-- spice-deploy:a--%3E%0A%23%20b -->"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := report.CommentMarker(tc.app); got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
			first, _, _ := strings.Cut(report.Comment(deploy.Result{}, tc.app, "", asItIs), "\n")
			if first != tc.want {
				t.Errorf("expected the first line %q to be %q", first, tc.want)
			}
		})
	}
}

func TestComment_linksToTheLogOnly(t *testing.T) {
	t.Parallel()

	result := outcomes()[diag.Succeeded]
	for _, address := range []string{"", "javascript:alert(1)", "https://a.example/) [x](https://evil.example", "https://a.example/\n# b", "/runs/7"} {
		if got := report.Comment(result, "shop", address, asItIs); strings.Contains(got, "Log of the run") {
			t.Errorf("expected no link to %q in:\n%s", address, got)
		}
	}
	if got := report.Comment(result, "shop", logURL, asItIs); !strings.Contains(got, "[Log of the run]("+logURL+")") {
		t.Errorf("expected a link to the log in:\n%s", got)
	}
}

func TestComment_coversSecretsBeforeItCutsAndEscapes(t *testing.T) {
	t.Parallel()

	const secret = `a_b"c<d`
	cover := func(s string) string { return strings.ReplaceAll(s, secret, "COVERED") }
	result := outcomes()[diag.Failed]
	result.Hint = "hint " + secret
	// Each place where a text is cut falls into a secret.
	result.Reason = strings.Repeat("x", 2<<10-3) + secret
	plan := *outcomes()[diag.Planned].Plan
	plan.Spicepod.Unified = strings.Repeat("+", 24<<10-3) + secret
	result.Plan = &plan
	got := report.Comment(result, "shop", logURL, cover)
	if !strings.Contains(got, "hint COVERED") {
		t.Errorf("expected the hint to be covered:\n%s", got)
	}
	for _, part := range []string{`a\_b`, "a_b"} {
		if strings.Contains(got, part) {
			t.Errorf("the comment holds %q, the beginning of a secret", part)
		}
	}
}

func TestComment_staysWithinTheLimit(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("<@a_very_long_text ", 1000)
	many := outcomes()[diag.Succeeded]
	plan := *many.Plan
	plan.Spicepod.Unified = strings.Repeat("+a line of a very large spicepod\n", 100_000)
	plan.Spicepod.Changes = slices.Repeat([]spicepod.Change{{Kind: "dataset", Name: "x", What: "added"}}, 10_000)
	plan.TagChanges = slices.Repeat([]string{"a=b"}, 10_000)
	many.Plan = &plan
	many.Secrets = slices.Repeat([]secretsync.Outcome{{Name: "A_SECRET", Action: secretsync.Created}}, 10_000)
	many.Datasets = slices.Repeat([]spiceruntime.Dataset{{Name: "a", Status: "error", ErrorMessage: long}}, 300)
	many.Warnings = slices.Repeat([]string{"a warning"}, 10_000)

	wordy := outcomes()[diag.Failed]
	wordy.Reason, wordy.Hint, wordy.App.Name = long, long, long

	mentions := wordy
	at := strings.Repeat("@", 100_000)
	mentions.Reason, mentions.Hint, mentions.App.Name = at, at, at

	cases := []struct {
		name   string
		result deploy.Result
		left   bool
	}{
		{"little", outcomes()[diag.Succeeded], false},
		{"many_things", many, true},
		{"long_texts", wordy, true},
		{"mentions", mentions, true},
		{"many_problems", deploy.Refused(slices.Repeat(diag.Problems{{Option: "tags", Message: long}}, 100)), false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := report.Comment(tc.result, "shop", logURL, asItIs)
			if got, most := len(got), 65536; got > most {
				t.Errorf("expected %d bytes to be at most %d", got, most)
			}
			if got := strings.Contains(got, "does not fit into a comment"); got != tc.left {
				t.Errorf("expected the note of what was left out to be %t", tc.left)
			}
			if got := strings.Contains(got, "[Log of the run]"); !got {
				t.Error("expected the link to the log to be there whatever happens")
			}
			if got, want := strings.Count(got, "```")%2, 0; got != want {
				t.Error("expected every code block to end")
			}
			if got, want := strings.Count(got, "<details>"), strings.Count(got, "</details>"); got != want {
				t.Errorf("expected %d ends of details to be %d", want, got)
			}
		})
	}
}
