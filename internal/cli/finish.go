package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
)

// finish reports the result everywhere it was asked for and returns the exit code. A report that cannot be
// written is a warning: it changes nothing about what was deployed.
func (c *command) finish(in *inputs, result deploy.Result) int {
	code := result.ExitCode
	if result.Result == diag.Planned && c.options.ExitCode && result.Plan != nil && result.Plan.Changes() {
		code = diag.ExitChanges
	}
	if p := result.Plan; p != nil && p.Spicepod.Unified != "" && result.Result == diag.Planned {
		c.showDifference(p.Spicepod.Unified)
	}
	c.explain(result.Err)
	c.annotate(in, result)
	c.log.line("result", "%s: %s (%s)", result.Result, inShort(result), result.Duration.Round(100*1e6))
	if result.App.ID != 0 && !c.options.Emulator && !result.Delete {
		c.log.line("", "%s", result.AppURL())
	}
	if result.Hint != "" {
		c.log.line("what to do", "%s", result.Hint)
	}
	outputs := c.outputs(report.Outputs(result))
	c.warnIf("the outputs could not be written", c.host.WriteOutputs(outputs))
	for _, said := range report.LeftOut(result) {
		c.log.line("results", "%s", said)
	}
	summary := c.redactor.Redact(report.Summary(result, c.facts.BuildURL, c.redactor.Redact))
	c.warnIf("the job summary could not be written", c.host.WriteSummary(summary))
	if in.workspace != nil {
		c.warnIf("output-file", c.writeOutputFile(in, outputs))
		if name := c.options.SummaryFile; name != "" {
			c.warnIf("summary-file", in.workspace.Write(name, []byte(summary)))
		}
	}
	return code
}

func (c *command) showDifference(unified string) {
	end := c.host.Group("spicepod difference")
	defer end()
	c.log.text(unified)
}

// annotate shows the end of a bad run, and every problem with the input, where the CI system shows annotations.
func (c *command) annotate(in *inputs, result deploy.Result) {
	pointed := c.pointAtMissing(in, result)
	for _, w := range result.Warnings {
		if pointed && saysMissing(w) {
			continue
		}
		c.host.Annotate(ci.Annotation{Level: ci.Warning, Title: "spice-deploy", Message: c.clean(w)})
	}
	if problems, ok := errors.AsType[diag.Problems](result.Err); ok {
		for _, p := range problems {
			c.problem(p)
		}
		return
	}
	if result.Err != nil && (!pointed || !saysMissing(result.Reason)) {
		message := result.Reason
		if result.Hint != "" {
			message += "\nWhat to do: " + result.Hint
		}
		level := ci.Error
		if result.ExitCode == 0 {
			level = ci.Warning // an error would make TeamCity fail what is to succeed
		}
		c.host.Annotate(ci.Annotation{Level: level, Title: "spice-deploy: " + string(result.Result), Message: c.clean(message)})
	}
}

// problem prints one problem with the input, and annotates the line of the file it is about.
func (c *command) problem(p diag.Problem) {
	c.log.line("input", "%s", p)
	if p.Hint != "" {
		c.log.line("what to do", "%s", p.Hint)
	}
	message := p.Message
	if p.Hint != "" {
		message += "\nWhat to do: " + p.Hint
	}
	title := "spice-deploy: " + string(diag.InvalidInput)
	if p.Option != "" {
		title = "spice-deploy: " + p.Option
	}
	c.host.Annotate(ci.Annotation{
		Level: ci.Error, Title: c.clean(title), Message: c.clean(message), File: p.File, Line: p.Line, Column: p.Column,
	})
}

func (c *command) clean(text string) string { return strings.Join(clean(c.redactor, text), "\n") }

func (c *command) warnIf(what string, err error) {
	if err != nil {
		c.log.line("results", "warning: %s: %s", what, err)
	}
}

// outputs covers secrets in what goes to other steps. Facts of the run stay as they are.
func (c *command) outputs(list []report.Output) []ci.Output {
	covered := make([]ci.Output, len(list))
	for i, o := range list {
		covered[i] = ci.Output{Name: o.Name, Value: c.redactor.Redact(o.Value)}
	}
	return covered
}

func (c *command) writeOutputFile(in *inputs, outputs []ci.Output) error {
	name := c.options.OutputFile
	if name == "" {
		return nil
	}
	data, err := ci.EncodeOutputs(name, outputs)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return in.workspace.Write(name, data)
}

// known writes the ids of the app and the deployment the moment they are known, so that a step that is killed
// leaves them behind.
type known struct {
	command *command
	written map[string]string
}

func newKnown(c *command) *known { return &known{command: c, written: map[string]string{}} }

// Observe writes what is new.
func (k *known) Observe(e deploy.Event) {
	var news []report.Output
	for _, o := range report.Known(e.Result) {
		if k.written[o.Name] != o.Value {
			k.written[o.Name] = o.Value
			k.command.redactor.Spare(o.Value)
			news = append(news, o)
		}
	}
	if len(news) == 0 {
		return
	}
	k.command.warnIf("the outputs could not be written", k.command.host.WriteOutputs(k.command.outputs(news)))
}

// inShort is the reason for the log, which has shown the problems of the input already.
func inShort(result deploy.Result) string {
	switch problems, _ := errors.AsType[diag.Problems](result.Err); len(problems) {
	case 0:
		return result.Reason
	case 1:
		return "1 problem with the input, see above; nothing was sent"
	default:
		return fmt.Sprintf("%d problems with the input, see above; nothing was sent", len(problems))
	}
}
