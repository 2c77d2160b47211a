package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/config"
)

// The environments are as the systems set them for a plugin with these settings:
//
//	app-name: shop, replicas: 3, debug: true, secrets-from-env: [OPENAI_API_KEY, APP_*], secrets-exclude: [CI_*],
//	tags: {team: data, Cost-Centre: "0042"}, secrets: {A: "x: y", B: "1"}
func TestLoad_plugin_inputs(t *testing.T) {
	t.Parallel()
	const tags, secrets = `{"team":"data","Cost-Centre":"0042"}`, `{"A":"x: y","B":"1"}`
	cases := []struct {
		name    string
		environ []string
	}{
		{
			"Drone", // drone/runner-go (pipeline/runtime/.../environ): lists of words with commas, maps as JSON
			[]string{
				"DRONE=true", "PLUGIN_APP_NAME=shop", "PLUGIN_REPLICAS=3", "PLUGIN_DEBUG=true",
				"PLUGIN_SECRETS_FROM_ENV=OPENAI_API_KEY,APP_*", "PLUGIN_SECRETS_EXCLUDE=CI_*", "PLUGIN_TAGS=" + tags, "PLUGIN_SECRETS=" + secrets,
			},
		},
		{
			"Woodpecker", // lists that are not of words, and maps, as JSON
			[]string{
				"CI=woodpecker", "PLUGIN_APP_NAME=shop", "PLUGIN_REPLICAS=3", "PLUGIN_DEBUG=true",
				`PLUGIN_SECRETS_FROM_ENV=["OPENAI_API_KEY","APP_*"]`, `PLUGIN_SECRETS_EXCLUDE=["CI_*"]`, "PLUGIN_TAGS=" + tags, "PLUGIN_SECRETS=" + secrets,
			},
		},
		{
			"Harness",
			[]string{
				"HARNESS_BUILD_ID=7", "PLUGIN_APP_NAME=shop", "PLUGIN_REPLICAS=3", "PLUGIN_DEBUG=true",
				`PLUGIN_SECRETS_FROM_ENV=[ "OPENAI_API_KEY", "APP_*" ]`, "PLUGIN_SECRETS_EXCLUDE=CI_*", "PLUGIN_TAGS=" + tags, "PLUGIN_SECRETS=" + secrets,
				"PLUGIN_ARTIFACT_FILE=/addon/artifact", "PLUGIN_METADATA_FILE=/addon/metadata", "PLUGIN_BUILD_TOOL_FILE=/addon/build",
			},
		},
		{
			"Buildkite", // buildkite/agent (agent/plugin/plugin.go)
			[]string{
				"BUILDKITE=true", "BUILDKITE_PLUGIN_NAME=SPICE_DEPLOY",
				`BUILDKITE_PLUGIN_CONFIGURATION={"app-name":"shop","replicas":3,"debug":true,"secrets-from-env":["OPENAI_API_KEY","APP_*"],` +
					`"secrets-exclude":["CI_*"],"tags":` + tags + `,"secrets":` + secrets + `}`,
				"BUILDKITE_PLUGIN_SPICE_DEPLOY_APP_NAME=shop", "BUILDKITE_PLUGIN_SPICE_DEPLOY_REPLICAS=3", "BUILDKITE_PLUGIN_SPICE_DEPLOY_DEBUG=true",
				"BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_FROM_ENV_0=OPENAI_API_KEY", "BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_FROM_ENV_1=APP_*",
				"BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_EXCLUDE_0=CI_*",
				"BUILDKITE_PLUGIN_SPICE_DEPLOY_TAGS_TEAM=data", "BUILDKITE_PLUGIN_SPICE_DEPLOY_TAGS_COST_CENTRE=0042",
				"BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_A=x: y", "BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_B=1",
			},
		},
		{
			"Bitbucket",
			[]string{
				"BITBUCKET_BUILD_NUMBER=7", "SPICE_APP_NAME=shop", "SPICE_REPLICAS=3", "SPICE_DEBUG=true",
				"SPICE_SECRETS_FROM_ENV_COUNT=2", "SPICE_SECRETS_FROM_ENV_0=OPENAI_API_KEY", "SPICE_SECRETS_FROM_ENV_1=APP_*",
				"SPICE_SECRETS_FROM_ENV_2=left over from another pipe", "SPICE_SECRETS_EXCLUDE_COUNT=1", "SPICE_SECRETS_EXCLUDE_0=CI_*",
				"SPICE_TAGS=" + tags, "SPICE_SECRETS=" + secrets,
			},
		},
		{
			"Azure", // parameters come as environment; what is not defined stays as it was written
			[]string{
				"TF_BUILD=True", "SPICE_APP_NAME=shop", "SPICE_REPLICAS=3", "SPICE_DEBUG=True",
				"SPICE_SECRETS_FROM_ENV=OPENAI_API_KEY,APP_*", "SPICE_SECRETS_EXCLUDE=CI_*", "SPICE_TAGS=" + tags, "SPICE_SECRETS=" + secrets,
				"SPICE_API_TOKEN=$(SPICE_API_TOKEN)", "SPICE_REGION=$(region)",
			},
		},
		{
			"Tekton", // an array parameter as one JSON text: $(params.secrets-from-env[*])
			[]string{
				"TEKTON_RESULTS_DIR=/tekton/results", "SPICE_APP_NAME=shop", "SPICE_REPLICAS=3", "SPICE_DEBUG=true",
				`SPICE_SECRETS_FROM_ENV=["OPENAI_API_KEY", "APP_*"]`, "SPICE_SECRETS_EXCLUDE=CI_*", "SPICE_TAGS=" + tags, "SPICE_SECRETS=" + secrets,
			},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := mustLoad(t, "deploy", nil, tc.environ...)
			if o.AppName != "shop" || o.Replicas != 3 || o.Debug == nil || !*o.Debug {
				t.Errorf("unexpected plain values: %+v", o)
			}
			if got := o.SecretsFromEnv; got != "OPENAI_API_KEY,APP_*" && got != "OPENAI_API_KEY\nAPP_*" {
				t.Errorf("unexpected secrets-from-env %q", got)
			}
			if diff := cmp.Diff([]string{"CI_*"}, o.SecretsExclude); diff != "" {
				t.Errorf("secrets-exclude (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]string{"team": "data", "Cost-Centre": "0042"}, o.Tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
			if got, want := o.Secrets.Reveal(), secrets; got != want {
				t.Errorf("expected secrets %q to be %q", got, want)
			}
			if o.Credentials != config.NoCredentials || o.Region != "" {
				t.Errorf("expected no credentials and no region, got %v and %q", o.Credentials, o.Region)
			}
			if diff := cmp.Diff([]string(nil), o.Notices); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad_plugin_lists(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		environ []string
		want    string // secrets-from-env
	}{
		{"one_value_before_a_list", []string{"SPICE_SECRETS_FROM_ENV=A", "SPICE_SECRETS_FROM_ENV_0=B"}, "A"},
		{"nearer_list_before_farther_value", []string{"PLUGIN_SECRETS_FROM_ENV=A", "BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_FROM_ENV_0=B"}, "B"},
		{"ends_where_none_is_set", []string{"BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_FROM_ENV_0=A", "BUILDKITE_PLUGIN_SPICE_DEPLOY_SECRETS_FROM_ENV_2=C"}, "A"},
		{"no_more_than_the_count", []string{"SPICE_SECRETS_FROM_ENV_COUNT=1", "SPICE_SECRETS_FROM_ENV_0=A", "SPICE_SECRETS_FROM_ENV_1=B"}, "A"},
		{"count_of_none", []string{"SPICE_SECRETS_FROM_ENV_COUNT=0", "SPICE_SECRETS_FROM_ENV_0=A"}, ""},
		{"count_that_is_none", []string{"SPICE_SECRETS_FROM_ENV_COUNT=x", "SPICE_SECRETS_FROM_ENV_0=A"}, "A"},
		{"count_that_is_far_too_large", []string{"SPICE_SECRETS_FROM_ENV_COUNT=2000000000", "SPICE_SECRETS_FROM_ENV_0=A"}, "A"},
		{"JSON_of_numbers", []string{`PLUGIN_SECRETS_FROM_ENV=["A", 1, true]`}, "A\n1\ntrue"},
		{"JSON_of_more", []string{`PLUGIN_SECRETS_FROM_ENV=[["A"]]`}, `[["A"]]`},
		{"not_JSON", []string{`PLUGIN_SECRETS_FROM_ENV=[A`}, "[A"},
		{"GitHub_has_no_lists", []string{`INPUT_SECRETS-FROM-ENV=["A"]`}, `["A"]`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := mustLoad(t, "deploy", []string{"--app-id=1"}, tc.environ...).SecretsFromEnv; got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
		})
	}
}

// A list for an option that takes one value is what a list of several would be, for the option to judge.
func TestLoad_plugin_list_of_another_option(t *testing.T) {
	t.Parallel()
	o := mustLoad(t, "deploy", []string{"--app-id=1"}, "SPICE_COMMIT_MESSAGE_COUNT=2", "SPICE_COMMIT_MESSAGE_0=a", `SPICE_COMMIT_MESSAGE_1="b"`)
	if got, want := o.CommitMessage, `["a","\"b\""]`; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestLoad_Buildkite_settings_that_are_none(t *testing.T) {
	t.Parallel()
	of := func(settings string) []string {
		return []string{
			"BUILDKITE_PLUGIN_NAME=SPICE_DEPLOY", "BUILDKITE_PLUGIN_CONFIGURATION=" + settings, "BUILDKITE_PLUGIN_SPICE_DEPLOY_APP_NAME=shop",
		}
	}
	_, err := load("deploy", nil, of(`{"app-name":"shop","region_":"x","channle":"stable"}`)...)
	if err == nil {
		t.Fatal("expected a problem")
	}
	if got, want := err.Error(), `"channle" is not an option; did you mean channel?`; !strings.Contains(got, want) {
		t.Errorf("expected %q to contain %q", got, want)
	}
	o := mustLoad(t, "deploy", nil, of(`{"app-name":"shop","something_else":"x"}`)...)
	if diff := cmp.Diff([]string{`"something_else" is not an option and is not used`}, o.Notices); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	for _, settings := range []string{"null", "", "[", `{"app_name":"shop"}`} {
		mustLoad(t, "deploy", nil, of(settings)...)
	}
	other := of(`{"channle":"stable"}`)
	other[0] = "BUILDKITE_PLUGIN_NAME=DOCKER"
	mustLoad(t, "deploy", nil, other...)
}
