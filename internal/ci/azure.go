package ci

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// azure is a step of Azure Pipelines, which takes commands in its log. The forms are those that Azure documents as
// "Logging commands", the escapes those of azure-pipelines-task-lib (node/taskcommand.ts).
func azure(s step) Host {
	var known ledger
	command := func(name, properties, data string) {
		fmt.Fprintf(s.stdout, "##vso[%s]%s\n", strings.TrimSpace(name+" "+properties), azureData.Replace(data))
	}
	return host{
		facts: s.facts,
		mask: func(value string) {
			for _, form := range maskedForms(value) {
				command("task.setsecret", "", form)
			}
		},
		group: func(title string) func() {
			fmt.Fprintf(s.stdout, "##[group]%s\n", title)
			return func() { fmt.Fprint(s.stdout, "##[endgroup]\n") }
		},
		annotate: func(a Annotation) {
			if a.Level == Notice {
				return // there is no such issue, and the log has the line
			}
			command("task.logissue", azureIssue(a), messageOf(a))
		},
		outputs: func(outs []Output) error {
			for _, out := range known.add(outs) {
				command("task.setvariable", "variable="+dotenvName(out.Name)+";isOutput=true", out.Value)
			}
			return nil
		},
		summary: func(markdown string) error { return azureSummary(s, markdown, command) },
	}
}

var (
	azureData       = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A")
	azureProperties = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "]", "%5D", ";", "%3B")
)

// azureIssue is the properties of an annotation.
func azureIssue(a Annotation) string {
	properties := "type=error"
	if a.Level == Warning {
		properties = "type=warning"
	}
	if a.File == "" {
		return properties
	}
	properties += ";sourcepath=" + azureProperties.Replace(a.File)
	if a.Line > 0 {
		properties += ";linenumber=" + strconv.Itoa(a.Line)
	}
	if a.Line > 0 && a.Column > 0 {
		properties += ";columnnumber=" + strconv.Itoa(a.Column)
	}
	return properties
}

// messageOf is title and message of an annotation for a system that has no place for the title.
func messageOf(a Annotation) string {
	if a.Title == "" {
		return a.Message
	}
	return a.Title + ": " + a.Message
}

// azureSummary leaves the summary as a file for the agent, which uploads it at the end of the step.
func azureSummary(s step, markdown string, command func(name, properties, data string)) error {
	dir := cmp.Or(s.facts.TempDir, s.facts.Workspace)
	f, err := os.CreateTemp(dir, "spice-deploy-*.md")
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	f.Close()
	path, err := filepath.Abs(f.Name())
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	if err := replaceFile(path, []byte(markdown)); err != nil {
		return err
	}
	command("task.uploadsummary", "", path)
	return nil
}
