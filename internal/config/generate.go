package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

//go:generate go run ./generate ../..

// actionHead is what GitHub shows of the action. The Marketplace takes descriptions of less than 125 characters.
const actionHead = `# The inputs and outputs are generated from the option table: go generate ./internal/config
name: Spice Deploy
description: Deploy apps to Spice.ai Cloud, with secrets, conflict handling and a result that tells the truth
author: spicedeploy

branding:
  icon: upload-cloud
  color: orange
`

// actionRuns is how the action runs until a release names an image.
const actionRuns = `runs:
  using: docker
  image: Dockerfile
`

// WriteActionYAML is the action.yml that belongs to the table. Of the current one, which may be empty, it keeps
// what begins with the line "runs:", since a release writes its image there.
func WriteActionYAML(current []byte) ([]byte, error) {
	runs, err := currentRuns(current)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(actionHead)
	writeInputs(&b)
	b.WriteString("\noutputs:\n")
	for _, output := range Outputs() {
		fmt.Fprintf(&b, "  %s:\n    description: %s\n", output.Name, quoteYAML(output.Description))
	}
	b.WriteString("\n" + runs)
	return []byte(b.String()), nil
}

func writeInputs(b *strings.Builder) {
	b.WriteString("\ninputs:\n")
	group := ""
	for _, opt := range inputs() {
		if opt.group != group {
			group = opt.group
			fmt.Fprintf(b, "  # %s\n", group)
		}
		// No description holds an expression: the runner would evaluate it.
		description := describeWithDefault(opt)
		for i, name := range opt.names() {
			if i > 0 {
				description = "Another name for `" + opt.name + "`."
			}
			fmt.Fprintf(b, "  %s:\n    description: %s\n", name, quoteYAML(description))
		}
		if opt.name == "github-token" {
			b.WriteString("    default: ${{ github.token }}\n")
		}
	}
}

// inputs are the options that a step of a workflow can set.
func inputs() []option { return optionsOf("deploy", table(&Options{})) }

func currentRuns(current []byte) (string, error) {
	if len(current) == 0 {
		return actionRuns, nil
	}
	before, after, found := bytes.Cut(current, []byte("\nruns:"))
	if !found {
		return "", fmt.Errorf("action.yml (%d bytes) has no line that begins with \"runs:\"", len(before))
	}
	return "runs:" + string(after), nil
}

// quoteYAML is text as a single-quoted scalar, in which nothing but the quote itself is special.
func quoteYAML(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// WriteREADME puts the tables of inputs and outputs between their markers in the README.
func WriteREADME(current []byte) ([]byte, error) {
	withInputs, err := replaceRegion(current, "inputs", inputTables())
	if err != nil {
		return nil, err
	}
	return replaceRegion(withInputs, "outputs", outputTable())
}

func replaceRegion(text []byte, name, content string) ([]byte, error) {
	begin, end := []byte("<!-- "+name+":begin -->"), []byte("<!-- "+name+":end -->")
	from, to := bytes.Index(text, begin), bytes.Index(text, end)
	if from < 0 || to < from {
		return nil, fmt.Errorf("README.md lacks %s and %s, in this order", begin, end)
	}
	return slices.Concat(text[:from], begin, []byte("\n\n"+content+"\n"), text[to:]), nil
}

func inputTables() string {
	var b strings.Builder
	b.WriteString("† also an input of the official `spicehq/spice-cloud-deploy-action`, under the same name.\n")
	group := ""
	for _, opt := range inputs() {
		if opt.group != group {
			group = opt.group
			fmt.Fprintf(&b, "\n### %s\n\n| input | default | meaning |\n| --- | --- | --- |\n", group)
		}
		meaning := describe(opt)
		if len(opt.env) > 0 {
			meaning += " Also read from `" + strings.Join(opt.env, "`, `") + "`."
		}
		fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", opt.name, dagger(opt.vendor), defaultOf(opt), cell(meaning))
	}
	return b.String()
}

func outputTable() string {
	var b strings.Builder
	b.WriteString("† also an output of `spicehq/spice-cloud-deploy-action`, under the same name.\n\n")
	b.WriteString("| output | meaning |\n| --- | --- |\n")
	for _, output := range Outputs() {
		fmt.Fprintf(&b, "| `%s`%s | %s |\n", output.Name, dagger(output.Vendor), cell(output.Description))
	}
	return b.String()
}

func dagger(vendor bool) string {
	if vendor {
		return "†"
	}
	return ""
}

// cell escapes what would end a cell of a Markdown table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
