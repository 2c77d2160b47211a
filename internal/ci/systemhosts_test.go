package ci_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-envparse"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// hostile is what the service may say of a deployment.
const hostile = "100% it's [done] | a;b]\n##vso[task.complete]x\r\n##teamcity[buildStatus status='SUCCESS']\n::error::\x1b[0Ksection_end:1:a\r\x1b[0K\nRESULT=forged"

// asked is what a run tells its host, in the order of a run: ids as soon as they are known, all at its end.
func asked(t *testing.T, host ci.Host) {
	t.Helper()
	host.Mask("s3cr3t\nvalue")
	end := host.Group("Secrets\n##vso[a]")
	end()
	end()
	host.Annotate(ci.Annotation{Level: ci.Notice, Message: "notice"})
	host.Annotate(ci.Annotation{Level: ci.Warning, Title: "spice-deploy", Message: "old"})
	host.Annotate(ci.Annotation{Level: ci.Error, Title: "a;b", Message: hostile, File: "pods/a;b].yaml", Line: 3, Column: 7})
	err := errors.Join(
		host.WriteOutputs([]ci.Output{{Name: "deployment-id", Value: "1001"}}),
		host.WriteOutputs([]ci.Output{
			{Name: "deployment-id", Value: "1001"}, {Name: "result", Value: "failed"}, {Name: "reason", Value: hostile}, {Name: "error-code"},
		}),
		host.WriteSummary("# Failed\n\nIt's `100%`\n"),
	)
	if err != nil {
		t.Error(err)
	}
}

// harmless is the hostile text as an annotation shows it.
const harmless = "100% it's [done] | a;b]\n## vso[task.complete]x\n## teamcity[buildStatus status='SUCCESS']\n: :error::section_end:1:a \nRESULT=forged"

func TestHost_Azure(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": t.TempDir(), "BUILD_SOURCESDIRECTORY": t.TempDir()}
	var out bytes.Buffer
	asked(t, ci.Detect(lookup(env), &out, nil))
	uploaded := regexp.MustCompile(`(?m)^##vso\[task\.uploadsummary \](.*)$`).FindStringSubmatch(out.String())
	if uploaded == nil {
		t.Fatalf("expected a summary, got %q", out.String())
	}
	if got, want := read(t, uploaded[1]), "# Failed\n\nIt's `100%`\n"; got != want || filepath.Dir(uploaded[1]) != env["AGENT_TEMPDIRECTORY"] {
		t.Errorf("expected %q in %s to be %q", got, uploaded[1], want)
	}
	data := func(text string) string {
		return strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A").Replace(text)
	}
	want := "##vso[task.setsecret ]s3cr3t\n##vso[task.setsecret ]value\n" +
		"##vso[task.setsecret ]" + base64.StdEncoding.EncodeToString([]byte("s3cr3t\nvalue")) + "\n" +
		`##vso[task.setsecret ]s3cr3t\nvalue` + "\n" +
		"##[group]Secrets ## vso[a]\n##[endgroup]\n" +
		"##vso[task.logissue type=warning]spice-deploy: old\n" +
		"##vso[task.logissue type=error;sourcepath=pods/a%3Bb%5D.yaml;linenumber=3;columnnumber=7]" + data("a;b: "+harmless) + "\n" +
		"##vso[task.setvariable variable=DEPLOYMENT_ID;isOutput=true]1001\n" +
		"##vso[task.setvariable variable=RESULT;isOutput=true]failed\n" +
		"##vso[task.setvariable variable=REASON;isOutput=true]" + data(hostile) + "\n" +
		"##vso[task.setvariable variable=ERROR_CODE;isOutput=true]\n" +
		uploaded[0] + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("unexpected commands (-want +got):\n%s", diff)
	}
	// The agent takes the first command of a line, and there is one line for each.
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "##") {
			t.Errorf("unexpected line %q", line)
		}
	}
}

func TestHost_TeamCity(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	asked(t, ci.Detect(lookup(map[string]string{"TEAMCITY_VERSION": "2026.1"}), &out, nil))
	want := "##teamcity[blockOpened name='Secrets ## vso|[a|]']\n##teamcity[blockClosed name='Secrets ## vso|[a|]']\n" +
		"##teamcity[message text='spice-deploy: old' status='WARNING']\n" +
		"##teamcity[buildProblem description='a;b: 100% it|'s |[done|] || a;b|]|n## vso|[task.complete|]x|n" +
		"## teamcity|[buildStatus status=|'SUCCESS|'|]|n: :error::section_end:1:a |nRESULT=forged']\n" +
		"##teamcity[setParameter name='env.DEPLOYMENT_ID' value='1001']\n" +
		"##teamcity[setParameter name='env.RESULT' value='failed']\n" +
		"##teamcity[setParameter name='env.REASON' value='100%% it|'s |[done|] || a;b|]\\n##vso|[task.complete|]x\\n" +
		"##teamcity|[buildStatus status=|'SUCCESS|'|]\\n::error:: |[0Ksection_end:1:a\\n |[0K\\nRESULT=forged']\n" +
		"##teamcity[setParameter name='env.ERROR_CODE' value='']\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("unexpected messages (-want +got):\n%s", diff)
	}
}

// forged is the hostile text on one line, as systems get it that read lines.
const forged = `100% it's [done] | a;b]\n##vso[task.complete]x\n##teamcity[buildStatus status='SUCCESS']\n::error:: [0Ksection_end:1:a\n [0K\nRESULT=forged`

func TestHost_GitLab(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// What the checkout has in the place of the report is not written through.
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Symlink(outside, filepath.Join(dir, "spice-deploy.env")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	asked(t, ci.Detect(lookup(map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir}), &out, nil))
	if got, want := read(t, filepath.Join(dir, "spice-deploy.env")), "DEPLOYMENT_ID=1001\nRESULT=failed\nREASON="+forged+"\nERROR_CODE=\n"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("expected the link not to be followed")
	}
	sections := regexp.MustCompile(`^\x1b\[0Ksection_start:[0-9]{10}:spice_deploy_1\[collapsed=true\]\r\x1b\[0KSecrets ## vso\[a\]\n` +
		`\x1b\[0Ksection_end:[0-9]{10}:spice_deploy_1\r\x1b\[0K\n$`)
	if !sections.MatchString(out.String()) {
		t.Errorf("expected a section, got %q", out.String())
	}
}

// long is outputs of which one takes much room, and twenty and more others.
func long(bytes int) []ci.Output {
	outs := []ci.Output{{Name: "plan", Value: strings.Repeat("x", bytes)}, {Name: "result", Value: "succeeded"}}
	for i := range 20 {
		outs = append(outs, ci.Output{Name: fmt.Sprintf("out-%d", i), Value: map[bool]string{true: "y"}[i < 10]})
	}
	return outs
}

func TestHost_outputs_have_limits(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		env  func(dir string) map[string]string
		size int
		file string // relative to dir, "" for all
		most int    // bytes of it
		err  string // "" where all has room
	}{
		{
			"GitLab", func(dir string) map[string]string {
				return map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir}
			},
			6000, "spice-deploy.env", 5119, "left out PLAN, for which a dotenv report of GitLab has no room; output-file takes all",
		},
		{
			"GitLab_many", func(dir string) map[string]string {
				return map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir}
			},
			10, "spice-deploy.env", 5119, "", // those that are empty
		},
		{
			"Cloud_Build", func(dir string) map[string]string { return map[string]string{"BUILDER_OUTPUT": dir} },
			4096, "output", 4096, "left out PLAN, for which Cloud Build has no room; output-file takes all",
		},
		{
			"Tekton", func(dir string) map[string]string { return map[string]string{"TEKTON_RESULTS_DIR": dir} },
			3000, "", 3072, "left out PLAN, for which Tekton has no room; output-file takes all",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			err := ci.Detect(lookup(tc.env(dir)), nil, nil).WriteOutputs(long(tc.size))
			if got := fmt.Sprint(err); got != tc.err && (err != nil || tc.err != "") {
				t.Errorf("expected %q to be %q", got, tc.err)
			}
			pattern := tc.file
			if pattern == "" {
				pattern = "*"
			}
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("expected files, got %v, %v", files, err)
			}
			total, all := 0, ""
			for _, file := range files {
				total += len(read(t, file))
				all += filepath.Base(file) + " " + read(t, file)
			}
			if total > tc.most || !strings.Contains(all, "succeeded") {
				t.Errorf("expected at most %d bytes with the result, got %d: %s", tc.most, total, all)
			}
			if n := strings.Count(all, "\n"); strings.HasPrefix(tc.name, "GitLab") && n > 20 {
				t.Errorf("expected at most 20 variables, got %d", n)
			}
		})
	}
}

func TestHost_Tekton(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asked(t, ci.Detect(lookup(map[string]string{"TEKTON_RESULTS_DIR": dir}), nil, nil))
	got := map[string]string{}
	for _, name := range []string{"DEPLOYMENT_ID", "RESULT", "REASON", "ERROR_CODE"} {
		got[name] = read(t, filepath.Join(dir, name))
	}
	want := map[string]string{"DEPLOYMENT_ID": "1001", "RESULT": "failed", "REASON": hostile, "ERROR_CODE": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected results (-want +got):\n%s", diff)
	}
}

func TestHost_CircleCI(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bash_env") // CircleCI names it and does not make it
	asked(t, ci.Detect(lookup(map[string]string{"CIRCLECI": "true", "BASH_ENV": file}), nil, nil))
	got, err := envparse.Parse(strings.NewReader(read(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"DEPLOYMENT_ID": "1001", "RESULT": "failed", "REASON": forged, "ERROR_CODE": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected variables (-want +got):\n%s", diff)
	}
	if got := read(t, file); !strings.HasPrefix(got, "export DEPLOYMENT_ID=1001\nexport RESULT=failed\nexport REASON='") {
		t.Errorf("expected exports, got %q", got)
	}
}

func TestHost_Bitbucket(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "variables")
	if err := os.WriteFile(file, []byte("OTHER=1"), 0o644); err != nil {
		t.Fatal(err)
	}
	asked(t, ci.Detect(lookup(map[string]string{"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_PIPELINES_VARIABLES_PATH": file}), nil, nil))
	if got, want := read(t, file), "OTHER=1\nDEPLOYMENT_ID=1001\nRESULT=failed\nERROR_CODE=\n"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestHost_Jenkins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	host := ci.Detect(lookup(map[string]string{"JENKINS_URL": "https://ci.acme.example/", "WORKSPACE": dir}), nil, nil)
	asked(t, host)
	if err := host.WriteOutputs([]ci.Output{{Name: "app-name", Value: " schön 🚀"}}); err != nil {
		t.Error(err)
	}
	want := "DEPLOYMENT_ID=1001\nRESULT=failed\n" +
		`REASON=100% it's [done] | a;b]\n##vso[task.complete]x\r\n##teamcity[buildStatus status='SUCCESS']\n::error::\u001b[0Ksection_end:1:a\r\u001b[0K\nRESULT=forged` +
		"\nERROR_CODE=\n" + `APP_NAME=\ sch\u00f6n \ud83d\ude80` + "\n"
	if got := read(t, filepath.Join(dir, "spice-deploy.properties")); got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestHost_Drone_and_Harness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outputs, card := filepath.Join(dir, "output.env"), filepath.Join(dir, "card.json")
	asked(t, ci.Detect(lookup(map[string]string{
		"DRONE": "true", "HARNESS_BUILD_ID": "7", "DRONE_OUTPUT": outputs, "DRONE_CARD_PATH": card,
	}), nil, nil))
	want := "DEPLOYMENT_ID=1001\nRESULT=failed\nREASON='" + strings.ReplaceAll(forged, "'", "’") + "'\nERROR_CODE=\n"
	if got := read(t, outputs); got != want {
		t.Errorf("expected %q to be %q", got, want)
	}

	var out bytes.Buffer
	asked(t, ci.Detect(lookup(map[string]string{"DRONE": "true", "DRONE_CARD_PATH": "/dev/stdout"}), &out, nil))
	encoded := regexp.MustCompile(`^\x1b\]1338;([A-Za-z0-9+/=]+)\x1b\]0m\n$`).FindStringSubmatch(out.String())
	if encoded == nil {
		t.Fatalf("expected a card, got %q", out.String())
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded[1])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(decoded), read(t, card); got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	var content struct {
		Schema string
		Data   map[string]string
	}
	if err := json.Unmarshal(decoded, &content); err != nil {
		t.Fatal(err)
	}
	if got, want := content.Data["reason"], `100% it's \[done\]`; !strings.HasPrefix(got, want) {
		t.Errorf("expected %q to begin with %q", got, want)
	}
	// The layout is the file of this folder, and names nothing that the card lacks.
	layout := read(t, filepath.Base(content.Schema))
	for _, field := range regexp.MustCompile(`\$\{([a-z_]+)\}`).FindAllStringSubmatch(layout, -1) {
		if _, ok := content.Data[field[1]]; !ok {
			t.Errorf("the layout names %s, which the card lacks", field[1])
		}
	}
	if !json.Valid([]byte(layout)) {
		t.Error("expected the layout to be JSON")
	}
}

func TestHost_Travis(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	asked(t, ci.Detect(lookup(map[string]string{"TRAVIS": "true"}), &out, nil))
	want := "travis_fold:start:spice_deploy.1\r\x1b[0KSecrets ## vso[a]\ntravis_fold:end:spice_deploy.1\r\x1b[0K\n"
	if got := out.String(); got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

// A system that takes nothing, and one that names no file, leave the log as it is: a mask would show the value.
func TestHost_silent(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"Woodpecker":           {"CI": "woodpecker"},
		"CodeBuild":            {"CODEBUILD_BUILD_ID": "a:1"},
		"CircleCI_not_in_bash": {"CIRCLECI": "true"},
		"Bitbucket_in_a_pipe":  {"BITBUCKET_BUILD_NUMBER": "7"},
		"Drone_of_old":         {"DRONE": "true"},
		"Harness_run_step":     {"HARNESS_BUILD_ID": "7"},
		"Buildkite_in_docker":  {"BUILDKITE": "true", "PATH": "/nowhere"},
		"AppVeyor":             {"APPVEYOR": "True", "PATH": "relative:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			asked(t, ci.Detect(lookup(env), &out, nil))
			if got, want := out.String(), ""; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

// A file that cannot be written is an error that names it, and nothing more happens.
func TestHost_files_cannot_be_written(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	absent := filepath.Join(folder, "absent")
	for name, env := range map[string]map[string]string{
		"CircleCI_folder":  {"CIRCLECI": "true", "BASH_ENV": folder},
		"CircleCI_absent":  {"CIRCLECI": "true", "BASH_ENV": filepath.Join(absent, "x")},
		"CircleCI_full":    {"CIRCLECI": "true", "BASH_ENV": "/dev/full"},
		"Tekton_absent":    {"TEKTON_RESULTS_DIR": absent},
		"CloudBuild":       {"BUILDER_OUTPUT": absent},
		"Harness_absent":   {"HARNESS_BUILD_ID": "7", "DRONE_OUTPUT": filepath.Join(absent, "x")},
		"Bitbucket_absent": {"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_PIPELINES_VARIABLES_PATH": filepath.Join(absent, "x")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ci.Detect(lookup(env), nil, nil).WriteOutputs([]ci.Output{{Name: "result", Value: "failed"}})
			if err == nil || !strings.Contains(err.Error(), "write ") {
				t.Errorf("expected an error that says what was not written, got %v", err)
			}
		})
	}
}

func TestHost_refuses_bad_names(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	host := ci.Detect(lookup(map[string]string{"TF_BUILD": "True"}), &out, nil)
	err := host.WriteOutputs([]ci.Output{{Name: "result", Value: "x"}, {Name: "a;isSecret=true]b", Value: "x"}})
	if err == nil || out.Len() > 0 {
		t.Errorf("expected an error and no command, got %v and %q", err, out.String())
	}
}

// What an environment says that fits more than one system.
func TestDetect_most_specific(t *testing.T) {
	t.Parallel()
	gitHub := map[string]string{"GITHUB_ACTIONS": "true"}
	for want, env := range map[string]map[string]string{
		"Harness CI":         {"DRONE": "true", "HARNESS_BUILD_ID": "1", "CI": "true"},
		"Drone":              {"DRONE": "true", "CI": "drone"},
		"Gitea Actions":      {"GITEA_ACTIONS": "true"},
		"Forgejo Actions":    {"GITEA_ACTIONS": "true", "FORGEJO_ACTIONS": "true"},
		"GitHub Actions":     {"GITEA_ACTIONS": "false"},
		"Woodpecker":         {"CI": "woodpecker", "CI_COMMIT_SHA": mainSHA, "CI_COMMIT_BRANCH": "main", "CI_COMMIT_MESSAGE": "x"},
		"Jenkins":            {"JENKINS_URL": "x", "BUILD_ID": "1", "BRANCH_NAME": "main", "TAG_NAME": ""},
		"Google Cloud Build": {"BUILDER_OUTPUT": "/builder/outputs", "BRANCH_NAME": "main"},
		"":                   {"CI": "true", "CI_COMMIT_SHA": mainSHA, "BRANCH_NAME": "main"},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			env := maps.Clone(env)
			if strings.HasSuffix(want, "Actions") {
				maps.Copy(env, gitHub)
			}
			if got := ci.FactsAt(lookup(env), "").System; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}
