package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

// TestPlan_hidesLiterals puts a credential into a spicepod in each place where one may stand, added, changed and
// removed: no report shows it, and each shows that something is there.
func TestPlan_hidesLiterals(t *testing.T) {
	t.Parallel()

	const was, is = "hunter-was-2", "hunter-is-3"
	for name, line := range map[string]string{
		"pass":              `pg_pass: %s`,
		"password":          `mysql_Password: %s`,
		"secret":            `client_secret_value: "%s"`,
		"token":             `github_TOKEN_v2: %s`,
		"key":               `openai_api_key: %s`,
		"key_of_two_words":  `AccessKey: %s`,
		"list":              `api_keys: ["%s", other]`,
		"map":               `secrets: {a: {b: "%s"}}`,
		"lines":             "private_key: |\n        -----BEGIN-----\n        %s",
		"user_of_a_url":     `connection: postgresql://%s@db.example.com/orders`,
		"password_of_a_url": `connection: postgresql://ada:%s@db.example.com/orders`,
		"name_of_a_key":     `"postgresql://%s@db.example.com/orders": x`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with := func(literal string) *spicepod.Manifest {
				return manifest(t, "datasets:\n  - name: orders\n    params:\n      "+fmt.Sprintf(line, literal)+"\n")
			}
			without := manifest(t, "datasets:\n  - name: orders\n    params: {a: b}\n")
			for how, difference := range map[string]spicepod.Difference{
				"added":   spicepod.Compare(without, with(is)),
				"changed": spicepod.Compare(with(was), with(is)),
				"removed": spicepod.Compare(with(was), without),
				"first":   spicepod.Compare(nil, with(is)),
			} {
				r := run(diag.Planned, "dry run", func(r *deploy.Result) { r.Plan = &deploy.Plan{App: shop(), Spicepod: difference} })
				for where, text := range map[string]string{
					"the summary": report.Summary(r, logURL, asItIs), "the comment": report.Comment(r, "shop", logURL, asItIs), "the output": output(r, "plan"),
				} {
					if strings.Contains(text, "hunter") {
						t.Errorf("%s: %s shows the literal:\n%s", how, where, text)
					}
					if !strings.Contains(text, "***") {
						t.Errorf("%s: %s does not show that something is hidden:\n%s", how, where, text)
					}
				}
			}
		})
	}
}

// TestPlan_showsReferences: what only names a secret is no secret.
func TestPlan_showsReferences(t *testing.T) {
	t.Parallel()

	reference := "${ secrets:PG_PASS }"
	difference := spicepod.Compare(manifest(t, "datasets: [{name: orders}]\n"), manifest(t, "datasets: [{name: orders, params: {pg_pass: '"+reference+"'}}]\n"))
	r := run(diag.Planned, "dry run", func(r *deploy.Result) { r.Plan = &deploy.Plan{App: shop(), Spicepod: difference} })
	for _, text := range []string{report.Summary(r, logURL, asItIs), report.Comment(r, "shop", logURL, asItIs), output(r, "plan")} {
		if !strings.Contains(text, reference) {
			t.Errorf("expected %s in:\n%s", reference, text)
		}
	}
}

// TestOutputs_planFits: the plan of a spicepod that is as large as can be leaves room for all other outputs.
func TestOutputs_planFits(t *testing.T) {
	t.Parallel()

	r := run(diag.Planned, "dry run", func(r *deploy.Result) {
		r.Plan = &deploy.Plan{App: shop(), Spicepod: spicepod.Difference{Unified: strings.Repeat("+\"\n", 1<<18)}}
		for range 20_000 {
			r.Plan.Spicepod.Changes = append(r.Plan.Spicepod.Changes, spicepod.Change{Path: strings.Repeat(`deep."below".`, 400), What: "added"})
			r.Plan.TagChanges = append(r.Plan.TagChanges, "tag=value")
		}
	})
	plan := output(r, "plan")
	// GitHub takes 1 MB together and counts UTF-16, two bytes for each character. A dry run has no datasets and probes.
	if got, most := len(plan), 300_000; got > most {
		t.Errorf("expected %d bytes to be at most %d", got, most)
	}
	if !json.Valid([]byte(plan)) {
		t.Errorf("expected JSON, got %.200s", plan)
	}
}
