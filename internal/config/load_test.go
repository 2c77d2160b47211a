package config_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// load runs Load with an environment of these variables and no input.
func load(command string, args []string, environ ...string) (*config.Options, error) {
	return config.Load(command, args, config.Env{
		Environ: environ,
		Stdin:   strings.NewReader(""),
		ReadFile: func(name string) ([]byte, error) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	})
}

func mustLoad(t *testing.T, command string, args []string, environ ...string) *config.Options {
	t.Helper()
	o, err := load(command, args, environ...)
	if err != nil {
		t.Fatalf("Load: %s", err)
	}
	return o
}

func TestLoad_defaults(t *testing.T) {
	t.Parallel()
	got := mustLoad(t, "deploy", []string{"--app-name", "sales"})
	want := &config.Options{
		Command:              "deploy",
		APIURL:               "https://api.spice.ai",
		AppName:              "sales",
		Visibility:           "private",
		Spicepod:             "spicepod.yaml",
		WorkingDirectory:     ".",
		MissingSecrets:       "warn",
		OnConflict:           "wait",
		OnSuperseded:         "fail",
		IfPaused:             "fail",
		IfConnected:          "fail",
		WaitForCompletion:    true,
		Timeout:              600 * time.Second,
		PollInterval:         10 * time.Second,
		OnMissingCredentials: "fail",
		TestWarmup:           60 * time.Second,
		TestTimeout:          30 * time.Second,
		DatasetReadyTimeout:  300 * time.Second,
		FailOnTestError:      true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(redact.Secret{})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestLoad_everything_given(t *testing.T) {
	t.Parallel()
	got := mustLoad(t, "deploy", nil,
		"INPUT_CLIENT-ID=id", "INPUT_CLIENT-SECRET= s3cret \n", "INPUT_SCOPE=apps:write",
		"INPUT_API-URL=https://api.example.com/spice/", "INPUT_OAUTH-TOKEN-URL=http://127.0.0.1:8080/api/oauth/token",
		"INPUT_CA-FILE=ca.pem", "INPUT_ORG=my.org",
		"INPUT_PROJECT-ID=42", "INPUT_PROJECT-NAME=sales", "INPUT_CREATE-APP-IF-MISSING=true", "INPUT_REGION=us-east-1",
		"INPUT_VISIBILITY=public", "INPUT_TAGS=team: data\ncommit: 0123\n",
		"INPUT_SPICEPOD=pods/a.yaml", "INPUT_WORKING-DIRECTORY=app", "INPUT_IMAGE-TAG=1.5.0-models",
		"INPUT_CHANNEL=nightly", "INPUT_REPLICAS=10", "INPUT_DEBUG=false",
		"INPUT_BRANCH=main", "INPUT_COMMIT-SHA=0123abc", "INPUT_COMMIT-MESSAGE=First line\n\nMore\n",
		"INPUT_SECRETS=  A=1\nB=2\n", "INPUT_SECRETS-FROM-ENV=A, B", "INPUT_SECRETS-FILE=s.env",
		"INPUT_SECRETS-EXCLUDE=CI_*, X\nY?", "INPUT_SECRETS-PRUNE=true", "INPUT_MISSING-SECRETS=fail",
		"INPUT_ON-CONFLICT=adopt", "INPUT_ON-SUPERSEDED=succeed", "INPUT_IF-PAUSED=resume",
		"INPUT_IF-CONNECTED=deploy-head", "INPUT_WAIT-FOR-COMPLETION=false", "INPUT_TIMEOUT-SECONDS=30",
		"INPUT_POLL-INTERVAL-SECONDS=1", "INPUT_DRY-RUN=1", "INPUT_ON-MISSING-CREDENTIALS=skip", "INPUT_ALLOW-FORK=T",
		"INPUT_EMULATOR=true", "INPUT_EMULATOR-FAULTS=faults.json",
		"INPUT_TEST-WARMUP-SECONDS=0", "INPUT_TEST-TIMEOUT-SECONDS=5", "INPUT_DATASET-READY-TIMEOUT-SECONDS=0",
		"INPUT_FAIL-ON-TEST-ERROR=false", "INPUT_GITHUB-TOKEN=ghs_x", "INPUT_GITHUB-DEPLOYMENT=false",
		"INPUT_OUTPUT-FILE=out.json", "INPUT_SUMMARY-FILE=summary.md", "INPUT_VERBOSE=true",
	)
	off := false
	want := &config.Options{
		Command:  "deploy",
		ClientID: "id", ClientSecret: redact.New("s3cret"), Scope: "apps:write", Credentials: config.Client,
		APIURL: "https://api.example.com/spice", OAuthTokenURL: "http://127.0.0.1:8080/api/oauth/token",
		CAFile: "ca.pem", Org: "my.org",
		AppID: 42, AppName: "sales", CreateAppIfMissing: true, Region: "us-east-1",
		Visibility: "public", Tags: map[string]string{"team": "data", "commit": "0123"},
		Spicepod: "pods/a.yaml", SpicepodGiven: true, WorkingDirectory: "app", ImageTag: "1.5.0-models",
		Channel: "nightly", Replicas: 10, Debug: &off,
		Branch: "main", CommitSHA: "0123abc", CommitMessage: "First line",
		Secrets: redact.New("  A=1\nB=2\n"), SecretsFromEnv: "A, B", SecretsFile: "s.env",
		SecretsExclude: []string{"CI_*", "X", "Y?"}, SecretsPrune: true, MissingSecrets: "fail",
		OnConflict: "adopt", OnSuperseded: "succeed", IfPaused: "resume", IfConnected: "deploy-head",
		Timeout: 30 * time.Second, PollInterval: time.Second,
		DryRun: true, OnMissingCredentials: "skip", AllowFork: true, Emulator: true, EmulatorFaults: "faults.json",
		TestTimeout: 5 * time.Second, GitHubToken: redact.New("ghs_x"),
		OutputFile: "out.json", SummaryFile: "summary.md", Verbose: true,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(redact.Secret{})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestLoad_first_that_is_not_empty_wins(t *testing.T) {
	t.Parallel()
	// From the first to the last: each case drops one more source, or leaves it empty.
	environ := []string{
		"INPUT_API-URL=https://input-dash", "INPUT_API_URL=https://input", "PLUGIN_API_URL=https://plugin",
		"SPICE_API_URL=https://spice", "SPICE_CLOUD_API_URL=https://cloud", "SPICEAI_API_ENDPOINT=https://ai",
	}
	wants := []string{
		"https://input-dash", "https://input", "https://plugin", "https://spice", "https://cloud", "https://ai",
		"https://api.spice.ai",
	}
	for i, want := range wants {
		t.Run(fmt.Sprintf("without_the_first_%d", i), func(t *testing.T) {
			t.Parallel()
			vars := environ[i:]
			for _, variable := range environ[:i] {
				name, _, _ := strings.Cut(variable, "=")
				vars = append([]string{name + "= \n"}, vars...)
			}
			o := mustLoad(t, "deploy", []string{"--app-id=1", "--api-url="}, vars...)
			if got := o.APIURL; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			o = mustLoad(t, "deploy", []string{"--app-id=1", "--api-url=https://flag"}, vars...)
			if got, want := o.APIURL, "https://flag"; got != want {
				t.Errorf("with the flag: expected %q to be %q", got, want)
			}
		})
	}
}

func TestLoad_aliases(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		args    []string
		environ []string
		want    string
	}{
		{"flag", []string{"--project-name=a"}, []string{"INPUT_APP-NAME=b"}, "a"},
		{"nearer_alias_before_farther_name", nil, []string{"PLUGIN_PROJECT_NAME=a", "SPICE_APP_NAME=b"}, "a"},
		{"nearer_name_before_farther_alias", nil, []string{"INPUT_APP_NAME=a", "PLUGIN_PROJECT_NAME=b"}, "a"},
		{"both_the_same", nil, []string{"SPICE_APP_NAME=a", "SPICE_PROJECT_NAME=a"}, "a"},
		{"alias_where_the_name_is_empty", nil, []string{"INPUT_APP-NAME=", "INPUT_PROJECT-NAME=a"}, "a"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := mustLoad(t, "deploy", tc.args, tc.environ...).AppName; got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
		})
	}
}

func TestLoad_flag_forms(t *testing.T) {
	t.Parallel()
	o := mustLoad(t, "plan", []string{
		"--app-name", "last", "-branch=b=c", "--dry-run", "--wait-for-completion=false",
		"--exit-code", "--commit-message", "-- fix", "--spicepod=", "--app-name=last", "--",
	})
	want := mustLoad(t, "plan", []string{"--app-name=any"})
	want.AppName, want.Branch, want.CommitMessage = "last", "b=c", "-- fix"
	want.DryRun, want.WaitForCompletion, want.ExitCode = true, false, true
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(redact.Secret{})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestLoad_verbose_follows_the_runner(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		args    []string
		environ string
		want    bool
	}{
		{"debug_run", nil, "RUNNER_DEBUG=1", true},
		{"no_debug_run", nil, "RUNNER_DEBUG=", false},
		{"own_word_counts", []string{"--verbose=false"}, "RUNNER_DEBUG=1", false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := mustLoad(t, "deploy", append(tc.args, "--app-id=1"), tc.environ)
			if got := o.Verbose; got != tc.want {
				t.Errorf("expected %t to be %t", got, tc.want)
			}
		})
	}
}

func TestLoad_other_commands(t *testing.T) {
	t.Parallel()
	o := mustLoad(t, "delete", []string{"--app-name=pr-7", "--yes"}, "SPICE_SPICEPOD=x", "SPICE_REPLICAS=99")
	if o.AppName != "pr-7" || !o.Yes || o.Spicepod != "" || o.Timeout != 600*time.Second || o.WorkingDirectory != "." {
		t.Errorf("delete: unexpected options %+v", o)
	}
	o = mustLoad(t, "emulator", []string{"--listen=:8080", "--emulator-faults=f.json"}, "SPICE_APP_ID=x")
	if o.Listen != ":8080" || o.EmulatorFaults != "f.json" {
		t.Errorf("emulator: unexpected options %+v", o)
	}
	if got, want := mustLoad(t, "emulator", nil).Listen, "127.0.0.1:0"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if o = mustLoad(t, "version", nil, "PLUGIN_APP_NAM=x"); o.Command != "version" {
		t.Errorf("version: unexpected options %+v", o)
	}
}

func TestLoad_help(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"-h", "--help"} {
		if _, err := load("deploy", []string{"--replicas=0", arg}); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: expected %v to be %v", arg, err, flag.ErrHelp)
		}
	}
}

func TestLoad_options_come_with_the_problems(t *testing.T) {
	t.Parallel()
	o, err := load("deploy", []string{"--output-file=o.env", "--replicas=0"}, "SPICE_API_TOKEN=t")
	problems, ok := errors.AsType[diag.Problems](err)
	if !ok || len(problems) != 2 || problems[0].Option != "replicas" || problems[1].Option != "app-name" {
		t.Errorf("expected problems of replicas and app-name, got %v", err)
	}
	if o.OutputFile != "o.env" || o.APIToken.Reveal() != "t" {
		t.Errorf("expected the output file and the token, got %+v", o)
	}
}

func TestLoad_probes(t *testing.T) {
	t.Parallel()
	const list = "  - SELECT 1\n  - SELECT 2\n"
	for name, o := range map[string]*config.Options{
		"flag":          mustLoad(t, "verify", []string{"--app-id=1", "--test-sql", list}),
		"input":         mustLoad(t, "deploy", nil, "INPUT_APP-ID=1", "INPUT_TEST-SQL="+list),
		"own_name":      mustLoad(t, "verify", nil, "SPICE_APP_ID=1", "SPICE_TEST_SQL="+list, "SPICE_REPLICAS=many"),
		"alone":         mustLoad(t, "verify", []string{"--app-id=1", "--dataset-ready-timeout-seconds=0", "--test-sql", list}),
		"with_a_notice": mustLoad(t, "verify", []string{"--app-id=1", "--test-mcp-arguments={}", "--test-sql", list}),
	} {
		if o.TestSQL != list {
			t.Errorf("%s: expected %q, got %q", name, list, o.TestSQL)
		}
		if want := name == "with_a_notice"; want != slices.Contains(o.Notices, "test-mcp-arguments is not used, since test-mcp-tool is not set") {
			t.Errorf("%s: got the notices %q", name, o.Notices)
		}
	}
}

func TestLoad_notices(t *testing.T) {
	t.Parallel()
	o := mustLoad(t, "deploy", nil, "PLUGIN_APP_NAME=a", "PLUGIN_FLIGHT_URL=x:443", "PLUGIN_SOMETHING_ELSE=1",
		"PLUGIN_ARTIFACT_FILE=/a", "PLUGIN_METADATA_FILE=/b", "PLUGIN_UNSET=")
	want := []string{
		`"PLUGIN_SOMETHING_ELSE" is not an option and is not used`,
		"flight-url is accepted and not used: probes go over HTTP",
	}
	if diff := cmp.Diff(want, o.Notices); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("deploy", "--app-id\n1\n--api-token\n-", "INPUT_TAGS=a: b")
	f.Add("plan", "---x\n-\n--\n--=\n--no such=1\n-=", "PLUGIN_=1\x00=x\x00PLUGIN_APP_NAM=é")
	f.Add("delete", "--api-token\n@x\n--timeout-seconds=5m", "SPICE_API_URL=http://[::1%25lo]:1")
	f.Add("verify", "--tags={a: [*b, &c]}", "SPICE_SECRETS_EXCLUDE=[")
	f.Add("emulator", "--listen\n[::", "RUNNER_DEBUG=1")
	f.Fuzz(func(t *testing.T, command, args, environ string) {
		o, err := config.Load(command, strings.Split(args, "\n"), config.Env{
			Environ:  strings.Split(environ, "\x00"),
			Stdin:    strings.NewReader(args),
			ReadFile: func(string) ([]byte, error) { return nil, io.ErrUnexpectedEOF },
		})
		if o == nil {
			t.Errorf("no options, error %v", err)
		}
	})
}
