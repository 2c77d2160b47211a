package report

import (
	"net/url"
	"strings"

	"github.com/spicedeploy/spice-deploy/deploy"
)

// What fits into a comment. GitHub takes 65,536 characters
// (https://github.com/danger/danger/issues/424); bytes are counted here, of which there are never fewer.
const (
	mostOfComment     = 65536
	mostOfCommentDiff = 24 << 10
)

// CommentMarker is the first line of every comment about an app, which nobody sees. It is the same for a name in
// capitals, since the service takes them for the same.
func CommentMarker(app string) string {
	return "<!-- spice-deploy:" + url.PathEscape(strings.ToLower(app)) + " -->"
}

// Comment is what is written on a pull request, in Markdown, for the app of that name or id: a [Summary] without the
// timeline, as much of it as fits into a comment. It begins with [CommentMarker].
func Comment(r deploy.Result, app, logURL string, cover func(string) string) string {
	b := &page{cover: cover}
	b.WriteString(CommentMarker(app) + "\n")
	opening(b, r, app, logURL)
	if r.Plan != nil {
		plan := *r.Plan
		plan.Spicepod.Unified = cut(cover(plan.Spicepod.Unified), mostOfCommentDiff)
		r.Plan = &plan
	}
	sections(b, r, mostOfComment, "_Not all there is to tell fits into a comment: see the summary of the run._\n",
		facts, warnings, verificationSection, spicepodSection, secretsSection)
	return b.String()
}
