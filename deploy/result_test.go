package deploy_test

import (
	"errors"
	"testing"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestRefused(t *testing.T) {
	t.Parallel()

	problems := diag.Problems{{Option: "replicas", Message: "0 is too few"}, {Option: "region", Message: "missing"}}
	cases := []struct {
		name   string
		err    error
		result diag.Result
		exit   int
		reason string
		hint   string
		fails  bool
	}{
		{
			name: "problems_with_the_input", err: problems.Err(),
			result: diag.InvalidInput, exit: 2, reason: "2 problems with the input: replicas: 0 is too few; region: missing", fails: true,
		},
		{
			name: "skipped", err: &diag.Error{Result: diag.Skipped, Err: errors.New("a fork"), Hint: "run on push"},
			result: diag.Skipped, reason: "a fork", hint: "run on push",
		},
		{
			name: "anything_else", err: errors.New("no such file"),
			result: diag.InvalidInput, exit: 2, reason: "no such file", fails: true,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			got := deploy.Refused(tc.err)
			if got.Result != tc.result || got.ExitCode != tc.exit || got.Reason != tc.reason || got.Hint != tc.hint || (got.Err != nil) != tc.fails {
				t.Errorf("got %+v, want %+v", got, tc)
			}
		})
	}
}

func TestResult_AppURL(t *testing.T) {
	t.Parallel()

	app := spicecloud.App{Name: "shop app"}
	for want, result := range map[string]deploy.Result{
		"https://spice.ai/apps":            {App: app},
		"https://spice.ai/acme/shop%20app": {App: app, Org: "acme"},
	} {
		if got := result.AppURL(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, want := (deploy.Result{Org: "acme"}).AppURL(), "https://spice.ai/apps"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
