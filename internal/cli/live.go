package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"github.com/schollz/progressbar/v3"
)

// redraw is how often the live line is drawn while a run waits.
const redraw = 200 * time.Millisecond

// live makes the texts of the live line.
type live struct{ spinner *progressbar.ProgressBar }

func newLive() *live {
	return &live{progressbar.NewOptions(-1, progressbar.OptionSetWriter(io.Discard),
		progressbar.OptionSpinnerType(14), progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetSpinnerChangeInterval(0), // it turns when it is drawn, and needs no goroutine of its own
	)}
}

// waiting is what a run waits for. Its texts are covered and defused.
type waiting struct {
	time  string  // about 12s left
	part  float64 // of the time that has passed, below 1; negative where it is not known
	state string  // 1001 is queued
}

// text is the live line for a terminal of so many columns: a bar where there is room for one, else a spinner, and as
// much of the words as there is room for. The last column stays free, since some terminals go on from there to the
// next line.
func (l *live) text(w waiting, columns int) string {
	const shortestBar, longestBar, shortestState = 15, 35, 8
	columns--
	words := w.time + ": " + w.state
	if room := columns - uniseg.StringWidth(words) - 1; w.part >= 0 && room >= shortestBar {
		return bar(w.part, min(room, longestBar)) + " " + words
	}
	columns -= len("* ")
	if columns-uniseg.StringWidth(w.time)-len(": ") < shortestState {
		words = w.time
	}
	l.spinner.Describe("")
	return strings.TrimSpace(l.spinner.String()) + " " + cut(words, columns)
}

// bar is a progress bar of so many columns, with its percentage.
func bar(part float64, columns int) string {
	const percentage = 5
	b := progressbar.NewOptions(100, progressbar.OptionSetWriter(io.Discard),
		progressbar.OptionSetWidth(columns-percentage), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: green, BarEnd: plain}))
	_ = b.RenderBlank()
	_ = b.Set(int(part * 100))
	return strings.TrimSpace(b.String())
}

// cut is the beginning of a text, as much as fits into so many columns.
func cut(text string, columns int) string {
	if uniseg.StringWidth(text) <= columns {
		return text
	}
	var kept strings.Builder
	rest, state, width := text, -1, 0
	for columns--; rest != ""; {
		var cluster string
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if columns -= width; columns < 0 {
			break
		}
		kept.WriteString(cluster)
	}
	return kept.String() + "…"
}

// timeLeft says how long something takes yet that takes usually so long, and how much of it is done: never all,
// as long as it has not ended, and -1 where it takes longer than usual.
func timeLeft(elapsed, usual time.Duration) (text string, part float64) {
	left := usual - elapsed
	if over := (-left).Truncate(time.Second); left <= 0 && over == 0 {
		return "about to end", 0.99
	} else if left <= 0 {
		return fmt.Sprintf("%s longer than the usual %s", over, max(time.Second, usual.Round(time.Second))), -1
	}
	part = min(max(0, elapsed.Seconds()/usual.Seconds()), 0.99)
	return fmt.Sprintf("about %s left", (left + time.Second - 1).Truncate(time.Second)), part
}
