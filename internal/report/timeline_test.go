package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
)

// chart is the lines of the picture in a summary, nil where there is none.
func chart(r deploy.Result) []string {
	_, rest, found := strings.Cut(report.Summary(r, logURL, asItIs), "```mermaid\ngantt\n    dateFormat YYYY-MM-DD HH:mm:ss.SSS\n")
	if !found {
		return nil
	}
	lines, _, _ := strings.Cut(rest, "\n```\n")
	return strings.Split(strings.ReplaceAll(lines, "    ", ""), "\n")
}

func TestSummary_timeline(t *testing.T) {
	t.Parallel()

	const off = "todayMarker off"
	cases := []struct {
		name  string
		end   diag.Result
		spans []deploy.Span
		want  []string
	}{
		{"nothing", diag.Succeeded, nil, nil},
		{"one_thing", diag.Succeeded, timeline("plan", 5000), nil},
		{"less_than_a_second", diag.Succeeded, timeline("plan", 400, "create", 500), nil},
		{"seconds", diag.Succeeded, timeline("plan", 412, "create", 9, "queued", 2088), []string{
			"axisFormat %-Ss", "tickInterval 1second", off,
			"plan 410ms :2000-01-01 00:00:00.000, 412ms",
			"queued 2.1s :2000-01-01 00:00:00.421, 2088ms",
		}},
		{"minutes", diag.Succeeded, timeline("queued", 61_000, "in progress", 61_000), []string{
			"axisFormat %-Mm%Ss", "tickInterval 15second", off,
			"queued 1m1s :2000-01-01 00:00:00.000, 61000ms",
			"in progress 1m1s :2000-01-01 00:01:01.000, 61000ms",
		}},
		{"many_minutes", diag.Succeeded, timeline("queued", 60_000, "in progress", 840_000), []string{
			"axisFormat %-Mm", "tickInterval 2minute", off,
			"queued 1m0s :2000-01-01 00:00:00.000, 60000ms",
			"in progress 14m0s :2000-01-01 00:01:00.000, 840000ms",
		}},
		{"hours", diag.TimedOut, timeline("queued", 60_000, "in progress", 7_200_000), []string{
			"axisFormat %-Hh%Mm", "tickInterval 15minute", off,
			"queued 1m0s :2000-01-01 00:00:00.000, 60000ms",
			"in progress 2h0m0s :crit, 2000-01-01 00:01:00.000, 7200000ms",
		}},
		{"weeks", diag.Succeeded, timeline("queued", 60_000, "in progress", 1_296_000_000), []string{
			"axisFormat day %-d", "tickInterval 1day", off,
			"queued 1m0s :2000-01-01 00:00:00.000, 60000ms",
			"in progress 360h0m0s :2000-01-01 00:01:00.000, 1296000000ms",
		}},
		{"too_short_to_be_seen_but_wrong", diag.VerificationFailed, timeline("in progress", 2000, "readiness", 0, "probes", 0), []string{
			"axisFormat %-Ss", "tickInterval 1second", off,
			"in progress 2s :2000-01-01 00:00:00.000, 2000ms",
			"probes 10ms :crit, 2000-01-01 00:00:02.000, 1ms",
		}},
		{"the_clock_went_back", diag.Succeeded, append(timeline("plan", 2000, "create", -1000), timeline("queued", 3000)...), []string{
			"axisFormat %-Ss", "tickInterval 1second", off,
			"plan 2s :2000-01-01 00:00:00.000, 2000ms",
			"queued 3s :2000-01-01 00:00:00.000, 3000ms",
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := run(tc.end, "reason", func(r *deploy.Result) { r.Timeline = tc.spans })
			if diff := cmp.Diff(tc.want, chart(r)); diff != "" {
				t.Errorf("timeline (-want, +got):\n%s", diff)
			}
		})
	}
}

// TestSummary_timelineOfRollbacks marks what went wrong: what was rolled back, and the rollback where it failed too.
func TestSummary_timelineOfRollbacks(t *testing.T) {
	t.Parallel()

	for name, want := range map[string][]string{"rollback-done": {"in progress 1m32s"}, "rollback-failed": {"in progress 1m32s", "rollback 1m24s"}} {
		var got []string
		for _, line := range chart(rollbacks()[name]) {
			if span, _, wrong := strings.Cut(line, " :crit, "); wrong {
				got = append(got, span)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: what is marked (-want, +got):\n%s", name, diff)
		}
	}
}

// TestSummary_timelineOfManySpans shows the last ones of a run that waited for others again and again.
func TestSummary_timelineOfManySpans(t *testing.T) {
	t.Parallel()

	var spans []any
	for range 100 {
		spans = append(spans, deploy.SpanPlan, 100, deploy.SpanWait, 1000)
	}
	lines := chart(run(diag.Conflict, "reason", func(r *deploy.Result) { r.Timeline = timeline(spans...) }))
	if got, want := len(lines), 3+40; got != want {
		t.Errorf("expected %d lines to be %d", got, want)
	}
	if got, want := lines[len(lines)-1], "wait for others 1s :crit, 2000-01-01 00:00:21.000, 1000ms"; got != want {
		t.Errorf("expected the last line %q to be %q", got, want)
	}
	if tick := lines[1]; tick != "tickInterval 5second" {
		t.Errorf("expected the ticks to fit %s, got %s", 22*time.Second, tick)
	}
}
