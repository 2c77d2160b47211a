package config_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/spicedeploy/spice-deploy/internal/config"
)

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func([]byte) ([]byte, error){
		"action.yml":        config.WriteActionYAML,
		"native/action.yml": config.WriteNativeYAML,
		"README.md":         config.WriteREADME,
	} {
		current := readRoot(t, name)
		wanted, err := write(current)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(wanted), string(current)); diff != "" {
			t.Errorf("%s differs from the option table, run: go generate ./internal/config (-want +got)\n%s", name, diff)
		}
	}
}

func readRoot(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// action is what GitHub's runner reads of action.yml.
type action struct {
	Name, Description, Author string
	Branding                  struct{ Icon, Color string }
	Inputs                    map[string]struct{ Description, Default string }
	Outputs                   map[string]struct{ Description, Value string }
	Runs                      struct {
		Using, Image string
		Steps        []struct {
			ID, Run, Shell, Uses string
			Env                  map[string]string
		}
	}
}

func readAction(t *testing.T) action {
	t.Helper()
	return readActionFile(t, "action.yml")
}

func readActionFile(t *testing.T, name string) action {
	t.Helper()
	var a action
	if err := yaml.Unmarshal(readRoot(t, name), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestActionYAML(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	// The Marketplace wants these, and refuses longer descriptions.
	if a.Name == "" || a.Author == "" || a.Branding.Icon == "" || a.Branding.Color == "" {
		t.Errorf("expected a name, an author and a branding, got %q, %q and %q", a.Name, a.Author, a.Branding)
	}
	if got := len(a.Description); got == 0 || got >= 125 {
		t.Errorf("expected a description of less than 125 characters, got %d", got)
	}
	if got, want := a.Runs.Using, "docker"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	for name, input := range a.Inputs {
		// The runner evaluates expressions wherever they stand in the file.
		if input.Description == "" || strings.Contains(input.Description, "${{") {
			t.Errorf("input %s: unexpected description %q", name, input.Description)
		}
		if want := map[string]string{"github-token": "${{ github.token }}"}[name]; input.Default != want {
			t.Errorf("input %s: expected default %q to be %q", name, input.Default, want)
		}
	}
	var outputs []string
	for _, output := range config.Outputs() {
		outputs = append(outputs, output.Name)
	}
	slices.Sort(outputs)
	if diff := cmp.Diff(outputs, slices.Sorted(maps.Keys(a.Outputs))); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	for name, output := range a.Outputs {
		if output.Description == "" || output.Value != "" {
			t.Errorf("output %s: unexpected description %q or value %q", name, output.Description, output.Value)
		}
	}
}

// vendorInputs and vendorOutputs are those of spicehq/spice-cloud-deploy-action: a workflow that changes only
// its "uses:" line must find them all.
func vendorInputs() []string {
	return []string{
		"api-url", "app-id", "app-name", "branch", "channel", "client-id", "client-secret", "commit-message", "commit-sha",
		"create-app-if-missing", "dataset-ready-timeout-seconds", "debug", "fail-on-test-error", "flight-url", "image-tag",
		"oauth-token-url", "org", "poll-interval-seconds", "region", "replicas", "runtime-url", "scope", "secrets", "spicepod",
		"tags", "test-chat", "test-chat-model", "test-mcp-arguments", "test-mcp-tool", "test-nsql", "test-search", "test-sql",
		"test-timeout-seconds", "test-warmup-seconds", "timeout-seconds", "visibility", "wait-for-completion",
		"working-directory",
	}
}

func vendorOutputs() []string {
	return []string{
		"app-id", "app-name", "app-url", "datasets", "deployment-created-at", "deployment-id", "deployment-status",
		"test-results",
	}
}

func TestVendorNamesAreThereAndMarked(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	readme := string(readRoot(t, "README.md"))
	for _, name := range vendorInputs() {
		if _, ok := a.Inputs[name]; !ok || !strings.Contains(readme, "\n| `"+name+"`† |") {
			t.Errorf("input %s is missing in action.yml or not marked in the README", name)
		}
	}
	if got, want := strings.Count(readme, "`† |"), len(vendorInputs())+len(vendorOutputs()); got != want {
		t.Errorf("expected %d marks in the README to be %d", got, want)
	}
	var outputs []string
	for _, output := range config.Outputs() {
		if output.Vendor {
			outputs = append(outputs, output.Name)
		}
	}
	slices.Sort(outputs)
	if diff := cmp.Diff(vendorOutputs(), outputs); diff != "" {
		t.Errorf("outputs of the vendor (-want +got):\n%s", diff)
	}
}

func TestWriteActionYAML_keeps_what_a_release_wrote(t *testing.T) {
	t.Parallel()
	const runs = "\nruns:\n  using: docker\n  image: docker://ghcr.io/example/spice-deploy@sha256:0\n"
	got, err := config.WriteActionYAML([]byte("name: old\n" + runs))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(got, []byte(runs)) || bytes.Contains(got, []byte("name: old")) {
		t.Errorf("expected the generated head and %q, got %s", runs, got)
	}
	if _, err := config.WriteActionYAML([]byte("name: old\n")); err == nil {
		t.Error("expected an error for a file without runs:")
	}
	fresh, err := config.WriteActionYAML(nil)
	if err != nil || !bytes.HasSuffix(fresh, []byte("\nruns:\n  using: docker\n  image: Dockerfile\n")) {
		t.Errorf("expected a fresh file that is built from the Dockerfile, got error %v and %s", err, fresh)
	}
}

func TestWriteREADME(t *testing.T) {
	t.Parallel()
	got, err := config.WriteREADME([]byte("a<!-- inputs:begin -->x<!-- inputs:end -->b<!-- outputs:begin --><!-- outputs:end -->c"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	if !strings.HasPrefix(text, "a<!-- inputs:begin -->\n") || !strings.Contains(text, "<!-- inputs:end -->b<!-- outputs:begin -->\n") ||
		!strings.HasSuffix(text, "<!-- outputs:end -->c") || strings.Contains(text, "x<!--") {
		t.Errorf("expected only the regions to be replaced, got %s", text)
	}
	for _, wrong := range []string{"", "<!-- inputs:end --><!-- inputs:begin -->", "<!-- inputs:begin --><!-- inputs:end -->"} {
		if _, err := config.WriteREADME([]byte(wrong)); err == nil {
			t.Errorf("expected an error for %q", wrong)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	help := helpOf("deploy")
	for name := range a.Inputs {
		if strings.HasPrefix(name, "project-") { // an alias, named with its option
			continue
		}
		variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		for _, want := range []string{"\n  --" + name, " SPICE_" + variable, " PLUGIN_" + variable, " INPUT_" + variable} {
			if !strings.Contains(help, want) {
				t.Errorf("expected %q in the help of deploy", want)
			}
		}
	}
	wants := map[string][]string{
		"":         {"\n  deploy ", "\n  plan ", "\n  verify ", "\n  delete ", "\n  emulator ", "\n  version "},
		"deploy":   {"project-id", "SPICE_CLOUD_PAT", "SPICEAI_API_ENDPOINT", "128 KiB", "Default: 600\n", "Default: derived from api-url\n"},
		"plan":     {"--exit-code", "--app-name NAME"},
		"verify":   {"--test-sql SQL", "--spicepod FILE", "--secrets-file FILE", "--poll-interval-seconds SECONDS"},
		"delete":   {"--yes", "--api-token @FILE|-"},
		"emulator": {"--listen HOST:PORT", "Default: 127.0.0.1:0\n"},
		"version":  {"Usage: spice-deploy version\n"},
	}
	for command, texts := range wants {
		help := helpOf(command)
		for _, want := range texts {
			if !strings.Contains(help, want) {
				t.Errorf("expected %q in the help of %q", want, command)
			}
		}
		for line := range strings.Lines(help) {
			if len(line) > 101 {
				t.Errorf("help of %q has a line of more than 100 columns: %s", command, line)
			}
		}
	}
	others := map[string][]string{
		"deploy": {"--exit-code"},
		"verify": {"--rollback-on-failure", "--dry-run", "--replicas", "--if-paused", "--secrets-prune", "--github-token", "--emulator"},
		"delete": {"--spicepod", "--test-sql"},
	}
	for command, flags := range others {
		for _, flag := range flags {
			if strings.Contains(helpOf(command), flag) {
				t.Errorf("expected no %s in the help of %s", flag, command)
			}
		}
	}
}

func helpOf(command string) string {
	var b strings.Builder
	config.Help(&b, command)
	return b.String()
}
