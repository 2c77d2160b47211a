package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestTimeLeft(t *testing.T) {
	t.Parallel()

	const s, ms = time.Second, time.Millisecond
	cases := []struct {
		name           string
		elapsed, usual time.Duration
		want           string
		wantPart       float64
	}{
		{"at_the_beginning", 0, 40 * s, "about 40s left", 0},
		{"before_it", -5 * s, 40 * s, "about 45s left", 0}, // the clocks of two machines
		{"half_of_it", 20 * s, 40 * s, "about 20s left", 0.5},
		{"parts_of_a_second_count_as_one", 20*s + 1*ms, 40 * s, "about 20s left", 0.500025},
		{"the_last_second", 39900 * ms, 40 * s, "about 1s left", 0.99},
		{"minutes", 10 * s, 200 * s, "about 3m10s left", 0.05},
		{"never_all_of_it", 9999 * s, 10000 * s, "about 1s left", 0.99},
		{"at_the_usual_end", 40 * s, 40 * s, "about to end", 0.99},
		{"less_than_a_second_over", 40*s + 999*ms, 40 * s, "about to end", 0.99},
		{"a_second_over", 41 * s, 40 * s, "1s longer than the usual 40s", -1},
		{"much_longer", 90 * time.Minute, 40 * s, "1h29m20s longer than the usual 40s", -1},
		{"over_what_is_usual_in_a_moment", 2 * s, 200 * ms, "1s longer than the usual 1s", -1},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, part := timeLeft(tc.elapsed, tc.usual); got != tc.want || part != tc.wantPart {
				t.Errorf("expected %q and %v to be %q and %v", got, part, tc.want, tc.wantPart)
			}
		})
	}
}

// TestLive_text: whatever the state is and however narrow the terminal, the line fits and says the time first.
func TestLive_text(t *testing.T) {
	t.Parallel()

	l := newLive()
	states := []string{"", "1001 is queued", "データセットを読み込んでいます 🚀🚀🚀", strings.Repeat("e\u0301", 300), "[red]no colour [reset]"}
	for _, state := range states {
		for _, part := range []float64{-1, 0, 0.42, 0.99} {
			for columns := range 200 {
				w := waiting{time: "about 12s left", part: part, state: state}
				text := colourless.Replace(l.text(w, columns))
				if got := uniseg.StringWidth(text); columns > 4 && got >= columns {
					t.Fatalf("%q takes %d of %d columns", text, got, columns)
				}
				if strings.ContainsAny(text, "\r\n\x1b") {
					t.Fatalf("more than one line of text: %q", text)
				}
				if columns > 20 && !strings.Contains(text, w.time) {
					t.Fatalf("the time is missing in %q, for %d columns", text, columns)
				}
				if columns > 100 && state == "1001 is queued" && strings.Contains(text, "░") != (part >= 0) {
					t.Fatalf("a bar is for what is known: %q", text)
				}
			}
		}
	}
}

// TestPaint: the colours tell lines apart, and take nothing away.
func TestPaint(t *testing.T) {
	t.Parallel()

	cases := []struct{ name, line, want string }{
		{"label", "deployment  1001 queued\n", dim + "deployment  " + plain + "1001 queued\n"},
		{"long_label", "spice-deploy v1: deploy\n", dim + "spice-deploy " + plain + "v1: deploy\n"},
		{"warning", "inputs      warning: old\n", dim + "inputs      " + plain + yellow + "warning: old" + plain + "\n"},
		{"succeeded", "result      succeeded: well (4s)\n", bold + "result      " + plain + bold + green + "succeeded" + plain + ": well (4s)\n"},
		{"failed", "result      failed: no: really\n", bold + "result      " + plain + bold + red + "failed" + plain + ": no: really\n"},
		{"no_result_of_ours", "result      ***\n", bold + "result      " + plain + bold + red + "***" + plain + "\n"},
		{"remedy", "what to do  look\n", bold + "what to do  " + plain + "look\n"},
		{"further_line", "            https://spice.ai/apps\n", "            https://spice.ai/apps\n"},
		{"added", "+name: shop\n", green + "+name: shop" + plain + "\n"},
		{"removed", "-name: shop\n", red + "-name: shop" + plain + "\n"},
		{"place", "@@ -1 +1 @@\n", dim + "@@ -1 +1 @@" + plain + "\n"},
		{"no_label", "verification\n", "verification\n"},
		{"context", " kind: Spicepod of a shop\n", " kind: Spicepod of a shop\n"},
		{"empty", "\n", "\n"},
		{"without_an_end", "deployment  1001", dim + "deployment  " + plain + "1001"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := paint(tc.line)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("painted (-want, +got):\n%s", diff)
			}
			if colourless.Replace(got) != tc.line {
				t.Errorf("expected %q to say %q", got, tc.line)
			}
		})
	}
}

// FuzzPaint: colours come between whole characters and words of whatever it is.
func FuzzPaint(f *testing.F) {
	f.Add("result      succeeded: well\n")
	f.Add("データセットを読み込んでいます\n")
	f.Add("what to do  ")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\x1b") || strings.Contains(strings.TrimSuffix(line, "\n"), "\n") || !utf8.ValidString(line) {
			return // no line of the log
		}
		got := paint(line)
		if !utf8.ValidString(got) || colourless.Replace(got) != line || strings.HasSuffix(got, "\n") != strings.HasSuffix(line, "\n") {
			t.Errorf("painted %q: %q", line, got)
		}
	})
}

// colourless takes colours away.
var colourless = strings.NewReplacer(bold, "", dim, "", red, "", green, "", yellow, "", plain, "")

// watchedLog is a log on a terminal that is this wide, and what was written to it.
func watchedLog(width func() int) (*log, *bytes.Buffer) {
	var shown bytes.Buffer
	l := newLog(&shown, redact.NewRedactor())
	l.watched(&terminal{to: &shown, width: width})
	return l, &shown
}

func wide() int { return 100 }

// TestLog_live follows the live line through a run.
func TestLog_live(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, shown := watchedLog(wide)
		secret := redact.New("hunter2-hunter2")
		l.redactor.Add(secret)
		expect := func(want string) {
			t.Helper()
			<-time.After(redraw + time.Millisecond)
			synctest.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			if !strings.Contains(l.terminal.live, want) {
				t.Errorf("expected the live line %q to hold %q", l.terminal.live, want)
			}
			if !bytes.HasSuffix(shown.Bytes(), []byte("\r")) {
				t.Errorf("expected the cursor to stand where a narrower terminal leaves it, got %q", shown)
			}
		}
		_, stop := l.signsOfLife(t.Context(), time.Hour)
		<-time.After(time.Second)
		if got := shown.String(); got != "" {
			t.Errorf("nothing is waited for, and %q is shown", got)
		}
		l.Observe(deploy.Event{Phase: deploy.PhaseConflict, Text: "deployment 7 is queued, created 5s ago: waiting for it"})
		expect("1s of at most 1h0m0s: deployment 7 is queued: waiting for it")
		ours := spicecloud.Deployment{ID: 8, Status: spicecloud.InProgress, RawStatus: "in_progress"}
		result := deploy.Result{Deployment: ours, Began: time.Now().Add(-10 * time.Second), Usual: time.Minute}
		l.Observe(deploy.Event{Phase: deploy.PhaseDeployment, Text: "8 in_progress", Result: result})
		expect("about 50s left: 8 is in_progress")
		before := shown.Len()
		l.line("network", "again in 1s")
		l.mu.Lock()
		if got := shown.String()[before:]; !strings.HasPrefix(got, erase) || !strings.HasSuffix(got, "\n"+drawn(l.terminal.live)) {
			t.Errorf("expected a line above the live line, got %q", got)
		}
		l.mu.Unlock()
		<-time.After(time.Minute)
		expect("10s longer than the usual 1m0s: 8 is in_progress")
		result.Deployment.Status, result.Deployment.RawStatus = spicecloud.Succeeded, "succeeded"
		l.Observe(deploy.Event{Phase: deploy.PhaseDeployment, Text: "8 succeeded", Result: result})
		expect("1m2s of at most 1h0m0s: 8 is succeeded")
		l.Observe(deploy.Event{Phase: deploy.PhaseVerify, Text: "dataset orders is broken: " + secret.Reveal(), Result: result})
		expect("1m2s: dataset orders is broken: ***")
		stop()
		if got := shown.String(); strings.Contains(got, secret.Reveal()) || !strings.HasSuffix(got, erase) {
			t.Errorf("expected no secret and no live line in the end:\n%q", got)
		}
	})
}

// TestLog_liveBreaks: a bug in the live line ends the run, and leaves no line behind.
func TestLog_liveBreaks(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		broken := false
		l, shown := watchedLog(func() int {
			if broken {
				panic("no terminal has this width")
			}
			return wide()
		})
		l.Observe(deploy.Event{Phase: deploy.PhaseUpdate, Text: "spicepod updated"})
		ctx, stop := l.signsOfLife(t.Context(), time.Hour)
		<-time.After(time.Second)
		l.mu.Lock()
		broken = true
		l.mu.Unlock()
		<-ctx.Done()
		stop()
		if _, ok := errors.AsType[*diag.Panic](context.Cause(ctx)); !ok {
			t.Errorf("expected a panic to be why the run ends, not %v", context.Cause(ctx))
		}
		l.line("result", "internal-error: a bug")
		if got := shown.String(); !strings.Contains(got, erase+bold+"result ") || strings.Count(got, "\n") != 2 {
			t.Errorf("expected the live line to be gone before the result:\n%q", got)
		}
	})
}
