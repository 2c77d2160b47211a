package report

import (
	"fmt"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// Bounds of the picture: what is shorter cannot be seen, and what has more bars cannot be read.
const (
	shortestRun  = time.Second
	shortestSpan = 10 * time.Millisecond
	mostSpans    = 40
)

// timelineSection draws what the run spent its time on, as a Gantt chart that GitHub renders
// (https://mermaid.js.org/syntax/gantt.html). The axis is in the time zone of whoever looks.
func timelineSection(b *page, r deploy.Result) {
	spans := visible(r.Timeline)
	if len(spans) < 2 || r.Duration < shortestRun {
		return
	}
	b.WriteString("```mermaid\ngantt\n    dateFormat x\n    axisFormat %H:%M:%S\n    todayMarker off\n")
	for i, s := range spans {
		mark := ""
		if last := i == len(spans)-1; last && bad(r) {
			mark = "crit, "
		}
		took := s.End.Sub(s.Start)
		fmt.Fprintf(b, "    %s %s :%s%d, %d\n", s.Name, short(took), mark, s.Start.UnixMilli(), s.End.UnixMilli())
	}
	b.WriteString("```\n\n")
}

// visible is the spans that can be seen, the last ones where there are too many.
func visible(timeline []deploy.Span) []deploy.Span {
	var spans []deploy.Span
	for _, s := range timeline {
		if s.End.Sub(s.Start) >= shortestSpan {
			spans = append(spans, s)
		}
	}
	return spans[max(0, len(spans)-mostSpans):]
}

// bad tells whether the run ended where its last span did because something went wrong there.
func bad(r deploy.Result) bool {
	switch r.Result {
	case diag.Succeeded, diag.Submitted, diag.Planned, diag.Skipped:
		return false
	}
	return true
}

// short is a duration as one reads it off a picture.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
