package poll_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/poll"
)

var update = flag.Bool("update", false, "write the comparison of schedules into docs/performance.md and its plot")

// rival is a schedule that is compared with others, for things that take as long as usual says.
type rival struct {
	name, color string
	schedule    func(usual durations) func() backoff.BackOff
}

func rivals() []rival {
	return []rival{
		{"fixed, 10 s", "#888888", func(durations) func() backoff.BackOff {
			return func() backoff.BackOff { return backoff.NewConstantBackOff(interval) }
		}},
		{"exponential, × 1.5 to 10 s", "#d1701d", func(durations) func() backoff.BackOff {
			return func() backoff.BackOff { return poll.Schedule(interval) }
		}},
		{"ours, nothing known", "#2b6cb0", func(durations) func() backoff.BackOff {
			return func() backoff.BackOff { return poll.Follow(time.Now(), interval, nil) }
		}},
		{"ours, as the last ten", "#1f8a4c", func(usual durations) func() backoff.BackOff { return following(interval, usual) }},
	}
}

// TestComparison keeps the table and the plot of docs/performance.md true. To write them anew:
//
//	go test ./poll -run TestComparison -update
func TestComparison(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		docs := filepath.Join("..", "docs")
		compare(t, filepath.Join(docs, "performance-schedule.svg"), func(string) string { return plot(t) })
		compare(t, filepath.Join(docs, "performance.md"), func(page string) string {
			const begin, end = "<!-- schedule:begin -->\n", "<!-- schedule:end -->"
			head, rest, ok := strings.Cut(page, begin)
			_, tail, closed := strings.Cut(rest, end)
			if !ok || !closed {
				t.Fatalf("docs/performance.md has no place for the table between %q and %q", begin, end)
			}
			return head + begin + table(t) + end + tail
		})
	})
}

// compare checks a file, or writes it.
func compare(t *testing.T, path string, want func(string) string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	text := want(string(got))
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(got), text); diff != "" {
		t.Errorf("%s (-written, +now); write it anew with -update:\n%s", path, diff)
	}
}

// table has a row for each kind of deployment: how late each schedule notices its end, and after how many looks.
func table(t *testing.T) string {
	t.Helper()
	kinds := []struct {
		name string
		durations
	}{
		{"fails at once: 3 s ± 10 %", durations{3 * time.Second, 0.1}},
		{"short: 12 s ± 10 %", durations{12 * time.Second, 0.1}},
		{"typical: 60 s ± 10 %", durations{time.Minute, 0.1}},
		{"long: 300 s ± 2 %", durations{5 * time.Minute, 0.02}},
		{"long: 300 s ± 10 %", durations{5 * time.Minute, 0.1}},
	}
	against := []time.Duration{12 * time.Second, 5 * time.Minute}

	var b strings.Builder
	b.WriteString("| a deployment |")
	for _, r := range rivals() {
		fmt.Fprintf(&b, " %s |", r.name)
	}
	for _, usual := range against {
		fmt.Fprintf(&b, " ours, the last ten took %.0f s |", usual.Seconds())
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(rivals())+len(against)) + "\n")
	cell := func(d durations, schedule func() backoff.BackOff) {
		got := watch(t, thousand, d, schedule)
		fmt.Fprintf(&b, " %.1f s, %.0f |", got.late.Seconds(), got.looks)
	}
	for _, kind := range kinds {
		fmt.Fprintf(&b, "| %s |", kind.name)
		for _, r := range rivals() {
			cell(kind.durations, r.schedule(kind.durations))
		}
		for _, usual := range against {
			cell(kind.durations, following(interval, durations{usual, 0.1}))
		}
		b.WriteString("\n")
	}
	// What is stuck has no end: the looks until the default deadline count.
	const deadline = 10 * time.Minute
	b.WriteString("| stuck: given up after 600 s |")
	stuck := func(schedule func() backoff.BackOff) {
		fmt.Fprintf(&b, " %.0f |", watch(t, 1, durations{deadline, 0}, schedule).looks)
	}
	for _, r := range rivals() {
		stuck(r.schedule(durations{time.Minute, 0.1}))
	}
	for _, usual := range against {
		stuck(following(interval, durations{usual, 0.1}))
	}
	b.WriteString("\n")
	return b.String()
}
