package report_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

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

	result := runs(t)["succeeded"]
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
	result := runs(t)["failed"]
	result.Hint = "hint " + secret
	// Each place where a text is cut falls into a secret.
	result.Reason = strings.Repeat("x", 2<<10-3) + secret
	plan := *runs(t)["planned"].Plan
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
	many := runs(t)["succeeded"]
	plan := *many.Plan
	plan.Spicepod.Unified = strings.Repeat("+a line of a very large spicepod\n", 100_000)
	plan.Spicepod.Changes = slices.Repeat([]spicepod.Change{{Kind: "dataset", Name: "x", What: "added"}}, 10_000)
	plan.TagChanges = slices.Repeat([]string{"a=b"}, 10_000)
	many.Plan = &plan
	many.Secrets = slices.Repeat([]secretsync.Outcome{{Name: "A_SECRET", Action: secretsync.Created}}, 10_000)
	many.Datasets = slices.Repeat([]spiceruntime.Dataset{{Name: "a", Status: "error", ErrorMessage: long}}, 300)
	many.Warnings = slices.Repeat([]string{"a warning"}, 10_000)

	wordy := runs(t)["failed"]
	wordy.Reason, wordy.Hint, wordy.App.Name = long, long, long

	mentions := wordy
	at := strings.Repeat("@", 100_000)
	mentions.Reason, mentions.Hint, mentions.App.Name = at, at, at

	cases := []struct {
		name   string
		result deploy.Result
		left   bool
	}{
		{"little", runs(t)["succeeded"], false},
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
			if got := strings.Contains(got, "_Not all there is to tell fits into a comment"); got != tc.left {
				t.Errorf("expected the note of what was left out to be %t", tc.left)
			}
			if got := strings.Contains(got, "[Log of the run]"); !got {
				t.Error("expected the link to the log to be there whatever happens")
			}
			if got, want := strings.Count(got, "```")%2, 0; got != want {
				t.Error("expected every code block to end")
			}
			if got, want := strings.Count(got, "<details"), strings.Count(got, "</details>"); got != want {
				t.Errorf("expected %d ends of details to be %d", want, got)
			}
		})
	}
}
