package report

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// What fits into a comment. GitHub takes 65,536 characters
// (https://github.com/danger/danger/issues/424); bytes are counted here, of which there are never fewer.
const (
	mostOfComment     = 65536
	mostOfReason      = 2 << 10 // an escaped @ takes 12 bytes, and there is a hint as well
	mostOfProblems    = 16 << 10
	mostOfCommentDiff = 24 << 10
)

// CommentMarker is the first line of every comment about an app, which nobody sees. It is the same for a name in
// capitals, since the service takes them for the same.
func CommentMarker(app string) string {
	return "<!-- spice-deploy:" + url.PathEscape(strings.ToLower(app)) + " -->"
}

// Comment is what is written on a pull request, in Markdown, for the app of that name or id: the verdict, its reason
// and the way to the log first, then as much of the details as fits. It begins with [CommentMarker]. Secrets are
// hidden as in [Summary].
func Comment(r deploy.Result, app, logURL string, cover func(string) string) string {
	b := &page{cover: cover}
	b.WriteString(CommentMarker(app) + "\n")
	opening(b, r, logURL)

	if r.Plan != nil {
		plan := *r.Plan
		plan.Spicepod.Unified = cut(cover(plan.Spicepod.Unified), mostOfCommentDiff)
		r.Plan = &plan
	}
	const note = "_What else there is to tell does not fit into a comment: see the summary of the run._\n"
	left := false
	for _, section := range []func(*page, deploy.Result){facts, warnings, verificationSection, spicepodSection, foldedSecrets} {
		part := &page{cover: cover}
		section(part, r)
		if b.Len()+part.Len()+len(note) > mostOfComment {
			left = true
			continue
		}
		b.WriteString(part.String())
	}
	if left {
		b.WriteString(note)
	}
	return b.String()
}

// opening is all that most readers need.
func opening(b *page, r deploy.Result, logURL string) {
	fmt.Fprintf(b, "## %s", verdicts[r.Result])
	if r.App.Name != "" {
		fmt.Fprintf(b, ": %s", b.text(cut(b.cover(r.App.Name), 200)))
	}
	b.WriteString("\n\n")
	part := &page{cover: b.cover}
	if found, ok := errors.AsType[diag.Problems](r.Err); ok {
		problems(part, found)
	}
	if part.Len() == 0 || part.Len() > mostOfProblems {
		part.Reset()
		fmt.Fprintf(part, "%s\n\n", part.text(cut(b.cover(r.Reason), mostOfReason)))
	}
	b.WriteString(part.String())
	if r.Hint != "" {
		fmt.Fprintf(b, "**What to do:** %s\n\n", b.prose(cut(b.cover(r.Hint), mostOfReason)))
	}
	if link(logURL) {
		fmt.Fprintf(b, "[Log of the run](%s)\n\n", logURL)
	}
}

// link tells whether an address can stand in Markdown as it is.
func link(address string) bool {
	u, err := url.Parse(address)
	return err == nil && len(address) < mostOfReason && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && !strings.ContainsAny(address, " ()<>[]\\`\"|")
}

// foldedSecrets is the list of secrets for readers who ask for it.
func foldedSecrets(b *page, r deploy.Result) {
	part := &page{cover: b.cover}
	secretsSection(part, r)
	if part.Len() > 0 {
		fmt.Fprintf(b, "<details><summary>Secrets</summary>\n\n%s</details>\n", part.String())
	}
}
