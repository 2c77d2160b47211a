package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoad_problems(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		command string // "deploy" where empty
		args    []string
		environ []string
		want    []string
	}{
		{"unknown_command", "depoly", nil, nil, []string{`there is no command "depoly"; did you mean deploy?`}},
		{"no_such_command", "frobnicate", nil, nil, []string{
			`there is no command "frobnicate"; expected one of deploy, plan, verify, delete, emulator, version`,
		}},
		{"no_app", "", nil, nil, []string{"app-name: expected the name of the app, or app-id, got neither"}},
		{"no_app_to_delete", "delete", []string{"--yes"}, nil, []string{
			"app-name: expected the name of the app, or app-id, got neither",
		}},

		{"nothing_to_verify", "verify", []string{"--app-id=1", "--dataset-ready-timeout-seconds=0"}, nil, []string{
			"dataset-ready-timeout-seconds: with 0 and no probe there is nothing to verify; raise it, or set test-sql or another probe",
		}},
		{"timeout_of_verify_not_read", "verify", []string{"--app-id=1", "--dataset-ready-timeout-seconds=abc"}, nil, []string{
			`dataset-ready-timeout-seconds: expected a whole number of seconds from 0 to 604800, got "abc"`,
		}},
		{"not_of_verify", "verify", []string{"--app-id=1", "--replicas=2", "--rollback-on-failure", "--emulator"}, nil, []string{
			"replicas: not an option of the command verify",
			"rollback-on-failure: not an option of the command verify",
			"emulator: not an option of the command verify",
		}},

		{"app_id_is_a_name", "", []string{"--app-id=sales"}, nil, []string{
			`app-id: expected a positive number, got "sales"; a number is wanted, for a name use app-name`,
		}},
		{"app_id_0", "", []string{"--app-id=0"}, nil, []string{
			`app-id: expected a positive number, got "0"; a number is wanted, for a name use app-name`,
		}},
		{"app_id_too_large", "", []string{"--app-id=9223372036854775808"}, nil, []string{
			`app-id: expected a positive number, got "9223372036854775808"; a number is wanted, for a name use app-name`,
		}},
		{"aliases_differ", "", nil, []string{"INPUT_APP-NAME=a", "INPUT_PROJECT-NAME=b"}, []string{
			`app-name: INPUT_APP-NAME and INPUT_PROJECT-NAME are the same option and differ: "a" and "b"; remove one`,
		}},

		{"boolean", "", []string{"--app-id=1", "--dry-run=yes"}, nil, []string{`dry-run: expected true or false, got "yes"`}},
		{"optional_boolean", "", []string{"--app-id=1", "--debug=on"}, nil, []string{`debug: expected true or false, got "on"`}},
		{"replicas_0", "", []string{"--app-id=1", "--replicas=0"}, nil, []string{
			`replicas: expected a whole number from 1 to 10, got "0"`,
		}},
		{"replicas_11", "", []string{"--app-id=1", "--replicas=11"}, nil, []string{
			`replicas: expected a whole number from 1 to 10, got "11"`,
		}},
		{"replicas_two", "", []string{"--app-id=1"}, []string{"SPICE_REPLICAS=two"}, []string{
			`replicas: expected a whole number from 1 to 10, got "two" (from SPICE_REPLICAS)`,
		}},

		{"channel", "", []string{"--app-id=1", "--channel=stabel"}, nil, []string{
			`channel: expected one of stable, preview, nightly, internal, got "stabel"; did you mean stable?`,
		}},
		{"visibility", "", []string{"--app-id=1", "--visibility=Public"}, nil, []string{
			`visibility: expected one of public, private, got "Public"; did you mean public?`,
		}},
		{"on_conflict", "", []string{"--app-id=1", "--on-conflict=queue"}, nil, []string{
			`on-conflict: expected one of wait, replace, adopt, fail, skip, got "queue"`,
		}},
		{"on_superseded", "", []string{"--app-id=1", "--on-superseded=ok"}, nil, []string{
			`on-superseded: expected one of fail, succeed, got "ok"`,
		}},
		{"if_paused", "", []string{"--app-id=1", "--if-paused=Resume"}, nil, []string{
			`if-paused: expected one of fail, resume, got "Resume"; did you mean resume?`,
		}},
		{"if_connected", "", []string{"--app-id=1", "--if-connected=push"}, nil, []string{
			`if-connected: expected one of fail, deploy-head, got "push"`,
		}},
		{"missing_secrets", "", []string{"--app-id=1", "--missing-secrets=warning"}, nil, []string{
			`missing-secrets: expected one of fail, warn, ignore, got "warning"`,
		}},
		{"on_missing_credentials", "", []string{"--app-id=1", "--on-missing-credentials=dry"}, nil, []string{
			`on-missing-credentials: expected one of fail, skip, dry-run, got "dry"`,
		}},

		{"timeout_0", "", []string{"--app-id=1", "--timeout-seconds=0"}, nil, []string{
			`timeout-seconds: expected a whole number of seconds from 1 to 604800, got "0"`,
		}},
		{"timeout_negative", "", []string{"--app-id=1", "--timeout-seconds=-5"}, nil, []string{
			`timeout-seconds: expected a whole number of seconds from 1 to 604800, got "-5"`,
		}},
		{"timeout_too_long", "", []string{"--app-id=1", "--timeout-seconds=604801"}, nil, []string{
			`timeout-seconds: expected a whole number of seconds from 1 to 604800, got "604801"`,
		}},
		{"timeout_5m", "", []string{"--app-id=1", "--timeout-seconds=5m"}, nil, []string{
			`timeout-seconds: expected a whole number of seconds from 1 to 604800, got "5m"; seconds are meant, write 300`,
		}},
		{"timeout_half_a_second", "", []string{"--app-id=1", "--timeout-seconds=500ms"}, nil, []string{
			`timeout-seconds: expected a whole number of seconds from 1 to 604800, got "500ms"; seconds are meant`,
		}},
		{"poll_interval", "", []string{"--app-id=1", "--poll-interval-seconds=ten"}, nil, []string{
			`poll-interval-seconds: expected a whole number of seconds from 1 to 3600, got "ten"`,
		}},

		{"api_url_without_scheme", "", []string{"--app-id=1", "--api-url=api.spice.ai"}, nil, []string{
			`api-url: expected an address with its scheme, got "api.spice.ai"; write https://api.spice.ai`,
		}},
		{"api_url_loopback_without_scheme", "", []string{"--app-id=1", "--api-url=localhost:8080"}, nil, []string{
			`api-url: expected an address with its scheme, got "localhost:8080"; write http://localhost:8080`,
		}},
		{"api_url_plain_http", "", []string{"--app-id=1"}, []string{"SPICEAI_API_ENDPOINT=http://api.spice.ai/x"}, []string{
			`api-url: plain http is refused except to a loopback address, got "http://api.spice.ai/x"; ` +
				`write https://api.spice.ai/x (from SPICEAI_API_ENDPOINT)`,
		}},
		{"api_url_looks_like_loopback", "", []string{"--app-id=1", "--api-url=http://127.0.0.1.example.com"}, nil, []string{
			`api-url: plain http is refused except to a loopback address, got "http://127.0.0.1.example.com"; ` +
				`write https://127.0.0.1.example.com`,
		}},
		{"api_url_other_scheme", "", []string{"--app-id=1", "--api-url=ftp://api.spice.ai"}, nil, []string{
			`api-url: expected an https address, got "ftp://api.spice.ai"`,
		}},
		{"api_url_without_host", "", []string{"--app-id=1", "--api-url=https:///v1"}, nil, []string{
			`api-url: expected an address such as https://api.spice.ai, got "https:///v1"`,
		}},
		{"token_url_with_password", "", []string{"--app-id=1", "--oauth-token-url=http://me:hunter2@example.com"}, nil, []string{
			"oauth-token-url: expected an address without user name, password, query and fragment",
		}},
		{"api_url_with_query", "", []string{"--app-id=1", "--api-url=https://api.spice.ai?key=hunter2"}, nil, []string{
			"api-url: expected an address without user name, password, query and fragment",
		}},
		{"api_url_port", "", []string{"--app-id=1", "--api-url=https://example.com:65536"}, nil, []string{
			`api-url: expected a port of at most 65535, got "65536"`,
		}},
		{"commit_sha", "", []string{"--app-id=1", "--commit-sha=0123ab"}, nil, []string{
			`commit-sha: expected 7 to 64 hexadecimal digits, as git rev-parse HEAD prints them, got "0123ab"`,
		}},
		{"commit_sha_that_is_a_branch", "", []string{"--app-id=1", "--commit-sha=refs/heads/main"}, nil, []string{
			`commit-sha: expected 7 to 64 hexadecimal digits, as git rev-parse HEAD prints them, got "refs/heads/main"`,
		}},
		{"control_characters", "", []string{"--app-name=a\nb", "--branch=a\x1b[31m"}, nil, []string{
			`app-name: expected one line without control characters, got "a\nb"`,
			`branch: expected one line without control characters, got "a\x1b[31m"`,
		}},
		{"app_name_too_long", "", []string{"--app-name=" + strings.Repeat("é", 39)}, nil, []string{
			`app-name: expected at most 38 characters, got 39: "` + strings.Repeat("é", 39) + `"`,
		}},
		{"app_name_too_long_to_be_created", "", []string{"--app-name=" + strings.Repeat("a", 39), "--region=us-east-1", "--create-app-if-missing"}, nil, []string{
			`app-name: expected at most 38 characters, got 39: "` + strings.Repeat("a", 39) + `"`,
		}},
		{"given_twice", "", []string{"--app-id=1", "--app-id=2", "--dry-run", "--dry-run=false", "--branch=a", "--branch=a"}, nil, []string{
			"app-id: the flag --app-id is given twice, with different values; remove one",
			"dry-run: the flag --dry-run is given twice, with different values; remove one",
		}},
		{"prune_with_secrets_that_cannot_be_read", "", []string{"--app-id=1", "--secrets=KEY=hunter2", "--secrets-prune"}, []string{"SPICE_API_TOKEN=t"}, []string{
			"secrets: the flag takes @FILE or - for standard input, never the value itself; or set SPICE_SECRETS",
		}},
		{"name_without_value", "", []string{"--app-name", "--dry-run"}, nil, []string{
			"app-name: expected a value, got the option --dry-run; was a variable empty?",
		}},
		{"org", "", []string{"--app-id=1", "--org=my org"}, nil, []string{
			`org: expected letters, digits, ".", "-" and "_", got "my org"`,
		}},
		{"listen", "emulator", []string{"--listen=8080"}, nil, []string{
			`listen: expected host:port such as 127.0.0.1:8080, got "8080"`,
		}},
		{"listen_port", "emulator", []string{"--listen=localhost:65536"}, nil, []string{
			`listen: expected host:port such as 127.0.0.1:8080, got "localhost:65536"`,
		}},

		{"create_without_region_or_name", "", []string{"--app-id=1", "--create-app-if-missing"}, nil, []string{
			"create-app-if-missing: an app cannot be created without a region; set region, such as us-east-1",
			"create-app-if-missing: an app cannot be created without a name; set app-name",
		}},
		{"create_with_a_bad_name", "", []string{"--app-name=my_app", "--region=us-east-1", "--create-app-if-missing"}, nil, []string{
			`app-name: expected 4 to 38 letters, digits and dashes for an app that may be created, got "my_app"`,
		}},
		{"prune_without_secrets", "", []string{"--app-id=1", "--secrets-prune"}, []string{"SPICE_API_TOKEN=t"}, []string{
			"secrets-prune: no secret is given, so every secret of the app would be deleted; " +
				"give secrets, secrets-from-env or secrets-file",
		}},
		{"bad_patterns", "", []string{"--app-id=1", "--secrets-exclude=A*,[,B[x"}, nil, []string{
			`secrets-exclude: expected patterns of names such as CI_*, got "["`,
			`secrets-exclude: expected patterns of names such as CI_*, got "B[x"`,
		}},
		{"faults_without_emulator", "", []string{"--app-id=1", "--emulator-faults=f.json"}, nil, []string{
			"emulator-faults: faults are for a rehearsal; set emulator to true or remove it",
		}},

		{"unknown_flag", "", []string{"--app-nam", "sales", "--replicas=0", "--app-id=1"}, nil, []string{
			`there is no option "--app-nam"; did you mean --app-name?`,
			`replicas: expected a whole number from 1 to 10, got "0"`,
		}},
		{"unknown_flag_with_value", "", []string{"--app-id=1", "--client_secret=hunter2"}, nil, []string{
			`there is no option "--client_secret"; did you mean --client-secret?`,
		}},
		{"unknown_flag_before_a_flag", "", []string{"--force", "--app-id=1"}, nil, []string{
			`there is no option "--force"; see spice-deploy deploy --help`,
		}},
		{"flag_of_another_command", "delete", []string{"--app-id=1", "--spicepod", "x"}, nil, []string{
			"spicepod: not an option of the command delete",
		}},
		{"exit_code_is_for_plan", "", []string{"--app-id=1", "--exit-code"}, nil, []string{
			"exit-code: not an option of the command deploy",
		}},
		{"no_value", "", []string{"--app-id=1", "--branch"}, nil, []string{"branch: the flag needs a value: --branch VALUE"}},
		{"option_for_a_value", "", []string{"--app-id=1", "--branch", "--dry-run"}, nil, []string{
			"branch: expected a value, got the option --dry-run; was a variable empty?",
		}},
		{"left_over", "", []string{"--dry-run", "false", "--app-id=1", "--", "x"}, nil, []string{
			"argument 2 belongs to no option; options are written --name VALUE or --name=VALUE, " +
				"those that are true or false only --name=false",
			"argument 5 belongs to no option; options are written --name VALUE or --name=VALUE, " +
				"those that are true or false only --name=false",
		}},
		{"malformed", "", []string{"--app-id=1", "---dry-run", "-=", "--replicas=0"}, nil, []string{
			"argument 2 is not a well-formed option; options are written --name VALUE or --name=VALUE",
			"argument 3 is not a well-formed option; options are written --name VALUE or --name=VALUE",
			`replicas: expected a whole number from 1 to 10, got "0"`,
		}},

		{"plugin_typo", "", []string{"--app-id=1"}, []string{"PLUGIN_APP_NAM=a", "PLUGIN_app_name=a", "PLUGIN_TAG=x"}, []string{
			`"PLUGIN_APP_NAM" is not an option; did you mean PLUGIN_APP_NAME?`,
			`"PLUGIN_TAG" is not an option; did you mean PLUGIN_TAGS?`,
			`"PLUGIN_app_name" is not an option; did you mean PLUGIN_APP_NAME?`,
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			command := tc.command
			if command == "" {
				command = "deploy"
			}
			_, err := load(command, tc.args, tc.environ...)
			if err == nil {
				t.Fatal("expected problems, got none")
			}
			if diff := cmp.Diff(tc.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad_no_problem(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		args []string
	}{
		{"emulator_knows_the_app", []string{"--emulator"}},
		{"emulator_creates_the_app", []string{"--emulator", "--create-app-if-missing"}},
		{"old_app_with_an_odd_name", []string{"--app-name=my_app"}},
		{"longest_name", []string{"--app-name=" + strings.Repeat("é", 38)}},
		{"shortest_commit", []string{"--app-id=1", "--commit-sha=0123ABC"}},
		{"longest_commit", []string{"--app-id=1", "--commit-sha=" + strings.Repeat("a", 64)}},
		{"highest_port", []string{"--app-id=1", "--api-url=https://example.com:65535"}},
		{"nothing_to_prune_with_without_credentials", []string{"--app-id=1", "--secrets-prune"}},
		{"loopback_name", []string{"--app-id=1", "--api-url=http://LocalHost:8080"}},
		{"loopback_network", []string{"--app-id=1", "--api-url=HTTP://127.9.9.9"}},
		{"loopback_v6", []string{"--app-id=1", "--api-url=http://[::1]:8080"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := load("deploy", tc.args); err != nil {
				t.Errorf("expected no problem, got %s", err)
			}
		})
	}
}
