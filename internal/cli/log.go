package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// The log's rules: one line for each thing that changed, with what it is about in the first column; nothing is
// printed twice; a line that says the same as the one before is worth printing only as a sign of life, every 30
// seconds. Remote text is defused and every secret covered on the way out.
type log struct {
	redactor *redact.Redactor

	mu    sync.Mutex // orders the lines of parallel requests, and commands among them
	out   *redact.Writer
	last  time.Time
	state string // what a sign of life says
	after bool   // the deployment has ended, and with it what timeout-seconds bounds
	lost  error  // why lines could not be printed, nil where all were

	terminal *terminal // nil where lines are plain
	live     *live
	began    time.Time     // when the deployment that is waited for began
	usual    time.Duration // how long it may take; 0 where that is not known
}

// quiet is how long the log says nothing before it gives a sign of life.
const quiet = 30 * time.Second

func newLog(w io.Writer, r *redact.Redactor) *log {
	return &log{redactor: r, out: r.NewWriter(w), last: time.Now()}
}

// watched has the log shown on a terminal, unless there is none. Nothing was printed before.
func (l *log) watched(t *terminal) {
	if t != nil {
		l.terminal, l.live, l.out = t, newLive(), l.redactor.NewWriter(t)
	}
}

// line prints one line under a label, further lines of the text below it. A log that cannot be written any more
// (a closed pipe) is no reason to stop deploying.
func (l *log) line(label, format string, args ...any) {
	lines := clean(l.redactor, fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range lines {
		l.print(fmt.Sprintf("%-11s %s\n", label, line))
		label = ""
	}
	l.last = time.Now()
}

// text prints a block as it is, defused and covered, without labels.
func (l *log) text(block string) {
	lines := clean(l.redactor, block)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range lines {
		l.print(line + "\n")
	}
}

// print needs the lock.
func (l *log) print(line string) {
	if _, err := io.WriteString(l.out, line); err != nil && l.lost == nil {
		l.lost = err
	}
}

// clean makes harmless lines of a text. Secrets are covered once more after the text was defused, which takes out
// characters that may have stood inside one.
func clean(r *redact.Redactor, text string) []string {
	lines := strings.Split(r.Redact(strings.TrimRight(text, "\r\n")), "\n")
	for i, line := range lines {
		lines[i] = r.Redact(ci.Defuse(line))
	}
	return lines
}

// commands is where commands to the CI system go: past the redactor, since a mask names what it masks, and never
// into the middle of a line of which the redactor holds back the end.
type commands struct {
	log *log
	to  io.Writer
}

// Write prints whole commands.
func (c commands) Write(p []byte) (int, error) {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	if err := c.log.out.Flush(); err != nil {
		return 0, err
	}
	return c.to.Write(p)
}

// Observe prints what happens in a run.
func (l *log) Observe(e deploy.Event) {
	switch e.Level {
	case deploy.Warning:
		l.line(string(e.Phase), "warning: %s", e.Text)
	default:
		l.line(string(e.Phase), "%s", e.Text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = age.ReplaceAllString(e.Text, "")
	l.after = e.Phase == deploy.PhaseVerify || e.Phase == deploy.PhaseRollback
	l.usual = 0
	if d := e.Result.Deployment; d.ID != 0 && !l.after {
		l.state = fmt.Sprintf("%d is %s", d.ID, d.RawStatus)
		if d.Status != spicecloud.Succeeded && d.Status != spicecloud.Failed {
			l.began, l.usual = e.Result.Began, e.Result.Usual
		}
	}
}

// age is how old another deployment was when it was told of, which a sign of life must not repeat later.
var age = regexp.MustCompile(`, created [0-9a-z.]+ ago`)

// signsOfLife shows that a run goes on until stop is called: on a terminal by the live line, else by a line whenever
// nothing was printed for a while. The context that it returns is for the run: a bug here ends it.
func (l *log) signsOfLife(ctx context.Context, limit time.Duration) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		cancel(diag.Guard(func() error { return l.repeat(ctx, limit) }))
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

// repeat gives signs of life until ctx ends.
func (l *log) repeat(ctx context.Context, limit time.Duration) error {
	every, give := time.Second, l.signOfLife
	if l.terminal != nil {
		every, give = redraw, l.draw
		defer l.erase()
	}
	started := time.Now()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			give(time.Since(started), limit)
		}
	}
}

// signOfLife prints a line if nothing was printed for a while.
func (l *log) signOfLife(elapsed, limit time.Duration) {
	l.mu.Lock()
	silent, state, so := time.Since(l.last), l.state, l.soFar(elapsed, limit)
	l.mu.Unlock()
	if silent >= quiet && state != "" {
		l.line("waiting", "%s; %s", state, so)
	}
}

// soFar needs the lock.
func (l *log) soFar(elapsed, limit time.Duration) string {
	so := elapsed.Round(time.Second).String()
	if !l.after {
		so += fmt.Sprintf(" of at most %s", limit)
	}
	return so
}

// draw draws the live line. One that cannot be drawn is no loss: the lines of the log tell what became of the run.
func (l *log) draw(elapsed, limit time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == "" {
		return
	}
	w := waiting{time: l.soFar(elapsed, limit), part: -1, state: strings.Join(clean(l.redactor, l.state), " ")}
	if l.usual > 0 {
		w.time, w.part = timeLeft(time.Since(l.began), l.usual)
	}
	_ = l.terminal.show(l.live.text(w, l.terminal.width()))
}

// erase takes the live line away.
func (l *log) erase() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.terminal.show("")
}

// flush prints what the redacting writer holds back, and returns why lines were lost, if any were.
func (l *log) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.out.Flush(); err != nil && l.lost == nil {
		l.lost = err
	}
	if l.terminal == nil {
		return l.lost
	}
	if err := l.terminal.finish(); err != nil && l.lost == nil {
		l.lost = err
	}
	return l.lost
}
