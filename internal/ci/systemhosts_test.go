package ci_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
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
	uploaded := regexp.MustCompile(`(?m)^##vso\[task\.uploadsummary\](.*)$`).FindStringSubmatch(out.String())
	if uploaded == nil {
		t.Fatalf("expected a summary, got %q", out.String())
	}
	if got, want := read(t, uploaded[1]), "# Failed\n\nIt's `100%`\n"; got != want || filepath.Dir(uploaded[1]) != env["AGENT_TEMPDIRECTORY"] {
		t.Errorf("expected %q in %s to be %q", got, uploaded[1], want)
	}
	data := func(text string) string {
		return strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A").Replace(text)
	}
	want := "##vso[task.setsecret]s3cr3t\n##vso[task.setsecret]value\n" +
		"##vso[task.setsecret]" + base64.StdEncoding.EncodeToString([]byte("s3cr3t\nvalue")) + "\n" +
		`##vso[task.setsecret]s3cr3t\nvalue` + "\n" +
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
	// The runner that uploads it may be another user than the container is.
	if info, err := os.Lstat(filepath.Join(dir, "spice-deploy.env")); err != nil || info.Mode() != 0o644 {
		t.Errorf("expected a file that all can read, got %v, %v", info, err)
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
	host := ci.Detect(lookup(map[string]string{
		"DRONE": "true", "HARNESS_BUILD_ID": "7", "DRONE_OUTPUT": outputs, "DRONE_CARD_PATH": card,
	}), nil, nil)
	asked(t, host)
	if err := host.WriteOutputs([]ci.Output{{Name: "app-name", Value: `a \`}}); err != nil {
		t.Error(err)
	}
	want := "DEPLOYMENT_ID=1001\nRESULT=failed\nREASON='" + strings.ReplaceAll(forged, "'", "’") + "'\nERROR_CODE=\nAPP_NAME='a \\ '\n"
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
