package main_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestExamples_inputs: each example of a CI system is well-formed YAML where it is YAML, and each input that it sets is
// one of the option table, of which action.yml is made. What its own system says to it is a test in the folder e2e.
func TestExamples_inputs(t *testing.T) {
	t.Parallel()

	inputs := actionInputs(t)
	for _, path := range exampleFiles(t) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()

			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			used := variablesIn(string(data))
			if ext := filepath.Ext(path); ext == ".yml" || ext == ".yaml" {
				for _, document := range documents(t, data) {
					used = append(used, settingsIn(document)...)
				}
			}
			for _, name := range used {
				if !slices.Contains(inputs, name) {
					t.Errorf("sets %q, which is no input", name)
				}
			}
		})
	}
}

// TestREADME_pipelines: the pipelines that the README shows set inputs that there are.
func TestREADME_pipelines(t *testing.T) {
	t.Parallel()

	inputs, checked := actionInputs(t), 0
	for _, block := range strings.Split(readPage(t, "README.md"), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(block, "spice-deploy") {
			continue // the value of an input
		}
		used := variablesIn(block)
		for _, document := range documents(t, []byte(block)) {
			used = append(used, settingsIn(document)...)
		}
		checked += len(used)
		for _, name := range used {
			if !slices.Contains(inputs, name) {
				t.Errorf("expected an input, got %q in:\n%s", name, block)
			}
		}
	}
	if checked < 8 {
		t.Errorf("found only %d inputs", checked)
	}
}

// TestExamples_systems: each CI system of the documentation has an example that sets something, GitHub's apart, which is
// in examples/verified.
func TestExamples_systems(t *testing.T) {
	t.Parallel()

	page, err := os.ReadFile("docs/ci-systems.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "<!-- results:begin -->")
	table, _, _ = strings.Cut(table, "<!-- results:end -->")
	rows := regexp.MustCompile(`(?m)^\| ([A-Z][^|]+) \|`).FindAllStringSubmatch(table, -1)
	if len(rows) < 15 {
		t.Fatalf("docs/ci-systems.md names %d systems", len(rows))
	}
	files := exampleFiles(t)
	for _, row := range rows {
		system := strings.ToLower(strings.ReplaceAll(row[1], " ", ""))
		found := slices.ContainsFunc(files, func(path string) bool {
			return strings.Contains(system, strings.Split(path, string(filepath.Separator))[1])
		})
		if !found && row[1] != "GitHub Actions" {
			t.Errorf("examples has no folder for %s", row[1])
		}
	}
}

// exampleFiles are the files of examples that belong to a CI system.
func exampleFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("examples", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == filepath.Join("examples", "quickstart"), path == filepath.Join("examples", "verified"):
			return fs.SkipDir
		case !entry.IsDir():
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("examples: %d files, %v", len(files), err)
	}
	return files
}

// actionInputs are the names of all inputs, aliases included.
func actionInputs(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]any `yaml:"inputs"`
	}
	if err := yaml.Load(data, &action); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range action.Inputs {
		names = append(names, name)
	}
	return names
}

// documents are the YAML documents of a file.
func documents(t *testing.T, data []byte) []any {
	t.Helper()
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for {
		var document any
		err := loader.Load(&document)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, document)
	}
}

var inputVariables = regexp.MustCompile(`\b(?:SPICE|PLUGIN)_([A-Z_]+)\b`)

// variablesIn are the inputs of the environment variables that a text names, as the option table writes them.
func variablesIn(text string) []string {
	var names []string
	for _, match := range inputVariables.FindAllStringSubmatch(text, -1) {
		names = append(names, inputName(match[1]))
	}
	return names
}

// inputName is a setting or the rest of a variable as the option table writes it.
func inputName(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// settingsIn are the keys of maps that hold inputs: settings of plugins, and what a step gives to our action or plugin.
func settingsIn(node any) []string {
	var names []string
	keys := func(of any) {
		settings, _ := of.(map[string]any)
		for key := range settings {
			names = append(names, inputName(key))
		}
	}
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			names = append(names, settingsIn(item)...)
		}
	case map[string]any:
		if uses, _ := node["uses"].(string); strings.Contains(uses, "spicedeploy/spice-deploy") {
			keys(node["with"])
		}
		for key, value := range node {
			if key == "settings" || strings.HasPrefix(key, "spicedeploy/spice-deploy#") {
				keys(value)
			}
			names = append(names, settingsIn(value)...)
		}
	}
	return names
}
