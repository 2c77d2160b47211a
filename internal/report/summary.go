package report

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

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
	diag.VerificationFailed: "⚠️ Deployed, but not serving correctly",
	diag.Rejected:           "❌ Spice Cloud refused",
	diag.InternalError:      "💥 A bug in spice-deploy",
	diag.Cancelled:          "🛑 Cancelled",
}

// ofVerify are the verdicts of the command verify where they differ, since it deploys nothing.
var ofVerify = map[diag.Result]string{
	diag.Succeeded:          "✅ The runtime is healthy",
	diag.VerificationFailed: "⚠️ The runtime is not healthy",
}

func verdict(r deploy.Result) string {
	if r.Delete && r.Result == diag.Succeeded {
		return "🗑️ Deleted"
	}
	switch said := ofVerify[r.Result]; {
	case !r.Verify || said == "":
		return verdicts[r.Result]
	case r.Unproven:
		return ofVerify[diag.VerificationFailed]
	default:
		return said
	}
}

// mostOfSummary is below what GitHub takes as the summary of a step, 1 MiB, beyond which it shows none
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits).
const mostOfSummary = 1<<20 - 4<<10

// Summary is the job summary in Markdown: the verdict, its reason and the way to the log first, then the facts, then
// the details, as many as fit. Every text of it goes through cover first, which hides secrets: in Markdown they are
// escaped, and not found any more.
func Summary(r deploy.Result, logURL string, cover func(string) string) string {
	b := &page{cover: cover}
	opening(b, r, "", logURL)
	sections(b, r, mostOfSummary, "_Not all there is to tell fits into a summary: see the log of the run._\n",
		facts, warnings, timelineSection, verificationSection, spicepodSection, secretsSection)
	return b.String()
}

// sections adds to a page what fits into a number of bytes, and a note where something does not.
func sections(b *page, r deploy.Result, most int, note string, list ...func(*page, deploy.Result)) {
	left := false
	for _, section := range list {
		part := &page{cover: b.cover}
		section(part, r)
		if b.Len()+part.Len()+len(note) > most {
			left = true
			continue
		}
		b.WriteString(part.String())
	}
	if left {
		b.WriteString(note)
	}
}

// What fits into the opening, in bytes. It is small, so that it fits everywhere.
const (
	mostOfName     = 200
	mostOfReason   = 2 << 10 // an escaped @ takes 12 bytes, and there is a hint as well
	mostOfProblems = 16 << 10
)

// opening is all that most readers need: the verdict on the app, which has another name while it is not known, its
// reason and what to do.
func opening(b *page, r deploy.Result, other, logURL string) {
	fmt.Fprintf(b, "## %s", verdict(r))
	if r.RolledBackTo != 0 {
		b.WriteString(", rolled back")
	}
	app := r.App.Name
	if app == "" && r.Plan != nil {
		app = r.Plan.App.Name
	}
	if name := b.text(cut(b.cover(cmp.Or(app, other)), mostOfName)); name != "" {
		fmt.Fprintf(b, ": %s", name)
	}
	b.WriteString("\n\n")
	if found, ok := errors.AsType[diag.Problems](r.Err); ok {
		problems(b, found)
	} else if r.Reason != "" {
		fmt.Fprintf(b, "%s\n\n", b.text(cut(b.cover(r.Reason), mostOfReason)))
	}
	if r.Hint != "" {
		fmt.Fprintf(b, "**What to do:** %s\n\n", b.prose(cut(b.cover(r.Hint), mostOfReason)))
	}
	if link(logURL) {
		fmt.Fprintf(b, "[Log of the run](%s)\n\n", logURL)
	}
}

// problems lists what is wrong with the input, with the line of the file it is about, as much as has room.
func problems(b *page, found diag.Problems) {
	left, room := 0, mostOfProblems
	for _, p := range found {
		part := &page{cover: b.cover}
		problem(part, p)
		if part.Len() > room {
			left++
			continue
		}
		room -= part.Len()
		b.WriteString(part.String())
	}
	if left > 0 {
		fmt.Fprintf(b, "- and %d more: see the log of the run\n", left)
	}
	b.WriteString("\n")
}

func problem(b *page, p diag.Problem) {
	line := p.Text
	p.Text = ""
	fmt.Fprintf(b, "- %s\n", b.text(cut(b.cover(p.Error()), mostOfReason)))
	if line != "" {
		fmt.Fprintf(b, "  %s\n", b.code(cut(b.cover(line), mostOfReason)))
	}
	if p.Hint != "" {
		fmt.Fprintf(b, "  **What to do:** %s\n", b.prose(cut(b.cover(p.Hint), mostOfReason)))
	}
}

// link tells whether an address can stand in Markdown as it is.
func link(address string) bool {
	u, err := url.Parse(address)
	return err == nil && len(address) < mostOfReason && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && !strings.ContainsAny(address, " ()<>[]\\`\"|")
}
