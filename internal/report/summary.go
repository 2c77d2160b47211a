package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// verdicts puts each result into the words and the sign that a summary opens with.
var verdicts = map[diag.Result]string{
	diag.Succeeded:          "✅ Deployed",
	diag.Submitted:          "🚀 Deployment created, not waited for",
	diag.Planned:            "📋 Plan",
	diag.Skipped:            "⏭️ Skipped",
	diag.Failed:             "❌ Deployment failed",
	diag.Superseded:         "⏩ Replaced by a newer deployment",
	diag.InvalidInput:       "❌ The input is wrong, nothing was changed",
	diag.AuthError:          "🔒 Spice Cloud refused the credentials",
	diag.TimedOut:           "⏱️ Timed out, the deployment may still be running",
	diag.Unavailable:        "❌ Spice Cloud could not be reached",
	diag.Conflict:           "🚧 Another deployment was in the way",
	diag.VerificationFailed: "⚠️ Deployed, but not well",
	diag.Rejected:           "❌ Spice Cloud refused",
	diag.InternalError:      "💥 A bug in spice-deploy",
	diag.Cancelled:          "🛑 Cancelled",
}

// Summary is the job summary in Markdown: the verdict and its reason first, then the facts, then the details. Every
// text of it goes through cover first, which hides secrets: in Markdown they are escaped, and not found any more.
func Summary(r deploy.Result, cover func(string) string) string {
	b := &page{cover: cover}
	fmt.Fprintf(b, "## %s", verdicts[r.Result])
	if r.App.Name != "" {
		fmt.Fprintf(b, ": %s", b.text(r.App.Name))
	}
	b.WriteString("\n\n")
	if found, ok := errors.AsType[diag.Problems](r.Err); ok {
		problems(b, found)
	} else if r.Reason != "" {
		fmt.Fprintf(b, "%s\n\n", b.text(r.Reason))
	}
	if r.Hint != "" {
		fmt.Fprintf(b, "**What to do:** %s\n\n", b.prose(r.Hint))
	}
	facts(b, r)
	timelineSection(b, r)
	warnings(b, r)
	verificationSection(b, r)
	spicepodSection(b, r)
	secretsSection(b, r)
	return b.String()
}

// problems lists what is wrong with the input, with the line of the file it is about.
func problems(b *page, found diag.Problems) {
	for _, p := range found {
		line := p.Text
		p.Text = ""
		fmt.Fprintf(b, "- %s\n", b.text(p.Error()))
		if line != "" {
			fmt.Fprintf(b, "  %s\n", b.code(line))
		}
		if p.Hint != "" {
			fmt.Fprintf(b, "  **What to do:** %s\n", b.prose(p.Hint))
		}
	}
	b.WriteString("\n")
}

func facts(b *page, r deploy.Result) {
	var rows [][2]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	if r.App.ID != 0 {
		add("App", fmt.Sprintf("[%s](%s) (id %d%s)", b.text(r.App.Name), r.AppURL(), r.App.ID, comma(b, r.App.Region)))
	}
	if d := r.Deployment; d.ID != 0 {
		value := fmt.Sprintf("[%d](%s), %s", d.ID, r.AppURL(), b.code(d.RawStatus))
		switch {
		case r.Adopted:
			value += ", made by another run and adopted"
		case r.TakenOver:
			value += ", found in the list after its answer was lost"
		}
		add("Deployment", value)
		add("Runtime", b.code(d.ImageTag))
		add("Error code", b.code(d.ErrorCode))
	}
	if p := r.Plan; p != nil && p.InTheWay != nil && r.Deployment.ID == 0 {
		add("In the way", fmt.Sprintf("deployment %d, %s", p.InTheWay.ID, b.code(p.InTheWay.RawStatus)))
	}
	if r.SupersededBy != 0 {
		add("Replaced by", fmt.Sprintf("deployment %d", r.SupersededBy))
	}
	if r.RolledBackTo != 0 {
		add("Rolled back to", fmt.Sprintf("deployment %d, with the former spicepod", r.RolledBackTo))
	}
	add("Commit", commit(b, r))
	if r.Duration > 0 {
		add("Duration", r.Duration.Round(100*time.Millisecond).String())
	}
	if r.Plan != nil {
		add("Tags", b.text(strings.Join(r.Plan.TagChanges, ", ")))
	}
	if len(rows) == 0 {
		return
	}
	b.WriteString("| | |\n| --- | --- |\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s | %s |\n", row[0], row[1])
	}
	b.WriteString("\n")
}

func commit(b *page, r deploy.Result) string {
	q := r.Request
	var parts []string
	if q.CommitSHA != "" {
		parts = append(parts, b.code(q.CommitSHA[:min(len(q.CommitSHA), 7)]))
	}
	if q.Branch != "" {
		parts = append(parts, "on "+b.code(q.Branch))
	}
	if q.CommitMessage != "" {
		parts = append(parts, b.text(q.CommitMessage))
	}
	return strings.Join(parts, " ")
}

func comma(b *page, s string) string {
	if s == "" {
		return ""
	}
	return ", " + b.text(s)
}

func warnings(b *page, r deploy.Result) {
	for _, w := range r.Warnings {
		fmt.Fprintf(b, "> ⚠️ %s\n\n", b.text(w))
	}
}

func spicepodSection(b *page, r deploy.Result) {
	p := r.Plan
	if p == nil || p.Spicepod.Empty() {
		return
	}
	title := "Spicepod: what changes"
	if r.SpicepodSent {
		title = "Spicepod: what changed"
	}
	fmt.Fprintf(b, "### %s\n\n", title)
	const most = 50
	for i, change := range p.Spicepod.Changes {
		if i == most {
			fmt.Fprintf(b, "- and %d more\n", len(p.Spicepod.Changes)-most)
			break
		}
		fmt.Fprintf(b, "- %s\n", b.text(change.String()))
	}
	fmt.Fprintf(b, "\n<details><summary>Difference</summary>\n\n%s\n\n</details>\n\n", b.fenced("diff", cut(b.cover(p.Spicepod.Unified), mostOfDiff)))
}

func secretsSection(b *page, r deploy.Result) {
	if len(r.Secrets) == 0 {
		return
	}
	b.WriteString("### Secrets\n\n| secret | action |\n| --- | --- |\n")
	const most = 500
	for i, s := range r.Secrets {
		if i == most {
			fmt.Fprintf(b, "| and %d more | |\n", len(r.Secrets)-most)
			break
		}
		fmt.Fprintf(b, "| %s | %s |\n", b.code(s.Name), s.Action)
	}
	b.WriteString("\n")
}
