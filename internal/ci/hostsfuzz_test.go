package ci_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/go-envparse"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

var teamcityValue = regexp.MustCompile(`^##teamcity\[setParameter name='env\.REASON' value='(?:[^|'\[\]]|\|[|'nrxlp\[\]])*'\]$`)

// FuzzHosts: whatever a value holds, it stays one value of its system, and adds no line, no command and no variable.
func FuzzHosts(f *testing.F) {
	for _, seed := range []string{
		"", hostile, "a\nB=c", "\r", "'", `\`, `a'\`, "%", "%0A", "%AZP25", "]", "|", "|'", "$(id)", "`id`", "${{x}}", "#", " a ", "\x00", "caf\xe9",
		"\u0085\u2028\u2029", "export X=1", "!", "\\\n", `\u000a`, "=", "'\"'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if len(value) > 4000 {
			return // limits have a test of their own
		}
		dir := t.TempDir()
		tell := func(env map[string]string) string {
			var out bytes.Buffer
			if err := ci.Detect(lookup(env), &out, nil).WriteOutputs([]ci.Output{{Name: "reason", Value: value}}); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
		file := func(name string) string {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}

		azure := tell(map[string]string{"TF_BUILD": "True"})
		data, ok := strings.CutPrefix(azure, "##vso[task.setvariable variable=REASON;isOutput=true]")
		data = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%AZP25", "%").Replace(strings.TrimSuffix(data, "\n"))
		if !ok || data != strings.ToValidUTF8(value, "\uFFFD") || strings.Count(azure, "\n") != 1 || strings.Contains(azure, "\r") {
			t.Errorf("Azure: %q is read as %q", value, azure)
		}

		teamcity := strings.TrimSuffix(tell(map[string]string{"TEAMCITY_VERSION": "1"}), "\n")
		if !teamcityValue.MatchString(teamcity) || strings.ContainsAny(teamcity, "\r\n") {
			t.Errorf("TeamCity: %q is written as %q", value, teamcity)
		}

		tell(map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir})
		if got := file("spice-deploy.env"); !strings.HasPrefix(got, "REASON=") || strings.Count(got, "\n") != 1 || strings.Contains(got, "\r") {
			t.Errorf("GitLab: %q is written as %q", value, got)
		}

		tell(map[string]string{"JENKINS_URL": "x", "WORKSPACE": dir})
		if got := file("spice-deploy.properties"); !regexp.MustCompile(`^REASON=(?:[!-\[\]-~]|\\[nr\\ ]|\\u[0-9a-f]{4}| )*\n$`).MatchString(got) {
			t.Errorf("Jenkins: %q is written as %q", value, got)
		}

		tell(map[string]string{"CIRCLECI": "true", "BASH_ENV": filepath.Join(dir, "bash_env")})
		if got, err := envparse.Parse(strings.NewReader(file("bash_env"))); err != nil || len(got) != 1 || got["REASON"] != oneLine(value) {
			t.Errorf("CircleCI: %q is read as %q, %v", value, got, err)
		}

		tell(map[string]string{"HARNESS_BUILD_ID": "7", "DRONE_OUTPUT": filepath.Join(dir, "drone")})
		if got := file("drone"); !regexp.MustCompile(`^REASON=(?:[A-Za-z0-9_@%+=:,./-]*|'[^'\n\r]*[^'\n\r\\]')\n$`).MatchString(got) {
			t.Errorf("Harness: %q is written as %q", value, got)
		}
	})
}
