package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// rounded is how exact the duration of a run is told.
const rounded = 100 * time.Millisecond

// facts is the table of what was deployed, where and from which commit.
func facts(b *page, r deploy.Result) {
	var rows [][]string
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, value})
		}
	}
	add("App", app(b, r))
	if d := r.Deployment; d.ID != 0 {
		add("Deployment", deployment(b, r))
		add("Runtime", b.code(d.ImageTag))
		add("Error code", b.code(d.ErrorCode))
	}
	if r.SupersededBy != 0 {
		add("Replaced by", fmt.Sprintf("deployment %d", r.SupersededBy))
	}
	if r.RolledBackTo != 0 {
		add("Rolled back to", fmt.Sprintf("deployment %d, with the former spicepod", r.RolledBackTo))
	}
	if p := r.Plan; p != nil && p.InTheWay != nil && r.Deployment.ID == 0 {
		add("In the way", inTheWay(b, p))
	}
	add("Commit", commit(b, r))
	add("Request", request(b, r))
	if r.Plan != nil {
		add("Tags", b.codes(r.Plan.TagChanges))
	}
	if r.Duration >= rounded && r.Result != diag.Planned {
		add("Duration", r.Duration.Round(rounded).String())
	}
	if len(rows) == 0 {
		return
	}
	table(b, rows[0], rows[1:]) // a table without a head would show an empty one
}

// app is the app with its page in the portal; one that a plan would create has none yet.
func app(b *page, r deploy.Result) string {
	region := func(s string) string {
		if s == "" {
			return ""
		}
		return ", " + b.text(s)
	}
	if r.App.ID != 0 {
		if r.Delete { // its page is gone, or will be
			return fmt.Sprintf("%s (id %d%s)", b.text(r.App.Name), r.App.ID, region(r.App.Region))
		}
		return fmt.Sprintf("[%s](%s) (id %d%s)", b.text(r.App.Name), r.AppURL(), r.App.ID, region(r.App.Region))
	}
	if p := r.Plan; p != nil && p.CreateApp {
		return fmt.Sprintf("%s, to be created%s", b.text(p.App.Name), region(p.App.Region))
	}
	return ""
}

func deployment(b *page, r deploy.Result) string {
	text := fmt.Sprintf("[%d](%s), %s", r.Deployment.ID, r.AppURL(), b.code(r.Deployment.RawStatus))
	switch {
	case r.Adopted:
		text += ", made by another run and adopted"
	case r.TakenOver:
		text += ", found in the list after its answer was lost"
	}
	return text
}

// inTheWay is the deployment of others that has not ended, and what would be done about it.
func inTheWay(b *page, p *deploy.Plan) string {
	text := fmt.Sprintf("deployment %d, %s", p.InTheWay.ID, b.code(p.InTheWay.RawStatus))
	if sha := p.InTheWay.CommitSHA; sha != "" {
		text += ", of commit " + b.code(abbreviated(sha))
	}
	if p.OnConflict != "" {
		text += "; " + b.text(p.OnConflict)
	}
	return text
}

func abbreviated(sha string) string { return sha[:min(len(sha), 7)] }

func commit(b *page, r deploy.Result) string {
	q := r.Request
	var parts []string
	if q.CommitSHA != "" {
		parts = append(parts, b.code(abbreviated(q.CommitSHA)))
	}
	if q.Branch != "" {
		parts = append(parts, "on "+b.code(q.Branch))
	}
	if q.CommitMessage != "" {
		parts = append(parts, b.text(q.CommitMessage))
	}
	return strings.Join(parts, " ")
}

// request is what is asked of the deployment beside its commit.
func request(b *page, r deploy.Result) string {
	q := r.Request
	var parts []string
	if q.ImageTag != "" {
		parts = append(parts, "image "+b.code(q.ImageTag))
	}
	if q.Channel != "" {
		parts = append(parts, "channel "+b.code(q.Channel))
	}
	if q.Replicas != 0 {
		parts = append(parts, fmt.Sprintf("replicas %d", q.Replicas))
	}
	if q.Debug != nil {
		parts = append(parts, fmt.Sprintf("debug %t", *q.Debug))
	}
	return strings.Join(parts, ", ")
}

// mostOfWarnings is how many warnings can be read.
const mostOfWarnings = 50

func warnings(b *page, r deploy.Result) {
	for i, w := range r.Warnings {
		if i == mostOfWarnings {
			fmt.Fprintf(b, "> ⚠️ and %d more: see the log of the run\n\n", len(r.Warnings)-i)
			break
		}
		fmt.Fprintf(b, "> ⚠️ %s\n\n", b.text(cut(b.cover(w), mostOfReason)))
	}
}
