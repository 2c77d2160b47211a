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
}

// quiet is how long the log says nothing before it gives a sign of life.
const quiet = 30 * time.Second

func newLog(w io.Writer, r *redact.Redactor) *log {
	return &log{redactor: r, out: r.NewWriter(w), last: time.Now()}
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
	if d := e.Result.Deployment; d.ID != 0 && !l.after {
		l.state = fmt.Sprintf("%d is %s", d.ID, d.RawStatus)
	}
}

// age is how old another deployment was when it was told of, which a sign of life must not repeat later.
var age = regexp.MustCompile(`, created [0-9a-z.]+ ago`)

// signsOfLife prints a line whenever nothing was printed for a while, until stop is called. The context that it
// returns is for the run: a bug here ends it.
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
	started := time.Now()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		l.mu.Lock()
		silent, state, after := time.Since(l.last), l.state, l.after
		l.mu.Unlock()
		if silent < quiet || state == "" {
			continue
		}
		so := time.Since(started).Round(time.Second).String()
		if !after {
			so += fmt.Sprintf(" of at most %s", limit)
		}
		l.line("waiting", "%s; %s", state, so)
	}
}

// flush prints what the redacting writer holds back, and returns why lines were lost, if any were.
func (l *log) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.out.Flush(); err != nil && l.lost == nil {
		l.lost = err
	}
	return l.lost
}
