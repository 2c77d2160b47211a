package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
)

// Bounds of the picture: what is shorter cannot be seen, and what has more bars cannot be read.
const (
	shortestRun  = time.Second
	shortestSpan = 10 * time.Millisecond
	mostSpans    = 40
	mostTicks    = 10
)

// timelineSection draws what the run spent its time on, as a Gantt chart that GitHub renders
// (https://mermaid.js.org/syntax/gantt.html).
//
// Mermaid knows points in time and no durations. They count from a midnight that every time zone has, and are read
// and written in the time zone of whoever looks, so that the axis says how much time has passed.
func timelineSection(b *page, r deploy.Result) {
	wrong := wrongSpans(r)
	spans := visible(r.Timeline, wrong)
	if len(spans) < 2 {
		return
	}
	begin := slices.MinFunc(spans, func(a, b deploy.Span) int { return a.Start.Compare(b.Start) }).Start
	end := slices.MaxFunc(spans, func(a, b deploy.Span) int { return a.End.Compare(b.End) }).End
	total := end.Sub(begin)
	if total < shortestRun {
		return
	}
	tick, format := axis(total)
	fmt.Fprintf(b, "```mermaid\ngantt\n    dateFormat YYYY-MM-DD HH:mm:ss.SSS\n    axisFormat %s\n    tickInterval %s\n    todayMarker off\n", format, tick)
	midnight := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range spans {
		mark := ""
		if slices.Contains(wrong, s) {
			mark = "crit, "
		}
		took := s.End.Sub(s.Start)
		fmt.Fprintf(b, "    %s %s :%s%s, %dms\n", s.Name, short(took), mark,
			midnight.Add(s.Start.Sub(begin)).Format("2006-01-02 15:04:05.000"), max(1, took.Milliseconds()))
	}
	b.WriteString("```\n\n")
}

// axis is the distance of the ticks and the form of their labels for a picture of that length.
func axis(total time.Duration) (tick, format string) {
	format = "%-Hh%Mm"
	switch {
	case total < time.Minute:
		format = "%-Ss"
	case total < 5*time.Minute:
		format = "%-Mm%Ss"
	case total < time.Hour:
		format = "%-Mm"
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Second, "second"}, {time.Minute, "minute"}, {time.Hour, "hour"}} {
		for _, n := range []time.Duration{1, 2, 5, 10, 15, 30} {
			if total <= mostTicks*n*unit.length {
				return fmt.Sprintf("%d%s", n, unit.name), format
			}
		}
	}
	return "1day", "day %-d"
}

// visible is the spans that can be seen, and those that went wrong; the last ones where there are too many.
func visible(timeline []deploy.Span, wrong []deploy.Span) []deploy.Span {
	var spans []deploy.Span
	for _, s := range timeline {
		if s.End.Sub(s.Start) >= shortestSpan || slices.Contains(wrong, s) {
			spans = append(spans, s)
		}
	}
	return spans[max(0, len(spans)-mostSpans):]
}

// wrongSpans is where the run went wrong: its last span, or the one before a rollback, and the rollback itself where
// that brought nothing back.
func wrongSpans(r deploy.Result) []deploy.Span {
	line := r.Timeline
	if r.ExitCode == 0 || len(line) == 0 {
		return nil
	}
	last := len(line) - 1
	if last == 0 || line[last].Name != deploy.SpanRollback {
		return line[last:]
	}
	if r.RolledBackTo != 0 {
		return line[last-1 : last]
	}
	return line[last-1:]
}

// short is a duration as one reads it off a picture.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		d = max(d, shortestSpan)
		return d.Round(10 * time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
